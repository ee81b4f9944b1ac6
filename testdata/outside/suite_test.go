package outside

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"reflect"
	"runtime"
	"testing"

	"bethe/dual"
	"bethe/dual/dualtest"
	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
	"bethe/units/unitstest"
	"bethe/variational"
)

func brute() dual.Engine[float64] { return Brute{} }

func watched() dual.Engine[float64] {
	return &Watched{Chains: &dual.Chains[float64]{Count: 1000, Sweeps: 12, Key: stream.New(1)}}
}

func hopfield() dual.Partition[float64] { return Hopfield{} }

// bits are the kinds of synapses that ln E_q Z serves.
func bits(hidden string, visibleOffset, hiddenOffset float64, links int) (machines []dualtest.Machine) {
	for _, kind := range []rbm.Kind{rbm.BinaryKind, rbm.SampledKind, rbm.SignKind} {
		machines = append(machines, dualtest.Machine{Form: dual.Form{Synapses: kind, Visible: units.Spin, Hidden: hidden}, VisibleOffset: visibleOffset, HiddenOffset: hiddenOffset, Links: links})
	}
	return machines
}

func TestEngines(t *testing.T) {
	shape := dualtest.Shape{Visible: 5, Hidden: 3, Coupling: 0.4, Field: 0.5}
	dualtest.Engine(t, brute, 1e-12, shape, dualtest.Shape{Visible: 2, Hidden: 4, Coupling: 1})
	dualtest.Engine(t, watched, 0.18, shape) // 5.7 standard errors of 1,000 chains
	dualtest.GivesUp(t, brute, dualtest.Shape{Visible: 12, Hidden: 12, Coupling: 0.1})
	dualtest.GivesUp(t, watched, dualtest.Shape{Visible: 200, Hidden: 100, Coupling: 0.1})
}

func TestTerms(t *testing.T) {
	dualtest.Partition(t, func() dual.Partition[float64] { return &dual.Annealed[float64]{Engine: Brute{}} }, 1e-8, bits(units.Spin, 0.9, 0.9, 1)...)
	for links := 1; links <= 2; links++ {
		dualtest.Partition(t, hopfield, 1e-8, bits(units.Gauss, 0.9, 2, links)...)
	}
	dualtest.TermGivesUp(t, hopfield, bits(units.Gauss, 0.9, 2, 1)[0], MaxSpins, 30)
}

func TestUnits(t *testing.T) {
	phi := func(f []float64) float64 { return f[0]*f[0]/2 + math.Log(2*math.Pi)/2 }
	unitstest.Hidden(t, func() units.Hidden[float64] { return Gaussian{} }, phi, unitstest.Accuracy{Value: 1e-10, First: 1e-9, Second: 1e-9})
}

// Machines of spins and Gaussian hidden units of an independent oracle: the bound to 1e-8,
// its gradient to 2e-6.
func TestOracle(t *testing.T) {
	text, err := os.ReadFile("testdata/oracle-gauss-hidden.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Coupling      float64
		PosteriorMean [][]float64 `json:"posterior_mean"` // visible x hidden
		PriorMean     [][]float64 `json:"prior_mean"`
		VisibleField  []float64   `json:"visible_field"`
		VisibleOffset []float64   `json:"visible_offset"`
		Samples       [][]float64
		Bound         float64 `json:"bound_gaussian"`
		Gradient      struct {
			PosteriorMean [][]float64 `json:"posterior_mean"`
			Coupling      float64
			VisibleField  []float64 `json:"visible_field"`
		}
	}
	if err := json.Unmarshal(text, &cases); err != nil || len(cases) != 2 {
		t.Fatal(len(cases), err)
	}
	for _, c := range cases {
		n, p, m := len(c.PosteriorMean), len(c.PosteriorMean[0]), len(c.Samples)
		model := &rbm.Model[float64]{Params: rbm.NewParams(n, p, c.Coupling), Posterior: rbm.NewPosterior[float64](n, p)}
		model.Posterior.PriorTheta = make([]float64, n*p)
		copy(model.VisibleField, c.VisibleField)
		copy(model.VisibleOffset, c.VisibleOffset)
		samples := spin.New(n, m)
		for i := range n {
			for mu := range p {
				model.Posterior.Theta[mu*n+i] = math.Atanh(c.PosteriorMean[i][mu])
				model.Posterior.PriorTheta[mu*n+i] = math.Atanh(c.PriorMean[i][mu])
			}
			for a := range m {
				samples.Set(i, a, int8(c.Samples[a][i]))
			}
		}
		data := units.NewSpins[float64](samples)
		objective := &variational.Objective[float64]{Partition: Hopfield{}, Hidden: Gaussian{}, Samples: m}
		terms, _, err := objective.Terms(context.Background(), model, data)
		if err != nil {
			t.Fatal(err)
		}
		near := func(what string, got, want, tolerance float64) {
			t.Helper()
			if !(math.Abs(got-want) <= tolerance*max(1, math.Abs(want))) {
				t.Errorf("%s is %.15g, not %.15g", what, got, want)
			}
		}
		near("the bound", terms.Bound()*float64(m), c.Bound, 1e-8)
		grad := dual.NewGradient[float64](&model.Params)
		if _, err := objective.Gradient(context.Background(), grad, model, data); err != nil {
			t.Fatal(err)
		}
		near("the derivative by the coupling", grad.Coupling[0]*float64(m), c.Gradient.Coupling, 2e-6)
		for i := range n {
			near("the derivative by a field", grad.VisibleField[i]*float64(m), c.Gradient.VisibleField[i], 2e-6)
			for mu := range p {
				near("the derivative by a posterior mean", grad.Synapse[mu*n+i]*float64(m), c.Gradient.PosteriorMean[i][mu], 2e-6)
			}
		}
	}
}

