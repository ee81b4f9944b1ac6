package verify

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"bethe/causes"
	"bethe/dual"
	"bethe/rbm"
	"bethe/spin"
)

// SpikeQuantities are the quantities compared with an oracle of directed machines, spiking neurons
// and stochastic synapses, beside Quantities.
var SpikeQuantities = []string{"posterior", "threshold", "update", "winner", "stationary", "spike_rate", "autocorrelation", "synchronous", "redraw"}

// A spikeCase is a case of an oracle of directed machines, spiking neurons or stochastic
// synapses: its kind says which of its keys it has. Matrices are visible x hidden.
type spikeCase struct {
	Name       string      `json:"name"`
	Kind       string      `json:"kind"`
	Visible    int         `json:"visible"`
	Groups     []int       `json:"groups"`
	Samples    [][]float64 `json:"samples"`
	Coupling   float64     `json:"coupling"`
	Theta      [][]float64 `json:"theta"`
	PriorTheta [][]float64 `json:"prior_theta"`
	Field      []float64   `json:"field"`
	LogWeight  []float64   `json:"log_weight"`

	// directed
	Threshold      []float64   `json:"threshold"`
	Responsibility [][]float64 `json:"responsibility"`
	Bound          float64     `json:"bound"`
	Evidence       *float64    `json:"evidence"`
	GradientTheta  [][]float64 `json:"gradient_theta"`
	Update         [][]float64 `json:"update"`

	// tree
	Patches          [][]int         `json:"patches"`
	States           int             `json:"states"`
	TopStates        int             `json:"top_states"`
	TopCoupling      float64         `json:"top_coupling"`
	FeatureField     [][]float64     `json:"feature_field"`
	Synapses         [][]float64     `json:"synapses"`
	TopSynapses      [][][]float64   `json:"top_synapses"`
	LnLikelihood     numberOrNumbers `json:"ln_likelihood"`
	TopPosterior     [][]float64     `json:"top_posterior"`
	FeaturePosterior [][][]float64   `json:"feature_posterior"`

	spikingCase
	synapticCase
	wtaCase
}

// numberOrNumbers is a list, or a number in the place of a list of one.
type numberOrNumbers []float64

// UnmarshalJSON implements json.Unmarshaler.
func (x *numberOrNumbers) UnmarshalJSON(text []byte) error {
	var one float64
	if json.Unmarshal(text, &one) == nil {
		*x = []float64{one}
		return nil
	}
	return json.Unmarshal(text, (*[]float64)(x))
}

// spikeKinds compare the cases of each kind.
var spikeKinds = map[string]func(c *spikeCase, ctx context.Context, r *Result) error{
	"directed": (*spikeCase).directed,
	"tree":     (*spikeCase).tree,

	"spiking":     (*spikeCase).spiking,
	"wta spiking": (*spikeCase).winnerSpiking,
	"neuron":      (*spikeCase).neuron,
	"synaptic":    (*spikeCase).synaptic,
}

// compare holds a case against this build.
func (c *spikeCase) compare(ctx context.Context, newEngine func(visible, hidden int) dual.Engine[float64]) (Result, error) {
	r := Result{Case: c.Name, Errors: map[string]float64{}, Report: dual.Report{Engine: dual.ExactName, Converged: true}}
	if c.Kind == "wta" {
		return r, c.wta(ctx, &r, newEngine)
	}
	of, known := spikeKinds[c.Kind]
	if !known {
		return Result{}, fmt.Errorf("cases of the kind %q are not known here", c.Kind)
	}
	return r, of(c, ctx, &r)
}

// record keeps the largest error of a quantity.
func (r *Result) record(quantity string, ours, oracle []float64) {
	r.Errors[quantity] = max(r.Errors[quantity], relativeError(ours, oracle))
}

// shaped returns an error unless a matrix has the given shape and finite numbers.
func shaped(name string, x [][]float64, rows, cols int) error {
	if len(x) != rows {
		return fmt.Errorf("%s has %d rows, not %d", name, len(x), rows)
	}
	for _, row := range x {
		if len(row) != cols {
			return fmt.Errorf("%s has a row of %d numbers, not %d", name, len(row), cols)
		}
	}
	return nil
}

