package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMain is PyTorch where the program is started as Python would be, and a process that does a task as measure starts
// them.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "-child" {
		if err := serve(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if len(os.Args) == 3 && filepath.Base(os.Args[1]) == "gpu_torch.py" {
		playTorch(os.Args[2])
		return
	}
	os.Exit(m.Run())
}

// playTorch answers as gpu_torch.py does, on a machine without a card. It is slow with 5,000 samples
// and ends in the middle with 10,000 chains.
func playTorch(device string) {
	if device == "cuda" {
		fmt.Fprintln(os.Stderr, "Traceback\nPyTorch sees no NVIDIA card")
		os.Exit(1)
	}
	fmt.Println(`{"torch": "9.9", "threads": "2"}`)
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var job torchJob
		if err := json.Unmarshal(in.Bytes(), &job); err != nil {
			os.Exit(3)
		}
		switch {
		case job.Precision == "tf32":
			fmt.Println(`{"error": "TF32 is a format of the card"}`)
		case job.Count == 5000:
			time.Sleep(time.Minute)
		case job.Count == 10000:
			os.Exit(1)
		case job.How == "eager":
			fmt.Println(`{"seconds": {"eager": [0.5, 0.25, 0.75]}}`)
		default:
			fmt.Println(`{"seconds": {"compiled": [0.125]}, "error": "as a CUDA graph: no"}`)
		}
	}
}

func testRun(t *testing.T, device string) *gpuRun {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{python: self, yardsticks: t.TempDir()}
	b.Versions = map[string]string{}
	r := &gpuRun{bench: b, gpuOptions: gpuOptions{seconds: 60, out: t.TempDir(), device: device}, began: time.Now(),
		sizes: []gpuSize{{"step", 500, 500}}}
	r.rows, r.best, r.bestName = make([][]row, 1), []float64{1}, []string{"our step"}
	return r
}

// Rows of PyTorch stand beside ours with what they gain, in the files too, and what cannot be is said.
func TestGPURows(t *testing.T) {
	r := testRun(t, "auto")
	if err := r.torchRows(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, x := range r.rows[0] {
		got = append(got, fmt.Sprint(x.What, " ", x.Seconds, " ", x.Value))
	}
	want := []string{
		"PyTorch on the processor, threads 2, float32, eager 0.5 2",
		"PyTorch on the processor, threads 2, bf16, eager 0.5 2",
		"PyTorch on the processor, threads 2, float32, compiled 0.125 8",
		"PyTorch on the processor, threads 2, bf16, compiled 0.125 8",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("rows\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	missing := strings.Join(r.Missing, "\n")
	for _, want := range []string{"the card: PyTorch computed on the processor", "tf32, eager: TF32", "float32, compiled: as a CUDA graph: no"} {
		if strings.Count(missing, want) != 1 {
			t.Errorf("%q is not once in\n%s", want, missing)
		}
	}
	page, err := os.ReadFile(filepath.Join(r.out, "gpu.md"))
	if err != nil || !strings.Contains(string(page), "bf16, compiled |") {
		t.Errorf("gpu.md: %v\n%s", err, page)
	}
	if text, err := os.ReadFile(filepath.Join(r.out, "gpu.json")); err != nil || !json.Valid(text) {
		t.Errorf("gpu.json: %v\n%s", err, text)
	}
}

// Where only the card will do, its absence is said, once.
func TestGPUWithoutCard(t *testing.T) {
	r := testRun(t, "cuda")
	if err := r.torchRows(); err != nil {
		t.Fatal(err)
	}
	if len(r.rows[0]) > 0 || len(r.Missing) != 1 || !strings.Contains(r.Missing[0], "PyTorch sees no NVIDIA card") {
		t.Errorf("rows %v, missing %q", r.rows[0], r.Missing)
	}
}

// A process that ends or does not answer costs its own row, and the next has a fresh one.
func TestGPUProcessThatFails(t *testing.T) {
	r := testRun(t, "cpu")
	job := torchJob{"sweep", 500, 10000, "bf16", "eager", 5, 0.2}
	if _, err := r.ask(job); err == nil || !strings.Contains(err.Error(), "ended") {
		t.Errorf("a process that ends: %v", err)
	}
	job.Count = 1000
	if a, err := r.ask(job); err != nil || len(a.Seconds["eager"]) != 3 {
		t.Errorf("the next job: %v, %v", a, err)
	}
	r.began, r.seconds = time.Now(), 2.5 // half a second for a job
	job.Count = 5000
	if _, err := r.ask(job); !errors.Is(err, errSlow) {
		t.Errorf("a process that does not answer: %v", err)
	}
	if r.torch != nil {
		t.Error("the process that does not answer is still there")
	}
}

// When the time is over nothing more is started, and everything that is left out is named.
func TestGPUOutOfTime(t *testing.T) {
	r := testRun(t, "auto")
	r.seconds = 0.001
	if err := errors.Join(r.oursRows(), r.torchRows()); err != nil {
		t.Fatal(err)
	}
	if r.torch != nil || len(r.rows[0]) > 0 || len(r.Missing) < 8 {
		t.Errorf("rows %v, missing %q", r.rows[0], r.Missing)
	}
	for _, m := range r.Missing {
		if !strings.Contains(m, "the time was over") {
			t.Error(m)
		}
	}
}

func TestTaskOf(t *testing.T) {
	for _, name := range []string{"step", "sweep/2000/10000", "step/500/5000", "step-centred/1/1", "planted"} {
		if _, err := taskOf(name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"", "stepp", "sweep/0/5", "sweep/5", "planted/5/5", "sweep/5/x"} {
		if _, err := taskOf(name); err == nil {
			t.Errorf("%q is a task", name)
		}
	}
	for _, name := range []string{"sweep/30/40", "step/20/30", "step-centred/20/30"} {
		prepare, err := taskOf(name)
		if err != nil {
			t.Fatal(err)
		}
		work, err := prepare()
		if err != nil {
			t.Fatal(err)
		}
		if err := work(2); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Processes do tasks of the size that their names say, and say which task there is not.
func TestSizedTasks(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, there := range map[string]bool{"sweep/20/30": true, "step/20/30": true, "sweep/20": false} {
		c := &contender{what: name, command: []string{self, "-child", name}, count: 2}
		race(2, map[string]string{}, c)
		if there && (c.err != nil || len(c.times) != 2) {
			t.Errorf("%s: %v, times %v", name, c.err, c.times)
		}
		if !there && (c.err == nil || !strings.Contains(c.err.Error(), `there is no task "sweep/20"`)) {
			t.Errorf("%s: %v", name, c.err)
		}
	}
}
