package causes

import (
	"os"
	"strconv"
	"testing"
	"time"

	"bethe/dataset/mnist"
	"bethe/rbm"
	"bethe/stream"
)

func TestTry(t *testing.T) {
	if os.Getenv("TRY") == "" {
		t.Skip()
	}
	set := mnist.Train()
	m, _ := strconv.Atoi(os.Getenv("M"))
	k, _ := strconv.Atoi(os.Getenv("K"))
	z, _ := strconv.Atoi(os.Getenv("Z"))
	passes, _ := strconv.Atoi(os.Getenv("P"))
	cols := make([]int, m)
	for a := range cols {
		cols[a] = a
	}
	samples := set.Samples.Blank(m)
	set.Samples.Gather(samples, cols)
	h, _ := strconv.ParseFloat(os.Getenv("H"), 64)
	b, _ := strconv.Atoi(os.Getenv("B"))
	o := Options{Model: os.Getenv("TRY"), Rule: os.Getenv("R"), Causes: k, States: k, Passes: passes, Coupling: .8, Key: stream.New(1), Homeostasis: h, CounterBits: b, Real: os.Getenv("REAL") != ""}
	if o.Model == TreeModel {
		o.Causes, o.Patches = z, Tiles(28, 28, 7, 7)
	}
	begin := time.Now()
	l, err := NewLearner(samples, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Log("start", time.Since(begin))
	for l.Done() < l.Steps() {
		p, err := l.Step(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if p.Measured {
			t.Logf("%d %.3f %.3f %.5f J %.4f pol %.3f %v", p.Step, p.Bound, p.LnP, p.Objective, p.Coupling, p.Polarised, time.Since(begin))
		}
	}
	machine := l.File(rbm.Info{}).Machine()
	test := mnist.Test()
	mean, _, err := machine.LogLikelihood(t.Context(), test.Samples)
	t.Log(mean, err, time.Since(begin))
	// winners
	tr, _ := machine.Infer(t.Context(), samples)
	te, _ := machine.Infer(t.Context(), test.Samples)
	kk := machine.Causes()
	tab := make([]float64, kk*10)
	wins := make([]int, kk)
	for a := range m {
		best := 0
		for c := range kk {
			tab[c*10+set.Labels[a]] += tr.Causes[c*m+a]
			if tr.Causes[c*m+a] > tr.Causes[best*m+a] {
				best = c
			}
		}
		wins[best]++
	}
	least := m
	for c := range kk {
		s := 1e-9
		for l := range 10 {
			s += tab[c*10+l]
		}
		for l := range 10 {
			tab[c*10+l] /= s
		}
		least = min(least, wins[c])
	}
	wrong := 0
	n := test.Len()
	for a := range n {
		var score [10]float64
		for c := range kk {
			for l := range 10 {
				score[l] += te.Causes[c*n+a] * tab[c*10+l]
			}
		}
		best := 0
		for l := range 10 {
			if score[l] > score[best] {
				best = l
			}
		}
		if best != test.Labels[a] {
			wrong++
		}
	}
	t.Log("errors", wrong, "least wins", least)
	if on, ok := l.(*online); ok {
		least := 1e9
		for _, w := range on.wins {
			least = min(least, w)
		}
		t.Log("least spikes", least)
	}
}
