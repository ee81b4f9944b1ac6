package verify

import (
	"context"
	"fmt"
	"math"

	"bethe/dual"
	"bethe/evaluate"
	"bethe/rbm"
	"bethe/spin"
	"bethe/variational"
)

// Bounds on the deep machines of an oracle: states of one parity of layers are
// enumerated, and all synapses where a machine has sums over them.
const (
	maxDeepUnits    = 12 // of a parity
	maxDeepSynapses = 12
	maxDeepSamples  = 100
)

// A deepMachine is a machine of oracle-deep.json. Lists by layer begin with layer 0, lists
// by link with that of layers 0 and 1; matrices are lower x upper.
type deepMachine struct {
	Sizes         []int         `json:"sizes"`
	Coupling      []float64     `json:"coupling"`
	Field         [][]float64   `json:"field"`
	Offset        [][]float64   `json:"offset"`
	PosteriorMean [][][]float64 `json:"posterior_mean"`
	PriorMean     [][][]float64 `json:"prior_mean"`
	Synapses      [][][]float64 `json:"synapses"`
	Samples       [][]float64   `json:"samples"`

	LnZ                  float64       `json:"ln_z"`
	Mean                 [][]float64   `json:"mean"`
	Correlation          [][][]float64 `json:"correlation"`
	LnMeanZ              float64       `json:"ln_mean_z"`
	DualCoupling         [][][]float64 `json:"dual_coupling"`
	DualField            [][]float64   `json:"dual_field"`
	DualConstant         float64       `json:"dual_constant"`
	DualMean             [][]float64   `json:"dual_mean"`
	DualCorrelation      [][][]float64 `json:"dual_correlation"`
	DualGradientLambda   [][][]float64 `json:"dual_gradient_lambda"`
	DualGradientCoupling []float64     `json:"dual_gradient_coupling"`
	Recognition          []struct {
		G []float64   `json:"g"`
		W [][]float64 `json:"w"`
	} `json:"recognition"`
	DataBound        []float64     `json:"data_bound"`
	KL               float64       `json:"kl"`
	ELBO             float64       `json:"elbo"`
	GradientLambda   [][][]float64 `json:"gradient_lambda"`
	GradientField    [][]float64   `json:"gradient_field"`
	GradientCoupling []float64     `json:"gradient_coupling"`
	LnLikelihood     []float64     `json:"ln_likelihood"`
	KnownBound       []float64     `json:"known_synapses_bound"`
	KnownBoundExact  []float64     `json:"known_synapses_bound_exact"`

	// Sums over all synapses, of small machines.
	MeanLnZ             *float64  `json:"mean_ln_z"`
	DataExact           []float64 `json:"data_exact"`
	DataBoundExact      []float64 `json:"data_bound_exact"`
	DataBoundExactPlain []float64 `json:"data_bound_exact_plain"`
}

// deepMachines compares the list of machines of an oracle, and adds to results.
func (f *oracle) deepMachines(ctx context.Context, newEngine func(visible, hidden int) dual.Engine[float64], results []Result) ([]Result, error) {
	if err := f.expect('['); err != nil {
		return nil, err
	}
	for f.json.More() {
		f.part.left = maxCase
		var c deepMachine
		if err := f.json.Decode(&c); err != nil {
			return nil, err
		}
		result, err := c.compare(ctx, newEngine)
		if err != nil {
			return nil, &caseError{len(results), result.Case, err}
		}
		results = append(results, result)
		f.part.left = maxCase
	}
	return results, f.expect(']')
}

