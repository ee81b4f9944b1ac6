package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"bethe/runs"
)

// TestFullDisk on a small disk of its own: one on which checkpoints will not
// fit is told before the first step; one that fills up on the way ends the run
// with its last checkpoint whole, and the run goes on when there is room again.
func TestFullDisk(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=400k"); err != nil {
		t.Skipf("SKIPPED: a disk can be mounted by the superuser only: %v", err)
	}
	defer func() {
		if err := syscall.Unmount(disk, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	}()
	data, out := small(t), filepath.Join(disk, "run")
	status, _, stderr := bethe(t, t.Context(), "train", "--data", data, "--hidden", "2000", "--steps", "5", "--estep", "chains", "--out", out, "--quiet")
	if status != exitFailed || !strings.Contains(stderr, out) || !strings.Contains(stderr, "will not fit") || !strings.Contains(stderr, "no space") {
		t.Errorf("a disk that is too small: status %d, %s", status, stderr)
	}
	if err := os.RemoveAll(out); err != nil {
		t.Fatal(err)
	}
	ballast := filepath.Join(disk, "ballast")
	fill := func() {
		f, err := os.Create(ballast)
		if err != nil {
			t.Fatal(err)
		}
		for block := make([]byte, 1<<12); ; {
			if _, err := f.Write(block); err != nil {
				break // it is full
			}
		}
		f.Close()
	}
	args := []string{"train", "--data", data, "--hidden", "8", "--steps", "60", "--checkpoint-every", "8", "--out", out, "--quiet"}
	status, _, stderr = bethe(t, &replacing{Context: t.Context(), path: filepath.Join(out, runs.CheckpointFile), left: 3, do: fill}, args...)
	if status != exitFailed || !strings.Contains(stderr, "no space") || !strings.Contains(stderr, "of step 16 is whole") {
		t.Fatalf("a disk that fills up: status %d, %s", status, stderr)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	resumed := object(t, append(args, "--resume")...)
	whole := filepath.Join(t.TempDir(), "whole")
	object(t, append(args[:len(args)-3:len(args)-3], "--out", whole, "--quiet")...)
	a, errA := os.ReadFile(filepath.Join(whole, runs.ModelFile))
	b, errB := os.ReadFile(resumed["model"].(string))
	if errA != nil || errB != nil || string(a) != string(b) {
		t.Errorf("the model has other bytes (%v, %v)", errA, errB)
	}
}
