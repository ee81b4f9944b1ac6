package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"bethe/anatomy"
	"bethe/dataset"
	"bethe/evaluate"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// helices are those of 16S RNA that columns of the alignment pair in: columns from first to last, counted from 1, with
// the one that adds up to sum with them, in positions of E. coli (column + 533).
var helices = []struct{ first, last, sum int }{{577, 586, 1341}, {588, 595, 1239}, {598, 604, 1238}, {666, 672, 1406}, {679, 682, 1390}, {612, 616, 1240}}

// inHelix reports whether two columns, counted from 0, are a pair of a known helix.
func inHelix(i, j int) bool {
	const offset = 534
	for _, h := range helices {
		if a := i + offset; a >= h.first && a <= h.last && a+j+offset == h.sum {
			return true
		}
	}
	return false
}

// alignment tells what a machine of an alignment has learned: its most strongly coupled pairs of columns, and pair frequencies of
// its samples beside those of data.
func alignment(ctx context.Context, model, data string, sweeps int) error {
	file, err := rbm.LoadKinds(model)
	if err != nil {
		return err
	}
	set, err := dataset.Read(data, dataset.Options{Units: file.VisibleKind, Identity: 0.97})
	if err != nil {
		return err
	}
	report("mutual information less its average product", set, mutual(set))
	n, p := file.Visible(), file.Hidden()
	features := make([]float32, n*set.Len())
	spin.Values(features, set.Samples)
	values := make([]float32, n*p)
	if u, ok := file.Synapses.(rbm.Uncertain); ok && u.Posterior() != nil {
		u.Posterior().Mean(values)
		if err := contacts(ctx, "posterior means", file, set, values, features); err != nil {
			return err
		}
	}
	machine := file.Machine()
	net := rbm.NetworkOf[float32](machine)
	for k, v := range net.Coupling {
		values[k] = v / float32(file.Coupling())
	}
	if err := contacts(ctx, "shipped synapses", file, set, values, features); err != nil {
		return err
	}
	drawn, err := evaluate.DrawFile(ctx, file, evaluate.FileSamples{Bits: set.Samples}, evaluate.Sampling{Count: set.Len(), Sweeps: sweeps, Key: stream.New(1)})
	if err != nil {
		return err
	}
	raw, connected := pairs(set.Samples, drawn.States.Bits, file.VisibleKind)
	fmt.Printf("pair frequencies of %d samples after %d sweeps from data against data: correlation %.4f, connected %.4f\n", set.Len(), sweeps, raw, connected)
	return nil
}

// contacts prints how many of the 40 strongest couplings are pairs of helices, and complementary.
func contacts(ctx context.Context, name string, file *rbm.File, set *dataset.Set, synapses, features []float32) error {
	list, err := anatomy.Contacts(ctx, &file.Params, synapses, features, set.Len(), apart)
	if err != nil {
		return err
	}
	report(name, set, list)
	return nil
}

// The strongest pairs that are looked at, of columns so far apart.
const top, apart = 40, 4

// mutual is a plain score of pairs: their mutual information less its average product, sequences weighted.
func mutual(set *dataset.Set) (list []anatomy.Contact) {
	n, of, colours, all := set.Units(), set.Kind.States, set.Colours(), set.Effective()
	one, pair := make([]float64, n*of), make([]float64, of*of)
	for a, w := range set.Weights {
		for i := range n {
			one[i*of+int(colours[a*n+i])] += w / all
		}
	}
	score, sums, total := make([]float64, n*n), make([]float64, n), 0.0
	for i := range n {
		for j := range i {
			clear(pair)
			for a, w := range set.Weights {
				pair[int(colours[a*n+i])*of+int(colours[a*n+j])] += w / all
			}
			information := 0.0
			for k, p := range pair {
				if p > 0 {
					information += p * math.Log(p/one[i*of+k/of]/one[j*of+k%of])
				}
			}
			score[i*n+j] = information
			sums[i] += information
			sums[j] += information
			total += 2 * information
		}
	}
	for i := range n {
		for j := 0; j <= i-apart; j++ {
			list = append(list, anatomy.Contact{First: j, Second: i, Score: score[i*n+j] - sums[i]*sums[j]/total})
		}
	}
	slices.SortFunc(list, func(a, b anatomy.Contact) int { return cmp.Compare(b.Score, a.Score) })
	return list
}

// report prints how many of the strongest pairs are complementary.
func report(name string, set *dataset.Set, list []anatomy.Contact) {
	known, complementary := 0, 0
	for _, c := range list[:top] {
		if inHelix(c.First, c.Second) {
			known++
		}
		if share := paired(set, c.First, c.Second); share > 0.85 {
			complementary++
		}
	}
	fmt.Printf("%s: of the %d strongest couplings between columns %d are complementary (A-T, G-C, G-T in over 85 %% of the weighted sequences), %d stand in the list of helices\n", name, top, complementary, known)
}

// paired returns the weighted share of sequences whose letters in two columns are complementary.
func paired(set *dataset.Set, i, j int) float64 {
	colours, n := set.Colours(), set.Units()
	var sum, all float64
	for a, w := range set.Weights {
		x, y := set.Alphabet[colours[a*n+i]], set.Alphabet[colours[a*n+j]]
		switch string([]byte{min(x, y), max(x, y)}) {
		case "AT", "CG", "GT":
			sum += w
		}
		all += w
	}
	return sum / all
}

// pairs returns the correlation between pair frequencies of two sets of samples, of features of different units, and that of their
// connected parts.
func pairs(a, b *spin.Matrix, kind units.Kind) (raw, connected float64) {
	x, y := frequencies(a), frequencies(b)
	n, of := a.Rows(), kind.States
	var p, q, cp, cq []float64
	for i := range n {
		for j := range i {
			if i/of == j/of {
				continue
			}
			p, q = append(p, x.pair[i*n+j]), append(q, y.pair[i*n+j])
			cp, cq = append(cp, x.pair[i*n+j]-x.one[i]*x.one[j]), append(cq, y.pair[i*n+j]-y.one[i]*y.one[j])
		}
	}
	return correlation(p, q), correlation(cp, cq)
}

type counted struct{ one, pair []float64 }

// frequencies returns how often features are on, alone and two together.
func frequencies(s *spin.Matrix) counted {
	n, m := s.Rows(), s.Cols()
	c := counted{make([]float64, n), make([]float64, n*n)}
	on := make([]int, 0, n)
	for a := range m {
		on = on[:0]
		for i := range n {
			if s.At(i, a) > 0 {
				on = append(on, i)
			}
		}
		for _, i := range on {
			c.one[i] += 1 / float64(m)
			for _, j := range on {
				c.pair[i*n+j] += 1 / float64(m)
			}
		}
	}
	return c
}

func correlation(x, y []float64) float64 {
	var sx, sy, xx, yy, xy float64
	n := float64(len(x))
	for k := range x {
		sx += x[k] / n
		sy += y[k] / n
	}
	for k := range x {
		xx += (x[k] - sx) * (x[k] - sx)
		yy += (y[k] - sy) * (y[k] - sy)
		xy += (x[k] - sx) * (y[k] - sy)
	}
	return xy / math.Sqrt(xx*yy)
}
