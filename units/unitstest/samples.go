package unitstest

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"bethe/dual"
	"bethe/rbm"
	"bethe/units"
	"bethe/variational"
)

// A Case is samples of visible units, told in two ways.
type Case[T units.Real] struct {
	Data units.Data[T]
	Own  []float64 // values of the layer's own parameters to try
	// At returns what the samples are at the given own parameters: their features, of
	// Data.Features() x Data.Len() numbers, and the base of each sample without fields.
	At func(own []float64) (features, base []float64)
}

// Gaussians returns the case of Gaussian visible units with values v, count x samples. Their own parameters are ln sigma and the mean of each.
func Gaussians[T units.Real](count int, v []T, data units.Data[T]) Case[T] {
	samples := len(v) / count
	own := make([]float64, 2*count)
	for k := range own {
		own[k] = 0.2 * float64(k%3-1)
	}
	at := func(own []float64) (features, base []float64) {
		features, base = make([]float64, len(v)), make([]float64, samples)
		for k, x := range v {
			i, a := k/samples, k%samples
			features[k] = (float64(x) - own[count+i]) / math.Exp(own[i])
			base[a] -= features[k]*features[k]/2 + own[i]
		}
		return features, base
	}
	return Case[T]{Data: data, Own: own, At: at}
}

// Normals returns n x m draws that are not standardised.
func Normals[T units.Real](n, m int, seed uint64) []T {
	rng := rand.New(rand.NewPCG(seed, 1))
	v := make([]T, n*m)
	for k := range v {
		v[k] = T(0.3 + 1.2*rng.NormFloat64())
	}
	return v
}

// Samples holds a kind of visible units against enumeration of synapses, and the
// objective that is computed with it against differences of the data term in float64, to
// tolerance max(1, |value|). It also holds it to what its interfaces promise:
//
//   - batches are the samples at the places asked for, whatever storage they take;
//   - blocks of any size give the same numbers, and units of several features come whole;
//   - the bytes do not depend on the number of threads.
//
// Each call of samples draws data of so many units and samples from the seed.
func Samples[T units.Real](t *testing.T, samples func(count, samples int, seed uint64) Case[T], tolerance float64) {
	t.Helper()
	layer(t, samples(3, 5, 1), tolerance)
	enumerated(t, samples(3, 4, 2), tolerance)
	for together := 1; together <= 3; together += 2 {
		for _, kind := range rbm.Kinds() {
			newObjective(samples(2, 1, 6), kind, together, true).gradient(t, tolerance)
			for _, offsets := range []bool{false, true} {
				newObjective(samples(3, 7, 7), kind, together, offsets).gradient(t, tolerance)
			}
		}
	}
	newObjective(samples(4, 70, 8), rbm.BinaryKind, 3, true).gradient(t, tolerance)
	o := newObjective(samples(35, 40, 3), rbm.BinaryKind, 3, true) // more than a word of bits
	o.blocks(t)
	sameBytes(t, "a gradient", func() []float64 { return o.bytes(t) })
	o.coarse(t)
	batches(t, samples(4, 9, 4))
	many := newObjective(samples(2, 5000, 5), rbm.BinaryKind, 1, true) // more than a block of samples
	near(t, "the data term of 5,000 samples", many.terms(t).Data, many.data()/5000, tolerance)
}

// layer holds what does not depend on synapses.
func layer[T units.Real](t *testing.T, c Case[T], tolerance float64) {
	t.Helper()
	d := c.Data
	d.Prepare(c.Own, false)
	n, m := d.Features(), d.Len()
	if d.Kind() == "" || !(d.OffsetLimit() >= 0) || d.OwnSize() != len(c.Own) {
		t.Fatalf("kind %q with offsets within ±%v and %d parameters of its own, not the %d of the case", d.Kind(), d.OffsetLimit(), d.OwnSize(), len(c.Own))
	}
	x, base := c.At(c.Own)
	if len(x) != n*m || len(base) != m {
		t.Fatalf("a case of %d features and %d bases for %d x %d samples", len(x), len(base), n, m)
	}
	sums, field := make([]float64, n), make([]float64, n)
	for i := range field {
		field[i] = 0.3 * float64(i+1)
		sums[i] = 10 // Sums adds
	}
	d.Sums(sums)
	for i := range n {
		want := 10.0
		for _, v := range x[i*m : (i+1)*m] {
			want += v
		}
		near(t, fmt.Sprintf("the sum of feature %d", i), sums[i], want, tolerance)
	}
	value := func() float64 {
		x, base := c.At(c.Own)
		sum := 0.0
		for k, v := range x {
			sum += field[k/m] * v
		}
		for _, v := range base {
			sum += v
		}
		return sum
	}
	own := make([]float64, len(c.Own))
	for k := range own {
		own[k] = -5 // Base adds
	}
	near(t, "the base of all samples", d.Base(7, field, own), 7+value(), tolerance)
	for k := range own {
		near(t, fmt.Sprintf("the derivative of the base by own parameter %d", k), own[k], -5+difference(value, &c.Own[k], 1e-3), max(tolerance, 1e-8))
	}
	if fields := d.MeanFields(); len(fields) != n {
		t.Errorf("%d mean fields of %d features", len(fields), n)
	} else {
		for i, f := range fields {
			if math.IsNaN(f) || math.IsInf(f, 0) {
				t.Errorf("mean field %d is %v", i, f)
			}
		}
	}
}

