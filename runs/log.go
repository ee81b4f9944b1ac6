package runs

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"bethe/internal/durable"
)

// A Log appends records to the metrics file of a run.
type Log struct {
	f *os.File
}

// OpenLog opens the metrics file of a folder to go on after a step of a start:
// later records, and a last line that was cut short, are dropped. It returns
// the records that stay, or as many of them as ReadRecords would. Start -1 drops
// all. A line that is no record, before those that are dropped, is an error that
// names it; others are those of the file system.
func OpenLog(folder string, start, step int) (*Log, []Record, error) {
	path := filepath.Join(folder, MetricsFile)
	kept := NewHistory(maxKeptBytes)
	if err := keepUpTo(path, start, step, kept); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o666)
	if err != nil {
		return nil, nil, err
	}
	return &Log{f}, kept.WithLast(), nil
}

// keepUpTo cuts a metrics file after a step of a start. It is one's own, so links
// are followed.
func keepUpTo(path string, start, step int, kept *History) error {
	f, err := openRegular(path, func() (fs.FileInfo, error) { return os.Stat(path) },
		func(flags int) (*os.File, error) { return os.OpenFile(path, flags, 0) })
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	end := int64(0)
	lines := lineReader{r: bufio.NewReaderSize(f, 1<<16)}
	for number := 1; start >= 0; number++ {
		line, n, whole, err := lines.next()
		if err != nil {
			return err
		}
		if !whole {
			break
		}
		var r Record
		if line == nil {
			err = fmt.Errorf("longer than %d bytes", maxLineBytes)
		} else {
			r, err = parseLine(line)
		}
		if err != nil {
			return fmt.Errorf("%s:%d: not a record: %w; remove the line, or the file, which only pictures need", path, number, err)
		}
		if !r.before(start, step) {
			break
		}
		kept.Add([]Record{r})
		end += int64(n)
	}
	if end == info.Size() {
		return nil
	}
	// A new file rather than a shorter one, so that those who read it see the change.
	return durable.WriteFile(path, func(w io.Writer) error {
		_, err := io.Copy(w, io.NewSectionReader(f, 0, end))
		return err
	})
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
