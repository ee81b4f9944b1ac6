package dashboard

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"bethe/runs"
)

// A chartCache keeps charts, and draws one at a time.
type chartCache struct {
	turn   turns
	mu     sync.Mutex
	drawn  map[string][]byte
	recent []string
	bytes  int
}

// turns are taken one at a time.
type turns chan struct{}

func newTurns() turns { return make(turns, 1) }

// take waits for a turn until the context is done; give gives it back.
func (t turns) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t turns) give() { <-t }

// What a chartCache keeps at most: bytes, with those of the keys, and charts.
const (
	maxChartBytes = 32 << 20
	maxCharts     = 2000
)

func (c *chartCache) kept(key string) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	text, ok := c.drawn[key]
	return text, ok
}

// get returns a chart that is kept, or draws it when others are done.
func (c *chartCache) get(ctx context.Context, key string, draw func() ([]byte, error)) ([]byte, error) {
	if text, ok := c.kept(key); ok {
		return text, nil
	}
	if err := c.turn.take(ctx); err != nil {
		return nil, err
	}
	defer c.turn.give()
	if text, ok := c.kept(key); ok { // drawn for somebody else meanwhile
		return text, nil
	}
	text, err := draw()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	size := len(key) + len(text)
	if size > maxChartBytes/4 {
		return text, nil
	}
	if c.drawn == nil {
		c.drawn = map[string][]byte{}
	}
	for len(c.recent) > 0 && (len(c.recent) >= maxCharts || c.bytes+size > maxChartBytes) {
		c.bytes -= len(c.recent[0]) + len(c.drawn[c.recent[0]])
		delete(c.drawn, c.recent[0])
		c.recent = c.recent[1:]
	}
	c.drawn[key], c.recent = text, append(c.recent, key)
	c.bytes += size
	return text, nil
}

// open opens a file of a run folder, only a regular one below the folder that is
// served. The folder is looked up each time: it may have been made again.
func (s *Server) open(folder, name string) (*os.File, error) {
	below, err := filepath.Rel(filepath.Clean(s.watcher.folder), filepath.Join(folder, name))
	if err != nil {
		return nil, err
	}
	return runs.Open(s.watcher.folder, below)
}

// read reads a file of a run folder.
func (s *Server) read(folder, name string, limit int64) ([]byte, error) {
	f, err := s.open(folder, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = errors.New("too large")
	}
	return text, err
}

// A modelCache keeps the last model that was read, and reads one at a time.
type modelCache struct {
	turn    turns
	mu      sync.Mutex
	path    string
	info    fs.FileInfo
	machine completer
}

func (m *modelCache) kept(path string, info fs.FileInfo) completer {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.path == path && fileSame(m.info, info) {
		return m.machine
	}
	return nil
}

func (m *modelCache) keep(path string, info fs.FileInfo, machine completer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.path, m.info, m.machine = path, info, machine
}

// Errors of machineOf.
var (
	errNoModel = errors.New("this run has no model yet")
	errBusy    = errors.New("another model is being read; wait a moment")
)

// modelTurn is how long a request waits while another reads a model.
const modelTurn = 2 * time.Second

// machineOf returns the machine of a run: the finished one, or the last of
// those along the way. Who asks for one that is kept waits for nobody.
func (s *Server) machineOf(ctx context.Context, folder string) (completer, error) {
	for _, name := range []string{runs.ModelFile, runs.LiveFile} {
		f, err := s.open(folder, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		info, err := f.Stat()
		f.Close()
		if err != nil {
			return nil, err
		}
		path := filepath.Join(folder, name)
		if machine := s.models.kept(path, info); machine != nil {
			return machine, nil
		}
		ctx, cancel := context.WithTimeout(ctx, modelTurn)
		defer cancel()
		if s.models.turn.take(ctx) != nil {
			return nil, errBusy
		}
		defer s.models.turn.give()
		machine, err := loadCompleter(path)
		if err != nil {
			return nil, err
		}
		s.models.keep(path, info, machine)
		return machine, nil
	}
	return nil, errNoModel
}

func fileSame(a, b fs.FileInfo) bool {
	return a != nil && os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}
