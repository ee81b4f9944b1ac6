package causes

import (
	"context"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/spin"
)

// A prior says how likely the states of the groups are before any unit is seen. With the
// evidence of units it infers their posterior.
type prior[T rbm.Real] interface {
	// causes returns the number of top causes.
	causes() int
	// infer turns the evidence of a frame into posteriors.
	infer(f *frame[T])
}

// A frame is a block under inference.
type frame[T rbm.Real] struct {
	count  int
	states []T       // groups x states x count: the evidence, then P(state | sample)
	top    []T       // causes x count: P(cause | sample)
	lnP    []float64 // ln P(sample), count
	pairs  []float64 // groups x states x causes: sum over samples of P(state, cause | sample), where counted is set

	counted bool
	scratch []T
}

// network is what inference runs on: the units given the states of their groups, and
// those before any unit is seen.
type network[T rbm.Real] struct {
	*evidence[T]
	prior prior[T]
}

// frame returns an empty frame.
func (n *network[T]) frame(counted bool) *frame[T] {
	f := &frame[T]{counted: counted}
	if counted {
		f.pairs = make([]float64, len(n.offset)*n.evidence.states*n.prior.causes())
	}
	return f
}

// infer fills a frame from a block.
func (n *network[T]) infer(f *frame[T], b *block) {
	groups, states := len(n.offset), n.evidence.states
	f.count = b.count
	f.states, f.top = sized(f.states, groups*states*b.count), sized(f.top, n.prior.causes()*b.count)
	f.lnP = sized(f.lnP, b.count)
	clear(f.lnP)
	for g := range groups {
		n.of(f.states[g*states*b.count:(g+1)*states*b.count], g, b)
	}
	n.prior.infer(f)
}

// sized returns x with n elements, or new ones.
func sized[T any](x []T, n int) []T {
	if cap(x) < n {
		return make([]T, n)
	}
	return x[:n]
}

// over infers all blocks of samples in turn.
func (n *network[T]) over(ctx context.Context, samples, missing *spin.Matrix, patches [][]int, visit func(b *block, f *frame[T])) error {
	f := n.frame(false)
	for lo := 0; lo < samples.Cols(); lo += blockLen {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := blockOf(samples, missing, patches, lo, min(samples.Cols(), lo+blockLen), false)
		n.infer(f, &b)
		visit(&b, f)
	}
	return nil
}

// flat is the prior of one group: its states are the causes.
type flat[T rbm.Real] struct{ lnWeight []T }

func (p flat[T]) causes() int { return len(p.lnWeight) }

func (p flat[T]) infer(f *frame[T]) {
	for k, w := range p.lnWeight {
		row := f.states[k*f.count : (k+1)*f.count]
		for a := range row {
			row[a] += w
		}
	}
	normalise(f.states, len(p.lnWeight), f.count, f.lnP)
	copy(f.top, f.states)
}

// apart is the prior of groups that know nothing of each other: the first passes of a tree.
// The cause is one.
type apart[T rbm.Real] struct {
	groups, states int
	lnWeight       []T // groups x states
}

func (p apart[T]) causes() int { return 1 }

func (p apart[T]) infer(f *frame[T]) {
	for g := range p.groups {
		part := f.states[g*p.states*f.count : (g+1)*p.states*f.count]
		for k := range p.states {
			row := part[k*f.count : (k+1)*f.count]
			for a := range row {
				row[a] += p.lnWeight[g*p.states+k]
			}
		}
		normalise(part, p.states, f.count, f.lnP)
	}
	for a := range f.top {
		f.top[a] = 1
	}
}

// branches is the prior of a tree: a cause z, and given it a state of each group. It is
// exact: one sweep up from the groups to the cause and one down.
type branches[T rbm.Real] struct {
	groups, states int
	lnWeight       []T // of the causes
	p              []T // groups x states x causes: P(state | cause)
}

func (t *branches[T]) causes() int { return len(t.lnWeight) }

func (t *branches[T]) infer(f *frame[T]) {
	z, k, m := len(t.lnWeight), t.states, f.count
	f.scratch = sized(f.scratch, t.groups*z*m)
	highest := make([]float64, t.groups*m)
	// up: of each group sum_k P(s_g | k) P(k | z), over the largest P(s_g | k)
	parallel.For(t.groups, 1, func(lo, hi int) {
		for g := lo; g < hi; g++ {
			ev, top := f.states[g*k*m:(g+1)*k*m], highest[g*m:(g+1)*m]
			exponentiate(ev, k, m, top)
			kernel.MulReal(f.scratch[g*z*m:(g+1)*z*m], t.p[g*k*z:(g+1)*k*z], ev, z, k, m, true, false)
		}
	})
	logProducts(f, t.lnWeight, t.groups)
	for g := range t.groups {
		for a, v := range highest[g*m : (g+1)*m] {
			f.lnP[a] += v
		}
	}
	normalise(f.top, z, m, f.lnP)
	// down: P(k, z | s) = P(z | s) P(s_g | k) P(k | z) / sum over k
	parallel.For(t.groups, 1, func(lo, hi int) {
		back, pair := make([]T, k*m), make([]T, k*z)
		for g := lo; g < hi; g++ {
			up, ev, p := f.scratch[g*z*m:(g+1)*z*m], f.states[g*k*m:(g+1)*k*m], t.p[g*k*z:(g+1)*k*z]
			for j, v := range f.top {
				if v == 0 {
					up[j] = 0
				} else {
					up[j] = v / up[j]
				}
			}
			if f.counted {
				kernel.MulReal(pair, ev, up, k, m, z, false, true)
				for j, v := range pair {
					f.pairs[g*k*z+j] += float64(v * p[j])
				}
			}
			kernel.MulReal(back, p, up, k, z, m, false, false)
			for j := range ev {
				ev[j] *= back[j]
			}
		}
	})
}

// exponentiate takes the exponential of each column of x (rows x count) less its largest
// element, which goes to top.
func exponentiate[T rbm.Real](x []T, rows, count int, top []float64) {
	for a := range count {
		top[a] = float64(x[a])
	}
	for k := 1; k < rows; k++ {
		for a, v := range x[k*count : (k+1)*count] {
			top[a] = max(top[a], float64(v))
		}
	}
	for k := range rows {
		row := x[k*count : (k+1)*count]
		for a, v := range row {
			row[a] = T(exp(float64(v) - top[a]))
		}
	}
}
