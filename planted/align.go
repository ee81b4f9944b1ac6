package planted

import (
	"context"
	"fmt"
	"slices"

	"bethe/spin"
)

// AlignedMean returns the mean of sets of synapses, hidden x visible, each in
// the order and signs of hidden units in which it overlaps most with the mean
// itself. It needs no teacher: the first pass aligns every set to the sum of
// those before it, and further passes align to the sum of all, until none
// changes (or 20 passes are done). No pass can make the mean shorter. The error is
// the context's. It panics unless there is at least one set, all of one shape and not empty.
func AlignedMean(ctx context.Context, sets []*spin.Matrix) ([]float64, error) {
	if len(sets) == 0 {
		panic("planted: AlignedMean of nothing")
	}
	const passes = 20
	n, p := sets[0].Rows(), sets[0].Cols()
	rows := make([][]int8, len(sets)) // hidden x visible
	all := spin.New(n, p*len(sets))   // the sets side by side, for products with all of them at once
	transposed := spin.New(p, n)
	for k, s := range sets {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if s.Rows() != n || s.Cols() != p {
			panic(fmt.Sprintf("planted: AlignedMean of %d x %d and %d x %d synapses", n, p, s.Rows(), s.Cols()))
		}
		s.Transpose(transposed)
		rows[k] = make([]int8, n*p)
		spin.Values(rows[k], transposed)
		for j, v := range rows[k] {
			all.Set(j%n, k*p+j/n, v)
		}
	}
	sum := make([]float64, n*p)
	matched := make([]*Matching, len(sets))
	for k, s := range sets {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		matched[k] = MatchMean(sum, s)
		matched[k].add(sum, rows[k])
	}
	products, own := make([]float64, p*all.Cols()), make([]float64, p*p)
	for range passes - 1 {
		next := make([]float64, n*p)
		moved := false
		spin.Mul(products, sum, p, all)
		for k := range sets {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			for nu := range p {
				for mu := range p {
					own[nu*p+mu] = products[mu*all.Cols()+k*p+nu]
				}
			}
			m := match(n, p, own)
			moved = moved || !slices.Equal(m.Unit, matched[k].Unit) || !slices.Equal(m.Sign, matched[k].Sign)
			matched[k] = m
			m.add(next, rows[k])
		}
		sum = next
		if !moved {
			break
		}
	}
	for k := range sum {
		sum[k] /= float64(len(sets))
	}
	return sum, nil
}

// add adds the reference's synapses, hidden x visible, to the sum that they were matched with.
func (m *Matching) add(sum []float64, reference []int8) {
	n := len(reference) / len(m.Unit)
	for nu, mu := range m.Unit {
		row := sum[mu*n : (mu+1)*n]
		for i, s := range reference[nu*n : (nu+1)*n] {
			row[i] += float64(m.Sign[nu] * s)
		}
	}
}
