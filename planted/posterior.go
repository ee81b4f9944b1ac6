package planted

import (
	"context"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"

	"bethe/internal/kernel"
	"bethe/rbm"
	"bethe/spin"
)

// MaxTracked is the largest number of hidden units P whose 2^P states a
// Posterior keeps. Beyond about 8, sums over them cost more than those over
// the samples.
const MaxTracked = 12

// An ExactPosterior is the exact posterior of the synapses of a machine without
// fields and offsets, of known coupling J, given data and the uniform prior:
//
//	ln P(xi | D) = sum_{a mu} ln 2cosh( J xi_mu.s^a ) - M ln Z(xi) + constant.
//
// It is only read after it is made, so several goroutines may use one.
type ExactPosterior struct {
	visible, hidden, samples int
	coupling                 float64

	// The products xi_mu.s^a = 2k - N are integers, so everything is tabulated.
	up     [][]uint8  // [i][a]: 1 where s_i^a = +1, else 0
	log    []float64  // [k]: ln 2cosh(J(2k - N))
	change [2]changes // of log by a flip of synapse -1, +1
	local  []float64  // [d]: ln 2cosh(J(P - 2d)), of a visible unit whose synapses differ from h in d places
}

// changes holds, at 2k + u, what log[k] becomes more when a synapse at a spin
// s flips; u is 1 where s = +1.
type changes []float64

// NewExactPosterior returns the posterior of the synapses between the rows of data,
// visible x samples, and hidden units. It panics if data has no rows, if
// hidden is not from 1 to MaxTracked, or if coupling is not positive and finite.
func NewExactPosterior(data *spin.Matrix, hidden int, coupling float64) *ExactPosterior {
	n, m := data.Rows(), data.Cols()
	if n == 0 || hidden < 1 || hidden > MaxTracked || !(coupling > 0) || math.IsInf(coupling, 0) {
		panic(fmt.Sprintf("planted: NewPosterior of %d visible and %d hidden units, coupling %v", n, hidden, coupling))
	}
	post := &ExactPosterior{visible: n, hidden: hidden, samples: m, coupling: coupling}
	values := make([]int8, n*m)
	spin.Values(values, data)
	up := make([]uint8, n*m)
	for k, s := range values {
		up[k] = uint8(s+1) / 2
	}
	for i := range n {
		post.up = append(post.up, up[i*m:(i+1)*m:(i+1)*m])
	}
	for k := range n + 1 {
		post.log = append(post.log, kernel.Log2Cosh(coupling*float64(2*k-n)))
	}
	down, rise := make(changes, 2*n+2), make(changes, 2*n+2)
	for k := range n + 1 {
		if k > 0 { // the flip of a synapse that agrees with its spin
			d := post.log[k-1] - post.log[k]
			down[2*k], rise[2*k+1] = d, d
		}
		if k < n { // or does not
			d := post.log[k+1] - post.log[k]
			down[2*k+1], rise[2*k] = d, d
		}
	}
	post.change = [2]changes{down, rise}
	for d := range hidden + 1 {
		post.local = append(post.local, kernel.Log2Cosh(coupling*float64(hidden-2*d)))
	}
	return post
}

// LogLikelihood returns ln P(D | xi) in nats, which is ln P(xi | D) but for a
// constant. The error is the context's. The synapses are visible x hidden; it panics
// if they are not.
func (post *ExactPosterior) LogLikelihood(ctx context.Context, synapses *spin.Matrix) (float64, error) {
	st, err := post.newState(ctx, synapses)
	if err != nil {
		return 0, err
	}
	return st.logLikelihood(), nil
}

// A state is a set of synapses on its walk through the posterior.
type state struct {
	*ExactPosterior
	row    []uint     // [i]: bit mu is 1 where xi_{i mu} = +1
	place  [][]int32  // [mu][a]: 2k, twice the place of xi_mu.s^a in the tables
	energy []float64  // [h]: sum_i ln 2cosh(J xi_i.h), hidden states numbered like rows
	flip   []float64  // [mu]: change of the data term by the flip of one synapse
	data   []float64  // [d]: the same, of all synapses in the set d of bits
	weight []float64  // [h], then [x]: ln weight of row x at a site
	growth [2]float64 // exp(-J), exp(J)
}

// newState returns the state of the given synapses. The error is the context's.
func (post *ExactPosterior) newState(ctx context.Context, synapses *spin.Matrix) (*state, error) {
	n, p, m := post.visible, post.hidden, post.samples
	if synapses.Rows() != n || synapses.Cols() != p {
		panic(fmt.Sprintf("planted: %d x %d synapses, for %d visible and %d hidden units", synapses.Rows(), synapses.Cols(), n, p))
	}
	st := &state{
		ExactPosterior: post, row: make([]uint, n), energy: make([]float64, 1<<p),
		flip: make([]float64, p), data: make([]float64, 1<<p), weight: make([]float64, 1<<p),
		growth: [2]float64{math.Exp(-post.coupling), math.Exp(post.coupling)},
	}
	for range p {
		st.place = append(st.place, make([]int32, m))
	}
	for i := range n {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for mu := range p {
			if synapses.At(i, mu) > 0 {
				st.row[i] |= 1 << mu
			}
		}
		for mu, place := range st.place {
			agree := uint8(st.row[i] >> mu & 1)
			for a, u := range post.up[i] {
				if u == agree {
					place[a] += 2
				}
			}
		}
	}
	st.sumEnergies()
	return st, nil
}

