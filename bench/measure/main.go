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

func (b *bench) kernels() error {
	var rows []row
	for _, tier := range b.tiers {
		r, err := b.childRows(tier, "kernels")
		if err != nil {
			return err
		}
		if tier == "avx2" {
			if r, err = b.productsAlike(r); err != nil {
				return err
			}
		}
		rows = append(rows, r...)
	}
	b.add("Kernels", "One thread on each side, in one process for each tier. Floors for portable products are against gonum, for others against OpenBLAS with kernels of the same instructions. "+
		"The yardstick multiplies float32 matrices in the layout that a program with real weights has them in.", rows)
	return nil
}

// onTop returns the floor of the fastest tier of this machine: that with AVX-512, or that with tiles. Where there
// are tiles the others have none, since floors were stated on machines without.
func (b *bench) onTop(tier string, avx512, amx float64) float64 {
	switch {
	case tier != b.tiers[0]:
		return 0
	case tier == "avx512":
		return avx512
	case tier == "amx":
		return amx
	}
	return 0
}

// pair returns two processes of one thread that run at the same time.
func (b *bench) pair(task string) *contender {
	c := b.ours("two processes at once", task, b.tiers[0], 1)
	c.twin = b.ours("two processes at once", task, b.tiers[0], 1)
	return c
}

// secondThread returns what a second thread gains, beside what the machine
// gains from a second process.
func secondThread(one, two, pair *contender) []row {
	rows := compare(two, one, 0)
	for k := range rows {
		rows[k].Against, rows[k].Floor = "one thread", 1.8
	}
	for _, r := range compare(pair, one, 0) {
		r.What, r.Against, r.Threads = one.what+": two processes of one thread at once, the machine's ceiling", "one process", 0
		rows = append(rows, r)
	}
	return rows
}

func (b *bench) training() error {
	torch, tuned, bf16, learn := map[int]*contender{}, map[int]*contender{}, map[int]*contender{}, map[int]*contender{}
	var all []*contender
	for threads := 1; threads <= 2; threads++ {
		torch[threads] = b.yardstick("PyTorch, persistent contrastive divergence as usually written", "pcd_torch.py", threads, strconv.Itoa(threads), "usual")
		tuned[threads] = b.yardstick("PyTorch, the same tuned by hand", "pcd_torch.py", threads, strconv.Itoa(threads), "tuned")
		bf16[threads] = b.yardstick("PyTorch, tuned by hand, products in bf16", "pcd_torch_bf16.py", threads, strconv.Itoa(threads))
		learn[threads] = b.yardstick("scikit-learn's BernoulliRBM", "rbm_sklearn.py", threads)
		all = append(all, torch[threads], tuned[threads], bf16[threads], learn[threads])
	}
	kinds := []struct {
		what, task       string
		avx512, amx      float64 // floors against PyTorch as usually written
		amxAgainstAVX512 float64
	}{{"step, centred", "step-centred", 2.5, 4, 1.9}, {"step, not centred", "step", 4, 6, 2}}
	type place struct {
		task, tier string
		threads    int
	}
	ours := map[place]*contender{}
	pairs := map[string]*contender{}
	for _, kind := range kinds {
		for _, tier := range b.tiers {
			for threads := 1; threads <= 2; threads++ {
				c := b.ours(kind.what, kind.task, tier, threads)
				ours[place{kind.task, tier, threads}] = c
				all = append(all, c)
			}
		}
		pairs[kind.task] = b.pair(kind.task)
		all = append(all, pairs[kind.task])
	}
	b.race(b.Rounds, all...)
	var rows []row
	for threads := 1; threads <= 2; threads++ {
		rows = append(append(append(append(rows, plain(torch[threads])...), plain(tuned[threads])...), plain(bf16[threads])...), plain(learn[threads])...)
		for _, kind := range kinds {
			for _, tier := range b.tiers {
				c := ours[place{kind.task, tier, threads}]
				rows = append(rows, compare(c, torch[threads], b.onTop(tier, kind.avx512, kind.amx))...)
				rows = append(rows, compare(c, tuned[threads], 0)...)
				rows = append(rows, compare(c, bf16[threads], b.onTop(tier, 0, 2.5))...)
				rows = append(rows, compare(c, learn[threads], 0)...)
				if tier == "amx" && threads == 1 {
					rows = append(rows, against("the avx512 tier", compare(c, ours[place{kind.task, "avx512", 1}], kind.amxAgainstAVX512))...)
				}
			}
		}
	}
	for _, kind := range kinds {
		top := b.tiers[0]
		rows = append(rows, secondThread(ours[place{kind.task, top, 1}], ours[place{kind.task, top, 2}], pairs[kind.task])...)
	}
	rows = append(append(append(append(rows, again(torch)...), again(tuned)...), again(bf16)...), again(learn)...)
	b.add("Training step", "784 x 500 synapses, 500 samples and 500 chains a step, one sweep; the same number of threads on both sides. "+
		"Ours takes Adam's step for synapses, fields and coupling, PyTorch a plain gradient's for weights and fields.", rows)
	return nil
}

