package sweep

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"bethe/internal/durable"
	"bethe/setting"
)

// ParseShard reads I/N. The error is a *setting.Error.
func ParseShard(text string) (Shard, error) {
	i, n, _ := strings.Cut(text, "/")
	place, err1 := strconv.Atoi(i)
	count, err2 := strconv.Atoi(n)
	if err1 != nil || err2 != nil || place < 0 || place >= count {
		return Shard{}, setting.Errorf("shard", strconv.Quote(text), "it is I/N, such as 3/64, with I from 0 to N-1")
	}
	return Shard{I: place, N: count}, nil
}

// String returns I/N.
func (s Shard) String() string { return strconv.Itoa(s.I) + "/" + strconv.Itoa(s.N) }

// ReadGridFile is ReadGrid for a file.
func ReadGridFile(path string) ([]Cell, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadGrid(f, path)
}

// A RunReport says what a run of a shard did.
type RunReport struct {
	Folder   string   `json:"folder"`
	Cells    int      `json:"cells"`
	Shard    string   `json:"shard"`
	Members  int      `json:"shard_cells"`
	Before   int      `json:"done_before"`
	Computed int      `json:"computed"`
	Broken   []string `json:"broken,omitempty"` // computed again
	Failed   []string `json:"failed,omitempty"`
	Seconds  float64  `json:"seconds"`

	Failures []error `json:"-"` // those of Failed
}

// RunShard is Run with the time that it takes. The report is valid in each case.
func (s *Sweep) RunShard(ctx context.Context, shard Shard, progress func(Progress)) (*RunReport, error) {
	began := time.Now()
	r, err := s.Run(ctx, shard, progress)
	return &RunReport{s.Folder, len(s.Cells), shard.String(), r.Shard, r.Before, r.Computed, texts(r.Broken), texts(r.Failed), time.Since(began).Seconds(), r.Failed}, err
}

func texts(errs []error) []string {
	var t []string
	for _, err := range errs {
		t = append(t, err.Error())
	}
	return t
}

// A StatusReport says how far a sweep is.
type StatusReport struct {
	Broken  []string `json:"broken"` // files that are not whole, of cells that are missing
	Cells   int      `json:"cells"`
	Done    int      `json:"done"`
	Folder  string   `json:"folder"`
	Missing int      `json:"missing"`
}

// An IncompleteError says that cells are missing.
type IncompleteError struct {
	Folder         string
	Missing, Cells int
}

func (e *IncompleteError) Error() string {
	return fmt.Sprintf("%d of %d cells are missing", e.Missing, e.Cells)
}

// Report is Status for JSON. The error is one of the file system.
func (s *Sweep) Report() (*StatusReport, error) {
	status, err := s.Status()
	if err != nil {
		return nil, err
	}
	return &StatusReport{append([]string{}, texts(status.Broken)...), len(s.Cells), status.Done, s.Folder, status.Missing}, nil
}

// Complete returns an *IncompleteError while cells are missing.
func (s *Sweep) Complete(missing int) error {
	if missing == 0 {
		return nil
	}
	return &IncompleteError{s.Folder, missing, len(s.Cells)}
}

// tableWriters are the kinds of tables, by the ending of the file.
var tableWriters = map[string]func(Table, io.Writer) error{".csv": Table.WriteCSV, ".parquet": Table.WriteParquet}

// CheckTables returns a *setting.Error unless each file has the ending of a kind of table.
func CheckTables(files []string) error {
	for _, name := range files {
		if tableWriters[filepath.Ext(name)] == nil {
			return setting.Errorf("out", name, "a table is a %s file", strings.Join(slices.Sorted(maps.Keys(tableWriters)), " or a "))
		}
	}
	return nil
}

// SaveTable writes a table to a file, in the format of its ending, as a whole or not at
// all. The error is that of CheckTables or of the file system.
func SaveTable(path string, table Table) error {
	if err := CheckTables([]string{path}); err != nil {
		return err
	}
	return durable.WriteFile(path, func(w io.Writer) error { return tableWriters[filepath.Ext(path)](table, w) })
}

// Fill completes a job for a sweep. It sets the cells and the folder. If they are not
// given, it also sets the number of shards (DefaultShards) and the command: the running
// program, or bethe for k8s.
func (j *Job) Fill(s *Sweep, engine string) error {
	j.Cells = len(s.Cells)
	var err error
	if j.Folder, err = filepath.Abs(s.Folder); err != nil {
		return err
	}
	if j.Shards == 0 {
		j.Shards = DefaultShards(j.Cells)
	}
	switch {
	case j.Command != "":
	case engine == "k8s":
		j.Command = "bethe"
	default:
		j.Command, err = os.Executable()
	}
	return err
}
