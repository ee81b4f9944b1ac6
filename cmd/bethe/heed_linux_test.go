package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"bethe/runs"
)

// worked returns the processor time that a process has used, to a hundredth of a second.
// Unlike time on the clock it does not depend on what else the machine does. over tells that
// the process has ended.
func worked(t *testing.T, cmd *exec.Cmd) (used time.Duration, over bool) {
	t.Helper()
	text := string(read(t, filepath.Join("/proc", strconv.Itoa(cmd.Process.Pid), "stat")))
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	var ticks int
	for _, field := range fields[11:13] { // utime and stime, hundredths of a second
		n, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond, fields[0] == "Z"
}

// begin starts the command in a process and waits until it works: until it has used so
// much processor time, and a file is there if one is named.
func begin(t *testing.T, after time.Duration, file string, args ...string) (cmd *exec.Cmd, stderr *bytes.Buffer) {
	t.Helper()
	cmd, stderr = process(t, args...), &bytes.Buffer{}
	cmd.Stderr = stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		_, err := os.Stat(file)
		used, over := worked(t, cmd)
		if used >= after && (file == "" || err == nil) && !over {
			return cmd, stderr
		}
		if over || time.Since(began) > time.Minute {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			t.Fatalf("%v does not work: %s", args, stderr)
		}
	}
}

// heeds has a process that works end by SIGTERM, in little processor time.
func heeds(t *testing.T, cmd *exec.Cmd, stderr *bytes.Buffer, most time.Duration) (status int) {
	t.Helper()
	before, _ := worked(t, cmd)
	status = ends(t, cmd, 20*time.Second, syscall.SIGTERM)
	if took := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime() - before; took > most {
		t.Errorf("%v took %v of processor time to end: %s", cmd.Args[1:], took, stderr)
	}
	return status
}

// aSecond is the processor time of a second on two processors.
const aSecond = 2 * time.Second

// TestLargeRunEnds: learning with 8,000 hidden units ends with a signal that comes while it
// measures or takes its first step, and with fewer units while it draws. It leaves what it can go on from.
func TestLargeRunEnds(t *testing.T) {
	for file, hidden := range map[string]string{runs.CheckpointFile: "8000", runs.LiveFile: "1000"} {
		out := filepath.Join(t.TempDir(), "run")
		cmd, stderr := begin(t, 0, filepath.Join(out, file), "train", "--hidden", hidden, "--data", "mnist:train:0-999", "--steps", "50", "--measure-every", "1", "--out", out)
		if status := heeds(t, cmd, stderr, aSecond); status != exitInterrupted || !strings.Contains(stderr.String(), "nothing is lost") {
			t.Errorf("%s: status %d, %s", file, status, stderr)
		}
		if _, err := os.Stat(filepath.Join(out, runs.CheckpointFile)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// TestEveryVerbEnds: each verb that can work for long ends with the first signal.
func TestEveryVerbEnds(t *testing.T) {
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	data := "mnist:test:0-999"
	object(t, "train", "--data", data, "--hidden", "40", "--steps", "5", "--out", at("run"))
	model := filepath.Join(at("run"), runs.ModelFile)
	if err := syscall.Mkfifo(at("pipe"), 0o644); err != nil { // that nobody reads
		t.Fatal(err)
	}
	grid := "visible = 300\nhidden = 3\nalpha = 2\nbeta = 1\ninstances = 1\nrestarts = 1000000\nseed = 1\n"
	if err := os.WriteFile(at("grid.toml"), []byte(grid), 0o644); err != nil {
		t.Fatal(err)
	}
	object(t, "sweep", "init", at("grid.toml"), "-o", at("sweep"))
	const long = "1000000000"
	for _, c := range []struct {
		words  string
		status int
	}{
		{"train --data mnist --hidden 3 --steps 1 --restarts 1000000000 --out " + at("restarts"), exitInterrupted},
		{"eval " + model + " --data " + data + " --ais-steps " + long, exitFailed},
		{"sample " + model + " --sweeps " + long + " --out " + at("s.npz"), exitFailed},
		{"complete " + model + " --from " + data + " --clamp 0-99 --sweeps " + long + " --out " + at("c.npz"), exitFailed},
		{"denoise " + model + " --data " + data + " --sweeps " + long + " --out " + at("d.npz"), exitFailed},
		{"features " + model + " --data mnist --classifier --raw --out " + at("f.npy"), exitFailed},
		{"planted --visible 300 --hidden 3 --alpha 2 --restarts " + long, exitFailed},
		{"infer --visible 3000 --alpha 2 --instances 1000", exitFailed},
		{"infer --visible 400 --hidden 2 --alpha 2 --restarts " + long, exitFailed},
		{"reproduce overlap -o " + at("paper"), exitFailed},
		{"sweep run " + at("sweep"), exitInterrupted},
		{"export " + model + " --to c -o " + at("pipe"), exitFailed},
	} {
		words := strings.Fields(c.words)
		working := 200 * time.Millisecond
		if words[0] == "export" { // it waits
			working = 0
		}
		cmd, stderr := begin(t, working, "", words...)
		if words[0] == "export" {
			time.Sleep(300 * time.Millisecond)
		}
		if status := heeds(t, cmd, stderr, aSecond); status != c.status || !strings.Contains(stderr.String(), "interrupted") {
			t.Errorf("%s: status %d, %s", c.words, status, stderr)
		}
	}
}
