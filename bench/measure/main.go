// Command measure times everything that this module promises to be fast beside
// the yardsticks: other libraries doing the same work. bench/run builds and
// runs it.
//
// Kernels race within one process for each tier of kernels; whole programs are
// processes that take turns. Ratios are formed in each round, and their medians
// are reported.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"bethe/internal/kernel"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

// A bench is one run of everything.
type bench struct {
	report
	self, bethe, python, yardsticks string
	tiers                           []string // fastest first
	coreItself                      string   // the processor whose kernels OpenBLAS takes by itself
	narrowCore                      string   // the one with the fastest kernels without AVX-512
}

func run() error {
	asJSON := flag.Bool("json", false, "print one JSON object")
	floors := flag.Bool("floors", false, "exit with status 1 if a floor or limit is missed")
	stat := flag.String("benchstat", "", "file for the times of every round, in the format that benchstat reads")
	rounds := flag.Int("rounds", 11, "rounds of each race")
	only := flag.String("only", "", "measure only these, of kernels, training, wide, deep, gauss, gibbs, planted, sizes, first, memory, and threads, which takes longest and is left out by itself; separated by commas")
	bethe := flag.String("bethe", "", "the program, for its memory")
	python := flag.String("python", "/usr/bin/python3", "Python with NumPy, PyTorch and scikit-learn")
	yardsticks := flag.String("yardsticks", "bench/yardsticks", "folder of the Python scripts")
	child := flag.String("child", "", "what a process started by this program does")
	scalingPieces := flag.Int("scaling", 0, "fit the model of threads to the arguments, THREADS:SECONDS, of work of so many pieces, and nothing else")
	besideGPU := flag.Bool("gpu", false, "measure steps and sweeps beside PyTorch on an NVIDIA card, and nothing else")
	var gpu gpuOptions
	flag.Float64Var(&gpu.seconds, "seconds", 480, "with -gpu: end within so many seconds")
	flag.StringVar(&gpu.out, "out", "", "with -gpu: folder for gpu.json and gpu.md, kept up to date")
	flag.StringVar(&gpu.device, "device", "auto", "with -gpu: where PyTorch computes, cuda, cpu or auto")
	flag.BoolVar(&gpu.short, "short", false, "with -gpu: only the smallest sizes")
	flag.Parse()
	if *rounds < 1 {
		return fmt.Errorf("-rounds %d: it must be at least 1", *rounds)
	}
	if *scalingPieces != 0 {
		text, err := scalingOf(*scalingPieces, flag.Args())
		fmt.Print(text)
		return err
	}
	if flag.NArg() > 0 {
		return fmt.Errorf("%q: there are only flags", flag.Arg(0))
	}
	if *child != "" {
		return runChild(*child, *rounds)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	began := time.Now()
	b := &bench{self: self, bethe: *bethe, python: *python, yardsticks: *yardsticks}
	b.Machine, b.CPUs, b.Load, b.Rounds = cpuModel(), runtime.NumCPU(), loadAverage(), *rounds
	b.Date = began.UTC().Format("2006-01-02 15:04 MST")
	b.Versions = map[string]string{"go": runtime.Version()}
	b.Missing, b.Missed = []string{}, []string{}
	if *besideGPU {
		return b.gpu(gpu, *asJSON)
	}
	if openBLAS != nil {
		b.Versions["openblas"] = openBLAS.version
	} else {
		b.Missing = append(b.Missing, "OpenBLAS in the races of kernels: there is no C compiler or no libopenblas-dev")
	}
	for _, tier := range []string{"amx", "avx512", "avx2", "portable"} {
		if b.child(tier, "tier", 1).Run() == nil {
			b.tiers = append(b.tiers, tier)
		} else {
			b.Missing = append(b.Missing, tier+" kernels: this machine or build does not have them")
		}
	}
	names := []string{"kernels", "training", "wide", "deep", "gauss", "gibbs", "planted", "sizes", "first", "memory", "threads"}
	wanted := names[:len(names)-1]
	if *only != "" {
		wanted = strings.Split(*only, ",")
	}
	for _, name := range wanted {
		if !slices.Contains(names, name) {
			return fmt.Errorf("-only %s: it is of %s", name, strings.Join(names, ", "))
		}
	}
	if openBLAS != nil {
		if err := b.chooseCore(); err != nil {
			return err
		}
	}
	for k, measure := range []func() error{b.kernels, b.training, b.wide, b.deep, b.gauss, b.gibbs, b.planted, b.sizes, b.first, b.memory, b.threads} {
		if !slices.Contains(wanted, names[k]) {
			continue
		}
		fmt.Fprintf(os.Stderr, "measuring %s\n", names[k])
		if err := measure(); err != nil {
			return err
		}
	}
	b.Seconds = time.Since(began).Seconds()
	if len(b.Missing) > 0 {
		fmt.Fprintln(os.Stderr, "bench/run --install gets the yardsticks by apt")
	}
	if err := b.print(*asJSON); err != nil {
		return err
	}
	if *stat != "" {
		if err := b.writeStat(*stat); err != nil {
			return err
		}
	}
	if *floors && len(b.Missed) > 0 {
		return fmt.Errorf("%d floors are missed:\n  %s", len(b.Missed), strings.Join(b.Missed, "\n  "))
	}
	return nil
}

// print writes the report to standard output, and a list of missing parts to standard error.
func (b *bench) print(asJSON bool) error {
	for _, m := range b.Missing {
		fmt.Fprintln(os.Stderr, "MISSING:", m)
	}
	if asJSON {
		text, err := json.MarshalIndent(&b.report, "", "  ")
		if err != nil {
			return err
		}
		_, err = fmt.Println(string(text))
		return err
	}
	b.markdown(os.Stdout)
	return nil
}

// runChild does what a process started by this program is for.
func runChild(what string, rounds int) error {
	if err := kernel.Check(); err != nil {
		return err
	}
	switch what {
	case "tier": // that there is one is all
		return nil
	case "core":
		if openBLAS == nil {
			return errors.New("built without OpenBLAS")
		}
		return print(measureCore(openBLAS))
	case "kernels":
		return print(kernelRows(rounds))
	case "products":
		return print(realProductRows(rounds))
	case "first":
		rows, err := firstRows(rounds)
		if err != nil {
			return err
		}
		return print(rows)
	case "sizes":
		rows, err := sizeRows(rounds)
		if err != nil {
			return err
		}
		return print(rows)
	}
	return serve(what)
}

// environment says which kernels a process uses and how many threads.
func environment(tier string, threads int) []string {
	n := strconv.Itoa(threads)
	return []string{"BETHE_KERNEL=" + tier, "GOMAXPROCS=" + n, "OPENBLAS_NUM_THREADS=" + n, "OMP_NUM_THREADS=" + n,
		"MKL_NUM_THREADS=" + n, "PYTHONDONTWRITEBYTECODE=1"}
}

// child returns a process of this program.
func (b *bench) child(tier, what string, threads int) *exec.Cmd {
	cmd := exec.Command(b.self, "-child", what, "-rounds", strconv.Itoa(b.Rounds))
	cmd.Env = append(os.Environ(), environment(tier, threads)...)
	return cmd
}

// childRows returns the rows that a process of this program prints.
func (b *bench) childRows(tier, what string, environment ...string) (rows []row, err error) {
	cmd := b.child(tier, what, 1)
	cmd.Env = append(cmd.Env, environment...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s on %s: %w", what, tier, err)
	}
	return rows, json.Unmarshal(out, &rows)
}

// ours is a contender of this program.
func (b *bench) ours(what, task, tier string, threads int) *contender {
	return &contender{what: what, tier: tier, threads: threads, command: []string{b.self, "-child", task}, env: environment(tier, threads)}
}

// yardstick is a contender that runs a Python script.
func (b *bench) yardstick(what, script string, threads int, args ...string) *contender {
	command := append([]string{b.python, filepath.Join(b.yardsticks, script)}, args...)
	return &contender{what: what, threads: threads, command: command, env: environment("", threads)}
}

// race has contenders race and notes those that could not.
func (b *bench) race(rounds int, contenders ...*contender) {
	race(rounds, b.Versions, contenders...)
	for _, c := range contenders {
		if c.err != nil {
			b.Missing = append(b.Missing, fmt.Sprintf("%s, threads %d: %v", c.what, c.threads, c.err))
		}
	}
}

// compare returns how many times faster c is than other, nothing if either could not run.
func compare(c, other *contender, floor float64) []row {
	if c.err != nil || other.err != nil {
		return nil
	}
	return []row{{What: c.what, Tier: c.tier, Threads: c.threads, Seconds: median(c.times), Times: c.times,
		Against: other.what, Value: medianRatio(other.times, c.times), Unit: "x", Floor: floor}}
}

// plain returns the row of a yardstick itself.
func plain(c *contender) []row {
	if c.err != nil {
		return nil
	}
	return []row{{What: c.what, Tier: c.tier, Threads: c.threads, Seconds: median(c.times), Times: c.times}}
}

func (b *bench) memory() error {
	if b.bethe == "" {
		b.Missing = append(b.Missing, "memory: the program was not named (-bethe)")
		return nil
	}
	folder, err := os.MkdirTemp("", "bethe-memory-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	cmd := exec.Command(b.bethe, "train", "--hidden", "2000", "--steps", "20", "--quiet", "--out", filepath.Join(folder, "run"))
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan error)
	go func() { done <- cmd.Wait() }()
	var peak float64
	for {
		select {
		case err := <-done:
			if err != nil {
				return fmt.Errorf("bethe train: %w\n%s", err, complaints.Bytes())
			}
			if peak == 0 {
				b.Missing = append(b.Missing, "memory: this system has no /proc")
				return nil
			}
			b.add("Memory", "Greatest resident memory of the whole process, from reading the digits to the pictures.", []row{{
				What: "bethe train --hidden 2000 --steps 20, 60,000 digits", Seconds: time.Since(start).Seconds(), Value: peak, Unit: "MB", Limit: 400,
			}})
			return nil
		case <-time.After(5 * time.Millisecond):
			peak = max(peak, residentPeak(cmd.Process.Pid))
		}
	}
}

// residentPeak returns the most memory a process has had so far in MB (10^6
// bytes), 0 if unknown.
func residentPeak(pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kB, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			if err == nil {
				return kB * 1024 / 1e6
			}
		}
	}
	return 0
}

// cpuModel returns the processor's name.
func cpuModel() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.Lines(string(text)) {
			if name, model, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				return strings.TrimSpace(model)
			}
		}
	}
	return runtime.GOOS + "/" + runtime.GOARCH
}

// loadAverage returns the load of the last 1, 5 and 15 minutes.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if fields := strings.Fields(string(text)); err == nil && len(fields) >= 3 {
		return strings.Join(fields[:3], " ")
	}
	return "unknown"
}
