package variational_test

import (
	"context"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"bethe/dual"
	"bethe/internal/contexttest"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
	"bethe/units/unitstest"
	"bethe/variational"
)

func ln2cosh(f []float64) float64 { return math.Abs(f[0]) + math.Log1p(math.Exp(-2*math.Abs(f[0]))) }

// The errors that the doc comments state.
func TestHiddenSpinsKeepTheContract(t *testing.T) {
	mixture := unitstest.Accuracy{Value: 2e-5, First: 1e-5, Second: 2e-4}
	unitstest.Hidden(t, func() units.Hidden[float64] { return variational.Mixture[float64]{} }, ln2cosh, mixture)
	unitstest.Hidden(t, func() units.Hidden[float32] { return variational.Mixture[float32]{} }, ln2cosh, unitstest.Accuracy{Value: 2e-5, First: 5e-6, Second: 5e-6})
	unitstest.Hidden(t, func() units.Hidden[float64] { return variational.NewQuadrature[float64](201) }, ln2cosh, unitstest.Accuracy{Value: 1e-8, First: 1e-8, Second: 1e-7})
	unitstest.Hidden(t, func() units.Hidden[float32] { return variational.NewQuadrature[float32](201) }, ln2cosh, unitstest.Accuracy{Value: 1e-6, First: 1e-6, Second: 1e-6})
}

func logSum(kind units.Kind) func(f []float64) float64 { return kind.LogSum }

// Groups: the reference is as good as the suite can tell, whose quadrature is coarse in
// several dimensions, and the tables to 1e-3.
func TestHiddenGroupsKeepTheContract(t *testing.T) {
	for _, kind := range []units.Kind{{Word: units.Group, States: 2}, {Word: units.Group, States: 2, None: true}} {
		exact := unitstest.Accuracy{Value: 3e-6, First: 3e-5, Second: 2e-4}
		unitstest.Hidden(t, func() units.Hidden[float64] { return variational.ExactGroups[float64](kind) }, logSum(kind), exact)
		tables := unitstest.Accuracy{Value: 1e-3, First: 1e-3, Second: 2e-3}
		unitstest.Hidden(t, func() units.Hidden[float32] { return variational.NewGroups[float32](kind) }, logSum(kind), tables)
	}
}

// The estimates that learning takes are those averages.
func TestEstimatesOfHiddenGroups(t *testing.T) {
	for _, kind := range []units.Kind{{Word: units.Group, States: 2}, {Word: units.Group, States: 3, None: true}, {Word: units.Group, States: 7}} {
		unitstest.Estimates(t, variational.HiddenOf[float32](kind), units.Hidden[float32](variational.ExactGroups[float32](kind)), 8000)
	}
	kind := units.Kind{Word: units.Group, States: 2, None: true}
	unitstest.Estimates(t, variational.HiddenOf[float64](kind), units.Hidden[float64](variational.ExactGroups[float64](kind)), 2000)
}

func TestGaussianHiddenUnitsKeepTheContract(t *testing.T) {
	phi := func(f []float64) float64 { return f[0]*f[0]/2 + math.Log(2*math.Pi)/2 }
	unitstest.Hidden(t, func() units.Hidden[float64] { return variational.GaussHidden[float64]{} }, phi, unitstest.Accuracy{Value: 1e-8, First: 1e-8, Second: 1e-7})
}

// Cavity puts something else in the place of the averages, but its value is that of Mixture.
func TestCavityKeepsTheContract(t *testing.T) {
	unitstest.HiddenValue(t, func() units.Hidden[float64] { return variational.Cavity[float64]{} }, ln2cosh, unitstest.Accuracy{Value: 2e-5})
	unitstest.HiddenValue(t, func() units.Hidden[float32] { return variational.Cavity[float32]{} }, ln2cosh, unitstest.Accuracy{Value: 2e-5})
}

// objective returns an objective of chains, a model of so many units and samples of spins.
func objective(visible, hidden, samples, chains int) (*variational.Objective[float32], *rbm.Model[float32], *units.Spins[float32]) {
	s := spin.Random(visible, samples, stream.New(1).Rand())
	model := variational.NewModel[float32](variational.Initial{Hidden: hidden, Coupling: 0.1, Centre: true, Deviation: 0.5, Key: stream.New(2)}, s)
	term := &dual.Annealed[float32]{Engine: &dual.Chains[float32]{Count: chains, Sweeps: 2, Key: stream.New(3)}}
	return &variational.Objective[float32]{Partition: term, Hidden: variational.Mixture[float32]{}, Samples: samples}, model, units.NewSpins[float32](s)
}