// check returns an error unless the shapes of the machine fit each other.
func (c *deepMachine) check() error {
	links := len(c.Sizes) - 1
	if links < 1 || links > rbm.MaxLayers || len(c.Samples) < 1 || len(c.Samples) > maxDeepSamples {
		return fmt.Errorf("%d layers and %d samples: there must be 2 to %d and 1 to %d", len(c.Sizes), len(c.Samples), rbm.MaxLayers, maxDeepSamples)
	}
	for l, n := range c.Sizes {
		if n < 1 || n > maxUnits {
			return fmt.Errorf("layer %d has %d units: there must be 1 to %d", l, n, maxUnits)
		}
	}
	f := rbm.Folding(c.Sizes)
	if odd, even := f.Hidden(), f.Visible()-f.Data(); odd > maxDeepUnits || even > maxDeepUnits {
		return fmt.Errorf("layers of %d odd and %d even hidden units: at most %d of each are enumerated", odd, even, maxDeepUnits)
	}
	if len(c.Coupling) != links {
		return fmt.Errorf("%d couplings of %d links", len(c.Coupling), links)
	}
	if c.MeanLnZ != nil && f.Total() > maxDeepSynapses {
		return fmt.Errorf("mean_ln_z of %d synapses: at most %d are enumerated", f.Total(), maxDeepSynapses)
	}
	for _, v := range []struct {
		name string
		x    [][]float64
	}{{"field", c.Field}, {"offset", c.Offset}, {"mean", c.Mean}, {"dual_field", c.DualField}, {"dual_mean", c.DualMean}, {"gradient_field", c.GradientField}} {
		if len(v.x) != links+1 {
			return fmt.Errorf("%s has %d layers, not %d", v.name, len(v.x), links+1)
		}
		for l, x := range v.x {
			if len(x) != c.Sizes[l] {
				return fmt.Errorf("%s has %d numbers for layer %d, not %d", v.name, len(x), l, c.Sizes[l])
			}
		}
	}
	for _, v := range []struct {
		name string
		x    [][][]float64
	}{{"posterior_mean", c.PosteriorMean}, {"prior_mean", c.PriorMean}, {"synapses", c.Synapses}, {"correlation", c.Correlation}, {"dual_coupling", c.DualCoupling},
		{"dual_correlation", c.DualCorrelation}, {"dual_gradient_lambda", c.DualGradientLambda}, {"gradient_lambda", c.GradientLambda}} {
		if len(v.x) != links {
			return fmt.Errorf("%s has %d links, not %d", v.name, len(v.x), links)
		}
		for l, x := range v.x {
			if err := checkMatrix(fmt.Sprintf("%s of link %d", v.name, l+1), x, c.Sizes[l], c.Sizes[l+1]); err != nil {
				return err
			}
		}
	}
	if err := checkMatrix("samples", c.Samples, len(c.Samples), c.Sizes[0]); err != nil {
		return err
	}
	if len(c.DualGradientCoupling) != links || len(c.GradientCoupling) != links || len(c.Recognition) != len(c.Samples) {
		return fmt.Errorf("%d and %d derivatives by couplings, %d recognitions, of %d links and %d samples", len(c.DualGradientCoupling), len(c.GradientCoupling), len(c.Recognition), links, len(c.Samples))
	}
	odd, even := f.Hidden(), f.Visible()-f.Data()
	for a, r := range c.Recognition {
		if len(r.G) != even {
			return fmt.Errorf("recognition %d has %d fields, not %d", a, len(r.G), even)
		}
		if err := checkMatrix(fmt.Sprintf("w of recognition %d", a), r.W, odd, even); err != nil {
			return err
		}
	}
	return nil
}

