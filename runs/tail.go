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
)

// Limits of a metrics file that is read.
const (
	maxMetricsBytes = 1 << 30
	maxLineBytes    = 1 << 22
	maxDamagedLines = 1000 // after which it is taken for something else
	// What a single call of Tail.Next reads and makes, about, in bytes: so that
	// those who read many files come round.
	textAtOnce = 2 << 20
	madeAtOnce = 4 << 20
)

// A DamageError tells of lines of a metrics file that are no records. Those
// before and after them were read.
type DamageError struct {
	Path  string
	Line  int   // the first of them, counted from 1
	Lines int   // how many
	Cause error // of the first
	Rest  bool  // what follows was not read
}

func (e *DamageError) Error() string {
	text := fmt.Sprintf("%s:%d: not a record: %v; ", e.Path, e.Line, e.Cause)
	switch {
	case e.Rest:
		text += fmt.Sprintf("after %d such lines the rest is not read", e.Lines)
	case e.Lines > 1:
		text += fmt.Sprintf("it and %d more are left out", e.Lines-1)
	default:
		text += "it is left out"
	}
	return text + "; remove the line, or the file, which only pictures need"
}

func (e *DamageError) Unwrap() error { return e.Cause }

// A Tail reads a metrics file that may still grow.
type Tail struct {
	folder string
	file   os.FileInfo // that was read last
	offset int64       // of the first line not read
	read   int64       // bytes that were there when it was read last
	line   int         // lines before the offset
	long   bool        // the offset is inside of a line that is too long
	behind bool
	damage *DamageError
}

// NewTail returns a tail of the metrics file of a folder, at its beginning.
func NewTail(folder string) *Tail { return &Tail{folder: folder} }

// Behind reports whether the last call of Next left off before the end of the
// file, as it does after some megabytes.
func (t *Tail) Behind() bool { return t.behind }

// Next returns the records that were added since the last call. Where the file
// is another one or shorter than it was, as after a resume, anew is true and
// the records are all that there are. A file that is not there has none. A last
// line without its end is left for the next call.
//
// A line that is no record is left out and read only once; from then on every
// call returns, beside records, a *DamageError that names the first. Other errors
// are those of Open.
func (t *Tail) Next() (records []Record, anew bool, err error) {
	wasBehind := t.behind
	t.behind = false
	f, err := Open(t.folder, MetricsFile)
	if errors.Is(err, fs.ErrNotExist) {
		anew = t.file != nil
		*t = Tail{folder: t.folder}
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
		*t = Tail{folder: t.folder}
		anew = true
	}
	t.file = info
	if !t.ended() && (wasBehind || info.Size() != t.read) {
		if _, err := f.Seek(t.offset, io.SeekStart); err != nil {
			return nil, anew, err
		}
		if records, err = t.readOn(f); err != nil {
			return records, anew, err
		}
	}
	if t.damage != nil {
		return records, anew, t.damage
	}
	return records, anew, nil
}

// ended reports whether nothing more of the file is to be read.
func (t *Tail) ended() bool { return t.damage != nil && t.damage.Rest }

// readOn reads what follows the offset.
func (t *Tail) readOn(f io.Reader) (records []Record, err error) {
	lines := lineReader{r: bufio.NewReaderSize(f, 1<<16), long: t.long}
	text, made := 0, 0
	for {
		line, n, whole, err := lines.next()
		if err != nil {
			return records, err
		}
		if !whole {
			t.read = t.offset + int64(n)
			if t.long = lines.long; t.long { // what was skipped needs no second reading
				t.offset = t.read
			}
			return records, nil
		}
		t.offset += int64(n)
		t.line++
		var r Record
		if line == nil {
			err = fmt.Errorf("longer than %d bytes", maxLineBytes)
		} else {
			r, err = parseLine(line)
		}
		t.long = false
		if err != nil {
			t.damaged(err, false)
		} else {
			records = append(records, r)
			made += r.made()
		}
		if t.offset > maxMetricsBytes {
			t.damaged(fmt.Errorf("the file is larger than %d bytes", maxMetricsBytes), true)
		}
		if t.ended() {
			return records, nil
		}
		if text += n; text > textAtOnce || made > madeAtOnce {
			t.behind = true
			return records, nil
		}
	}
}

// damaged notes that the last line is no record.
func (t *Tail) damaged(cause error, rest bool) {
	if t.damage == nil {
		t.damage = &DamageError{Path: filepath.Join(t.folder, MetricsFile), Line: t.line, Cause: cause}
	}
	next := *t.damage // others may hold the last one
	next.Lines++
	next.Rest = rest || next.Lines >= maxDamagedLines
	t.damage = &next
}

// A lineReader reads lines of limited length.
type lineReader struct {
	r    *bufio.Reader
	long bool // the line goes on that is too long
	b    []byte
}

// next returns a line without its end, which is valid until the next call, and
// how many bytes were read. A line that is too long is nil. Where the end of the
// file comes first, whole is false.
func (l *lineReader) next() (line []byte, n int, whole bool, err error) {
	l.b = l.b[:0]
	for {
		part, err := l.r.ReadSlice('\n')
		n += len(part)
		if l.long = l.long || len(l.b)+len(part) > maxLineBytes+1; !l.long {
			l.b = append(l.b, part...)
		}
		switch {
		case err == nil && l.long:
			l.long = false
			return nil, n, true, nil
		case err == nil:
			return l.b[:len(l.b)-1], n, true, nil
		case errors.Is(err, io.EOF):
			return nil, n, false, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, n, false, err
		}
	}
}

func parseLine(line []byte) (Record, error) {
	var r Record
	if err := json.Unmarshal(line, &r); err != nil {
		const most = 200 // bytes of a reason, which may quote the line
		if text := err.Error(); len(text) > most {
			err = errors.New(text[:most] + "…")
		}
		return Record{}, err
	}
	if r.Start < 0 || r.Step < 0 {
		return Record{}, fmt.Errorf("step %d of start %d", r.Step, r.Start)
	}
	return r, nil
}

// maxKeptBytes is the memory that ReadRecords and OpenLog spend on records.
const maxKeptBytes = 24 << 20

// ReadRecords returns the records of a run folder, none if it has no metrics
// file. A last line without its end, which a crash may leave, is left out; other
// lines that are no records too, and a *DamageError beside the others tells of
// them. Where there are more than fit into 24 MiB some are left out (History).
func ReadRecords(folder string) ([]Record, error) {
	h := NewHistory(maxKeptBytes)
	err := EachRecords(folder, h.Add)
	return h.WithLast(), err
}

// EachRecords passes on the records of a run folder some at a time, and returns
// what ReadRecords does. Where the file becomes another one meanwhile, those of
// the new one follow.
func EachRecords(folder string, add func([]Record)) error {
	t := NewTail(folder)
	for {
		records, _, err := t.Next()
		add(records)
		if !t.Behind() {
			return err
		}
	}
}
