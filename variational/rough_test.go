package variational

import (
	"context"
	"math"
	"slices"
	"testing"

	"bethe/dual"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// slopedTerm is a partition term whose derivatives are all the same.
type slopedTerm[T rbm.Real] struct{ slope T }

func (slopedTerm[T]) Serves(dual.Form) error { return nil }

func (s slopedTerm[T]) Rows(_ context.Context, grad *dual.Gradient[T], _ *rbm.Params, _ []T) (dual.Row[T], dual.Report, error) {
	for _, x := range [][]float64{grad.VisibleField, grad.HiddenField, grad.Coupling} {
		for k := range x {
			x[k] = float64(s.slope)
		}
	}
	return func(dst []T, byCoupling []float64, _ int) {
		for k := range dst {
			dst[k] = s.slope
		}
		for k := range byCoupling {
			byCoupling[k] += float64(s.slope)
		}
	}, dual.Report{}, nil
}

// average is E tanh and E sech^2 of one field.
func average(mean, variance float64) (tanh, sech2 float64) {
	t, r := make([]float64, 1), make([]float64, 1)
	Mixture[float64]{}.Averages(t, r, []float64{mean}, []float64{variance}, 1)
	return t[0], r[0]
}

// plainRough is the gradient of the data term from a batch by plain loops, sample by sample: products with squares of means take
// them as their mean for a unit, and correlations with them as products of means over samples.
func plainRough(model *rbm.Model[float64], samples *spin.Matrix, o *Objective[float64], rounds int) *dual.Gradient[float64] {
	f, n, m, how := model.Layers(), model.Visible(), samples.Cols(), o.Deep.Recognition
	data, p, known := f.Data(), model.Hidden(), rbm.KindOr(o.Synapses).Known()
	mean := make([]float64, n*p)
	rbm.KindOr(o.Synapses).Write(model.Posterior.WriterTo(mean), stream.New(1))
	grad := dual.NewGradient[float64](&model.Params)
	free := func(l float64) float64 {
		if known {
			return 0
		}
		return 1 - l*l
	}
	type link struct {
		rbm.Link
		ofOdd, ofEven map[int]float64
	}
	var links []link
	for _, l := range model.Links[1:] {
		k := link{l, map[int]float64{}, map[int]float64{}}
		for j := l.Hidden.From; j < l.Hidden.To; j++ {
			for v := l.Visible.From; v < l.Visible.To; v++ {
				square := 1 - free(mean[j*n+v])
				k.ofOdd[j] += square / float64(l.Visible.Len())
				k.ofEven[v] += square / float64(l.Hidden.Len())
			}
		}
		links = append(links, k)
	}
	layer := func() [][]float64 {
		x := make([][]float64, max(n, p))
		for k := range x {
			x[k] = make([]float64, m)
		}
		return x
	}
	tanh, sech2, rho, chi, below, variance, second, evenMean := layer(), layer(), layer(), layer(), layer(), layer(), layer(), layer()
	draws := make([]interface{ NormFloat64() float64 }, p)
	for j := range draws {
		draws[j] = o.Deep.Key.Sub(uint64(j)).Rand()
	}
	nu, nuOdd := model.VisibleOffset, model.HiddenOffset
	for a := range m {
		for j := range p {
			below[j][a] = model.HiddenField[j]
			var z float64
			if first := model.Links[0]; first.Joins(j) {
				for i := range data {
					s, l := float64(samples.At(i, a))-nu[i], mean[j*n+i]
					below[j][a] += first.Coupling * l * s
					variance[j][a] += first.Coupling * first.Coupling * free(l) * s * s
				}
				if how == Drawn && !known {
					z = draws[j].NormFloat64() / math.Sqrt(variance[j][a])
					below[j][a] += z * variance[j][a]
					variance[j][a] = 0
				}
			}
			second[j][a] = z
		}
	}
	mean1 := func(x []float64) (sum float64) {
		for _, v := range x {
			sum += v / float64(m)
		}
		return sum
	}
	for a := range m {
		for j := range p {
			tanh[j][a], sech2[j][a] = average(below[j][a], mean1(variance[j]))
		}
		for v := data; v < n; v++ {
			rho[v][a] = math.Tanh(model.VisibleField[v])
			evenMean[v][a] = model.VisibleField[v]
		}
	}
	for r := range rounds {
		share, spread := 1.0, layer()
		if r > 0 {
			share = damping
		}
		for a := range m {
			for _, l := range links {
				for v := l.Visible.From; how != Mean && v < l.Visible.To; v++ {
					for j := l.Hidden.From; j < l.Hidden.To; j++ {
						c := tanh[j][a] - nuOdd[j]
						spread[v][a] += l.Coupling * l.Coupling * (1 - l.ofEven[v]) * c * c
					}
				}
			}
		}
		for a := range m {
			for v := data; v < n; v++ {
				target := model.VisibleField[v]
				for _, l := range links {
					if v < l.Visible.From || v >= l.Visible.To {
						continue
					}
					for j := l.Hidden.From; j < l.Hidden.To; j++ {
						c, q := tanh[j][a]-nuOdd[j], l.ofEven[v]
						target += l.Coupling*mean[j*n+v]*c - l.Coupling*l.Coupling*sech2[j][a]*(nu[v]+q*(rho[v][a]-nu[v]))
					}
				}
				evenMean[v][a] += share * (target - evenMean[v][a])
				rho[v][a], chi[v][a] = average(evenMean[v][a], mean1(spread[v]))
			}
			old := make([]float64, p)
			for j := range p {
				old[j] = tanh[j][a] - nuOdd[j]
			}
			for j := range p {
				f, s := below[j][a], variance[j][a]
				for _, l := range links {
					if !l.Joins(j) {
						continue
					}
					for v := l.Visible.From; v < l.Visible.To; v++ {
						e, q := rho[v][a]-nu[v], l.ofOdd[j]
						f += l.Coupling * mean[j*n+v] * e
						if how != Mean {
							f += l.Coupling * l.Coupling * old[j] * chi[v][a] * (1 - q)
						}
						s += l.Coupling * l.Coupling * (1 + nu[v]*nu[v] - 2*nu[v]*rho[v][a] - q*e*e)
					}
				}
				tanh[j][a], sech2[j][a] = average(f, s)
			}
		}
	}
	for a := range m {
		for j := range p {
			if z := second[j][a]; how != Drawn || known || !model.Links[0].Joins(j) {
				second[j][a] = sech2[j][a]
			} else {
				second[j][a] = tanh[j][a] * z
			}
		}
	}
	each := float64(m)
	average := func(x []float64, by func(float64) float64) (sum float64) {
		for _, v := range x {
			sum += by(v) / each
		}
		return sum
	}
	same := func(v float64) float64 { return v }
	for i := range data {
		for a := range m {
			grad.VisibleField[i] += float64(samples.At(i, a)) / each
		}
	}
	for v := data; v < n; v++ {
		grad.VisibleField[v] = average(rho[v], same)
	}
	for j := range p {
		grad.HiddenField[j] = average(tanh[j], same)
		if first := model.Links[0]; first.Joins(j) {
			for i := range data {
				l := mean[j*n+i]
				for a := range m {
					s, c, r := float64(samples.At(i, a))-nu[i], tanh[j][a]-nuOdd[j], second[j][a]
					grad.Synapse[j*n+i] += (first.Coupling*c*s - first.Coupling*first.Coupling*l*r*s*s) / each
				}
			}
			for a := range m {
				grad.Coupling[0] += ((tanh[j][a]-nuOdd[j])*(below[j][a]-model.HiddenField[j]) + second[j][a]*variance[j][a]) / each / first.Coupling
			}
		}
		for k, l := range links {
			if !l.Joins(j) {
				continue
			}
			r, c := average(sech2[j], same), average(tanh[j], func(t float64) float64 { return (t - nuOdd[j]) * (t - nuOdd[j]) })
			for v := l.Visible.From; v < l.Visible.To; v++ {
				w := mean[j*n+v]
				third := c * average(chi[v], same)
				if how == Mean {
					third = 0
				}
				flat := r * average(rho[v], func(t float64) float64 { return (t - nu[v]) * (t - nu[v]) })
				grad.Synapse[j*n+v] = -l.Coupling * l.Coupling * w * (flat + third)
				grad.Coupling[k+1] += l.Coupling * (third - w*w*(flat+third))
				for a := range m {
					product := (tanh[j][a] - nuOdd[j]) * (rho[v][a] - nu[v]) / each
					grad.Synapse[j*n+v] += l.Coupling * product
					grad.Coupling[k+1] += w*product + l.Coupling*sech2[j][a]*(1+nu[v]*nu[v]-2*nu[v]*rho[v][a])/each
				}
			}
		}
	}
	return grad
}

// The gradient from a batch is that of plain loops, for any depth, recognition and number of rounds, and for known synapses.
func TestRoughGradient(t *testing.T) {
	key := stream.New(3)
	samples := spin.Random(9, 13, key.Rand())
	for _, above := range [][]int{{5}, {roughRows + 2}, {6, 4}, {6, roughRows + 1, 3}} {
		model := NewModel[float64](Initial{Hidden: roughRows + 3, Above: above, Coupling: 0.2, Fields: true, Centre: true, Deviation: 0.8, Key: key}, samples)
		rng := key.Sub(1).Rand()
		for _, x := range [][]float64{model.VisibleField, model.HiddenField, model.VisibleOffset, model.HiddenOffset} {
			for k := range x {
				x[k] = 0.3 * (2*rng.Float64() - 1)
			}
		}
		for l := range model.Links {
			model.Links[l].Coupling = 0.2 + 0.05*float64(l)
		}
		for c, by := range []struct {
			how    Recognition
			rounds int
			kind   rbm.Kind
		}{{Aware, 1, nil}, {Aware, 3, nil}, {Mean, 2, nil}, {Drawn, 1, nil}, {Aware, 1, rbm.SignKind}, {Drawn, 2, rbm.SignKind}} {
			const slope = 0.25
			o := &Objective[float64]{Partition: slopedTerm[float64]{slope}, Hidden: Mixture[float64]{}, Samples: 100, Coarse: true, Synapses: by.kind,
				Deep: Deep{Recognition: by.how, Rounds: by.rounds, Key: key.Sub(uint64(c))}}
			got := dual.NewGradient[float64](&model.Params)
			if _, err := o.Gradient(t.Context(), got, model, spinsOf(model, samples)); err != nil {
				t.Fatal(err)
			}
			want := plainRough(model, samples, o, by.rounds)
			n, whole := model.Visible(), float64(model.Hidden())
			for k := range want.Synapse {
				want.Synapse[k] -= slope + o.share()*model.Posterior.Theta[k]
			}
			var f rbm.Folding = model.Layers()
			joined := make([]bool, len(want.Synapse))
			for l := range f.Depth() {
				block := slices.Repeat([]bool{true}, f.Synapses(l))
				rbm.SetBlock(f, joined, block, l)
			}
			for name, x := range map[string][2][]float64{"fields": {got.VisibleField, want.VisibleField}, "hidden fields": {got.HiddenField, want.HiddenField},
				"synapses": {got.Synapse, want.Synapse}, "couplings": {got.Coupling, want.Coupling}} {
				for k, v := range x[0] {
					w := x[1][k]
					switch name {
					case "couplings":
						w -= slope * (1 + whole)
					case "synapses":
						if !joined[k] {
							w = 0
						}
					default:
						w -= slope
					}
					if !(math.Abs(v-w) < 1e-10*(1+math.Abs(w))) {
						t.Fatalf("%v, %v, %d rounds, %v: %s, row %d of %d: %v, plain loops %v", f, by.how, by.rounds, by.kind, name, k/n, k%n, v, w)
					}
				}
			}
		}
	}
}

// Rounding changes the gradient of a batch of a deep machine by less than 1/80 of the change that another batch makes, for the
// synapses of each link.
func TestRoughRoundingIsFarBelowTheNoiseOfBatches(t *testing.T) {
	const n, m = 100, 200
	key := stream.New(8)
	samples, _ := plantedSamples(n, 2*m, key.Sub(0))
	model := NewModel[float32](Initial{Hidden: 40, Above: []int{30}, Coupling: 0.1, Fields: true, Centre: true, Deviation: 1, Key: key.Sub(1)}, samples)
	gradients := func(first int) (rounded, exact []float64) {
		cols := make([]int, m)
		for k := range cols {
			cols[k] = first + k
		}
		batch := spin.New(n, m)
		samples.Gather(batch, cols)
		o := &Objective[float32]{Partition: slopedTerm[float32]{}, Hidden: Mixture[float32]{}, Samples: 2 * m, Coarse: true}
		grad := dual.NewGradient[float32](&model.Params)
		if _, err := o.Gradient(t.Context(), grad, model, spinsOf(model, batch)); err != nil {
			t.Fatal(err)
		}
		for _, v := range grad.Synapse {
			rounded = append(rounded, float64(v))
		}
		wide := &rbm.Model[float64]{Params: model.Params, Posterior: rbm.NewPosterior[float64](model.Visible(), model.Hidden())}
		for k, v := range model.Posterior.Theta {
			wide.Posterior.Theta[k] = float64(v)
		}
		unrounded := &Objective[float64]{Partition: slopedTerm[float64]{}, Hidden: Mixture[float64]{}, Samples: 2 * m, Coarse: true}
		fine := dual.NewGradient[float64](&model.Params)
		if _, err := unrounded.Gradient(t.Context(), fine, wide, spinsOf(wide, batch)); err != nil {
			t.Fatal(err)
		}
		return rounded, fine.Synapse
	}
	distance := func(l int, a, b []float64) (square float64) {
		f := model.Layers()
		x, y := make([]float64, f.Synapses(l)), make([]float64, f.Synapses(l))
		rbm.Block(f, x, a, l)
		rbm.Block(f, y, b, l)
		for k := range x {
			square += (x[k] - y[k]) * (x[k] - y[k])
		}
		return math.Sqrt(square)
	}
	rounded, exact := gradients(0)
	_, other := gradients(m)
	for l := range model.Layers().Depth() {
		noise, rounding := distance(l, exact, other), distance(l, exact, rounded)
		if !(rounding > 0 && rounding < noise/80) {
			t.Errorf("link %d: rounding changes the gradient by %v, another batch by %v", l, rounding, noise)
		}
	}
}
