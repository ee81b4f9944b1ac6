package thermo

import (
	"math"

	"bethe/internal/kernel"
	"bethe/rbm"
	"bethe/spin"
)

// A ChainWork keeps account of the work that is done on Gibbs chains by changes of their network, and of the heat that they take up in
// sweeps. Chains store hidden states, so Phi is that of hidden states, with the visible units summed over, and without the network's
// constant. It looks at some of the chains, draws nothing and changes nothing. It is a dual.ChainWatch.
type ChainWork struct {
	most    int
	columns []int        // of the chains that are looked at; nil before the first call
	hidden  *spin.Matrix // their states
	fields  []float32
	free    []float64 // -Phi of each chain, at its state and the network of the last call
	after   []float64
	own     []float32

	step       WorkStep
	work, heat float64
	each       []float64 // work of each chain, in all
	kept       []bool    // never replaced
	replaced   int
}

// NewChainWork returns an account of no work yet, which looks at so many chains at most.
func NewChainWork(chains int) *ChainWork { return &ChainWork{most: chains} }

// A WorkStep is what a change of the network and the sweeps after it did, in means over the chains with standard errors.
type WorkStep struct {
	Chains          int
	Work, WorkError float64
	Heat, HeatError float64
	// Dissipated is the mean work plus ln of the mean of exp(-work): what the change alone dissipates, in nats. It is exact for many chains in
	// equilibrium before the change, else an estimate.
	Dissipated float64
}

// WorkTotal is the sum over all steps of an account: by the first law the mean change of Phi is Work plus Heat, unless chains were replaced.
type WorkTotal struct {
	Work, Heat float64
	WorkError  float64 // of those chains that were there from the beginning; NaN if they are fewer than two
	Replaced   int     // chains that others took the place of
}

// Changed takes account of a change of the network: the hidden states (hidden x chains) are those that the last Swept was told, but
// for the places of chains that have been replaced. The first call begins the account.
func (w *ChainWork) Changed(net *rbm.Network[float32], hidden *spin.Matrix, replaced []int) {
	first := w.columns == nil
	if first {
		count := min(w.most, hidden.Cols())
		for k := range count {
			w.columns = append(w.columns, k*hidden.Cols()/count)
		}
		w.hidden, w.fields, w.own = spin.New(hidden.Rows(), count), make([]float32, net.Visible()*count), make([]float32, count)
		w.free, w.after, w.each, w.kept = make([]float64, count), make([]float64, count), make([]float64, count), make([]bool, count)
		for k := range w.kept {
			w.kept[k] = true
		}
	}
	w.logWeights(w.after, net, hidden)
	w.step = WorkStep{}
	defer func() { w.free, w.after = w.after, w.free }()
	if first {
		return
	}
	gone := map[int]bool{}
	for _, j := range replaced {
		gone[j] = true
	}
	var works []float64
	for k, j := range w.columns {
		if gone[j] {
			w.kept[k] = false
			w.replaced++
			continue
		}
		works = append(works, w.free[k]-w.after[k])
		w.each[k] += w.free[k] - w.after[k]
	}
	if len(works) == 0 {
		return
	}
	s := &w.step
	s.Chains = len(works)
	s.Work, s.WorkError = meanError(works)
	for k, x := range works {
		works[k] = -x
	}
	s.Dissipated = max(0, s.Work+rbm.LogSumExp(works)-math.Log(float64(len(works))))
	w.work += s.Work
}

// Swept takes account of sweeps at the network of the last Changed.
func (w *ChainWork) Swept(net *rbm.Network[float32], hidden *spin.Matrix) {
	w.logWeights(w.after, net, hidden)
	heats := make([]float64, len(w.free))
	for k := range heats {
		heats[k] = w.free[k] - w.after[k]
	}
	w.step.Heat, w.step.HeatError = meanError(heats)
	w.heat += w.step.Heat
	w.free, w.after = w.after, w.free
}

// Step returns what the last change and its sweeps did; no chains if there was no change yet.
func (w *ChainWork) Step() WorkStep { return w.step }

// Restart forgets all: the next Changed begins the account anew. It is for chains that have been put elsewhere.
func (w *ChainWork) Restart() { *w = ChainWork{most: w.most} }

// to returns the work that brings each chain, in its hidden state, from the network of the last call to another.
func (w *ChainWork) to(net *rbm.Network[float32], hidden *spin.Matrix) []float64 {
	w.logWeights(w.after, net, hidden)
	works := make([]float64, len(w.free))
	for k := range works {
		works[k] = w.free[k] - w.after[k]
	}
	return works
}

// Begin has the account begin at a network, with the chains as they are: hidden are their states.
func (w *ChainWork) Begin(net *rbm.Network[float32], hidden *spin.Matrix) {
	works := w.to(net, hidden)
	w.heat, w.replaced = 0, 0
	for k, x := range works {
		w.each[k], w.kept[k] = -x, true
	}
	w.work, _ = meanError(w.each)
}

// Total returns the sums since the account began.
func (w *ChainWork) Total() WorkTotal { return w.total(w.each, 0) }

// TotalTo is Total with the work of one more change, to a network, with the hidden states as they are.
func (w *ChainWork) TotalTo(net *rbm.Network[float32], hidden *spin.Matrix) WorkTotal {
	each := w.to(net, hidden)
	last, _ := meanError(each)
	for k := range each {
		each[k] += w.each[k]
	}
	return w.total(each, last)
}

func (w *ChainWork) total(each []float64, last float64) WorkTotal {
	t := WorkTotal{Work: w.work + last, Heat: w.heat, Replaced: w.replaced}
	var stayed []float64
	for k, x := range each {
		if w.kept[k] {
			stayed = append(stayed, x)
		}
	}
	_, t.WorkError = meanError(stayed)
	return t
}

// logWeights sets dst to -Phi of the hidden states of the chains that are looked at.
func (w *ChainWork) logWeights(dst []float64, net *rbm.Network[float32], hidden *spin.Matrix) {
	hidden.Gather(w.hidden, w.columns)
	n, m := net.Visible(), len(w.columns)
	spin.MulAffineAcross(w.fields, net.Coupling, n, w.hidden, 1, net.VisibleField, false)
	spin.Mul(w.own, net.HiddenField, 1, w.hidden)
	for k, v := range w.own {
		dst[k] = float64(v)
	}
	for i := range n {
		kernel.AddLog2Cosh(dst, w.fields[i*m:(i+1)*m])
	}
}

// meanError returns the mean and its standard error, NaN of fewer than two numbers.
func meanError(x []float64) (mean, standardError float64) {
	n := float64(len(x))
	mean = sum(x) / n
	square := 0.0
	for _, v := range x {
		square += (v - mean) * (v - mean)
	}
	if len(x) < 2 {
		return mean, math.NaN()
	}
	return mean, math.Sqrt(square / (n - 1) / n)
}
