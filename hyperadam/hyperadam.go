// Package hyperadam is a learned rule for the log-odds theta of binary synapses, after HyperAdam (Wang, Meng, Sun and
// Xu 2019; variational: 2022): each step of a synapse is a combination of several Adams, whose weights a small net
// finds from how the synapse fares. Where the published net has a recurrent state for each coordinate and sees signs,
// this one has 61 numbers, a state for each hidden unit, and sees only what stays where a spin is turned: then the
// gradient and theta change their signs, and so does the move, to the bit, whatever the net.
//
// With u of averages of the gradient divided by roots of averages of its square (decay rates: momentum and 0.98, 0.95
// and 0.999),
//
//	u0 = grad/sqrt(second), u1 = first/sqrt(second), u2 = slow/sqrt(second), u3 = first/sqrt(fast),
//
// theta moves by the rate times
//
//	e^o0 (u1 + o1 (u0 - u1) + o2 (u2 - u1) + o3 (u3 - u1) + 0.1 o4 theta), o = Out softsign(In f) + constants,
//
// where f is 1, the share of learning that is done less a half, whether the signs learn already (settling), the means of the
// next two over the row of a hidden unit, slowly averaged over steps, and then min(|u1|, 2), u0 u2 and theta u1 (both
// within ±2), and min(|theta|, 4) - 1. Weights that are all 0 take Adam's steps.
//
// Weights are learned by package hyperadam/evolve; Shipped are those of this build.
package hyperadam

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"sync"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
)

// Sizes of the net.
const (
	Hidden   = kernel.HyperHidden
	Outputs  = kernel.HyperOutputs
	Features = rowFeatures + kernel.HyperFeatures // with the constant
	Numbers  = Hidden*Features + Outputs*(Hidden+1)

	rowFeatures = 5 // the constant and those that synapses of a row share
)

// Weights are those of the net.
type Weights struct {
	In  [Hidden][Features]float32
	Out [Outputs][Hidden + 1]float32 // the last of a row is its constant
}

// Vector returns the weights one behind the other, In first.
func (w *Weights) Vector() []float64 {
	x := make([]float64, 0, Numbers)
	for _, row := range w.In {
		for _, v := range row {
			x = append(x, float64(v))
		}
	}
	for _, row := range w.Out {
		for _, v := range row {
			x = append(x, float64(v))
		}
	}
	return x
}

// OfVector returns the weights whose Vector is x, rounded to float32. It panics if x has not Numbers elements.
func OfVector(x []float64) *Weights {
	if len(x) != Numbers {
		panic(fmt.Sprintf("hyperadam: a vector of %d numbers, not %d", len(x), Numbers))
	}
	w := &Weights{}
	for q := range w.In {
		for k := range w.In[q] {
			w.In[q][k], x = float32(x[0]), x[1:]
		}
	}
	for j := range w.Out {
		for q := range w.Out[j] {
			w.Out[j][q], x = float32(x[0]), x[1:]
		}
	}
	return w
}

// Hash tells weights from others: 16 hexadecimal digits.
func (w *Weights) Hash() string {
	sum := sha256.New()
	_ = binary.Write(sum, binary.LittleEndian, w) // a hash takes all
	return fmt.Sprintf("%.16x", sum.Sum(nil))[:16]
}

// finite reports whether all weights are finite numbers.
func (w *Weights) finite() bool {
	for _, v := range w.Vector() {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

// A State is what the rule keeps of a matrix of synapses from step to step.
type State[T kernel.Real] struct {
	First, Slow  []T // averages of the gradient, hidden x visible
	Fast, Second []T // averages of its square, hidden x visible
	Rows         []T // hidden x 2: slow averages over steps of the means of two features over a row

	weights *Weights
	visible int
	work    sync.Pool // of *[]T, 2 x visible
}

// NewState returns the state before the first step.
func NewState[T kernel.Real](weights *Weights, visible, hidden int) *State[T] {
	n := visible * hidden
	s := &State[T]{make([]T, n), make([]T, n), make([]T, n), make([]T, n), make([]T, 2*hidden), weights, visible, sync.Pool{}}
	s.work.New = func() any {
		x := make([]T, 2*visible)
		return &x
	}
	return s
}

// A Step says where learning is.
type Step struct {
	Count      int     // of steps, with this one
	Rate       float64 // of thetas
	Limit      float64 // they stay within ±Limit
	Keep, Take float64 // the average first keeps a share of itself and takes one of the gradient; they add up to 1
	Fraction   float64 // of learning that is done, in [0, 1]
	Settled    bool    // the gradient is that of the machine of signs
}

// rowRate is the share of a row's means that their slow averages take a step.
const rowRate = 0.1

// thetaShare scales the output that moves theta along itself.
const thetaShare = 0.1

// Move takes a step of all thetas, hidden x visible, along the gradient. The result does not depend on the number of
// threads. It panics if sizes differ.
func (s *State[T]) Move(theta, grad []T, at Step) {
	if len(theta) != len(s.First) || len(grad) != len(theta) {
		panic(fmt.Sprintf("hyperadam: Move of %d thetas by %d numbers, not %d", len(theta), len(grad), len(s.First)))
	}
	common := s.numbers(at)
	rate := T(rowRate)
	if at.Count == 1 {
		rate = 1
	}
	n, grain := s.visible, max(1, (1<<13)/s.visible)
	parallel.For(len(theta)/n, grain, func(lo, hi int) {
		work := s.work.Get().(*[]T)
		defer s.work.Put(work)
		size, agree := (*work)[:n], (*work)[n:]
		for mu := lo; mu < hi; mu++ {
			by, row, part := common, s.Rows[2*mu:2*mu+2], func(x []T) []T { return x[mu*n : (mu+1)*n] }
			for q, w := range s.weights.In {
				by.Base[q] += T(T(w[3])*row[0]) + T(T(w[4])*row[1])
			}
			kernel.HyperAdam(part(theta), part(grad), size, agree, kernel.HyperState[T]{First: part(s.First), Slow: part(s.Slow), Fast: part(s.Fast), Second: part(s.Second)}, &by)
			for k, x := range [][]T{size, agree} {
				row[k] += T(rate * (T(kernel.Sum(x)/float64(n)) - row[k]))
			}
		}
	})
}

// numbers returns what all rows have in common.
func (s *State[T]) numbers(at Step) kernel.HyperNumbers[T] {
	unbias := func(keep float64) T { return T(1 / (1 - math.Pow(keep, float64(at.Count)))) }
	by := kernel.HyperNumbers[T]{Keep: T(at.Keep), Take: T(at.Take), First: unbias(at.Keep), Slow: unbias(kernel.HyperSlow), Fast: unbias(kernel.HyperFast), Second: unbias(kernel.AdamSecond),
		Rate: T(at.Rate), Limit: T(at.Limit)}
	progress, settled := T(at.Fraction-0.5), T(0)
	if at.Settled {
		settled = 1
	}
	for q, w := range s.weights.In {
		by.Base[q] = T(w[0]) + T(T(w[1])*progress) + T(T(w[2])*settled)
		for k := range by.In[q] {
			by.In[q][k] = T(w[rowFeatures+k])
		}
	}
	for j, w := range s.weights.Out {
		scale := T(1)
		switch j {
		case 0:
			scale = math.Log2E // the kernel takes a power of 2
		case Outputs - 1:
			scale = thetaShare
		}
		for q, v := range w {
			by.Out[j][q] = T(scale * T(v))
		}
	}
	return by
}