// enumerated holds means and variances of fields against all synapses.
func enumerated[T units.Real](t *testing.T, c Case[T], tolerance float64) {
	t.Helper()
	for _, known := range []bool{false, true} {
		for _, biased := range []bool{false, true} {
			o := newObjective(c, rbm.BinaryKind, 1, biased)
			d, n, m := c.Data, c.Data.Features(), c.Data.Len()
			l := o.link(known, true)
			if n > 16 {
				t.Fatalf("%d features of 3 units are too many to enumerate their synapses", n)
			}
			x, _ := c.At(c.Own)
			const rows = 2
			w := o.block(1, rows)
			d.Prepare(c.Own, false)
			d.Fields(w, l)
			for k := range rows {
				const shift = 0.3
				mean, variance := make([]T, m), make([]T, m)
				alike := d.Field(w, l, k, mean, variance, shift)
				for a := range m {
					var first, second float64
					for xi := range 1 << n {
						weight, f := 1.0, shift
						for i := range n {
							lambda, s := float64(l.Mean[(1+k)*n+i]), float64(2*(xi>>i&1)-1)
							weight *= (1 + lambda*s) / 2
							if known {
								s = lambda
							}
							f += l.Coupling * (x[i*m+a] - float64(l.Offset[i])) * s
						}
						first += weight * f
						second += weight * f * f
					}
					near(t, "the mean of a field", float64(mean[a]), first, tolerance)
					near(t, "the variance of a field", float64(variance[a]), second-first*first, 10*tolerance)
					if alike && variance[a] != variance[0] {
						t.Errorf("fields that are said to have one variance have %v and %v", variance[0], variance[a])
					}
				}
			}
		}
	}
}

// batches holds batches against the samples at their places.
func batches[T units.Real](t *testing.T, c Case[T]) {
	t.Helper()
	n := c.Data.Features()
	fields := func(s units.Samples[T]) (mean, variance []T) {
		o := newObjective(c, rbm.BinaryKind, 1, true)
		o.samples = s
		s.Prepare(c.Own, false)
		w, l := o.block(0, 1), o.link(false, true)
		s.Fields(w, l)
		mean, variance = make([]T, s.Len()), make([]T, s.Len())
		s.Field(w, l, 0, mean, variance, 0.2)
		return mean, variance
	}
	allMean, allVariance := fields(c.Data)
	var last units.Samples[T]
	for _, places := range [][]int{{3, 0, 8, 3}, {1, 2, 5, 7}, {6}, {0, 1, 2, 3, 4, 5, 6, 7, 8}} {
		last = c.Data.Batch(last, places)
		if last.Len() != len(places) || last.Features() != n || last.Kind() != c.Data.Kind() {
			t.Fatalf("a batch of %d %s samples of %d features, not %d %s ones of %d", last.Len(), last.Kind(), last.Features(), len(places), c.Data.Kind(), n)
		}
		mean, variance := fields(last)
		wantMean, wantVariance := make([]T, len(places)), make([]T, len(places))
		for k, a := range places {
			wantMean[k], wantVariance[k] = allMean[a], allVariance[a]
		}
		same(t, "means of the fields of a batch", mean, wantMean)
		same(t, "variances of the fields of a batch", variance, wantVariance)
		x, base := c.At(c.Own)
		sums, want := make([]float64, n), make([]float64, n)
		last.Sums(sums)
		total := 0.0
		for _, a := range places {
			for i := range n {
				want[i] += x[i*c.Data.Len()+a]
			}
			total += base[a]
		}
		nearAll(t, "sums of a batch", sums, want, 1e-5)
		near(t, "the base of a batch", last.Base(0, make([]float64, n), make([]float64, len(c.Own))), total, 1e-5)
	}
	mean, variance := fields(c.Data)
	same(t, "means of all samples after batches were taken", mean, allMean)
	same(t, "variances of all samples after batches were taken", variance, allVariance)
}