// shapes are matrices that must have given shapes; vectors are matrices of one row.
type shapes []struct {
	name       string
	x          [][]float64
	rows, cols int
}

func (s shapes) check() error {
	for _, m := range s {
		if err := shaped(m.name, m.x, m.rows, m.cols); err != nil {
			return err
		}
	}
	return nil
}

// spins returns samples as columns.
func (c *spikeCase) spins() (*spin.Matrix, error) {
	if err := shaped("samples", c.Samples, len(c.Samples), c.Visible); err != nil {
		return nil, err
	}
	samples := spin.New(c.Visible, len(c.Samples))
	for a, row := range c.Samples {
		for i, s := range row {
			if s != 1 && s != -1 {
				return nil, fmt.Errorf("samples[%d][%d] is %v, not ±1", a, i, s)
			}
			samples.Set(i, a, int8(s))
		}
	}
	return samples, nil
}

// checkSizes returns an error unless the case is of few units and a sensible coupling.
func (c *spikeCase) checkSizes(hidden int) error {
	if c.Visible < 1 || c.Visible > maxUnits || hidden < 1 || hidden > maxUnits || len(c.Samples) < 1 || len(c.Samples) > 1000 {
		return fmt.Errorf("%d visible units, %d hidden columns, %d samples: each must be at least 1, units at most %d", c.Visible, hidden, len(c.Samples), maxUnits)
	}
	if !(c.Coupling > 0) || c.Coupling > 100 {
		return fmt.Errorf("coupling is %v: it must be positive and at most 100", c.Coupling)
	}
	return nil
}

func (c *spikeCase) directed(ctx context.Context, r *Result) error {
	if len(c.Groups) != 1 {
		return fmt.Errorf("%d groups of a directed machine, not one", len(c.Groups))
	}
	n, k, m := c.Visible, c.Groups[0], len(c.Samples)
	if err := c.checkSizes(k); err != nil {
		return err
	}
	if c.Evidence == nil || n*k > maxSynapses {
		return fmt.Errorf("evidence is missing, or is of more than %d synapses", maxSynapses)
	}
	if err := (shapes{{"theta", c.Theta, n, k}, {"prior_theta", c.PriorTheta, n, k}, {"field", [][]float64{c.Field}, 1, n}, {"log_weight", [][]float64{c.LogWeight}, 1, k},
		{"threshold", [][]float64{c.Threshold}, 1, n}, {"responsibility", c.Responsibility, m, k}, {"gradient_theta", c.GradientTheta, n, k}, {"update", c.Update, n, k}}).check(); err != nil {
		return err
	}
	samples, err := c.spins()
	if err != nil {
		return err
	}
	bits := causes.NewBits(causes.Layer{Patches: [][]int{upTo(n)}, States: k}, c.Coupling)
	copy(bits.Field, c.Field)
	copy(bits.Theta, byHidden(c.Theta))
	copy(bits.PriorTheta, byHidden(c.PriorTheta))
	mixture := &causes.Mixture{Synapses: bits, LnWeight: c.LogWeight}
	r.record("threshold", bits.Threshold(), c.Threshold)
	bound, err := mixture.Bound(ctx, samples)
	if err != nil {
		return err
	}
	r.record("elbo", []float64{bound.Value}, []float64{c.Bound})
	r.record("posterior", bound.Posterior, byHidden(c.Responsibility))
	before := slices.Clone(bits.Theta)
	bits.FixedCoupling = true
	mixture.Update(bound.Statistics)
	r.record("update", bits.Theta, byHidden(c.Update))
	gradient := make([]float64, len(before))
	for at, theta := range before {
		l := math.Tanh(theta)
		gradient[at] = (1 - l*l) * (bits.Theta[at] - theta)
	}
	r.record("gradient", gradient, byHidden(c.GradientTheta))
	copy(bits.Theta, before)
	copy(bits.Field, c.Field)
	evidence, err := mixtureEvidence(ctx, mixture, samples)
	r.record("ln_likelihood", []float64{evidence}, []float64{*c.Evidence})
	return err
}

