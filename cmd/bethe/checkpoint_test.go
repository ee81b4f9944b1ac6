package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"bethe/internal/durable"
	"bethe/runs"
)

// TestTwoRunsInAFolder: the second is refused and told who the first is.
func TestTwoRunsInAFolder(t *testing.T) {
	out := t.TempDir()
	lock, err := durable.LockFolder(out)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"train", "--data", small(t), "--hidden", "3", "--steps", "5", "--out", out, "--resume"}
	status, _, stderr := bethe(t, t.Context(), args...)
	if status != exitFailed || !strings.Contains(stderr, out) || !strings.Contains(stderr, fmt.Sprintf("process %d", os.Getpid())) {
		t.Errorf("status %d, %s", status, stderr)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	if status, _, stderr := bethe(t, t.Context(), args...); status != exitDone {
		t.Errorf("the lock released: status %d, %s", status, stderr)
	}
}

// A hook is a context that does something when asked for the n-th time.
type hook struct {
	context.Context
	left int
	do   func()
}

func (h *hook) Err() error {
	if h.left--; h.left == 0 {
		h.do()
	}
	return h.Context.Err()
}

// A replacing is a context that does something when a file was made or replaced for
// the n-th time: it looks whenever it is asked.
type replacing struct {
	context.Context
	path string
	left int
	do   func()

	asked sync.Mutex
	last  os.FileInfo // a new file is made while the old one is there
}

func (r *replacing) Err() error {
	r.asked.Lock()
	defer r.asked.Unlock()
	if info, err := os.Stat(r.path); err == nil && (r.last == nil || !os.SameFile(r.last, info)) {
		r.last = info
		if r.left--; r.left == 0 {
			r.do()
		}
	}
	return r.Context.Err()
}

// TestFolderLost: a checkpoint that cannot be written ends the run at once, and
// what there was is told.
func TestFolderLost(t *testing.T) {
	out := filepath.Join(t.TempDir(), "run")
	ctx := &replacing{Context: t.Context(), path: filepath.Join(out, runs.CheckpointFile), left: 3, do: func() { // steps 0, 8, 16
		if err := os.Rename(out, out+"-moved"); err != nil {
			t.Error(err)
		}
	}}
	status, _, stderr := bethe(t, ctx, "train", "--data", small(t), "--hidden", "3", "--steps", "100", "--checkpoint-every", "8", "--out", out, "--quiet")
	if status != exitFailed || !strings.Contains(stderr, "checkpoint of step 24 cannot be written") || !strings.Contains(stderr, "of step 16 is whole") {
		t.Errorf("status %d, %s", status, stderr)
	}
}

// TestDiverged: numbers that are not finite end a run and leave its last
// checkpoint, from which it could go on.
func TestDiverged(t *testing.T) {
	for _, extra := range []string{"--rate 1e30", "--rate 1e300", "--beta 1e30 --fixed-coupling --estep chains --chains 20"} {
		out := filepath.Join(t.TempDir(), "run")
		args := append([]string{"train", "--data", small(t), "--hidden", "3", "--steps", "50", "--no-centre",
			"--checkpoint-every", "1", "--out", out, "--quiet"}, strings.Fields(extra)...)
		status, _, stderr := bethe(t, t.Context(), args...)
		if status != exitFailed || !strings.Contains(stderr, "diverged") || !strings.Contains(stderr, "is whole") {
			t.Fatalf("%s: status %d, %s", extra, status, stderr)
		}
		if _, err := os.Stat(filepath.Join(out, runs.ModelFile)); err == nil {
			t.Errorf("%s: a model was written", extra)
		}
		if status, _, again := bethe(t, t.Context(), append(args, "--resume")...); status != exitFailed || again != stderr {
			t.Errorf("%s: resumed: status %d, %s\nand before:\n%s", extra, status, again, stderr)
		}
	}
}

// TestInterruptedAfterLearning: pictures and evaluation can be interrupted
// anywhere; the run then goes on to the same bytes.
func TestInterruptedAfterLearning(t *testing.T) {
	folder, data := t.TempDir(), small(t)
	args := []string{"train", "--data", data, "--hidden", "30", "--steps", "3", "--batch", "50", "--chains", "20", "--evaluate", "--ais-steps", "40", "--quiet", "--out"}
	whole := filepath.Join(folder, "whole")
	counting := &hook{Context: t.Context()}
	if status, _, stderr := bethe(t, counting, append(args, whole)...); status != exitDone {
		t.Fatalf("status %d, %s", status, stderr)
	}
	asked, interrupted := -counting.left, 0
	for k := 1; k < asked; k += asked/7 + 1 {
		ctx, cancel := context.WithCancel(t.Context())
		out := filepath.Join(folder, fmt.Sprint(k))
		status, _, stderr := bethe(t, &hook{Context: ctx, left: k, do: cancel}, append(args, out)...)
		if status != exitInterrupted || !strings.Contains(stderr, "--resume") {
			t.Fatalf("interrupted at %d of %d: status %d, %s", k, asked, status, stderr)
		}
		interrupted++
		if status, _, stderr := bethe(t, t.Context(), append(args, out, "--resume")...); status != exitDone {
			t.Fatalf("resumed: status %d, %s", status, stderr)
		}
		for _, name := range []string{runs.ModelFile, runs.SamplesFile, runs.SynapsesFile} {
			a, errA := os.ReadFile(filepath.Join(whole, name))
			b, errB := os.ReadFile(filepath.Join(out, name))
			if errA != nil || errB != nil || !bytes.Equal(a, b) {
				t.Errorf("interrupted at %d of %d: %s has other bytes (%v, %v)", k, asked, name, errA, errB)
			}
		}
	}
	if interrupted < 5 {
		t.Errorf("only %d interruptions of %d", interrupted, asked)
	}
}
