package gausstest_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"testing"

	"bethe/dual"
	"bethe/internal/gausstest"
	"bethe/rbm"
	"bethe/units"
	"bethe/variational"
)

// oracleCase is a machine of oracle-units.json: matrices are visible x hidden, samples are rows.
type oracleCase struct {
	Name, Visible, Hidden string
	Coupling              float64
	PosteriorMean         [][]float64 `json:"posterior_mean"`
	PriorMean             [][]float64 `json:"prior_mean"`
	HiddenField           []float64   `json:"hidden_field"`
	HiddenOffset          []float64   `json:"hidden_offset"`
	Samples               [][]float64
	Mean                  []float64
	LnSigma               []float64 `json:"ln_sigma"`
	Dual                  struct {
		LnMeanZ float64 `json:"ln_mean_z"`
		X, Y    []float64
		Synapse [][]float64
		DJ      float64 `json:"dJ"`
	}
	FieldMean     [][]float64 `json:"field_mean"`
	FieldVariance [][]float64 `json:"field_variance"`
	DataTerm      float64     `json:"data_term_gaussian"`
	KL            float64
	Bound         float64 `json:"bound_gaussian"`
	Gradient      struct {
		PosteriorMean [][]float64 `json:"posterior_mean"`
		Coupling      float64
		HiddenField   []float64 `json:"hidden_field"`
		Mean          []float64
		LnSigma       []float64 `json:"ln_sigma"`
	}
}

// byHidden returns a matrix of the oracle, visible x hidden, as we have it.
func byHidden(x [][]float64, of func(float64) float64) []float64 {
	n, p := len(x), len(x[0])
	y := make([]float64, n*p)
	for i, row := range x {
		for mu, v := range row {
			y[mu*n+i] = of(v)
		}
	}
	return y
}

func same(v float64) float64 { return v }

// model returns the machine and its samples.
func (c *oracleCase) model() (*rbm.Model[float64], *gausstest.Samples[float64]) {
	n, p, m := len(c.Mean), len(c.HiddenField), len(c.Samples)
	model := &rbm.Model[float64]{Params: rbm.NewParams(n, p, c.Coupling), Posterior: rbm.NewPosterior[float64](n, p)}
	copy(model.HiddenField, c.HiddenField)
	copy(model.HiddenOffset, c.HiddenOffset)
	model.VisibleOwn = append(append([]float64{}, c.LnSigma...), c.Mean...)
	model.Posterior.Theta = byHidden(c.PosteriorMean, math.Atanh)
	model.Posterior.PriorTheta = byHidden(c.PriorMean, math.Atanh)
	v := make([]float64, n*m)
	for a, row := range c.Samples {
		for i, x := range row {
			v[i*m+a] = x
		}
	}
	return model, gausstest.NewSamples(n, v)
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*max(1, math.Abs(want))) {
		t.Errorf("%s is %.15g, not %.15g: off by %.3g", what, got, want, math.Abs(got-want))
	}
}

func nearAll(t *testing.T, what string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d numbers, not %d", what, len(got), len(want))
		return
	}
	for k, v := range want {
		near(t, what, got[k], v, tolerance)
	}
}

// Bounds to 1e-8, gradients to 2e-6. The averages are those of 401 Gauss-Hermite nodes.
func TestObjectiveAgainstOracle(t *testing.T) {
	for _, file := range []string{"testdata/oracle-units.json", "testdata/oracle-units-2.json"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var oracle struct{ Cases []oracleCase }
		if err := json.Unmarshal(text, &oracle); err != nil {
			t.Fatal(err)
		}
		count := 0
		for _, c := range oracle.Cases {
			if c.Visible == units.Gauss && c.Hidden == units.Spin {
				count++
				t.Run(c.Name, c.check)
			}
		}
		if count != 5 {
			t.Errorf("%s: %d machines of Gaussian units and spins, not 5", file, count)
		}
	}
}

func (c *oracleCase) check(t *testing.T) {
	model, samples := c.model()
	m := float64(samples.Len())
	objective := &variational.Objective[float64]{Partition: gausstest.Partition[float64]{}, Hidden: variational.NewQuadrature[float64](401), Samples: samples.Len()}
	terms, report, err := objective.Terms(context.Background(), model, samples)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "ln E_q Z", report.LnZ, c.Dual.LnMeanZ, 1e-8)
	near(t, "data term", terms.Data*m, c.DataTerm, 1e-8)
	near(t, "divergence", terms.KL*m, c.KL, 1e-8)
	near(t, "bound", terms.Bound()*m, c.Bound, 1e-8)

	grad := dual.NewGradient[float64](&model.Params)
	mean := byHidden(c.PosteriorMean, same)
	if _, err := dual.Term(context.Background(), dual.Partition[float64](gausstest.Partition[float64]{}), grad, &model.Params, mean); err != nil {
		t.Fatal(err)
	}
	nearAll(t, "<u>", grad.VisibleField, c.Dual.X, 2e-6)
	nearAll(t, "<h>", grad.HiddenField, c.Dual.Y, 2e-6)
	near(t, "d ln E_q Z / dJ", grad.Coupling[0], c.Dual.DJ, 2e-6)
	synapse := make([]float64, len(mean)) // <xi> = lambda + (1 - lambda^2) d ln E_q Z / d lambda
	for k, lambda := range mean {
		synapse[k] = lambda + (1-lambda*lambda)*grad.Synapse[k]
	}
	nearAll(t, "<xi>", synapse, byHidden(c.Dual.Synapse, same), 2e-6)

	if len(c.Gradient.Mean) == 0 {
		return // synapses are known, and the oracle has no gradient
	}
	if _, err := objective.Gradient(context.Background(), grad, model, samples); err != nil {
		t.Fatal(err)
	}
	times := func(x []float64) []float64 {
		y := make([]float64, len(x))
		for k, v := range x {
			y[k] = v * m
		}
		return y
	}
	nearAll(t, "gradient by posterior means", times(grad.Synapse), byHidden(c.Gradient.PosteriorMean, same), 2e-6)
	nearAll(t, "gradient by hidden fields", times(grad.HiddenField), c.Gradient.HiddenField, 2e-6)
	near(t, "gradient by the coupling", grad.Coupling[0]*m, c.Gradient.Coupling, 2e-6)
	n := len(c.Mean)
	nearAll(t, "gradient by ln sigma", times(grad.VisibleOwn[:n]), c.Gradient.LnSigma, 2e-6)
	nearAll(t, "gradient by means", times(grad.VisibleOwn[n:]), c.Gradient.Mean, 2e-6)
	c.fields(t, model, samples)
}

// fields holds means and variances of fields, without c.
func (c *oracleCase) fields(t *testing.T, model *rbm.Model[float64], samples *gausstest.Samples[float64]) {
	p, m := model.Hidden(), samples.Len()
	w := &units.Block[float64]{Rows: p, First: make([]float64, p*m), Second: make([]float64, p*m)}
	l := &units.Link[float64]{Mean: byHidden(c.PosteriorMean, same), Coupling: c.Coupling, Offset: model.VisibleOffset}
	samples.Prepare(model.VisibleOwn, false)
	samples.Fields(w, l)
	mean, variance := make([]float64, m), make([]float64, m)
	for mu := range p {
		samples.Field(w, l, mu, mean, variance, 0)
		for a := range m {
			near(t, "mean of a field", mean[a], c.FieldMean[a][mu], 1e-8)
			near(t, "variance of a field", variance[a], c.FieldVariance[a][mu], 1e-8)
		}
	}
}