// objective is an objective on samples, with hidden units whose averages are polynomials
// and a partition term that is linear in everything.
type objective[T units.Real] struct {
	c         Case[T]
	samples   units.Samples[T]
	model     *rbm.Model[T]
	kind      rbm.Kind
	hidden    polynomial[T]
	objective *variational.Objective[T]
}

// newObjective draws a machine of twelve hidden features, in units of so many features.
func newObjective[T units.Real](c Case[T], kind rbm.Kind, together int, offsets bool) *objective[T] {
	const hidden = 12 // more than a piece of work takes
	rng := rand.New(rand.NewPCG(uint64(together), 5))
	n := c.Data.Features()
	model := &rbm.Model[T]{Params: rbm.NewParams(n, hidden, 0.4/math.Sqrt(float64(n))), Posterior: rbm.NewPosterior[T](n, hidden)}
	o := &objective[T]{c: c, samples: c.Data, model: model, kind: kind, hidden: polynomial[T]{together}}
	model.VisibleOwn = c.Own
	draw := func(x []float64, size float64) {
		for k := range x {
			x[k] = size * (2*rng.Float64() - 1)
		}
	}
	draw(model.VisibleField, 0.5)
	draw(model.HiddenField, 0.5)
	if offsets {
		draw(model.VisibleOffset, min(2, c.Data.OffsetLimit()))
		draw(model.HiddenOffset, 2)
	}
	for k := range model.Posterior.Theta {
		model.Posterior.Theta[k] = T(0.7 * rng.NormFloat64())
	}
	o.objective = &variational.Objective[T]{Partition: linear[T]{}, Hidden: o.hidden, Samples: 100, Synapses: kind, Decay: 0.03}
	return o
}

// mean is what takes the place of the posterior means.
func (o *objective[T]) mean() []float64 {
	x := make([]T, len(o.model.Posterior.Theta))
	o.kind.Write(o.model.Posterior.WriterTo(x), o.objective.Draw)
	return widen(x)
}

// data is the data term of all samples, from its definition.
func (o *objective[T]) data() float64 { return o.dataAt(o.mean()) }

// dataAt is data at the given synapses.
func (o *objective[T]) dataAt(lambda []float64) float64 {
	p, m, n := &o.model.Params, o.c.Data.Len(), o.c.Data.Features()
	x, base := o.c.At(p.VisibleOwn)
	total, j := 0.0, p.Coupling()
	unit := fields{make([]float64, o.hidden.together), make([]float64, o.hidden.together)}
	for a := range m {
		total += base[a]
		for i, b := range p.VisibleField {
			total += b * x[i*m+a]
		}
		for mu, c := range p.HiddenField {
			var mean, variance float64
			for i, offset := range p.VisibleOffset {
				v, l := x[i*m+a]-offset, lambda[mu*n+i]
				mean += j * v * l
				if o.kind.LogOdds() {
					variance += j * j * v * v * (1 - l*l)
				}
			}
			total -= p.HiddenOffset[mu] * mean
			k := mu % o.hidden.together
			if unit.mean[k], unit.variance[k] = mean+c, variance; k == o.hidden.together-1 {
				total += o.hidden.value(unit)
			}
		}
	}
	return total
}

func (o *objective[T]) terms(t *testing.T) variational.Terms {
	t.Helper()
	terms, _, err := o.objective.Terms(context.Background(), o.model, o.c.Data)
	if err != nil {
		t.Fatal(err)
	}
	return terms
}

// bytes returns the gradient by everything.
func (o *objective[T]) bytes(t *testing.T) (all []float64) {
	t.Helper()
	g := o.grad(t)
	for _, x := range [][]float64{widen(g.Synapse), g.VisibleField, g.HiddenField, g.Coupling, g.VisibleOwn} {
		all = append(all, x...)
	}
	return append(all, o.terms(t).Data)
}

func (o *objective[T]) grad(t *testing.T) *dual.Gradient[T] {
	t.Helper()
	g := dual.NewGradient[T](&o.model.Params)
	for _, x := range [][]float64{g.VisibleField, g.HiddenField, g.Coupling, g.VisibleOwn} {
		for k := range x {
			x[k] = math.NaN() // to be overwritten
		}
	}
	if _, err := o.objective.Gradient(context.Background(), g, o.model, o.samples); err != nil {
		t.Fatal(err)
	}
	return g
}

