// Package verify holds this build's arithmetic against an oracle: a file of
// small machines with all their sums done by enumeration elsewhere.
package verify

import (
	"context"
	"fmt"
	"math"
	"os"

	"bethe/dual"
	"bethe/rbm"
	"bethe/spin"
	"bethe/units"
	"bethe/variational"
)

// Quantities are the quantities compared, in the order of reports. Each has its own
// limit: the oracle takes gradients by numerical differences.
var Quantities = []string{"ln_z", "correlation", "ln_mean_z", "data_term", "kl", "elbo", "gradient", "ln_likelihood"}

// Limit returns the largest relative error that the exact engine may show in a quantity.
func Limit(quantity string) float64 {
	if quantity == "gradient" {
		return 2e-6
	}
	if limit, own := thermoLimits[quantity]; own {
		return limit
	}
	return 1e-8
}

// An oracleCase is the part of a case that is compared. Matrices are visible x
// hidden; samples are rows.
type oracleCase struct {
	Name          string      `json:"name"`
	N             int         `json:"N"`
	P             int         `json:"P"`
	M             int         `json:"M"`
	Beta          float64     `json:"beta"`
	Coupling      float64     `json:"coupling"`
	VisibleField  []float64   `json:"visible_field"`
	HiddenField   []float64   `json:"hidden_field"`
	VisibleOffset []float64   `json:"visible_offset"`
	HiddenOffset  []float64   `json:"hidden_offset"`
	PosteriorMean [][]float64 `json:"posterior_mean"`
	PriorMean     [][]float64 `json:"prior_mean"`
	Samples       [][]float64 `json:"samples"`
	Dual          struct {
		Constant     float64     `json:"constant"`
		Couplings    [][]float64 `json:"couplings"`
		VisibleField []float64   `json:"visible_field"`
		HiddenField  []float64   `json:"hidden_field"`
		LnZ          float64     `json:"ln_z"`
		VisibleMean  []float64   `json:"visible_mean"`
		HiddenMean   []float64   `json:"hidden_mean"`
		Correlation  [][]float64 `json:"correlation"`
	} `json:"dual"`
	LnMeanZ          float64 `json:"ln_mean_z"`
	DataTermGaussian float64 `json:"data_term_gaussian"`
	KL               float64 `json:"kl"`
	ELBO             float64 `json:"elbo"`
	Gradient         struct {
		PosteriorMean [][]float64 `json:"posterior_mean"`
		VisibleField  []float64   `json:"visible_field"`
		HiddenField   []float64   `json:"hidden_field"`
		Coupling      float64     `json:"coupling"`
	} `json:"gradient"`
	LnLikelihoodAtSign float64       `json:"ln_likelihood_at_sign"`
	Enumerated         *overSynapses `json:"over_synapses"`
}

// overSynapses are sums over all configurations of the synapses.
type overSynapses struct {
	MeanLnZ    float64 `json:"mean_ln_z"` // E_q ln Z
	DataTerm   float64 `json:"data_term"` // E_q of the data term, exactly
	LnMeanZ    float64 `json:"ln_mean_z"` // ln E_q Z
	LnEvidence float64 `json:"ln_evidence_uniform_prior"`
}

// A Result is the comparison of one case: the largest of
// |ours - oracle| / max(1, max |oracle|) over each array of a quantity.
type Result struct {
	Case   string             `json:"case"`
	Errors map[string]float64 `json:"max_relative_error"`
	Report dual.Report        `json:"-"`
}

// Read compares every case of an oracle file at the given path with this
// build, in float64, the moments by engines that newEngine makes, one for each
// use. Errors name the file and the case.
func Read(ctx context.Context, path string, newEngine func(visible, hidden int) dual.Engine[float64]) ([]Result, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	results, err := Compare(ctx, f, newEngine)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return results, nil
}