func checkMatrix(name string, x [][]float64, rows, cols int) error {
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

// fold returns matrices by link as one of the folded machine, hidden x visible.
func (c *deepMachine) fold(links [][][]float64) []float64 {
	f := rbm.Folding(c.Sizes)
	x := make([]float64, f.Visible()*f.Hidden())
	for l, m := range links {
		rbm.SetBlock(f, x, byHidden(m), l)
	}
	return x
}

// foldLayers returns numbers by layer as those of the visible and the hidden units.
func (c *deepMachine) foldLayers(layers [][]float64) (visible, hidden []float64) {
	for l, x := range layers {
		if l%2 == 0 {
			visible = append(visible, x...)
		} else {
			hidden = append(hidden, x...)
		}
	}
	return visible, hidden
}

// joined returns the elements of a folded matrix that belong to links, one link after another.
func (c *deepMachine) joined(x []float64) (out []float64) {
	f := rbm.Folding(c.Sizes)
	for l := range f.Depth() {
		block := make([]float64, f.Synapses(l))
		rbm.Block(f, block, x, l)
		out = append(out, block...)
	}
	return out
}

// model returns the machine that learns, and the one with the drawn synapses.
func (c *deepMachine) model() (*rbm.Model[float64], *rbm.Machine, error) {
	f := rbm.Folding(c.Sizes)
	params := f.NewParams(c.Coupling)
	params.VisibleField, params.HiddenField = c.foldLayers(c.Field)
	params.VisibleOffset, params.HiddenOffset = c.foldLayers(c.Offset)
	if err := params.Validate(); err != nil {
		return nil, nil, err
	}
	q := rbm.NewPosterior[float64](f.Visible(), f.Hidden())
	q.PriorTheta = make([]float64, len(q.Theta))
	for _, v := range []struct {
		name string
		x    [][][]float64
		to   []float64
	}{{"posterior_mean", c.PosteriorMean, q.Theta}, {"prior_mean", c.PriorMean, q.PriorTheta}} {
		for k, l := range c.fold(v.x) {
			if !(math.Abs(l) < 1) {
				return nil, nil, fmt.Errorf("a %s is %v: it must lie between -1 and 1", v.name, l)
			}
			v.to[k] = math.Atanh(l)
		}
	}
	for _, v := range []struct {
		name string
		x    []float64
	}{{"synapses", c.joined(c.fold(c.Synapses))}, {"samples", flat(c.Samples)}} {
		for _, s := range v.x {
			if s != 1 && s != -1 {
				return nil, nil, fmt.Errorf("one of %s is %v, not ±1", v.name, s)
			}
		}
	}
	model := &rbm.Model[float64]{Params: params, Posterior: q}
	signs := spin.FromSigns(f.Hidden(), f.Visible(), c.fold(c.Synapses))
	t := spin.New(f.Visible(), f.Hidden())
	signs.Transpose(t)
	return model, &rbm.Machine{Params: params.Clone(), Synapses: rbm.Binary(t)}, nil
}

func flat(x [][]float64) (out []float64) {
	for _, row := range x {
		out = append(out, row...)
	}
	return out
}

func (c *deepMachine) compare(ctx context.Context, newEngine func(visible, hidden int) dual.Engine[float64]) (Result, error) {
	result := Result{Case: fmt.Sprintf("layers %v", c.Sizes), Errors: map[string]float64{}}
	if err := c.check(); err != nil {
		return result, err
	}
	model, machine, err := c.model()
	if err != nil {
		return result, err
	}
	record := func(quantity string, ours, oracle []float64) {
		e := math.Inf(1)
		if len(ours) == len(oracle) {
			e = relativeError(ours, oracle)
		}
		result.Errors[quantity] = max(result.Errors[quantity], e)
	}
	moments := func(quantity string, m *rbm.Moments[float64], mean [][]float64, correlation [][][]float64) {
		visible, hidden := c.foldLayers(mean)
		record(quantity, m.Visible, visible)
		record(quantity, m.Hidden, hidden)
		record(quantity, c.joined(m.Correlation), c.joined(c.fold(correlation)))
	}
	f := rbm.Folding(c.Sizes)
	n, p, samples := f.Visible(), f.Hidden(), float64(len(c.Samples))

	// The machine at the drawn synapses.
	sums := rbm.NewMoments[float64](n, p)
	lnz, err := rbm.NetworkOf[float64](machine).ExactMoments(ctx, sums)
	if err != nil {
		return result, err
	}
	record("ln_z", []float64{lnz}, []float64{c.LnZ})
	moments("correlation", sums, c.Mean, c.Correlation)

	// The dual network.
	mean := make([]float64, n*p)
	model.Posterior.Mean(mean)
	net := dual.NewNetwork(&model.Params, mean)
	report, err := newEngine(n, p).Moments(ctx, sums, net)
	if err != nil {
		return result, err
	}
	result.Report = report
	record("ln_z", []float64{net.Constant}, []float64{c.DualConstant})
	record("ln_z", c.joined(net.Coupling), c.joined(c.fold(c.DualCoupling)))
	visible, hidden := c.foldLayers(c.DualField)
	record("ln_z", net.VisibleField, visible)
	record("ln_z", net.HiddenField, hidden)
	record("ln_mean_z", []float64{report.LnZ}, []float64{c.LnMeanZ})
	moments("correlation", sums, c.DualMean, c.DualCorrelation)
	term := dual.NewGradient[float64](&model.Params)
	if _, err := dual.Term(ctx, &dual.Annealed[float64]{Engine: newEngine(n, p)}, term, &model.Params, mean); err != nil {
		return result, err
	}
	record("gradient", c.joined(term.Synapse), c.joined(c.fold(c.DualGradientLambda)))
	record("gradient", term.Coupling, c.DualGradientCoupling)

	// The bound and its gradient at the recognitions given.
	layered := variational.NewLayered(&model.Params, mean)
	grad := dual.NewGradient[float64](&model.Params)
	var bounds []float64
	for a, v := range c.Samples {
		bounds = append(bounds, layered.AddGradient(grad, v, variational.Recognised{Field: c.Recognition[a].G, Weight: flat(c.Recognition[a].W)}))
	}
	record("data_term", bounds, c.DataBound)
	kl, elbo := model.Posterior.KL(), -model.Posterior.KL()-samples*report.LnZ
	for _, b := range bounds {
		elbo += b
	}
	record("kl", []float64{kl}, []float64{c.KL})
	record("elbo", []float64{elbo}, []float64{c.ELBO})
	for k := range grad.Synapse {
		grad.Synapse[k] -= samples*term.Synapse[k] + model.Posterior.Theta[k] - model.Posterior.PriorTheta[k]
	}
	for k := range grad.Coupling {
		grad.Coupling[k] -= samples * term.Coupling[k]
	}
	subtract(grad.VisibleField, samples, term.VisibleField)
	subtract(grad.HiddenField, samples, term.HiddenField)
	record("gradient", c.joined(grad.Synapse), c.joined(c.fold(c.GradientLambda)))
	record("gradient", grad.Coupling, c.GradientCoupling)
	visible, hidden = c.foldLayers(c.GradientField)
	record("gradient", grad.VisibleField, visible)
	record("gradient", grad.HiddenField, hidden)

	if err := c.compareKnown(ctx, machine, lnz, record); err != nil {
		return result, err
	}
	if c.MeanLnZ != nil {
		return result, c.compareSums(ctx, model, layered, record)
	}
	return result, nil
}

func subtract(x []float64, scale float64, y []float64) {
	for k, v := range y {
		x[k] -= scale * v
	}
}

// recognitionRounds are those that the oracle's own recognition took.
const recognitionRounds = 200

// compareKnown compares likelihoods and bounds at the drawn synapses.
func (c *deepMachine) compareKnown(ctx context.Context, machine *rbm.Machine, lnz float64, record func(string, []float64, []float64)) error {
	values := make([]float64, machine.Visible()*machine.Hidden())
	for k, v := range rbm.Values(machine.Synapses) {
		values[k] = float64(v)
	}
	layered := variational.NewLayered(&machine.Params, values)
	var likelihoods, known, exact []float64
	for _, v := range c.Samples {
		weight, err := machine.SampleLogWeight(ctx, v)
		if err != nil {
			return err
		}
		likelihoods = append(likelihoods, weight-lnz)
		r := layered.Recognise(v, variational.Aware, recognitionRounds)
		known = append(known, layered.Bound(v, r)-lnz)
		exact = append(exact, exactBound(machine, values, v, r)-lnz)
	}
	record("ln_likelihood", likelihoods, c.LnLikelihood)
	record("ln_likelihood", known, c.KnownBound)
	record("ln_likelihood", exact, c.KnownBoundExact)
	return nil
}

// compareSums compares what has sums over all synapses.
func (c *deepMachine) compareSums(ctx context.Context, model *rbm.Model[float64], layered *variational.Layered, record func(string, []float64, []float64)) error {
	var lnz float64
	data, bound, plain := make([]float64, len(c.Samples)), make([]float64, len(c.Samples)), make([]float64, len(c.Samples))
	var given, mean []variational.Recognised
	for a, v := range c.Samples {
		given = append(given, variational.Recognised{Field: c.Recognition[a].G, Weight: flat(c.Recognition[a].W)})
		mean = append(mean, layered.Recognise(v, variational.Mean, recognitionRounds))
	}
	f := rbm.Folding(c.Sizes)
	lambda := c.joined(c.fold(c.PosteriorMean))
	for s := range 1 << f.Total() {
		if err := ctx.Err(); err != nil {
			return err
		}
		q, xi := 1.0, make([]float64, f.Total())
		for k := range xi {
			xi[k] = float64(2*(s>>k&1) - 1)
			q *= (1 + xi[k]*lambda[k]) / 2
		}
		folded := make([]float64, f.Visible()*f.Hidden())
		for l, at := 0, 0; l < f.Depth(); l++ {
			rbm.SetBlock(f, folded, xi[at:at+f.Synapses(l)], l)
			at += f.Synapses(l)
		}
		signs := spin.New(f.Visible(), f.Hidden())
		spin.FromSigns(f.Hidden(), f.Visible(), folded).Transpose(signs)
		machine := &rbm.Machine{Params: model.Params.Clone(), Synapses: rbm.Binary(signs)}
		z, err := rbm.NetworkOf[float64](machine).LnZ(ctx)
		if err != nil {
			return err
		}
		lnz += q * z
		for a, v := range c.Samples {
			weight, err := machine.SampleLogWeight(ctx, v)
			if err != nil {
				return err
			}
			data[a] += q * weight
			bound[a] += q * exactBound(machine, folded, v, given[a])
			plain[a] += q * exactBound(machine, folded, v, mean[a])
		}
	}
	record("ln_mean_z", []float64{lnz}, []float64{*c.MeanLnZ})
	record("data_term", data, c.DataExact)
	record("data_term", bound, c.DataBoundExact)
	record("data_term", plain, c.DataBoundExactPlain)
	return nil
}

// exactBound is the bound on ln Z~ of a sample at known synapses (hidden x visible),
// without a Gaussian step: the even hidden units are enumerated.
func exactBound(machine *rbm.Machine, synapses, v []float64, r variational.Recognised) (bound float64) {
	net := rbm.NetworkOf[float64](machine)
	n, even := machine.Visible(), len(r.Field)
	field := make([]float64, even)
	for k := range field {
		field[k] = r.Field[k]
		for j := range machine.Hidden() {
			field[k] += r.Weight[j*even+k] * synapses[j*n+len(v)+k]
		}
	}
	states := spin.New(n, 1<<even)
	probability, entropy := make([]float64, 1<<even), make([]float64, 1<<even)
	for s := range 1 << even {
		lnr := 0.0
		for i, x := range v {
			states.Set(i, s, int8(x))
		}
		for k, phi := range field {
			h := float64(2*(s>>k&1) - 1)
			states.Set(len(v)+k, s, int8(h))
			lnr += h*phi - math.Abs(phi) - math.Log1p(math.Exp(-2*math.Abs(phi)))
		}
		probability[s], entropy[s] = math.Exp(lnr), -lnr
	}
	weights := make([]float64, 1<<even)
	net.LogWeights(weights, states)
	for s, w := range weights {
		bound += probability[s] * (w + entropy[s])
	}
	return bound
}

// A stacked machine is one of the two of a stack.
type stacked struct {
	Sizes    []int       `json:"sizes"`
	Coupling float64     `json:"coupling"`
	Field    [][]float64 `json:"field"`
	Offset   [][]float64 `json:"offset"`
	Synapses [][]float64 `json:"synapses"`
}

// machine returns the stacked machine.
func (s *stacked) machine(name string) (*rbm.Machine, error) {
	if len(s.Sizes) != 2 || s.Sizes[0] < 1 || s.Sizes[1] < 1 || max(s.Sizes[0], s.Sizes[1]) > maxUnits || s.Sizes[1] > maxDeepUnits || len(s.Field) != 2 || len(s.Offset) != 2 {
		return nil, fmt.Errorf("%s: a machine of layers %v, %d fields and %d offsets: there must be 2 of each, and layers of at most %d units", name, s.Sizes, len(s.Field), len(s.Offset), maxUnits)
	}
	if err := checkMatrix(name+".synapses", s.Synapses, s.Sizes[0], s.Sizes[1]); err != nil {
		return nil, err
	}
	for _, x := range flat(s.Synapses) {
		if x != 1 && x != -1 {
			return nil, fmt.Errorf("%s: one of synapses is %v, not ±1", name, x)
		}
	}
	params := rbm.NewParams(s.Sizes[0], s.Sizes[1], s.Coupling)
	params.VisibleField, params.HiddenField = s.Field[0], s.Field[1]
	params.VisibleOffset, params.HiddenOffset = s.Offset[0], s.Offset[1]
	if err := params.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &rbm.Machine{Params: params, Synapses: rbm.Binary(spin.FromSigns(s.Sizes[0], s.Sizes[1], flat(s.Synapses)))}, nil
}

// stack compares the stack of an oracle, and adds to results.
func (f *oracle) stack(ctx context.Context, results []Result) ([]Result, error) {
	f.part.left = maxCase
	var c struct {
		Lower        stacked     `json:"lower"`
		Upper        stacked     `json:"upper"`
		Samples      [][]float64 `json:"samples"`
		LnLikelihood []float64   `json:"ln_likelihood"`
		Bound        []float64   `json:"bound"`
	}
	if err := f.json.Decode(&c); err != nil {
		return nil, err
	}
	f.part.left = maxCase
	result := Result{Case: "stack", Errors: map[string]float64{}, Report: dual.Report{Engine: dual.ExactName, Converged: true}}
	err := func() error {
		lower, err := c.Lower.machine("lower")
		if err != nil {
			return err
		}
		upper, err := c.Upper.machine("upper")
		if err != nil {
			return err
		}
		if lower.Hidden() != upper.Visible() {
			return fmt.Errorf("a machine of %d visible units on one of %d hidden ones", upper.Visible(), lower.Hidden())
		}
		if err := checkMatrix("samples", c.Samples, len(c.Samples), lower.Visible()); err != nil {
			return err
		}
		if n := len(c.Samples); n < 1 || n > maxDeepSamples || len(c.LnLikelihood) != n || len(c.Bound) != n {
			return fmt.Errorf("%d samples, %d likelihoods and %d bounds: there must be as many, 1 to %d", n, len(c.LnLikelihood), len(c.Bound), maxDeepSamples)
		}
		for _, x := range flat(c.Samples) {
			if x != 1 && x != -1 {
				return fmt.Errorf("one of samples is %v, not ±1", x)
			}
		}
		samples := spin.FromSigns(len(c.Samples), lower.Visible(), flat(c.Samples))
		across := spin.New(lower.Visible(), len(c.Samples))
		samples.Transpose(across)
		likelihood, bound, err := evaluate.Stack{lower, upper}.Exact(ctx, across)
		if err != nil {
			return err
		}
		result.Errors["ln_likelihood"] = relativeError(likelihood, c.LnLikelihood)
		result.Errors["elbo"] = relativeError(bound, c.Bound)
		return nil
	}()
	if err != nil {
		return nil, &caseError{len(results), "stack", err}
	}
	return append(results, result), nil
}