// wide measures steps of 2,000 hidden units beside PyTorch tuned by hand.
func (b *bench) wide() error {
	const hidden = 2000
	var rows []row
	var all []*contender
	type side struct{ centred, plain, tuned, bf16 *contender }
	sides := map[int]side{}
	for threads := 1; threads <= 2; threads++ {
		n, p := strconv.Itoa(threads), strconv.Itoa(hidden)
		s := side{
			b.ours("step, centred", "step-centred/"+p+"/500", b.tiers[0], threads), b.ours("step, not centred", "step/"+p+"/500", b.tiers[0], threads),
			b.yardstick("PyTorch, tuned by hand", "pcd_torch.py", threads, n, "tuned", p),
			b.yardstick("PyTorch, tuned by hand, products in bf16", "pcd_torch_bf16.py", threads, n, p),
		}
		sides[threads] = s
		all = append(all, s.centred, s.plain, s.tuned, s.bf16)
	}
	b.race((b.Rounds+1)/2, all...)
	for threads := 1; threads <= 2; threads++ {
		s := sides[threads]
		rows = append(append(rows, plain(s.tuned)...), plain(s.bf16)...)
		for _, c := range []*contender{s.centred, s.plain} {
			rows = append(rows, compare(c, s.tuned, 0)...)
			rows = append(rows, compare(c, s.bf16, b.onTop(c.tier, 0, 2.5))...)
		}
	}
	b.add("Training step, 2,000 hidden units", "784 x 2,000 synapses, 500 samples and 500 chains a step, one sweep; the same number of threads on both sides.", rows)
	return nil
}

// deep measures what a second hidden layer costs.
func (b *bench) deep() error {
	const most = 2.2 // times the step of one hidden layer
	var rows []row
	for threads := 1; threads <= 2; threads++ {
		one, two := b.ours("step, 784-500", "step-centred", b.tiers[0], threads), b.ours("step, 784-500-500", "step-deep", b.tiers[0], threads)
		b.race((b.Rounds+1)/2, one, two)
		if one.err != nil || two.err != nil {
			continue
		}
		rows = append(append(rows, plain(one)...), row{What: two.what, Tier: two.tier, Threads: threads, Seconds: median(two.times), Times: two.times,
			Against: one.what, Value: medianRatio(two.times, one.times), Unit: "times as long", Limit: most})
	}
	b.add("Deep training step", "Centred, 500 samples and 500 chains a step, one sweep; the upper layer is recognised as --recognition aware does it.", rows)
	return nil
}

// gauss measures steps of Gaussian visible units, whose products are real ones.
func (b *bench) gauss() error {
	var rows []row
	for threads := 1; threads <= 2; threads++ {
		torch := b.yardstick("PyTorch, Gaussian persistent contrastive divergence as usually written", "gauss_torch.py", threads, strconv.Itoa(threads))
		one, real := b.ours("step, one bit a synapse", "step-gauss", b.tiers[0], threads), b.ours("step, real weights", "step-gauss-real", b.tiers[0], threads)
		b.race(b.Rounds, torch, one, real)
		rows = append(append(append(rows, plain(torch)...), compare(one, torch, 0)...), compare(real, torch, 0)...)
	}
	products, err := b.childRows(b.tiers[0], "products")
	if err != nil {
		return err
	}
	b.add("Gaussian training step", "784 Gaussian visible units by 500 spins, 500 samples and 500 chains a step, one sweep; the same number of threads on both sides. "+
		"The step of one-bit synapses is that of chains whose synapses move, with variances and second order; below it the real products that it is made of, one thread.", append(rows, products...))
	return nil
}

// against names what rows compare with.
func against(name string, rows []row) []row {
	for k := range rows {
		rows[k].Against = name
	}
	return rows
}

