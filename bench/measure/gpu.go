package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"bethe/internal/kernel"
)

// gpuOptions are the flags of a run beside a card.
type gpuOptions struct {
	seconds float64 // for all
	out     string  // folder for the results so far; empty: they are not kept
	device  string  // of PyTorch
	short   bool    // only the smallest sizes
}

// A gpuSize is one size of work that both sides do.
type gpuSize struct {
	work          string // "step" or "sweep"
	hidden, count int    // units; samples and chains of a step, chains of a sweep
}

func (s gpuSize) title() string {
	if s.work == "step" {
		return fmt.Sprintf("Step, %d x %d, batch %d", visible, s.hidden, s.count)
	}
	return fmt.Sprintf("Gibbs sweep, %d x %d, %d chains", visible, s.hidden, s.count)
}

// tasks names what our side does, the fastest last, and what each is.
func (s gpuSize) tasks() (names, what []string) {
	sizes := fmt.Sprintf("/%d/%d", s.hidden, s.count)
	if s.work == "step" {
		return []string{"step-centred" + sizes, "step" + sizes}, []string{"our step, centred", "our step, not centred"}
	}
	return []string{"sweep" + sizes}, []string{"our sweep, binary synapses"}
}

// A torchJob asks PyTorch to measure one way of doing some work.
type torchJob struct {
	Work      string  `json:"work"`
	Hidden    int     `json:"hidden"`
	Count     int     `json:"count"`
	Precision string  `json:"precision"`
	How       string  `json:"how"`
	Rounds    int     `json:"rounds"`
	Turn      float64 `json:"turn"` // seconds
}

// A torchAnswer has the seconds of each round for each way, or why there are none.
type torchAnswer struct {
	Seconds map[string][]float64 `json:"seconds"`
	Error   string               `json:"error"`
}

// A torch is a process of PyTorch that does jobs.
type torch struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	lines   chan []byte // of its output; closed at the end
	stopped chan struct{}
	stderr  bytes.Buffer
}

// startTorch starts the process and returns its first answer: the card and the threads that it has.
func startTorch(python, script, device string, limit time.Duration) (t *torch, has map[string]string, err error) {
	t = &torch{cmd: exec.Command(python, script, device), lines: make(chan []byte), stopped: make(chan struct{})}
	t.cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	t.cmd.Stderr = &t.stderr
	t.cmd.WaitDelay = 5 * time.Second // its own children may keep its output open
	if t.in, err = t.cmd.StdinPipe(); err != nil {
		return nil, nil, err
	}
	out, err := t.cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := t.cmd.Start(); err != nil {
		return nil, nil, err
	}
	go func() {
		defer close(t.lines)
		for in := bufio.NewReader(out); ; {
			line, err := in.ReadBytes('\n')
			if err != nil {
				return
			}
			select {
			case t.lines <- line:
			case <-t.stopped:
				return
			}
		}
	}()
	if err := t.read(&has, limit); err != nil {
		return nil, nil, t.stop(err)
	}
	return t, has, nil
}

// stop ends the process and returns an error with the last line of its complaints, if it has any.
func (t *torch) stop(err error) error {
	close(t.stopped)
	t.in.Close()
	_ = t.cmd.Process.Kill() // it may be at work on what nobody waits for
	_ = t.cmd.Wait()
	if complaint := strings.TrimSpace(t.stderr.String()); complaint != "" {
		err = fmt.Errorf("%w: %s", err, complaint[strings.LastIndexByte(complaint, '\n')+1:])
	}
	return err
}

var errSlow = errors.New("no answer in time")

func (t *torch) read(v any, limit time.Duration) error {
	select {
	case line, ok := <-t.lines:
		if !ok {
			return errors.New("PyTorch's process ended")
		}
		return json.Unmarshal(line, v)
	case <-time.After(limit):
		return errSlow
	}
}