// mixtureEvidence sums the likelihood of samples over all synapses, weighed by their prior.
func mixtureEvidence(ctx context.Context, mixture *causes.Mixture, samples *spin.Matrix) (float64, error) {
	b := mixture.Synapses
	terms := make([]float64, 1<<len(b.PriorTheta))
	values := make([]int8, len(b.PriorTheta))
	for at := range terms {
		for k, theta := range b.PriorTheta {
			values[k] = 1 - 2*int8(at>>k&1)
			terms[at] += math.Log((1 + float64(values[k])*math.Tanh(theta)) / 2)
		}
		r, err := causes.MixtureOf(b, values, mixture.LnWeight).Infer(ctx, samples, nil)
		if err != nil {
			return 0, err
		}
		for _, v := range r.LnP {
			terms[at] += v
		}
	}
	return rbm.LogSumExp(terms), nil
}

func upTo(n int) []int {
	x := make([]int, n)
	for k := range x {
		x[k] = k
	}
	return x
}

func (c *spikeCase) tree(ctx context.Context, r *Result) error {
	n, k, z, g, m := c.Visible, c.States, c.TopStates, len(c.Patches), len(c.Samples)
	if err := c.checkSizes(k); err != nil {
		return err
	}
	if z < 1 || z > maxUnits || g < 1 || g > n || !(c.TopCoupling > 0) || c.TopCoupling > 100 {
		return fmt.Errorf("%d top states, %d patches, top coupling %v: sizes must be at least 1 and small, the coupling positive", z, g, c.TopCoupling)
	}
	var all []int
	for _, units := range c.Patches {
		all = append(all, units...)
	}
	slices.Sort(all)
	if !slices.Equal(all, upTo(n)) {
		return fmt.Errorf("patches are no partition of %d visible units", n)
	}
	if err := (shapes{{"field", [][]float64{c.Field}, 1, n}, {"feature_field", c.FeatureField, g, k}, {"log_weight", [][]float64{c.LogWeight}, 1, z}, {"synapses", c.Synapses, n, k},
		{"ln_likelihood", [][]float64{c.LnLikelihood}, 1, m}, {"top_posterior", c.TopPosterior, m, z}}).check(); err != nil {
		return err
	}
	if len(c.TopSynapses) != g || len(c.FeaturePosterior) != m {
		return fmt.Errorf("top_synapses of %d groups, feature_posterior of %d samples: not %d and %d", len(c.TopSynapses), len(c.FeaturePosterior), g, m)
	}
	for _, x := range c.TopSynapses {
		if err := shaped("top_synapses", x, k, z); err != nil {
			return err
		}
	}
	for _, x := range c.FeaturePosterior {
		if err := shaped("feature_posterior", x, g, k); err != nil {
			return err
		}
	}
	samples, err := c.spins()
	if err != nil {
		return err
	}
	layer := causes.Layer{Patches: c.Patches, States: k}
	file := &causes.File{Model: causes.TreeModel, Layer: layer, LnWeight: c.LogWeight, Coupling: c.Coupling, Field: c.Field, Synapses: byHidden(c.Synapses), TopCoupling: c.TopCoupling}
	for _, row := range c.FeatureField {
		file.FeatureField = append(file.FeatureField, row...)
	}
	for _, x := range c.TopSynapses {
		for _, row := range x {
			file.TopSynapses = append(file.TopSynapses, row...)
		}
	}
	for _, s := range slices.Concat(file.Synapses, file.TopSynapses) {
		if s != 1 && s != -1 {
			return fmt.Errorf("a synapse is %v, not ±1", s)
		}
	}
	ours, err := file.Machine().Infer(ctx, samples, nil)
	if err != nil {
		return err
	}
	r.record("ln_likelihood", ours.LnP, c.LnLikelihood)
	r.record("posterior", ours.Causes, byHidden(c.TopPosterior))
	var features [][]float64
	for _, x := range c.FeaturePosterior {
		features = append(features, slices.Concat(x...))
	}
	r.record("posterior", ours.States, byHidden(features))
	return nil
}
