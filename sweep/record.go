package sweep

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"bethe/internal/durable"
)

// record is the first line of a cell's file; the second is the SHA-256 of the
// first, in hexadecimal, so that no damage passes for a result.
type record struct {
	manifestLine
	Result
}

// maxRecord is the most bytes of a cell's file.
const maxRecord = 1 << 12

// path returns the place of a cell's file: 256 folders keep each of them small.
func (s *Sweep) path(c *Cell) string {
	id := c.ID()
	return filepath.Join(s.Folder, cellsFolder, id[:2], id+".json")
}

// read returns the result in the cell's file. The error wraps fs.ErrNotExist
// where there is none, and names a file that is not whole.
func (s *Sweep) read(c *Cell) (*Result, error) {
	path := s.path(c)
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxRecord+1))
	if err != nil {
		return nil, err
	}
	r, err := decode(text, c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

func decode(text []byte, c *Cell) (*Result, error) {
	if len(text) > maxRecord {
		return nil, fmt.Errorf("longer than %d bytes: not the file of a cell", maxRecord)
	}
	line, rest, _ := bytes.Cut(text, []byte("\n"))
	if string(rest) != checksum(line) {
		return nil, errors.New("torn or damaged: its checksum does not fit")
	}
	var r record
	if err := strictJSON(line, &r); err != nil {
		return nil, err
	}
	if r.Cell != *c || r.ID != c.ID() {
		return nil, fmt.Errorf("the file of another cell, %s", r.ID)
	}
	if err := r.check(c); err != nil {
		return nil, err
	}
	return &r.Result, nil
}

func encode(c *Cell, r *Result) ([]byte, error) {
	line, err := json.Marshal(record{manifestLine{c.ID(), *c}, *r})
	if err != nil {
		return nil, err
	}
	return append(append(line, '\n'), checksum(line)...), nil
}

func checksum(line []byte) string { return fmt.Sprintf("%x\n", sha256.Sum256(line)) }

// write leaves the cell's file, whole or not at all.
func (s *Sweep) write(c *Cell, r *Result) error {
	text, err := encode(c, r)
	if err != nil {
		return err
	}
	return durable.WriteFile(s.path(c), func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// A Status says which cells of a sweep are done.
type Status struct {
	Done, Missing int
	Broken        []error // of files that are not whole, one each; their cells are missing
}

// Status reads every cell's file. The error is one of the file system.
func (s *Sweep) Status() (*Status, error) {
	_, status, err := s.results()
	return status, err
}

// results returns the results of the cells, nil of those that are missing.
func (s *Sweep) results() ([]*Result, *Status, error) {
	results := make([]*Result, len(s.Cells))
	var status Status
	for k := range s.Cells {
		r, err := s.look(&s.Cells[k], &status)
		if err != nil {
			return nil, nil, err
		}
		results[k] = r
	}
	return results, &status, nil
}

// look reads a cell's file and counts the cell; the result is nil if it is missing.
func (s *Sweep) look(c *Cell, status *Status) (*Result, error) {
	r, err := s.read(c)
	var system *fs.PathError
	switch {
	case err == nil:
		status.Done++
		return r, nil
	case errors.Is(err, fs.ErrNotExist):
	case errors.As(err, &system):
		return nil, err
	default:
		status.Broken = append(status.Broken, err)
	}
	status.Missing++
	return nil, nil
}