// do has a job done.
func (t *torch) do(job torchJob, limit time.Duration) (a torchAnswer, err error) {
	text, err := json.Marshal(job)
	if err != nil {
		return a, err
	}
	if _, err := fmt.Fprintf(t.in, "%s\n", text); err != nil {
		return a, err
	}
	return a, t.read(&a, limit)
}

// A gpuRun is a run beside a card.
type gpuRun struct {
	*bench
	gpuOptions
	began    time.Time
	sizes    []gpuSize
	rows     [][]row   // of each size
	best     []float64 // seconds of our fastest way, by size
	bestName []string  // and which that is
	torch    *torch    // nil if there is none now
	where    string    // PyTorch's device, for people
}

func (r *gpuRun) left() time.Duration {
	return time.Duration(r.seconds*float64(time.Second)) - time.Since(r.began)
}

// gpu measures our steps and sweeps on all processors, then PyTorch's on the card.
func (b *bench) gpu(opt gpuOptions, asJSON bool) error {
	switch opt.device {
	case "auto", "cuda", "cpu":
	default:
		return fmt.Errorf("-device %s: it is auto, cuda or cpu", opt.device)
	}
	if !(opt.seconds > 0) {
		return fmt.Errorf("-seconds %v: it must be above 0", opt.seconds)
	}
	if err := kernel.Check(); err != nil {
		return err
	}
	b.Versions["kernels"] = strings.Join(kernel.Tiers(), " ")
	r := &gpuRun{bench: b, gpuOptions: opt, began: time.Now()}
	hiddens, batches, chains := []int{500, 2000}, []int{500, 5000}, []int{1000, 10000}
	if opt.short {
		hiddens, batches, chains = hiddens[:1], batches[:1], chains[:1]
	}
	for _, p := range hiddens {
		for _, m := range batches {
			r.sizes = append(r.sizes, gpuSize{"step", p, m})
		}
		for _, m := range chains {
			r.sizes = append(r.sizes, gpuSize{"sweep", p, m})
		}
	}
	r.rows, r.best, r.bestName = make([][]row, len(r.sizes)), make([]float64, len(r.sizes)), make([]string, len(r.sizes))
	if opt.out != "" {
		if err := os.MkdirAll(opt.out, 0o777); err != nil {
			return err
		}
	}
	if smi, err := exec.Command("nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader").Output(); err == nil {
		b.Versions["driver"] = strings.TrimSpace(string(smi))
	}
	if err := r.oursRows(); err != nil {
		return err
	}
	if err := r.torchRows(); err != nil {
		return err
	}
	r.collect()
	return b.print(asJSON)
}