// check returns an error unless the shapes of the case fit each other.
func (c *oracleCase) check() error {
	n, p := len(c.VisibleField), len(c.HiddenField)
	if n == 0 || p == 0 || min(n, p) > maxUnits || len(c.Samples) == 0 {
		return fmt.Errorf("%d visible units, %d hidden units, %d samples: each must be at least 1, the smaller layer at most %d", n, p, len(c.Samples), maxUnits)
	}
	switch j := c.Beta / math.Sqrt(float64(n)); {
	case c.N != n || c.P != p || c.M != len(c.Samples):
		return fmt.Errorf("case sizes N, P, M are %d, %d, %d but the arrays are of %d visible units, %d hidden units, %d samples", c.N, c.P, c.M, n, p, len(c.Samples))
	case !(math.Abs(c.Coupling-j) <= 1e-12*math.Abs(j)):
		return fmt.Errorf("coupling is %v, not beta/sqrt(N) = %v", c.Coupling, j)
	case c.Enumerated != nil && n*p > maxSynapses:
		return fmt.Errorf("over_synapses of %d synapses: at most %d are enumerated", n*p, maxSynapses)
	}
	for _, m := range []struct {
		name       string
		x          [][]float64
		rows, cols int
	}{
		{"posterior_mean", c.PosteriorMean, n, p}, {"prior_mean", c.PriorMean, n, p}, {"samples", c.Samples, len(c.Samples), n},
		{"dual.couplings", c.Dual.Couplings, n, p}, {"dual.correlation", c.Dual.Correlation, n, p},
		{"dual.visible_field", [][]float64{c.Dual.VisibleField}, 1, n}, {"dual.hidden_field", [][]float64{c.Dual.HiddenField}, 1, p},
		{"dual.visible_mean", [][]float64{c.Dual.VisibleMean}, 1, n}, {"dual.hidden_mean", [][]float64{c.Dual.HiddenMean}, 1, p},
		{"gradient.posterior_mean", c.Gradient.PosteriorMean, n, p},
		{"gradient.visible_field", [][]float64{c.Gradient.VisibleField}, 1, n}, {"gradient.hidden_field", [][]float64{c.Gradient.HiddenField}, 1, p},
	} {
		if len(m.x) != m.rows {
			return fmt.Errorf("%s has %d rows, not %d", m.name, len(m.x), m.rows)
		}
		for _, row := range m.x {
			if len(row) != m.cols {
				return fmt.Errorf("%s has a row of %d numbers, not %d", m.name, len(row), m.cols)
			}
		}
	}
	return nil
}

func (c *oracleCase) model() (*rbm.Model[float64], *spin.Matrix, error) {
	n, p := len(c.VisibleField), len(c.HiddenField)
	q := rbm.NewPosterior[float64](n, p)
	q.PriorTheta = make([]float64, n*p)
	for i := range n {
		for mu := range p {
			for name, v := range map[string]float64{"posterior_mean": c.PosteriorMean[i][mu], "prior_mean": c.PriorMean[i][mu]} {
				if !(math.Abs(v) < 1) {
					return nil, nil, fmt.Errorf("%s[%d][%d] is %v: it must lie between -1 and 1", name, i, mu, v)
				}
			}
			q.Theta[mu*n+i] = math.Atanh(c.PosteriorMean[i][mu])
			q.PriorTheta[mu*n+i] = math.Atanh(c.PriorMean[i][mu])
		}
	}
	samples := spin.New(n, len(c.Samples))
	for a, row := range c.Samples {
		for i, s := range row {
			if s != 1 && s != -1 {
				return nil, nil, fmt.Errorf("samples[%d][%d] is %v, not ±1", a, i, s)
			}
			samples.Set(i, a, int8(s))
		}
	}
	params := rbm.NewParams(n, p, c.Coupling)
	params.VisibleField, params.HiddenField = c.VisibleField, c.HiddenField
	params.VisibleOffset, params.HiddenOffset = c.VisibleOffset, c.HiddenOffset
	model := &rbm.Model[float64]{Posterior: q, Params: params}
	return model, samples, model.Validate()
}

