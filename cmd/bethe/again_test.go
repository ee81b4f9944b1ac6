//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"bethe/runs"
)

// TestAgain: the command that a run folder tells makes the same machine in a shell: of a run, of one that was over and went on, of one
// of planted synapses, and of one from before folders told their command.
func TestAgain(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\n%s=yes exec %s \"$@\"\n", playsCommand, runs.Quoted(os.Args[0]))
	if err := os.WriteFile(filepath.Join(folder, "bethe"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	table := filepath.Join(folder, "it's a table.csv")
	var rows strings.Builder
	for k := range 40 {
		fmt.Fprintf(&rows, "%d,%d,%d,%d\n", k%2, k%2, k/2%2, k/2%2)
	}
	if err := os.WriteFile(table, []byte(rows.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	train := func(out string, more ...string) {
		t.Helper()
		words := append([]string{"train", "--data", table, "--hidden", "3", "--batch", "10", "--seed", "5", "--out", out}, more...)
		if status, _, stderr := bethe(t, t.Context(), words...); status != exitDone {
			t.Fatal(stderr)
		}
	}
	plain, longer, planted, old := filepath.Join(folder, "a plain one"), filepath.Join(folder, "longer"), filepath.Join(folder, "planted"), filepath.Join(folder, "old")
	train(plain, "--steps", "7", "--drop-column", "1,2", "--no-centre", "--beta=0.5")
	train(longer, "--steps", "5")
	train(longer, "--steps", "9", "--resume")
	train(old, "--steps", "6", "--momentum", "0.8")
	object(t, "planted", "--visible", "12", "--hidden", "2", "--alpha", "3", "--steps", "10", "--instances", "1", "--restarts", "1", "--seed", "3", "--out", planted)
	info, err := runs.ReadInfo(old)
	if err != nil {
		t.Fatal(err)
	}
	info.Command = ""
	if err := runs.WriteInfo(old, info); err != nil {
		t.Fatal(err)
	}
	for _, run := range []string{plain, longer, planted, old} {
		_, command, _ := bethe(t, t.Context(), "runs", run, "--command")
		if v := object(t, "runs", run)["runs"].([]any)[0].(map[string]any); v["command"] != strings.TrimSpace(command) {
			t.Errorf("%s: the JSON has another command: %v", run, v["command"])
		}
		shell := exec.CommandContext(t.Context(), "sh", "-c", command)
		shell.Env = append(os.Environ(), "PATH="+folder+":"+os.Getenv("PATH"))
		if text, err := shell.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s\n%s", run, err, command, text)
			continue
		}
		if !bytes.Equal(read(t, filepath.Join(run, runs.ModelFile)), read(t, filepath.Join(run+"-again", runs.ModelFile))) {
			t.Errorf("%s: another machine by\n%s", run, command)
		}
	}
	_, all, _ := bethe(t, t.Context(), "runs", folder, "--command")
	if !strings.Contains(all, "# longer\nbethe train") {
		t.Errorf("commands of several runs: %s", all)
	}
}