// oursRows measures our side: all processors, and one for the smallest machine.
func (r *gpuRun) oursRows() error {
	tier, all := kernel.Tier(), runtime.NumCPU()
	for k, size := range r.sizes {
		threads := []int{all}
		if size.hidden == r.sizes[0].hidden && size.count <= 1000 && all > 1 {
			threads = append(threads, 1)
			if all > 3 { // processors that share a core gain little from each other
				threads = append(threads, all/2)
			}
		}
		names, what := size.tasks()
		for i, name := range names {
			for _, n := range threads {
				if r.left() < 10*time.Second {
					r.Missing = append(r.Missing, fmt.Sprintf("%s: %s, threads %d: the time was over", size.title(), what[i], n))
					continue
				}
				fmt.Fprintf(os.Stderr, "measuring %s, threads %d\n", name, n)
				c := r.ours(what[i], name, tier, n)
				r.race(r.Rounds, c)
				if c.err != nil {
					continue
				}
				t := median(c.times)
				r.rows[k] = append(r.rows[k], row{What: what[i], Tier: tier, Threads: n, Seconds: t})
				if n == all {
					r.best[k], r.bestName[k] = t, fmt.Sprintf("%s, threads %d", what[i], n)
				}
				if err := r.save(); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// torchRows measures PyTorch, what matters most first.
func (r *gpuRun) torchRows() error {
	defer func() {
		if r.torch != nil {
			_ = r.torch.stop(nil) // its rows are in
		}
	}()
	for _, how := range []string{"eager", "compiled"} {
		for k, size := range r.sizes {
			for _, precision := range []string{"float32", "tf32", "bf16"} {
				job := torchJob{size.work, size.hidden, size.count, precision, how, 5, 0.2}
				name := fmt.Sprintf("%s: PyTorch %s, %s", size.title(), precision, how)
				if r.left() < 5*time.Second {
					r.Missing = append(r.Missing, name+": the time was over")
					continue
				}
				fmt.Fprintln(os.Stderr, "measuring", name)
				answer, err := r.ask(job)
				if errors.Is(err, errNone) {
					r.Missing = append(r.Missing, err.Error())
					return nil
				}
				if err != nil {
					answer.Error = err.Error()
				}
				if answer.Error != "" {
					r.Missing = append(r.Missing, name+": "+answer.Error)
				}
				for _, way := range []struct{ key, what string }{{"eager", "eager"}, {"compiled", "compiled"}, {"graph", "compiled, as a CUDA graph"}} {
					if times := answer.Seconds[way.key]; len(times) > 0 {
						x := row{What: fmt.Sprintf("PyTorch on %s, %s, %s", r.where, precision, way.what), Seconds: median(times)}
						if r.best[k] > 0 {
							x.Value, x.Unit, x.Against = r.best[k]/x.Seconds, "x", r.bestName[k]
						}
						r.rows[k] = append(r.rows[k], x)
					}
				}
				if err := r.save(); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// jobLimit is the longest that one job of PyTorch may take; compiling takes most of it.
const jobLimit = 90 * time.Second

// ask has PyTorch do a job, in a fresh process if there is none.
func (r *gpuRun) ask(job torchJob) (answer torchAnswer, err error) {
	if r.torch == nil {
		if err := r.startTorch(); err != nil {
			return answer, err
		}
	}
	answer, err = r.torch.do(job, min(jobLimit, r.left()-2*time.Second))
	if err != nil {
		err = r.torch.stop(err)
		r.torch = nil
	}
	return answer, err
}

// startTorch starts PyTorch on the card, or on the processor where that is asked for or there is no card.
func (r *gpuRun) startTorch() error {
	script := filepath.Join(r.yardsticks, "gpu_torch.py")
	var first error
	for _, device := range []string{"cuda", "cpu"} {
		if r.device != "auto" && r.device != device {
			continue
		}
		t, has, err := startTorch(r.python, script, device, min(jobLimit, r.left()-2*time.Second))
		if err != nil {
			if first == nil {
				first = err
			} else {
				first = fmt.Errorf("%w; on the processor: %w", first, err)
			}
			continue
		}
		r.torch, r.device = t, device // the next process takes the same
		for k, v := range has {
			r.Versions[k] = v
		}
		r.where = has["card"]
		if device == "cpu" {
			r.where = "the processor, threads " + has["threads"]
			r.Missing = append(r.Missing, "the card: PyTorch computed on the processor")
		}
		return nil
	}
	return fmt.Errorf("%w: %w", errNone, first)
}

var errNone = errors.New("no row of PyTorch: it could not be started")

// collect makes the sections of the report from the results so far.
func (r *gpuRun) collect() {
	r.Sections = nil
	for k, size := range r.sizes {
		r.add(size.title(), "Values are how many times as fast as our fastest way on all processors.", r.rows[k])
	}
	r.Seconds = time.Since(r.began).Seconds()
}

// save writes the results so far.
func (r *gpuRun) save() error {
	if r.out == "" {
		return nil
	}
	r.collect()
	text, err := json.MarshalIndent(&r.report, "", "  ")
	if err != nil {
		return err
	}
	var page bytes.Buffer
	r.markdown(&page)
	for name, text := range map[string][]byte{"gpu.json": append(text, '\n'), "gpu.md": page.Bytes()} {
		path := filepath.Join(r.out, name)
		if err := os.WriteFile(path+".new", text, 0o666); err != nil {
			return err
		}
		if err := os.Rename(path+".new", path); err != nil {
			return err
		}
	}
	return nil
}
