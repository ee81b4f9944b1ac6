package sample

import (
	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// A joining source has the fields of all rungs of tempered chains computed at once: a product of many columns
// takes hardly more time than one of few.
type joining[T rbm.Real, V, H any] interface {
	join(of []Conditionals[T, V, H]) fielding[V, H]
}

// A fielding computes fields before they are drawn from, of all rungs.
type fielding[V, H any] interface {
	// hidden computes the hidden fields given visible states, for the next DrawHidden of those rungs that are named; visible the visible
	// ones given hidden states, for the next DrawVisible of all.
	hidden(v []V, which []bool)
	visible(h []H)
	// atOnce reports whether there is anything to gain by calling them.
	atOnce() bool
}

// apart leaves fields to the draws.
type apart[V, H any] struct{}

func (apart[V, H]) hidden([]V, []bool) {}
func (apart[V, H]) visible([]H)        {}
func (apart[V, H]) atOnce() bool       { return false }

// Together has tempered chains compute the fields of all rungs by one product, for ensembles of few chains. Visible fields then
// differ in their last bits from those computed rung by rung. It is for before chains are made, and returns s.
func (s *NetworkSource[T]) Together() *NetworkSource[T] {
	s.together = true
	return s
}

// join implements joining.
func (s *NetworkSource[T]) join(of []Conditionals[T, *spin.Matrix, *spin.Matrix]) fielding[*spin.Matrix, *spin.Matrix] {
	if !s.together {
		return apart[*spin.Matrix, *spin.Matrix]{}
	}
	f := &networkFields[T]{source: s}
	for _, c := range of {
		c := c.(*networkConditionals[T]) // the source makes no others
		var columns []int
		for range c.chains {
			columns = append(columns, f.count)
			f.count++
		}
		f.of, f.columns = append(f.of, c), append(f.columns, columns)
	}
	n, p := s.net.Visible(), s.net.Hidden()
	f.v, f.h, f.fields = spin.New(n, f.count), spin.New(p, f.count), make([]T, max(n, p)*f.count)
	return f
}

// networkFields computes those of conditionals of a network.
type networkFields[T rbm.Real] struct {
	source  *NetworkSource[T]
	of      []*networkConditionals[T]
	columns [][]int      // of each among all
	count   int          // of all
	v, h    *spin.Matrix // all states
	fields  []T
}

func (f *networkFields[T]) atOnce() bool { return true }

func (f *networkFields[T]) hidden(v []*spin.Matrix, which []bool) {
	s := f.source
	f.product(f.v, v, s.net.Coupling, s.net.Hidden(), s.net.HiddenField)
	f.scatter(s.net.Hidden(), func(k int) []T {
		if !which[k] {
			return nil
		}
		f.of[k].givenH = true
		return f.of[k].fieldH
	})
}

func (f *networkFields[T]) visible(h []*spin.Matrix) {
	s := f.source
	if !s.kept {
		s.keep()
	}
	f.product(f.h, h, s.couplingT, s.net.Visible(), nil)
	f.scatter(s.net.Visible(), func(k int) []T {
		f.of[k].givenV = true
		return f.of[k].fieldV
	})
}

// product computes the fields of all states beside each other.
func (f *networkFields[T]) product(all *spin.Matrix, states []*spin.Matrix, coupling []T, rows int, shift []T) {
	for k, x := range states {
		all.Put(x, f.columns[k])
	}
	dst := f.fields[:rows*f.count]
	switch {
	case f.source.coarse:
		spin.MulAffineCoarse(dst, coupling, rows, all, 1, shift)
	case shift == nil:
		spin.Mul(dst, coupling, rows, all)
	default:
		spin.MulAffine(dst, coupling, rows, all, 1, shift)
	}
}

// scatter copies fields to where each of the conditionals wants them, if it does.
func (f *networkFields[T]) scatter(rows int, to func(k int) []T) {
	for k := range f.of {
		dst := to(k)
		if dst == nil {
			continue
		}
		first, n := f.columns[k][0], len(f.columns[k])
		for i := range rows {
			copy(dst[i*n:(i+1)*n], f.fields[i*f.count+first:][:n])
		}
	}
}

// shifted makes products the visible fields at t.
func (c *networkConditionals[T]) shifted(t T, shift []T) {
	count := len(c.fieldV) / len(shift)
	for i, b := range shift {
		row := c.fieldV[i*count : (i+1)*count]
		kernel.Affine(row, row, t, b)
	}
}

// sweepTogether sweeps all rungs, those that have moved after their hidden states were drawn anew.
func (e *Tempered[T, V, H]) sweepTogether(moved []bool) {
	rungs := len(e.rungs)
	visible, hidden, every := make([]V, rungs), make([]H, rungs), make([]bool, rungs)
	for r, c := range e.rungs {
		visible[r], hidden[r], every[r] = c.Visible, c.Hidden, true
	}
	each := func(do func(c *Chains[T, V, H], r int)) {
		parallel.For(rungs, 1, func(lo, hi int) {
			for r := lo; r < hi; r++ {
				do(e.rungs[r], r)
			}
		})
	}
	if moved != nil {
		e.joint.hidden(visible, moved)
		each(func(c *Chains[T, V, H], r int) {
			if moved[r] {
				c.drawHidden(stream.ChainsRedraw)
			}
		})
	}
	e.joint.visible(hidden)
	each(func(c *Chains[T, V, H], _ int) { c.sweepVisible() })
	e.joint.hidden(visible, every)
	each(func(c *Chains[T, V, H], _ int) { c.drawHidden(stream.ChainsHidden) })
}