func (c *oracleCase) compare(ctx context.Context, newEngine func(visible, hidden int) dual.Engine[float64]) (Result, error) {
	if err := c.check(); err != nil {
		return Result{}, err
	}
	model, samples, err := c.model()
	if err != nil {
		return Result{}, err
	}
	n, p, m := model.Visible(), model.Hidden(), float64(samples.Cols())
	result := Result{Case: c.Name, Errors: map[string]float64{}}
	record := func(quantity string, ours, oracle []float64) {
		result.Errors[quantity] = max(result.Errors[quantity], relativeError(ours, oracle))
	}

	mean := make([]float64, n*p)
	model.Posterior.Mean(mean)
	net := dual.NewNetwork(&model.Params, mean)
	moments := rbm.NewMoments[float64](n, p)
	report, err := newEngine(n, p).Moments(ctx, moments, net)
	if err != nil {
		return Result{}, err
	}
	result.Report = report
	record("ln_z", []float64{report.LnZ - net.Constant}, []float64{c.Dual.LnZ})
	record("ln_z", []float64{net.Constant}, []float64{c.Dual.Constant})
	record("ln_z", net.Coupling, byHidden(c.Dual.Couplings))
	record("ln_z", net.VisibleField, c.Dual.VisibleField)
	record("ln_z", net.HiddenField, c.Dual.HiddenField)
	record("correlation", moments.Correlation, byHidden(c.Dual.Correlation))
	record("correlation", moments.Visible, c.Dual.VisibleMean)
	record("correlation", moments.Hidden, c.Dual.HiddenMean)
	record("ln_mean_z", []float64{report.LnZ}, []float64{c.LnMeanZ})

	data := units.NewSpins[float64](samples)
	objective := &variational.Objective[float64]{
		Partition: &dual.Annealed[float64]{Engine: newEngine(n, p)},
		Hidden:    variational.NewQuadrature[float64](201), Samples: samples.Cols(),
	}
	terms, _, err := objective.Terms(ctx, model, data)
	if err != nil {
		return Result{}, err
	}
	record("data_term", []float64{terms.Data * m}, []float64{c.DataTermGaussian})
	record("kl", []float64{terms.KL * m}, []float64{c.KL})
	record("elbo", []float64{terms.Bound() * m}, []float64{c.ELBO})
	grad := dual.NewGradient[float64](&model.Params)
	if _, err := objective.Gradient(ctx, grad, model, data); err != nil {
		return Result{}, err
	}
	record("gradient", scaled(grad.Synapse, m), byHidden(c.Gradient.PosteriorMean))
	record("gradient", scaled(grad.VisibleField, m), c.Gradient.VisibleField)
	record("gradient", scaled(grad.HiddenField, m), c.Gradient.HiddenField)
	record("gradient", []float64{grad.Coupling[0] * m}, []float64{c.Gradient.Coupling})

	machine := model.Machine()
	lnz, err := machine.LnZ(ctx)
	if err != nil {
		return Result{}, err
	}
	likelihood := -m * lnz
	for _, f := range machine.FreeEnergy(samples) {
		likelihood -= f
	}
	record("ln_likelihood", []float64{likelihood}, []float64{c.LnLikelihoodAtSign})

	if o := c.Enumerated; o != nil {
		ours, err := enumerateSynapses(ctx, model, samples)
		if err != nil {
			return Result{}, err
		}
		record("ln_z", []float64{ours.MeanLnZ}, []float64{o.MeanLnZ})
		record("data_term", []float64{ours.DataTerm}, []float64{o.DataTerm})
		record("ln_mean_z", []float64{ours.LnMeanZ}, []float64{o.LnMeanZ})
		record("ln_likelihood", []float64{ours.LnEvidence}, []float64{o.LnEvidence})
	}
	return result, nil
}

// enumerateSynapses sums over all 2^(NP) machines.
func enumerateSynapses(ctx context.Context, model *rbm.Model[float64], samples *spin.Matrix) (overSynapses, error) {
	n, p, m := model.Visible(), model.Hidden(), float64(samples.Cols())
	var sums overSynapses
	synapses := spin.New(n, p)
	machine := &rbm.Machine{Params: model.Params, Synapses: rbm.Binary(synapses)}
	lnWeights, lnLikelihoods := make([]float64, 1<<(n*p)), make([]float64, 1<<(n*p))
	for k := range lnWeights {
		lnq := 0.0
		for mu := range p {
			for i := range n {
				s := 1 - 2*int8(k>>(mu*n+i)&1)
				synapses.Set(i, mu, s)
				lnq += math.Log((1 + float64(s)*math.Tanh(model.Posterior.Theta[mu*n+i])) / 2)
			}
		}
		lnz, err := machine.LnZ(ctx)
		if err != nil {
			return sums, err
		}
		data := 0.0
		for _, f := range machine.FreeEnergy(samples) {
			data -= f
		}
		sums.MeanLnZ += math.Exp(lnq) * lnz
		sums.DataTerm += math.Exp(lnq) * data
		lnWeights[k], lnLikelihoods[k] = lnq+lnz, data-m*lnz
	}
	sums.LnMeanZ = rbm.LogSumExp(lnWeights)
	sums.LnEvidence = rbm.LogSumExp(lnLikelihoods) - float64(n*p)*math.Ln2
	return sums, nil
}

// byHidden flattens a visible x hidden matrix to hidden x visible.
func byHidden(x [][]float64) []float64 {
	var flat []float64
	for mu := range x[0] {
		for i := range x {
			flat = append(flat, x[i][mu])
		}
	}
	return flat
}

func scaled(x []float64, by float64) []float64 {
	y := make([]float64, len(x))
	for k, v := range x {
		y[k] = by * v
	}
	return y
}

// relativeError returns max |x - y| / max(1, max |y|); NaN counts as infinite.
func relativeError(x, y []float64) float64 {
	top, worst := 1.0, 0.0
	for _, v := range y {
		top = max(top, math.Abs(v))
	}
	for k, v := range y {
		d := math.Abs(x[k] - v)
		if math.IsNaN(d) {
			d = math.Inf(1)
		}
		worst = max(worst, d)
	}
	return worst / top
}
