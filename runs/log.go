package runs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"bethe/internal/durable"
)

// maxMetricsBytes and maxLineBytes limit a metrics file that is read.
const (
	maxMetricsBytes = 1 << 30
	maxLineBytes    = 1 << 22
)

// A Log appends records to the metrics file of a run.
type Log struct {
	f *os.File
}

// OpenLog opens the metrics file of a folder to go on after a step of a start:
// later records, and a last line that was cut short, are dropped. It returns
// the records that stay. Start -1 drops all. Errors are those of the file
// system and of ReadRecords.
func OpenLog(folder string, start, step int) (*Log, []Record, error) {
	path := filepath.Join(folder, MetricsFile)
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	records, err := parse(path, text)
	if err != nil {
		return nil, nil, err
	}
	keep := 0
	for keep < len(records) && records[keep].before(start, step) {
		keep++
	}
	end := 0
	for range keep {
		end += bytes.IndexByte(text[end:], '\n') + 1
	}
	if end < len(text) {
		// A new file rather than a shorter one, so that those who read it see the change.
		if err := durable.WriteFile(path, func(w io.Writer) error {
			_, err := w.Write(text[:end])
			return err
		}); err != nil {
			return nil, nil, err
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, nil, err
	}
	return &Log{f}, records[:keep:keep], nil
}

// Append writes a record as one line.
func (l *Log) Append(r Record) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = l.f.Write(append(text, '\n'))
	return err
}

// Close closes the file.
func (l *Log) Close() error { return l.f.Close() }

// ReadRecords returns the records of a run folder, none if it has no metrics
// file. A last line without its end, which a crash may leave, is left out;
// another line that is not a record is an error that names it.
func ReadRecords(folder string) ([]Record, error) {
	t := NewTail(folder)
	records, _, err := t.Next()
	return records, err
}

// parse reads whole lines; what follows the last end of line is not read.
func parse(path string, text []byte) ([]Record, error) {
	if len(text) > maxMetricsBytes {
		return nil, fmt.Errorf("%s: larger than %d bytes", path, maxMetricsBytes)
	}
	var records []Record
	for line := 1; ; line++ {
		end := bytes.IndexByte(text, '\n')
		if end < 0 {
			return records, nil
		}
		r, err := parseLine(text[:end])
		if err != nil {
			return nil, fmt.Errorf("%s:%d: not a record: %w; remove the line, or the file, which only pictures need", path, line, err)
		}
		records = append(records, r)
		text = text[end+1:]
	}
}

func parseLine(line []byte) (Record, error) {
	var r Record
	if len(line) > maxLineBytes {
		return r, fmt.Errorf("%d bytes long", len(line))
	}
	if err := json.Unmarshal(line, &r); err != nil {
		return r, err
	}
	if r.Start < 0 || r.Step < 0 {
		return r, fmt.Errorf("step %d of start %d", r.Step, r.Start)
	}
	return r, nil
}

// A Tail reads a metrics file that may still grow.
type Tail struct {
	path   string
	file   os.FileInfo // that was read last
	offset int64       // of the first line not read
}

// NewTail returns a tail of the metrics file of a folder, at its beginning.
func NewTail(folder string) *Tail { return &Tail{path: filepath.Join(folder, MetricsFile)} }

// Next returns the records that were added since the last call. Where the file
// is another one or shorter than it was, as after a resume, anew is true and
// the records are all that there are. A file that is not there has none.
func (t *Tail) Next() (records []Record, anew bool, err error) {
	f, err := os.Open(t.path)
	if errors.Is(err, fs.ErrNotExist) {
		anew = t.file != nil
		*t = Tail{path: t.path}
		return nil, anew, nil
	}
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, false, err
	}
	if t.file != nil && (!os.SameFile(t.file, info) || info.Size() < t.offset) {
		t.offset, anew = 0, true
	}
	t.file = info
	if info.Size() == t.offset {
		return nil, anew, nil
	}
	if _, err := f.Seek(t.offset, io.SeekStart); err != nil {
		return nil, anew, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxMetricsBytes+1))
	if err != nil {
		return nil, anew, err
	}
	records, err = parse(t.path, text)
	if err != nil {
		return nil, anew, err
	}
	t.offset += int64(bytes.LastIndexByte(text, '\n') + 1)
	return records, anew, nil
}