// again returns what a yardstick gains from a second thread.
func again(c map[int]*contender) []row {
	return against("one thread", compare(c[2], c[1], 0))
}

func (b *bench) gibbs() error {
	torch, tuned := map[int]*contender{}, map[int]*contender{}
	for threads := 1; threads <= 2; threads++ {
		torch[threads] = b.yardstick("PyTorch as usually written", "gibbs_torch.py", threads, strconv.Itoa(threads), "usual")
		tuned[threads] = b.yardstick("PyTorch, the same tuned by hand", "gibbs_torch.py", threads, strconv.Itoa(threads), "tuned")
	}
	loop := b.ours("plain Go, one table of thresholds a layer", "sweep-plain", "portable", 1)
	loop.tier = "" // it uses none of our kernels
	all := []*contender{torch[1], torch[2], tuned[1], tuned[2], loop}
	ours := map[string][]*contender{}
	for _, tier := range b.tiers {
		for threads := 1; threads <= 2; threads++ {
			c := b.ours("sweep", "sweep", tier, threads)
			ours[tier] = append(ours[tier], c)
			all = append(all, c)
		}
	}
	pair := b.pair("sweep")
	b.race(b.Rounds, append(all, pair)...)
	var rows []row
	for _, c := range all[:5] {
		rows = append(rows, plain(c)...)
	}
	for _, tier := range b.tiers {
		one, two := ours[tier][0], ours[tier][1]
		rows = append(rows, compare(one, torch[1], b.onTop(tier, 20, 20))...)
		rows = append(rows, compare(two, torch[2], 0)...)
		rows = append(rows, compare(one, tuned[1], 0)...)
		rows = append(rows, compare(two, tuned[2], 0)...)
		rows = append(rows, compare(one, loop, b.onTop(tier, 7, 7))...)
		if tier != "portable" {
			rows = append(rows, against("the portable tier", compare(one, ours["portable"][0], 0))...)
		}
		if tier == "amx" {
			for _, r := range plain(one) {
				r.What, r.Value, r.Unit, r.Limit = "sweep, one unit of one chain", r.Seconds*1e9/(1000*(visible+hidden)), "ns", 0.6
				rows = append(rows, r)
			}
		}
	}
	top := ours[b.tiers[0]]
	rows = append(rows, secondThread(top[0], top[1], pair)...)
	rows = append(append(rows, again(torch)...), again(tuned)...)
	b.add("Gibbs sweeps", "1,000 chains of a machine of 784 x 500 binary synapses with fields; the time is that of one sweep of all. "+
		"The plain Go yardstick has no fields.", rows)
	return nil
}

func (b *bench) planted() error {
	const steps = 200
	ours := b.ours("annealed bound, exact moments", "planted", b.tiers[0], 1)
	quenched := b.ours("the lab's algorithm here (64 draws, message passing)", "planted-quenched", b.tiers[0], 1)
	message := b.yardstick("the lab's algorithm in Python, message by message", "lab_numpy.py", 1, "message")
	together := b.yardstick("the lab's algorithm in NumPy, draws together", "lab_numpy.py", 1, "together")
	apart := b.yardstick("the lab's algorithm in NumPy, draws one by one", "lab_numpy.py", 1, "apart")
	// Messages take longer as synapses polarise, so yardsticks learn to the end in
	// every round; for the slowest, ten rounds are one run.
	message.count, together.count, apart.count = steps/10, steps, steps
	b.race((b.Rounds+1)/2, ours, quenched, message, together, apart)
	for _, c := range []*contender{message, together, apart} {
		for k := range c.times {
			c.times[k] *= steps
		}
	}
	rows := append(append(plain(message), plain(together)...), plain(apart)...)
	for _, c := range []*contender{ours, quenched} {
		floor := 0.0
		if c == ours {
			floor = 1000
		}
		rows = append(rows, compare(c, message, floor)...)
		rows = append(rows, compare(c, together, 0)...)
		rows = append(rows, compare(c, apart, 0)...)
	}
	b.add("Planted run", "N = 100, P = 2, alpha = 5, 200 steps from one start, on one thread; the time is that of the 200 steps.", rows)
	return nil
}

func (b *bench) sizes() error {
	rows, err := b.childRows(b.tiers[0], "sizes")
	b.add("Cost against size", "Steps a second of centred learning, each size doubled four times with the others at N = 784, P = 500, M = 500; the exponent is the slope of ln time against ln size.", rows)
	return err
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