// Wherever its context ends, a gradient gives the context's error, its chains are where
// they were, and the next one has the bytes of an objective that knows nothing of it.
func TestGradientInterrupted(t *testing.T) {
	gradient := func(ctx context.Context, o *variational.Objective[float32], model *rbm.Model[float32], s *units.Spins[float32]) (*dual.Gradient[float32], error) {
		g := dual.NewGradient[float32](&model.Params)
		_, err := o.Gradient(ctx, g, model, s)
		return g, err
	}
	o, model, s := objective(30, 20, 50, 40)
	twin, _, _ := objective(30, 20, 50, 40)
	for range 2 {
		gradient(t.Context(), o, model, s)
		gradient(t.Context(), twin, model, s)
	}
	want, _ := gradient(t.Context(), twin, model, s)
	var got *dual.Gradient[float32]
	contexttest.EveryLook(t, "a gradient", 5, func(ctx context.Context) (err error) {
		got, err = gradient(ctx, o, model, s)
		return err
	}, func() {})
	if !reflect.DeepEqual(got, want) {
		t.Error("a gradient after interrupted ones is another one")
	}
	o, model, s = objective(30, 8, 50, 1)
	o.Partition = &dual.Annealed[float32]{Engine: dual.Exact[float32]{}}
	contexttest.EveryLook(t, "the bound", 5, func(ctx context.Context) error { _, _, err := o.Terms(ctx, model, s); return err }, func() {})
}

// The bound and the gradient of many samples give up within 0.1 s.
func TestBoundGivesUp(t *testing.T) {
	const given = 3 * time.Millisecond
	o, model, s := objective(784, 300, 9000, 10)
	contexttest.GivesUp(t, "the bound", given, func(ctx context.Context) error { _, _, err := o.Terms(ctx, model, s); return err })
	contexttest.GivesUp(t, "a gradient", given, func(ctx context.Context) error {
		_, err := o.Gradient(ctx, dual.NewGradient[float32](&model.Params), model, s)
		return err
	})
}

// Outliers make fields of any variance: averages come at once, are lower bounds, and do not fall as the variance grows.
func TestWideGroups(t *testing.T) {
	for _, hidden := range []units.Hidden[float64]{variational.ExactGroups[float64](units.Kind{States: 2}), variational.NewGroups[float64](units.Kind{States: 2})} {
		before := 0.0
		for _, deviation := range []float64{1, 10, 15.9, 16.1, 100, 1e7, 1e13} {
			mean, variance := []float64{0, 0}, []float64{deviation * deviation / 4, deviation * deviation / 4}
			got := hidden.Value(mean, variance, 1)
			most := math.Ln2 + deviation/math.Sqrt(math.Pi) // E ln(e^x + e^y) is at most ln 2 + E max(x, y)
			if got < before-1e-4 || got > most {
				t.Errorf("deviation %g: %g, after %g; at most %g", deviation, got, before, most)
			}
			if least := min(deviation, 15.9) / math.Sqrt(math.Pi); got < least-1e-4 {
				t.Errorf("deviation %g: %g is below %g", deviation, got, least)
			}
			before = got
		}
	}
}

// Means as far from 0 as outliers bring them are counted from the greatest.
func TestFarGroups(t *testing.T) {
	for _, none := range []bool{false, true} {
		hidden := variational.ExactGroups[float64](units.Kind{Word: units.Group, States: 2, None: none})
		near := variational.ExactGroups[float64](units.Kind{Word: units.Group, States: 2}).Value([]float64{0, -1}, []float64{0.5, 0.5}, 1)
		for _, far := range []float64{1e7, 5e15, -5e15} {
			got := hidden.Value([]float64{far, far - 1}, []float64{0.5, 0.5}, 1)
			if none && far < 0 {
				if want := -2 * far; math.Abs(got/want-1) > 1e-9 { // E ln(1 + e^f) is 0, and the fields are taken off
					t.Errorf("%g and none: %g, not %g", far, got, want)
				}
				continue
			}
			if far == 1e7 && math.Abs(got-near) > 1e-6 || math.IsNaN(got) {
				t.Errorf("%g, none %v: %g, not %g", far, none, got, near)
			}
		}
	}
}

// A field far beyond what data give would take nodes without end: it is an error that names unit and sample.
func TestExactDataTermOfWideFields(t *testing.T) {
	samples := spin.Random(5, 3, stream.New(1).Rand())
	model := variational.NewModel[float64](variational.Initial{Hidden: 2, Coupling: 0.4, Deviation: 0.5, Key: stream.New(2)}, samples)
	if _, err := variational.ExactDataTerm(t.Context(), model, units.NewSpins[float64](samples)); err != nil {
		t.Fatal(err)
	}
	model.SetCoupling(1e13)
	if _, err := variational.ExactDataTerm(t.Context(), model, units.NewSpins[float64](samples)); err == nil || !strings.Contains(err.Error(), "hidden unit 0 has fields up to") || !strings.Contains(err.Error(), "sample 0") {
		t.Errorf("a coupling of 1e13: %v", err)
	}
}
