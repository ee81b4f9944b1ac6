package sweep

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"bethe/internal/parallel"
)

// Progress tells how far a run is.
type Progress struct {
	Done, Cells int           // of the cells that the run has to compute
	Fraction    float64       // of the work, by what cells are expected to cost
	Left        time.Duration // estimate of the time left; 0 before there is one
}

// A Report says what a run did.
type Report struct {
	Shard    int     // cells of the shard
	Before   int     // of these, done before the run
	Computed int     // by the run
	Broken   []error // files that were not whole, of cells that were computed again
	Failed   []error // cells whose learning failed
}

// Run computes the missing cells of a shard, one on each thread, and writes
// each when it is done. Cells whose learning fails are reported and the others
// go on. Once the context is done, cells under way are dropped, and the error
// is the context's; it is that of the file system where a cell cannot be
// written, and the work ends there. The report is valid in each case. progress
// may be nil; calls follow each other.
func (s *Sweep) Run(ctx context.Context, shard Shard, progress func(Progress)) (*Report, error) {
	var status Status
	var missing []int
	var work float64
	mine := s.members(shard)
	for _, k := range mine {
		r, err := s.look(&s.Cells[k], &status)
		if err != nil {
			return &Report{}, err
		}
		if r == nil {
			missing = append(missing, k)
			work += s.Cells[k].cost()
		}
	}
	report := &Report{Shard: len(mine), Before: status.Done, Broken: status.Broken}
	// What cannot be written is known before work is lost.
	for _, k := range missing {
		if err := os.MkdirAll(filepath.Dir(s.path(&s.Cells[k])), 0o777); err != nil {
			return report, err
		}
	}
	if err := s.removeStale(time.Now().Add(-staleAge)); err != nil {
		return report, err
	}
	var mu sync.Mutex
	var stopped error // of the file system
	var done float64
	began := time.Now()
	finish := func(k int, err error) {
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			report.Failed = append(report.Failed, fmt.Errorf("cell %s (%s): %w", s.Cells[k].ID(), s.Cells[k].describe(), err))
		} else {
			report.Computed++
		}
		done += s.Cells[k].cost()
		if progress != nil {
			p := Progress{Done: report.Computed + len(report.Failed), Cells: len(missing), Fraction: done / work}
			p.Left = time.Duration(float64(time.Since(began)) * (work - done) / done)
			progress(p)
		}
	}
	over := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return stopped != nil || ctx.Err() != nil
	}
	parallel.For(len(missing), 1, func(lo, hi int) {
		for _, k := range missing[lo:hi] {
			if over() {
				return
			}
			r, err := s.Cells[k].compute(ctx)
			if ctx.Err() != nil {
				return
			}
			if err == nil {
				if err := s.write(&s.Cells[k], r); err != nil {
					mu.Lock()
					stopped = errors.Join(stopped, err)
					mu.Unlock()
					return
				}
			}
			finish(k, err)
		}
	})
	if stopped != nil {
		return report, stopped
	}
	if err := ctx.Err(); err != nil && report.Computed+len(report.Failed) < len(missing) {
		return report, err
	}
	return report, nil
}

// staleAge is the age at which a temporary file has no writer any more: writing
// a cell takes milliseconds.
const staleAge = time.Hour

// removeStale removes the temporary files of writers that were killed half way
// before the time given.
func (s *Sweep) removeStale(before time.Time) error {
	folders, err := os.ReadDir(filepath.Join(s.Folder, cellsFolder))
	if err != nil {
		return err
	}
	for _, folder := range folders {
		files, err := os.ReadDir(filepath.Join(s.Folder, cellsFolder, folder.Name()))
		if err != nil {
			return err
		}
		for _, f := range files {
			if !strings.HasPrefix(f.Name(), ".") || !strings.Contains(f.Name(), ".json.tmp") {
				continue
			}
			info, err := f.Info()
			if err == nil && info.ModTime().Before(before) {
				err = os.Remove(filepath.Join(s.Folder, cellsFolder, folder.Name(), f.Name()))
			}
			if err != nil && !errors.Is(err, fs.ErrNotExist) { // another run may be at it
				return err
			}
		}
	}
	return nil
}