// patterns are samples of two patterns and their negatives, with a tenth of the spins turned.
func patterns() *spin.Matrix {
	const n, m = 6, 40
	rng := stream.New(5).Rand()
	s := spin.New(n, m)
	for a := range m {
		for i := range n {
			v := int8(1 - 2*(i>>(a%2)&1))
			if a%4 > 1 {
				v = -v
			}
			if rng.Float64() < 0.1 {
				v = -v
			}
			s.Set(i, a, v)
		}
	}
	return s
}

func trainer(t *testing.T, partition dual.Partition[float64], hidden units.Hidden[float64]) *variational.Trainer[float64] {
	t.Helper()
	samples := patterns()
	model := variational.NewModel[float64](variational.Initial{Hidden: 2, Coupling: 0.2, Fields: true, Centre: true, Deviation: 0.3, Key: stream.New(2)}, samples)
	tr, err := variational.NewTrainer(model, units.NewSpins[float64](samples), partition, hidden,
		variational.Options{Steps: 30, Rate: 0.15, FinalRate: 0.5, FieldRate: 0.3, CouplingRate: 0.1, OffsetRate: 0.1, Batch: 20})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func TestLearning(t *testing.T) {
	data := units.NewSpins[float64](patterns())
	for name, c := range map[string]struct {
		partition func() dual.Partition[float64]
		hidden    units.Hidden[float64]
		by        string
	}{
		"spins by brute force":  {func() dual.Partition[float64] { return &dual.Annealed[float64]{Engine: Brute{}} }, variational.Mixture[float64]{}, "brute"},
		"spins by chains":       {func() dual.Partition[float64] { return &dual.Annealed[float64]{Engine: watched()} }, variational.Mixture[float64]{}, "annealing"},
		"Gaussian hidden units": {hopfield, Gaussian{}, "hopfield"},
	} {
		t.Run(name, func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			tr := trainer(t, c.partition(), c.hidden)
			bound := func() float64 {
				annealing := sample.Annealing{Chains: 200, Temperatures: 100, Key: stream.New(3)}
				terms, by, err := tr.Objective.EstimateTerms(context.Background(), tr.Model, data, annealing)
				if err != nil || by != c.by || math.IsNaN(terms.Bound()) {
					t.Fatalf("a bound of %v by %q: %v", terms.Bound(), by, err)
				}
				return terms.Bound()
			}
			before := bound()
			if err := tr.Run(context.Background(), nil); err != nil {
				t.Fatal(err)
			}
			if after := bound(); !(after > before+0.05) {
				t.Errorf("the bound went from %v to %v", before, after)
			}
			runtime.GOMAXPROCS(3)
			other := trainer(t, c.partition(), c.hidden)
			if err := other.Run(context.Background(), nil); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(other.Model, tr.Model) {
				t.Error("another model with other threads")
			}
		})
	}
}

// Offsets of real hidden units follow their means outside ±1.
func TestOffsets(t *testing.T) {
	samples := patterns()
	model := variational.NewModel[float64](variational.Initial{Hidden: 2, Coupling: 0.2, Deviation: 0.3, Key: stream.New(2)}, samples)
	model.HiddenField[0], model.HiddenOffset[1] = 2, -3
	tr, err := variational.NewTrainer(model, units.NewSpins[float64](samples), Hopfield{}, Gaussian{}, variational.Options{Steps: 8, Rate: 1e-3, OffsetRate: 0.6})
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Run(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	if nu := model.HiddenOffset; !(math.Abs(nu[0]-2) < 0.2 && math.Abs(nu[1]) < 0.2) {
		t.Errorf("offsets %v of hidden units of means 2 and 0", nu)
	}
}

// NewTrainer refuses what a partition term does not serve.
func TestRefusals(t *testing.T) {
	samples := patterns()
	annealed, weighted := &dual.Annealed[float64]{Engine: Brute{}}, &dual.Weighted[float64]{Engine: Brute{}}
	for name, c := range map[string]struct {
		partition dual.Partition[float64]
		hidden    units.Hidden[float64]
		synapses  rbm.Kind
	}{
		"real synapses with the annealed term":          {annealed, variational.Mixture[float64]{}, rbm.RealKind},
		"binary synapses with the weighted term":        {weighted, variational.Mixture[float64]{}, rbm.BinaryKind},
		"Gaussian hidden units with the annealed term":  {annealed, Gaussian{}, rbm.BinaryKind},
		"hidden spins with the term of Gaussian units":  {Hopfield{}, variational.Mixture[float64]{}, rbm.BinaryKind},
		"real synapses with the term of Gaussian units": {Hopfield{}, Gaussian{}, rbm.RealKind},
	} {
		model := variational.NewModel[float64](variational.Initial{Hidden: 2, Coupling: 0.2, Deviation: 0.3, Key: stream.New(2)}, samples)
		_, err := variational.NewTrainer(model, units.NewSpins[float64](samples), c.partition, c.hidden, variational.Options{Steps: 1, Rate: 0.1, Synapses: c.synapses})
		if !errors.Is(err, dual.ErrNotServed) {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}
