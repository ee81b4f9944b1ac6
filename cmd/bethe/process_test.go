//go:build unix

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"bethe/dashboard"
	"bethe/runs"
)

// process is the command in a process of its own, not started.
func process(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), playsCommand+"=yes")
	return cmd
}

// statusOf returns the exit status of a process that has ended, -1 of one that a
// signal ended.
func statusOf(t *testing.T, cmd *exec.Cmd, err error) int {
	t.Helper()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode()
}

// ends sends signals to a process and waits for its end, which must come soon.
func ends(t *testing.T, cmd *exec.Cmd, within time.Duration, signals ...os.Signal) (status int) {
	t.Helper()
	began := time.Now()
	for _, s := range signals {
		if err := cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if took := time.Since(began); took > within {
			t.Errorf("%v took %v to end after %v", cmd.Args[1:], took, signals)
		}
		return statusOf(t, cmd, err)
	case <-time.After(within + 20*time.Second):
		_ = cmd.Process.Kill()
		<-ended
		t.Fatalf("%v does not end after %v", cmd.Args[1:], signals)
	}
	return 0
}

// soon allows for a busy machine; the promise is one second.
const soon = 3 * time.Second

func kind(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Type()
}

// TestOutputs: an output that is a device, a pipe, a link or standard output is
// written through; it is not replaced by a file. The nodes are our own.
func TestOutputs(t *testing.T) {
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	object(t, "train", "--data", small(t), "--hidden", "3", "--steps", "5", "--out", at("run"))
	model := filepath.Join(at("run"), runs.ModelFile)
	sample := func(out string) (stdout []byte) {
		t.Helper()
		cmd := process(t, "sample", model, "-n", "4", "--sweeps", "3", "--quiet", "--out", out)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		stdout, err := cmd.Output()
		if err != nil {
			t.Fatalf("--out %s: %v: %s", out, err, errs.Bytes())
		}
		return stdout
	}
	sample(at("plain.npz"))
	want := read(t, at("plain.npz"))
	if !bytes.HasPrefix(want, []byte("PK")) {
		t.Fatalf("%.9q", want)
	}
	if err := syscall.Mkfifo(at("pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	got := make(chan []byte)
	go func() {
		b, err := os.ReadFile(at("pipe"))
		if err != nil {
			t.Error(err)
		}
		got <- b
	}()
	sample(at("pipe"))
	if b := <-got; !bytes.Equal(b, want) || kind(t, at("pipe")) != fs.ModeNamedPipe {
		t.Errorf("a pipe: %d of %d bytes, %v", len(b), len(want), kind(t, at("pipe")))
	}
	for _, link := range [][2]string{{"/proc/self/fd/1", "stdout"}, {"store/real", "link"}} {
		if err := os.Symlink(link[0], at(link[1])); err != nil {
			t.Fatal(err)
		}
	}
	for _, out := range []string{"/dev/stdout", at("stdout"), "/dev/fd/1"} {
		if b := sample(out); !bytes.Equal(b, want) { // and nothing else
			t.Errorf("%s: %d bytes, not %d", out, len(b), len(want))
		}
	}
	cmd := process(t, "sample", model, "-n", "4", "--json", "--out", "/dev/stdout")
	if text, err := cmd.CombinedOutput(); statusOf(t, cmd, err) != exitUsage || !strings.Contains(string(text), "standard output") {
		t.Errorf("an object and a file on standard output: %s", text)
	}
	if err := os.Mkdir(at("store"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at("store/real"), []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	sample(at("link"))
	if info, err := os.Stat(at("store/real")); err != nil || info.Mode() != 0o600 || !bytes.Equal(read(t, at("store/real")), want) || kind(t, at("link")) != fs.ModeSymlink || kind(t, at("stdout")) != fs.ModeSymlink {
		t.Errorf("a link: %v, %v", info, err)
	}
	const null = 1<<8 | 3
	if err := syscall.Mknod(at("null"), syscall.S_IFCHR|0o666, null); err != nil {
		t.Skipf("SKIPPED: only the superuser can make devices: %v", err)
	}
	sample(at("null"))
	if k := kind(t, at("null")); k != fs.ModeDevice|fs.ModeCharDevice {
		t.Errorf("a device became %v", k)
	}
}

// TestFullOutput: where standard output takes nothing more the status is 1.
func TestFullOutput(t *testing.T) {
	node := filepath.Join(t.TempDir(), "full")
	const full = 1<<8 | 7
	if err := syscall.Mknod(node, syscall.S_IFCHR|0o666, full); err != nil {
		t.Skipf("SKIPPED: only the superuser can make devices: %v", err)
	}
	out, err := os.OpenFile(node, os.O_WRONLY, 0)
	if err != nil {
		t.Skipf("SKIPPED: devices cannot be opened in this folder: %v", err)
	}
	defer out.Close()
	folder := t.TempDir()
	if err := runs.WriteInfo(folder, runs.Info{Verb: "train"}); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"version"}, {"version", "--json"}, {"--help"}, {"runs", folder}, {"runs", folder, "--json"}, {"completion", "bash"}} {
		cmd := process(t, args...)
		var errs strings.Builder
		cmd.Stdout, cmd.Stderr = out, &errs
		if status := statusOf(t, cmd, cmd.Run()); status != exitFailed || !strings.Contains(errs.String(), "/dev/stdout") || !strings.Contains(errs.String(), "no space left") {
			t.Errorf("%v: status %d, %s", args, status, errs.String())
		}
	}
}

// TestSignals: SIGHUP, which a closing terminal sends twice, saves as SIGTERM does,
// and is ignored under nohup.
func TestSignals(t *testing.T) {
	data := small(t)
	for _, c := range []struct {
		nohup   bool
		signals []os.Signal
	}{{false, []os.Signal{syscall.SIGHUP, syscall.SIGHUP}}, {true, []os.Signal{syscall.SIGHUP, syscall.SIGTERM}}} {
		out := filepath.Join(t.TempDir(), "run")
		args := []string{"train", "--data", data, "--hidden", "3", "--steps", "100000000", "--out", out}
		cmd := process(t, args...)
		if c.nohup {
			env := cmd.Env
			cmd = exec.CommandContext(t.Context(), "sh", append([]string{"-c", `trap "" HUP; exec "$0" "$@"`, os.Args[0]}, args...)...)
			cmd.Env = env
		}
		var errs bytes.Buffer
		cmd.Stderr = &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for began := time.Now(); len(readIf(filepath.Join(out, runs.MetricsFile))) < 300; time.Sleep(20 * time.Millisecond) {
			if time.Since(began) > 30*time.Second {
				t.Fatalf("it does not learn: %s", errs.Bytes())
			}
		}
		if c.nohup {
			if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
			time.Sleep(300 * time.Millisecond)
		}
		if status := ends(t, cmd, soon, c.signals...); status != exitInterrupted || !strings.Contains(errs.String(), "nothing is lost") {
			t.Errorf("nohup %v: status %d, %s", c.nohup, status, errs.Bytes())
		}
		if _, err := os.Stat(filepath.Join(out, runs.CheckpointFile)); err != nil {
			t.Error(err)
		}
	}
}

func readIf(path string) []byte {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil // not there yet
	}
	return b
}

// TestEndsAtOnce: a verb that is waiting, or drawing, ends with the first signal,
// and leaves no temporary file, also if a second one comes at once.
func TestEndsAtOnce(t *testing.T) {
	folder := t.TempDir()
	run := filepath.Join(folder, "run")
	object(t, "train", "--data", small(t), "--hidden", "3", "--steps", "5", "--out", run)
	figures := filepath.Join(folder, "figures")
	if err := os.Mkdir(figures, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(figures, "units.svg"), 0o644); err != nil { // that nobody reads
		t.Fatal(err)
	}
	for k, c := range []struct {
		only, drawn string // figures to draw, and the file that exists when the signals come
		signals     []os.Signal
	}{
		{"units", "units.png", []os.Signal{syscall.SIGTERM}}, {"units", "units.png", []os.Signal{os.Interrupt, os.Interrupt}}, // at the pipe
		{"bound,terms,synapses", "bound.png", []os.Signal{syscall.SIGHUP, syscall.SIGTERM, syscall.SIGTERM}},
	} {
		signals := c.signals
		cmd := process(t, "plot", run, "--only", c.only, "-o", figures)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for began := time.Now(); readIf(filepath.Join(figures, c.drawn)) == nil; time.Sleep(time.Millisecond) {
			if time.Since(began) > 30*time.Second {
				t.Fatalf("it does not draw: %s", errs.Bytes())
			}
		}
		status := ends(t, cmd, soon, signals...)
		if byIts := len(signals) > 1 && status == -1; !byIts && (status != exitFailed || !strings.Contains(errs.String(), "interrupted")) {
			t.Errorf("%d: %v: status %d, %s", k, signals, status, errs.Bytes())
		}
		entries, err := os.ReadDir(figures)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), ".") {
				t.Errorf("%v: %s is left", signals, e.Name())
			}
			if e.Name() != "units.svg" {
				if err := os.Remove(filepath.Join(figures, e.Name())); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// badRuns makes a folder of a run that is well and others that are not.
func badRuns(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	for _, name := range []string{"good", "damaged", "pipe", "info", "\x1b[31mred"} {
		run := filepath.Join(folder, name)
		if err := os.Mkdir(run, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := runs.WriteInfo(run, runs.Info{Verb: "train", Data: "a\x1b]0;title\x07b", Settings: map[string]any{"key\x1b[1m": "value\u009b1m" + name}}); err != nil {
			t.Fatal(err)
		}
		lines := `{"step":1,"kl_per_synapse":0.5}` + "\n" + `{"step":2,"kl_per_synapse":0.6}` + "\n"
		if name == "damaged" {
			lines += "x\n" + `{"step":3,"kl_per_synapse":0.7}` + "\n"
		}
		if err := os.WriteFile(filepath.Join(run, runs.MetricsFile), []byte(lines), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, make := range map[string]func(string) error{"pipe/" + runs.MetricsFile: func(at string) error { return syscall.Mkfifo(at, 0o644) },
		"info/" + runs.InfoFile: func(at string) error { return os.WriteFile(at, []byte("{"), 0o644) }} {
		at := filepath.Join(folder, name)
		if err := os.Remove(at); err != nil {
			t.Fatal(err)
		}
		if err := make(at); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// TestBadRuns: a damaged run is listed with its error and its readable part. The other
// runs are listed as usual. No control characters are printed.
func TestBadRuns(t *testing.T) {
	folder := badRuns(t)
	status, stdout, stderr := bethe(t, t.Context(), "runs", folder)
	if status != exitDone || strings.ContainsAny(stdout+stderr, "\x1b\x07\u009b") || strings.Count(stdout, "\n") != 6 || !strings.Contains(stdout, `\x1b[31mred`) || !strings.Contains(stdout, `value\xc2\x9b1mgood`) {
		t.Errorf("status %d, %q, %q", status, stdout, stderr)
	}
	problems := map[string]string{"damaged": filepath.Join(folder, "damaged", runs.MetricsFile) + ":3: not a record", "pipe": "a named pipe", "info": filepath.Join(folder, "info", runs.InfoFile) + ": not the JSON of a run"}
	for name, want := range problems {
		if !strings.Contains(stderr, want) {
			t.Errorf("%s: not told: %s", name, stderr)
		}
	}
	steps := map[string]float64{"damaged": 3, "pipe": 0, "info": 2, "good": 2, `\x1b[31mred`: 2}
	for _, r := range object(t, "runs", folder)["runs"].([]any) {
		s := r.(map[string]any)
		name := s["run"].(string)
		problem, _ := s["problem"].(string)
		if s["steps"] != steps[name] || (problem != "") != (problems[name] != "") || !strings.Contains(problem, problems[name]) {
			t.Errorf("%s: %v", name, s)
		}
	}
	for name, want := range steps {
		if name == `\x1b[31mred` {
			continue
		}
		run := filepath.Join(folder, name)
		status, stdout, stderr := bethe(t, t.Context(), "plot", run, "--only", "kl", "-o", filepath.Join(folder, "figures-"+name), "--json")
		if want == 0 { // there is nothing to draw
			if status != exitFailed || !strings.Contains(stderr, problems[name]) {
				t.Errorf("plot %s: status %d, %s", name, status, stderr)
			}
			continue
		}
		var v struct {
			Files   []string
			Problem string
		}
		if err := json.Unmarshal([]byte(stdout), &v); status != exitDone || err != nil || len(v.Files) != 2 || (v.Problem != "") != (problems[name] != "") || !strings.Contains(v.Problem, problems[name]) || !strings.Contains(stderr, problems[name]) {
			t.Errorf("plot %s: status %d, %v, %s, %s", name, status, err, stdout, stderr)
		}
	}
	// Messages name what was asked for, without control characters.
	for _, args := range [][]string{{"plot", folder + "/\x1b[31mnone"}, {"runs", folder + "/\x1b[31mnone"}, {"serve", folder + "/\x1b[31mnone"}, {"plot", "--only", "\x1b[31mnone", folder}} {
		status, _, stderr := bethe(t, t.Context(), args...)
		if status == exitDone || strings.Contains(stderr, "\x1b") || !strings.Contains(stderr, `\x1b[31mnone`) {
			t.Errorf("%q: status %d, %q", args, status, stderr)
		}
	}
}

// TestServeBadRuns: the page comes up beside broken runs, and ends with one signal.
func TestServeBadRuns(t *testing.T) {
	cmd := process(t, "serve", badRuns(t), "--listen", "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || !strings.HasPrefix(line, "http://127.0.0.1:") {
		t.Errorf("%q, %v", line, err)
	}
	if status := ends(t, cmd, soon, syscall.SIGTERM); status != exitDone {
		t.Errorf("status %d", status)
	}
	server, listener, err := dashboard.Open(badRuns(t), "127.0.0.1:0", dashboard.Options{Token: dashboard.DrawToken})
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	if at := server.Address(listener); !regexp.MustCompile(`^http://127\.0\.0\.1:\d+/\?token=[A-Z2-7]{26}$`).MatchString(at) {
		t.Errorf("a token that is drawn: %s", at)
	}
	for _, token := range []string{"x", "secret", "fifteen letters"} {
		if status, _, stderr := bethe(t, t.Context(), "serve", t.TempDir(), "--token", token); status != exitUsage || !strings.Contains(stderr, "--token") || !strings.Contains(stderr, "16 letters") {
			t.Errorf("the token %q: status %d, %s", token, status, stderr)
		}
	}
}

// TestManyShards: never more shards than cells, and a word where Slurm would refuse
// an array.
func TestManyShards(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "sweep")
	grid := filepath.Join(t.TempDir(), "grid.toml")
	text := "visible = 20\nhidden = 1\nalpha = 1\nbeta = 1\ninstances = 1\nrestarts = 1\nseed = ["
	for k := range 1500 {
		text += strings.Repeat(",", min(k, 1)) + strconv.Itoa(k)
	}
	if err := os.WriteFile(grid, []byte(text+"]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	object(t, "sweep", "init", grid, "-o", folder)
	for _, c := range []struct {
		engine, shards string
		want           float64
		words          []string
		in             string
	}{
		{"slurm", "5000", 1500, []string{"only 1500 cells", "1000 tasks", "2 parts"}, "FIRST=$first"}, {"k8s", "5000", 1500, []string{"only 1500 cells"}, "completions: 1500"},
		{"slurm", "1000", 1000, nil, "--array=0-999"}, {"parallel", "1500", 1500, nil, "seq 0 1499"},
	} {
		status, stdout, stderr := bethe(t, t.Context(), "sweep", "script", folder, "--engine", c.engine, "--shards", c.shards, "--json")
		var v map[string]any
		if err := json.Unmarshal([]byte(stdout), &v); status != exitDone || err != nil || v["shards"] != c.want || !strings.Contains(v["script"].(string), c.in) {
			t.Errorf("%+v: status %d, %v, %s", c, status, err, stdout)
		}
		for _, word := range c.words {
			if !strings.Contains(stderr, word) {
				t.Errorf("%+v: %q", c, stderr)
			}
		}
		if len(c.words) == 0 && stderr != "" {
			t.Errorf("%+v: %q", c, stderr)
		}
	}
}
