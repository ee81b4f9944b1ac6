package sampler

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"bethe/internal/durable"
)

// A folder is where problems are written and samples waited for, by people or programs that
// carry them to a machine. The problem of a call is problem-SEED-READS with the extension of its format; the
// samples belong into samples-SEED-READS.txt or .npy, renamed there once they are whole. Samples that are
// there already, beside the very same problem, are taken: so a run that was interrupted goes on.
type folder struct {
	path    string
	format  Format
	timeout time.Duration
}

// How long the folder is left alone between looks.
const (
	firstLook = 20 * time.Millisecond
	mostLook  = time.Second
)

// Sample implements Sampler.
func (f *folder) Sample(ctx context.Context, problem *Problem, reads int, seed uint32) (Samples, error) {
	var text bytes.Buffer
	if err := f.format.Write(&text, problem); err != nil {
		return Samples{}, err
	}
	if err := os.MkdirAll(f.path, 0o755); err != nil {
		return Samples{}, &Error{f.path, err}
	}
	name := fmt.Sprintf("%d-%d", seed, reads)
	path, answers := filepath.Join(f.path, "problem-"+name+f.format.Ext), filepath.Join(f.path, "samples-"+name)
	if before, err := os.ReadFile(path); err != nil || !bytes.Equal(before, text.Bytes()) {
		for _, ext := range []string{".txt", ".npy"} {
			if err := os.Remove(answers + ext); err != nil && !errors.Is(err, fs.ErrNotExist) { // of another problem
				return Samples{}, &Error{f.path, err}
			}
		}
		if err := durable.WriteFile(path, func(w io.Writer) error { _, err := w.Write(text.Bytes()); return err }); err != nil {
			return Samples{}, &Error{f.path, err}
		}
	}
	until := time.Now().Add(f.timeout)
	for pause := firstLook; ; pause = min(2*pause, mostLook) {
		if err := ctx.Err(); err != nil {
			return Samples{}, err
		}
		for _, ext := range []string{".txt", ".npy"} {
			file, err := os.Open(answers + ext)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return Samples{}, &Error{f.path, err}
			}
			samples, err := ReadSamples(file, problem.Visible, problem.Hidden, reads)
			_ = file.Close() // it was only read
			if err != nil {
				return Samples{}, &Error{f.path, fmt.Errorf("%s: %w; put a right one in its place and go on", answers+ext, err)}
			}
			return samples, nil
		}
		if time.Now().After(until) {
			return Samples{}, &Error{f.path, fmt.Errorf("no %s.txt or .npy within %v", answers, f.timeout)}
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// Close implements Sampler.
func (*folder) Close() error { return nil }
