package main

import (
	"strconv"
)

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
