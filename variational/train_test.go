package variational

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"bethe/dual"
	"bethe/internal/kernel"
	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// planted returns samples of a random machine of two hidden units, by Gibbs
// sampling done here, and its synapses.
func plantedSamples(n, m int, key stream.Key) (samples, synapses *spin.Matrix) {
	rng := key.Rand()
	synapses = spin.Random(n, 2, rng)
	machine := &rbm.Machine{Params: rbm.NewParams(n, 2, 1.2/math.Sqrt(float64(n))), Synapses: rbm.Binary(synapses)}
	samples = spin.Random(n, m, rng)
	for sweep := range 60 {
		h := spin.New(2, m)
		draw(h, machine.HiddenMeans(samples), key.Sub(uint64(2*sweep)))
		draw(samples, machine.VisibleMeans(h), key.Sub(uint64(2*sweep+1)))
	}
	return samples, synapses
}

func draw(m *spin.Matrix, mean []float64, key stream.Key) {
	rng := key.Rand()
	for i := range m.Rows() {
		for j := range m.Cols() {
			s := int8(-1)
			if 2*rng.Float64()-1 < mean[i*m.Cols()+j] {
				s = 1
			}
			m.Set(i, j, s)
		}
	}
}

// learner is a small machine that learns with everything on: mini-batches,
// offsets, fields, coupling, chains.
func learner(t testing.TB, samples *spin.Matrix, opt Options) (*Trainer[float32], *dual.Chains[float32]) {
	t.Helper()
	return learnerOf(t, 3, samples, opt)
}

func learnerOf(t testing.TB, hidden int, samples *spin.Matrix, opt Options, above ...int) (*Trainer[float32], *dual.Chains[float32]) {
	t.Helper()
	key := stream.New(5)
	model := NewModel[float32](Initial{Hidden: hidden, Above: above, Coupling: 0.2, Fields: true, Centre: true, Deviation: 0.3, Key: key.Sub(0)}, samples)
	chains := &dual.Chains[float32]{Count: 20, Sweeps: 1, Key: key.Sub(1)}
	opt.Key = key.Sub(2)
	opt.Rate, opt.FinalRate, opt.FieldRate, opt.CouplingRate, opt.OffsetRate, opt.MaxTheta = 0.05, 0.1, 1, 0.5, 0.02, 4
	trainer, err := NewTrainer(model, spinsOf(model, samples), &dual.Annealed[float32]{Engine: chains}, Mixture[float32]{}, opt)
	if err != nil {
		t.Fatal(err)
	}
	return trainer, chains
}

