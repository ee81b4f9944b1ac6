package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// folder holds what the tests share, and goes with them.
var folder string

func TestMain(m *testing.M) {
	var err error
	if folder, err = os.MkdirTemp("", "kill"); err != nil {
		panic(err)
	}
	status := m.Run()
	_ = os.RemoveAll(folder)
	os.Exit(status)
}

// program is the command, built once.
var program = sync.OnceValues(func() (path string, err error) {
	path = filepath.Join(folder, "bethe")
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	if text, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", path, "bethe/cmd/bethe").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, text)
	}
	return path, nil
})

// TestKills is a short form of bench/kills: a few kills of small runs, each
// resumed, end with the same bytes.
func TestKills(t *testing.T) {
	bethe, err := program()
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	good, err := run(&table, bethe, []setting{
		{"exact", "--data mnist:test:0-1999 --measure-every 30 --hidden 5 --steps 60 --batch 100 --checkpoint-every 2"},
		{"chains", "--data mnist:test:0-1999 --measure-every 30 --hidden 20 --estep chains --chains 50 --steps 60 --batch 100 --checkpoint-every 3"},
	}, 5, 1)
	if err != nil || !good {
		t.Errorf("%v\n%s", err, table.String())
	}
	if lines := strings.Split(strings.TrimSpace(table.String()), "\n"); len(lines) != 5 || !strings.Contains(lines[4], "| 5 |") {
		t.Errorf("not five kills:\n%s", table.String())
	}
}

// TestFaults is a short form of bench/faults: nothing is lost, and nothing wrong.
func TestFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("half a minute")
	}
	if runtime.GOOS == "windows" {
		t.Skip("NOT TESTED: Windows has no SIGTERM and no tmpfs")
	}
	bethe, err := program()
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	if good, err := runFaults(&table, bethe, "", 9, 1); err != nil || !good {
		t.Errorf("%v\n%s", err, table.String())
	}
	if lines := strings.Split(strings.TrimSpace(table.String()), "\n"); len(lines) != 2+3*len(faults) {
		t.Errorf("not every fault of every job:\n%s", table.String())
	}
}