// synapses returns the state as a visible x hidden matrix.
func (st *state) synapses() *spin.Matrix {
	m := spin.New(st.visible, st.hidden)
	for i, x := range st.row {
		for mu := range st.hidden {
			m.Set(i, mu, int8(x>>mu&1))
		}
	}
	return m
}

// sumEnergies computes the energies of the hidden states afresh, so that
// rounding errors do not pile up.
func (st *state) sumEnergies() {
	for h := range st.energy {
		var sum float64
		for _, x := range st.row {
			sum += st.local[bits.OnesCount(x^uint(h))]
		}
		st.energy[h] = sum
	}
}

func (st *state) logLikelihood() float64 {
	var sum float64
	for _, place := range st.place {
		for _, k := range place {
			sum += st.log[k/2]
		}
	}
	return sum - float64(st.samples)*rbm.LogSumExp(st.energy)
}

// sweep draws the synapses of each site in turn from the posterior, at an
// inverse temperature, given those of all other sites, and returns how many of
// them changed. The error is the context's.
//
// All P synapses of a site are drawn together, out of the 2^P possibilities.
// Single flips would cost as much, as the data term is a sum over hidden units,
// but they exchange the roles of two units at a site only through a state that
// fits neither, and so get stuck where a unit follows one unit of the teacher
// on some sites and another on the rest.
func (st *state) sweep(ctx context.Context, inverse float64, rng *rand.Rand) (changed int, err error) {
	st.sumEnergies()
	for i := range st.row {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		st.siteWeights(i)
		x := st.draw(inverse, rng)
		changed += bits.OnesCount(x ^ st.row[i])
		st.setRow(i, x)
	}
	return changed, nil
}

// siteWeights sets weight[x] to ln P(xi_i = x | the other synapses, D), but for
// a constant.
func (st *state) siteWeights(i int) {
	row := st.row[i]
	for mu, place := range st.place {
		st.flip[mu] = sumChanges(st.change[row>>mu&1], place, st.up[i])
	}
	// Z(x) = sum_h weight(h) 2cosh(J x.h), the weight being that of the other
	// sites. It is the same at h and -h, so 2cosh may be exp, which factorises
	// over hidden units: a transform of P 2^P steps gives Z for all x at once.
	w := st.weight
	top := math.Inf(-1)
	for h, e := range st.energy {
		w[h] = e - st.local[bits.OnesCount(row^uint(h))]
		top = max(top, w[h])
	}
	for h, e := range w {
		w[h] = math.Exp(e - top)
	}
	for half := 1; half < len(w); half *= 2 {
		for lo := 0; lo < len(w); lo += 2 * half {
			a, b := w[lo:lo+half], w[lo+half:lo+2*half]
			for k, v := range a {
				a[k], b[k] = st.growth[1]*v+st.growth[0]*b[k], st.growth[0]*v+st.growth[1]*b[k]
			}
		}
	}
	for d := 1; d < len(w); d++ { // the synapses that flip
		st.data[d] = st.data[d&(d-1)] + st.flip[bits.TrailingZeros(uint(d))]
	}
	for x, z := range w {
		w[x] = st.data[uint(x)^row] - float64(st.samples)*math.Log(z)
	}
}

// sumChanges returns the sum of the changes over samples.
func sumChanges(change changes, place []int32, up []uint8) float64 {
	up = up[:len(place)]
	var s0, s1, s2, s3 float64 // independent sums, so that additions overlap
	a := 0
	for ; a+4 <= len(place); a += 4 {
		k, u := place[a:a+4:a+4], up[a:a+4:a+4]
		s0 += change[uint32(k[0])+uint32(u[0])]
		s1 += change[uint32(k[1])+uint32(u[1])]
		s2 += change[uint32(k[2])+uint32(u[2])]
		s3 += change[uint32(k[3])+uint32(u[3])]
	}
	for ; a < len(place); a++ {
		s0 += change[uint32(place[a])+uint32(up[a])]
	}
	return s0 + s1 + s2 + s3
}

// draw returns x with probability proportional to exp(inverse weight[x]); it
// overwrites the weights.
func (st *state) draw(inverse float64, rng *rand.Rand) uint {
	for x := range st.weight {
		st.weight[x] *= inverse
	}
	cumulate(st.weight)
	return uint(pick(st.weight, rng.Float64()))
}

// setRow sets the synapses of a site.
func (st *state) setRow(i int, x uint) {
	old := st.row[i]
	if x == old {
		return
	}
	for h := range st.energy {
		st.energy[h] += st.local[bits.OnesCount(x^uint(h))] - st.local[bits.OnesCount(old^uint(h))]
	}
	for mu, place := range st.place {
		if (x^old)>>mu&1 == 0 {
			continue
		}
		// A synapse that becomes +1 agrees with the spins +1, and no more with -1.
		step := 4*int32(x>>mu&1) - 2
		for a, u := range st.up[i] {
			place[a] += step * (2*int32(u) - 1)
		}
	}
	st.row[i] = x
}