// modelBytes returns the bytes of a model file.
func modelBytes(t *testing.T, model *rbm.Model[float32]) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.npz")
	if err := (&rbm.File{Params: model.Params, Synapses: rbm.Learned(model.Posterior.Sign(), model.Posterior)}).Save(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestLearningClimbsTheBound(t *testing.T) {
	samples, synapses := plantedSamples(30, 300, stream.New(1))
	for _, c := range []struct {
		name string
		rule Rule
		rate float64
	}{{"adam", Adam, 0.2}, {"bayesian rule", BayesianRule, 0.2}, {"clipped adam", ClippedAdam, 0.1}} {
		models, bounds, err := Restarts(t.Context(), 6, func(start int) (*rbm.Model[float64], float64, error) {
			model := NewModel[float64](Initial{Hidden: 2, Coupling: 1.2 / math.Sqrt(30), Deviation: 0.5, Key: stream.New(uint64(start))}, samples)
			trainer, err := NewTrainer(model, spinsOf(model, samples), &dual.Annealed[float64]{Engine: dual.Exact[float64]{}}, Mixture[float64]{},
				Options{Steps: 150, Rule: c.rule, Rate: c.rate, FinalRate: 0.1})
			if err != nil {
				return nil, 0, err
			}
			before, _, err := trainer.Objective.Terms(context.Background(), model, spinsOf(model, samples))
			if err != nil {
				return nil, 0, err
			}
			if err := trainer.Run(t.Context(), nil); err != nil {
				return nil, 0, err
			}
			after, _, err := trainer.Objective.Terms(context.Background(), model, spinsOf(model, samples))
			if c.rule != ClippedAdam && after.Bound() <= before.Bound() {
				t.Errorf("%s: the bound went from %v to %v", c.name, before.Bound(), after.Bound())
			}
			return model, after.Bound(), err
		})
		if err != nil {
			t.Fatal(err)
		}
		model, bound := models[Best(bounds)], bounds[Best(bounds)]
		dots := make([]int32, 4)
		spin.Dot(dots, synapses, model.Posterior.Sign())
		abs := func(x int32) float64 { return math.Abs(float64(x)) / 30 }
		overlap := max(abs(dots[0])+abs(dots[3]), abs(dots[1])+abs(dots[2])) / 2
		if overlap < 0.8 {
			t.Errorf("%s: overlap %.2f with the teacher, at bound %.3f", c.name, overlap, bound)
		}
		if c.rule == ClippedAdam {
			for _, theta := range model.Posterior.Theta {
				if math.Abs(math.Tanh(theta)) > lambdaLimit+1e-12 {
					t.Errorf("clipped adam: a mean of %v", math.Tanh(theta))
				}
			}
		}
	}
}

// TestBayesianRuleEndsWhereTheGradientVanishes: the fixed points of the rule
// are those of the bound.
func TestBayesianRuleEndsWhereTheGradientVanishes(t *testing.T) {
	samples, _ := plantedSamples(12, 60, stream.New(2))
	model := NewModel[float64](Initial{Hidden: 2, Coupling: 0.3, Deviation: 0.5, Key: stream.New(3)}, samples)
	model.Posterior.PriorTheta = make([]float64, len(model.Posterior.Theta))
	for k := range model.Posterior.PriorTheta {
		model.Posterior.PriorTheta[k] = 0.3 * math.Sin(float64(k))
	}
	trainer, err := NewTrainer(model, spinsOf(model, samples), &dual.Annealed[float64]{Engine: dual.Exact[float64]{}}, NewQuadrature[float64](41),
		Options{Steps: 800, Rule: BayesianRule, Rate: 0.2, FinalRate: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := trainer.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	grad := dual.NewGradient[float64](&model.Params)
	if _, err := trainer.Objective.Gradient(context.Background(), grad, model, spinsOf(model, samples)); err != nil {
		t.Fatal(err)
	}
	for k, g := range grad.Synapse {
		if math.Abs(g) > 1e-9 {
			t.Fatalf("gradient %d is %.2g at the fixed point", k, g)
		}
	}
}

func TestSameBytesWhateverTheThreads(t *testing.T) {
	samples, _ := plantedSamples(40, 200, stream.New(4))
	var first []byte
	for _, threads := range []int{1, 2, 3} {
		before := runtime.GOMAXPROCS(threads)
		trainer, _ := learnerOf(t, 2*kernel.RowsTogether()+3, samples, Options{Steps: 30, Batch: 60})
		err := trainer.Run(t.Context(), nil)
		runtime.GOMAXPROCS(before)
		if err != nil {
			t.Fatal(err)
		}
		text := modelBytes(t, trainer.Model)
		if first == nil {
			first = text
		}
		if !bytes.Equal(first, text) {
			t.Errorf("%d threads give another model than 1", threads)
		}
	}
}

func TestRunLimitsAndErrors(t *testing.T) {
	samples, _ := plantedSamples(10, 50, stream.New(7))
	trainer, _ := learner(t, samples, Options{Epochs: 3, Batch: 20}) // 2 batches per epoch
	fractions := []float64{}
	if err := trainer.Run(t.Context(), func(p Progress) error { fractions = append(fractions, p.Fraction); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(fractions) != 6 || fractions[5] != 1 || math.Abs(fractions[2]-0.5) > 1e-12 {
		t.Errorf("fractions %v", fractions)
	}
	began := time.Now()
	trainer, _ = learner(t, samples, Options{Time: 30 * time.Millisecond, Batch: 20})
	if err := trainer.Run(t.Context(), nil); err != nil || trainer.Fraction() != 1 || time.Since(began) < 30*time.Millisecond {
		t.Errorf("30 ms: %v, %v", err, trainer.Elapsed())
	}
	stop := errors.New("stop")
	trainer, _ = learner(t, samples, Options{Steps: 5, Batch: 20})
	if err := trainer.Run(t.Context(), func(Progress) error { return stop }); !errors.Is(err, stop) || trainer.Step() != 1 {
		t.Errorf("error %v after %d steps", err, trainer.Step())
	}

	model := NewModel[float64](Initial{Hidden: 2, Coupling: 0.3, Key: stream.New(1)}, samples)
	partition := &dual.Annealed[float64]{Engine: dual.Exact[float64]{}}
	for _, c := range []struct {
		name    string
		samples *spin.Matrix
		opt     Options
	}{
		{"limit", samples, Options{Rate: 1}}, {"limit", samples, Options{Rate: 1, Steps: -1}},
		{"rate", samples, Options{Steps: 1}}, {"rate", samples, Options{Steps: 1, Rate: math.Inf(1)}},
		{"batch", samples, Options{Steps: 1, Rate: 1, Batch: -1}},
		{"no samples", spin.New(10, 0), Options{Steps: 1, Rate: 1}}, {"visible", spin.New(9, 5), Options{Steps: 1, Rate: 1}},
	} {
		if _, err := NewTrainer(model, spinsOf(model, c.samples), partition, Mixture[float64]{}, c.opt); err == nil || !strings.Contains(err.Error(), c.name) {
			t.Errorf("%+v: error %v does not say %q", c.opt, err, c.name)
		}
	}
	data, exact, mixture := units.NewSpins[float64](samples), dual.Partition[float64](partition), units.Hidden[float64](Mixture[float64]{})
	with := func(q *rbm.Posterior[float64]) *rbm.Model[float64] {
		return &rbm.Model[float64]{Params: model.Params.Clone(), Posterior: q}
	}
	linked := with(model.Posterior)
	j := linked.Links[0].Coupling
	linked.Links = []rbm.Link{{Coupling: j, Visible: rbm.Range{From: 0, To: 4}, Hidden: rbm.Range{From: 0, To: 2}}, {Coupling: j, Visible: rbm.Range{From: 4, To: 10}, Hidden: rbm.Range{From: 0, To: 1}}}
	short := rbm.NewPosterior[float64](10, 2)
	short.PriorTheta = make([]float64, 3)
	for name, c := range map[string]struct {
		model     *rbm.Model[float64]
		samples   units.Data[float64]
		partition dual.Partition[float64]
		hidden    units.Hidden[float64]
		says      string
	}{
		"model":             {nil, data, exact, mixture, "nil"},
		"samples":           {model, nil, exact, mixture, "nil"},
		"partition term":    {model, data, nil, mixture, "nil"},
		"hidden units":      {model, data, exact, nil, "nil"},
		"layers":            {linked, data, exact, mixture, "2 links"},
		"posterior":         {with(nil), data, exact, mixture, "posterior"},
		"thetas":            {with(rbm.NewPosterior[float64](10, 1)), data, exact, mixture, "10 thetas"},
		"prior":             {with(short), data, exact, mixture, "prior of 3"},
		"features together": {model, data, exact, noFeatures{}, "0 features"},
	} {
		if _, err := NewTrainer(c.model, c.samples, c.partition, c.hidden, Options{Steps: 1, Rate: 1}); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("without %s: error %v does not say %q", name, err, c.says)
		}
	}
	silent := &Objective[float64]{Partition: &dual.Annealed[float64]{Engine: noLnZ{}}, Hidden: mixture, Samples: data.Len()}
	if _, _, err := silent.EstimateTerms(t.Context(), model, data, sample.Annealing{}); !errors.Is(err, ErrNoLnZ) || !strings.Contains(err.Error(), "promising") {
		t.Errorf("an engine that says it gives ln Z and does not: %v", err)
	}
	model.Posterior.Theta[3] = math.NaN()
	bad, err := NewTrainer(model, spinsOf(model, samples), partition, Mixture[float64]{}, Options{Steps: 1, Rate: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := bad.Run(t.Context(), nil); !errors.Is(err, ErrDiverged) || bad.Step() != 0 {
		t.Errorf("a model with NaN: %v", err)
	}
	big := NewModel[float64](Initial{Hidden: 30, Coupling: 0.3}, spin.New(30, 5))
	tooBig, err := NewTrainer(big, spinsOf(big, spin.New(30, 5)), partition, Mixture[float64]{}, Options{Steps: 1, Rate: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := tooBig.Run(t.Context(), nil); !errors.Is(err, rbm.ErrTooLarge) {
		t.Errorf("exact engine on 30 x 30 units: %v", err)
	}
}

// noFeatures are hidden units of no feature.
type noFeatures struct{ Mixture[float64] }

func (noFeatures) Together() int { return 0 }

// noLnZ is an engine that promises ln Z and gives none.
type noLnZ struct{ dual.Exact[float64] }

func (e noLnZ) Moments(ctx context.Context, dst *rbm.Moments[float64], net *rbm.Network[float64]) (dual.Report, error) {
	report, err := e.Exact.Moments(ctx, dst, net)
	report.Engine, report.LnZ = "promising", math.NaN()
	return report, err
}

// TestMovingOffsets: where all synapses are known, offsets and fields move
// such that the distribution stays.
func TestMovingOffsets(t *testing.T) {
	samples, synapses := plantedSamples(8, 40, stream.New(8))
	model := NewModel[float64](Initial{Hidden: 2, Coupling: 0.4, Fields: true, Centre: true, Key: stream.New(1)}, samples)
	for mu := range 2 {
		for i := range 8 {
			model.Posterior.Theta[mu*8+i] = 20 * float64(synapses.At(i, mu))
		}
	}
	trainer, err := NewTrainer(model, spinsOf(model, samples), &dual.Annealed[float64]{Engine: dual.Exact[float64]{}}, Mixture[float64]{},
		Options{Steps: 1, Rate: 1e-300, OffsetRate: 0.3})
	if err != nil {
		t.Fatal(err)
	}
	lnP := func() []float64 {
		machine := model.Machine()
		lnz, err := machine.LnZ(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		p := machine.FreeEnergy(samples)
		for a := range p {
			p[a] = -p[a] - lnz
		}
		return p
	}
	before := lnP()
	if err := trainer.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if model.HiddenOffset[0] == 0 && model.HiddenOffset[1] == 0 {
		t.Fatal("the offsets have not moved")
	}
	for a, v := range lnP() {
		if math.Abs(v-before[a]) > 1e-10 {
			t.Errorf("sample %d: ln P from %v to %v", a, before[a], v)
		}
	}
}

// TestBatchesCoverAnEpoch: each sample is taken once per epoch, and the order
// differs between epochs.
func TestBatchesCoverAnEpoch(t *testing.T) {
	samples := spin.New(6, 60)
	for a := range 60 {
		for i := range 6 {
			samples.Set(i, a, int8(a>>i&1)*2-1)
		}
	}
	trainer, _ := learner(t, samples, Options{Steps: 6, Batch: 20})
	var orders [2][]int
	for step := range 6 {
		trainer.state.step = step
		batch := trainer.nextBatch().(*units.Spins[float32]).Matrix()
		for a := range 20 {
			name := 0
			for i := range 6 {
				name |= int(batch.At(i, a)+1) / 2 << i
			}
			orders[step/3] = append(orders[step/3], name)
		}
	}
	for epoch, order := range orders {
		seen := map[int]bool{}
		for _, a := range order {
			seen[a] = true
		}
		if len(seen) != 60 {
			t.Errorf("epoch %d takes %d of 60 samples", epoch, len(seen))
		}
	}
	if orders[0][0] == orders[1][0] && orders[0][1] == orders[1][1] && orders[0][2] == orders[1][2] {
		t.Error("both epochs have the same order")
	}
}

// TestAnnealedTerms holds the annealed estimate of the bound against the exact
// one; with 200 chains of 500 temperatures the spread is far below the limit.
func TestAnnealedTerms(t *testing.T) {
	samples, _ := plantedSamples(15, 5000, stream.New(9)) // several blocks of samples
	model := NewModel[float64](Initial{Hidden: 3, Coupling: 0.3, Fields: true, Centre: true, Deviation: 1, Key: stream.New(4)}, samples)
	objective := &Objective[float64]{Partition: &dual.Annealed[float64]{Engine: dual.Exact[float64]{}}, Hidden: Mixture[float64]{}, Samples: 5000}
	exact, _, err := objective.Terms(context.Background(), model, spinsOf(model, samples))
	if err != nil {
		t.Fatal(err)
	}
	annealed, err := objective.AnnealedTerms(t.Context(), model, spinsOf(model, samples), annealing(200, 500))
	if err != nil {
		t.Fatal(err)
	}
	if annealed.Data != exact.Data || annealed.KL != exact.KL {
		t.Errorf("terms %+v and %+v", annealed, exact)
	}
	if math.Abs(annealed.Partition-exact.Partition) > 0.02 {
		t.Errorf("ln E_q Z by annealing %v, exactly %v", annealed.Partition, exact.Partition)
	}
}

func TestRestarts(t *testing.T) {
	failed := errors.New("failed")
	_, _, err := Restarts(t.Context(), 3, func(start int) (*rbm.Model[float32], float64, error) {
		if start == 1 {
			return nil, 0, failed
		}
		return &rbm.Model[float32]{}, 1, nil
	})
	if !errors.Is(err, failed) {
		t.Errorf("error %v", err)
	}
	models, bounds, err := Restarts(t.Context(), 4, func(start int) (*rbm.Model[float32], float64, error) {
		return &rbm.Model[float32]{Params: rbm.NewParams(1, 1, float64(start))}, []float64{1, 3, 3, 2}[start], nil
	})
	if err != nil || Best(bounds) != 1 || models[3].Coupling() != 3 {
		t.Errorf("bounds %v: %v", bounds, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := Restarts(ctx, 2, func(int) (*rbm.Model[float32], float64, error) { return nil, 0, nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// runUntil learns to a step and no further, and returns the error of that.
func runUntil(t *testing.T, trainer *Trainer[float32], step int) error {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if step == 0 {
		cancel()
	}
	return trainer.Run(ctx, func(p Progress) error {
		if p.Step == step {
			cancel()
		}
		return nil
	})
}

func annealing(chains, temperatures int) sample.Annealing {
	return sample.Annealing{Chains: chains, Temperatures: temperatures, Key: stream.New(11)}
}