// gradient holds the objective's gradient and data term against data.
func (o *objective[T]) gradient(t *testing.T, tolerance float64) {
	t.Helper()
	p, m := &o.model.Params, float64(o.c.Data.Len())
	what := fmt.Sprintf("%v synapses, %d features, %v samples, units of %d, offsets %v: ", o.kind, o.c.Data.Features(), m, o.hidden.together, p.Centred())
	near(t, what+"the data term", o.terms(t).Data, o.data()/m, tolerance)
	g := o.grad(t)
	by := func(x *float64) float64 { return difference(o.data, x, 0.01) / m }
	near(t, what+"the derivative by the coupling", g.Coupling[0], by(&p.Links[0].Coupling)-linearSlope*float64(p.Hidden()+1), tolerance)
	for _, x := range []struct {
		by        string
		got, what []float64
	}{{"visible field", g.VisibleField, p.VisibleField}, {"hidden field", g.HiddenField, p.HiddenField}, {"own parameter", g.VisibleOwn, p.VisibleOwn}} {
		want := make([]float64, len(x.what))
		for k := range want {
			want[k] = by(&x.what[k]) - linearSlope
		}
		nearAll(t, what+"derivative by "+x.by, x.got, want, tolerance)
	}
	lambda, want := o.mean(), make([]float64, len(g.Synapse))
	pull := o.kind.Pull(1.0/100, 0.03)
	for k := range want {
		want[k] = difference(func() float64 { return o.dataAt(lambda) }, &lambda[k], 0.01)/m - linearSlope*float64(k) - pull*float64(o.model.Posterior.Theta[k])
	}
	nearAll(t, what+"derivative by synapse", g.Synapse, want, tolerance)
}

// coarse allows rounded products.
func (o *objective[T]) coarse(t *testing.T) {
	t.Helper()
	exact := o.grad(t)
	o.objective.Coarse = true
	defer func() { o.objective.Coarse = false }()
	rounded := o.grad(t)
	nearAll(t, "derivatives by synapse of rounded products", rounded.Synapse, widen(exact.Synapse), 2e-3)
	nearAll(t, "derivatives by hidden field of rounded products", rounded.HiddenField, exact.HiddenField, 2e-3)
}

// link is what blocks are told of the synapses of an objective.
func (o *objective[T]) link(known, second bool) *units.Link[T] {
	return &units.Link[T]{Mean: narrow[T](o.mean()), Theta: o.model.Posterior.Theta, Coupling: o.model.Coupling(), Offset: narrow[T](o.model.VisibleOffset),
		Biased: o.model.Centred(), Known: known, Second: second, Share: 0.01}
}

// block is work space of so many rows.
func (o *objective[T]) block(lo, rows int) *units.Block[T] {
	m := o.samples.Len()
	return &units.Block[T]{Lo: lo, Rows: rows, First: make([]T, rows*m), Second: make([]T, rows*m), Mean: make([]T, m), Variance: make([]T, m),
		Partition: make([]T, o.samples.Features()), Extra: make([]T, o.samples.Extra(rows)), Sums: make([]float64, 2*rows)}
}

// blocks goes through all rows by blocks of several sizes: they must give the same numbers.
func (o *objective[T]) blocks(t *testing.T) {
	t.Helper()
	p, m, n := o.model.Hidden(), o.samples.Len(), o.samples.Features()
	for _, known := range []bool{false, true} {
		var want [2][]T
		for _, rows := range []int{1, 2, 4, p} {
			var moments, slopes []T
			l := o.link(known, true)
			o.samples.Prepare(o.c.Own, false)
			for lo := 0; lo < p; lo += rows {
				w := o.block(lo, min(rows, p-lo))
				if rows == 4 { // work space of more rows than there are
					w = o.block(lo, rows)
					w.Rows = min(rows, p-lo)
				}
				o.samples.Fields(w, l)
				mean, variance := make([]T, m), make([]T, m)
				means := make([]T, w.Rows*m)
				for k := range w.Rows {
					o.samples.Field(w, l, k, mean, variance, 0.2)
					moments = append(append(moments, mean...), variance...)
					copy(means[k*m:], mean)
				}
				for k, v := range means { // E phi' and E phi'' of some kind of unit
					w.First[k], w.Second[k] = v*v/2, 1+v
				}
				o.samples.Correlate(w, l)
				for k := range w.Rows {
					var first, second float64
					for a := range m {
						first += float64(w.First[k*m+a])
						second += float64(w.Second[k*m+a])
					}
					for i := range w.Partition {
						w.Partition[i] = T(i) / 8
					}
					out, own := make([]T, n), make([]float64, o.samples.OwnSize())
					sum := o.samples.Slopes(out, w, l, k, first, second)
					total := 0.0
					for _, v := range out {
						total += float64(v)
					}
					near(t, "the sum that Slopes returns", sum, total, 1e-4)
					o.samples.Own(own, w, l, k, first, second)
					slopes = append(append(slopes, out...), narrow[T](own)...)
				}
			}
			if rows == 1 {
				want = [2][]T{moments, slopes}
			}
			same(t, fmt.Sprintf("fields by blocks of %d rows", rows), moments, want[0])
			same(t, fmt.Sprintf("slopes by blocks of %d rows", rows), slopes, want[1])
		}
	}
}
