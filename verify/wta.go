package verify

import (
	"context"
	"fmt"
	"math"
	"slices"

	"bethe/dual"
	"bethe/rbm"
	"bethe/units"
	"bethe/variational"
)

// wtaCase are the keys of the cases of undirected winner-take-all groups.
type wtaCase struct {
	Offset              []float64   `json:"offset"`
	HiddenOffset        []float64   `json:"hidden_offset"`
	LnZ                 float64     `json:"ln_z"`
	HiddenMean          []float64   `json:"hidden_mean"`
	Correlation         [][]float64 `json:"correlation"`
	LnMeanZ             float64     `json:"ln_mean_z"`
	DualField           []float64   `json:"dual_field"`
	DualHiddenField     []float64   `json:"dual_hidden_field"`
	DualVisibleMean     []float64   `json:"dual_visible_mean"`
	DualHiddenMean      []float64   `json:"dual_hidden_mean"`
	DualCorrelation     [][]float64 `json:"dual_correlation"`
	DataLower           float64     `json:"data_lower"`
	KL                  float64     `json:"kl"`
	GradientField       []float64   `json:"gradient_field"`
	GradientHiddenField []float64   `json:"gradient_hidden_field"`
	GradientCoupling    float64     `json:"gradient_coupling"`
}

// absent is the field of a state that a group of fewer states than the largest does not have:
// its probability is far below what a float64 sees.
const absent = -60

// groupsWork is a case of groups on its way: with states added, so that all have equally many.
type groupsWork struct {
	*spikeCase
	w     *unitsWork
	place []int // of each column of the case among those with states added
}

func (c *spikeCase) wta(ctx context.Context, r *Result, newEngine func(visible, hidden int) dual.Engine[float64]) error {
	h, largest := 0, 0
	for _, k := range c.Groups {
		if k < 1 || k > maxUnits {
			return fmt.Errorf("a group of %d states", k)
		}
		h, largest = h+k, max(largest, k)
	}
	if err := c.checkSizes(h); err != nil {
		return err
	}
	n, m := c.Visible, len(c.Samples)
	one := func(x []float64) [][]float64 { return [][]float64{x} }
	if err := (shapes{{"theta", c.Theta, n, h}, {"prior_theta", c.PriorTheta, n, h}, {"field", one(c.Field), 1, n}, {"hidden_field", one(c.HiddenField), 1, h}, {"offset", one(c.Offset), 1, n},
		{"hidden_offset", one(c.HiddenOffset), 1, h}, {"synapses", c.Synapses, n, h}, {"samples", c.Samples, m, n}, {"visible_mean", one(c.VisibleMean), 1, n}, {"hidden_mean", one(c.HiddenMean), 1, h},
		{"correlation", c.Correlation, n, h}, {"dual_coupling", c.DualCoupling, n, h}, {"dual_field", one(c.DualField), 1, n}, {"dual_hidden_field", one(c.DualHiddenField), 1, h},
		{"dual_visible_mean", one(c.DualVisibleMean), 1, n}, {"dual_hidden_mean", one(c.DualHiddenMean), 1, h}, {"dual_correlation", c.DualCorrelation, n, h}, {"gradient_theta", c.GradientTheta, n, h},
		{"gradient_field", one(c.GradientField), 1, n}, {"gradient_hidden_field", one(c.GradientHiddenField), 1, h}}).check(); err != nil {
		return err
	}
	kind := units.Kind{Word: units.Group, States: largest}
	if largest < 2 || !(kind.LnStates(largest*len(c.Groups)) <= maxUnits*math.Ln2) {
		return fmt.Errorf("%d groups of up to %d states: too few or too many", len(c.Groups), largest)
	}
	g := &groupsWork{spikeCase: c}
	for at, k := range c.Groups {
		for j := range k {
			g.place = append(g.place, at*largest+j)
		}
	}
	of := &unitsCase{Name: c.Name, Visible: "spin", Hidden: "winner", N: n, P: len(c.Groups), K: 1, G: largest, M: m, Coupling: c.Coupling, Samples: c.Samples,
		VisibleField: c.Field, VisibleOffset: c.Offset, HiddenField: g.spread(c.HiddenField, absent), HiddenOffset: g.spread(c.HiddenOffset, 0)}
	for i := range n {
		of.PosteriorMean, of.PriorMean = append(of.PosteriorMean, g.spread(tanhs(c.Theta[i]), 0)), append(of.PriorMean, g.spread(tanhs(c.PriorTheta[i]), 0))
	}
	visible, hidden, err := of.kinds()
	if err != nil {
		return err
	}
	g.w = &unitsWork{unitsCase: of, visible: visible, hidden: hidden, coupling: visible.Scale() * hidden.Scale()}
	if err := g.w.build(); err != nil {
		return err
	}
	if err := g.machine(ctx, r); err != nil {
		return err
	}
	return g.posterior(ctx, r, newEngine)
}

func tanhs(x []float64) []float64 {
	y := make([]float64, len(x))
	for k, v := range x {
		y[k] = math.Tanh(v)
	}
	return y
}

// spread puts the numbers of features at their places. Places of states that were added get other.
func (g *groupsWork) spread(x []float64, other float64) []float64 {
	y := slices.Repeat([]float64{other}, slices.Max(g.Groups)*len(g.Groups))
	for k, at := range g.place {
		y[at] = x[k]
	}
	return y
}

// gather is the inverse of spread. Each element may be a block of several numbers.
func (g *groupsWork) gather(x []float64, block int) []float64 {
	var y []float64
	for _, at := range g.place {
		y = append(y, x[at*block:(at+1)*block]...)
	}
	return y
}

// correlations returns <s h> of features 0 and 1.
func (g *groupsWork) correlations(m *rbm.Moments[float64]) []float64 {
	n := len(m.Visible)
	x := slices.Clone(m.Correlation)
	for k := range x {
		x[k] = (x[k] + m.Visible[k%n]) / 2
	}
	return g.gather(x, n)
}

// machine compares the machine of known synapses.
func (g *groupsWork) machine(ctx context.Context, r *Result) error {
	n, p := g.w.model.Visible(), g.w.model.Hidden()
	signs := slices.Repeat([]float64{1}, n*p)
	for k, v := range byHidden(g.Synapses) {
		signs[g.place[k/n]*n+k%n] = v
	}
	net, moments := rbm.NewNetwork[float64](n, p), rbm.NewMoments[float64](n, p)
	net.SetWeights(&g.w.model.Params, signs)
	lnZ, err := net.ExactMoments(ctx, moments)
	if err != nil {
		return err
	}
	r.record("ln_z", []float64{lnZ + g.w.constant}, []float64{g.LnZ})
	r.record("correlation", moments.Visible, g.VisibleMean)
	r.record("correlation", g.gather(features(moments.Hidden, g.w.hidden), 1), g.HiddenMean)
	r.record("correlation", g.correlations(moments), byHidden(g.Correlation))
	sum := 0.0
	for _, l := range g.w.logWeights(net) {
		sum += l - lnZ - g.w.constant
	}
	r.record("ln_likelihood", []float64{sum}, g.LnLikelihood)
	return nil
}

// posterior compares the dual network, the bound and its gradient.
func (g *groupsWork) posterior(ctx context.Context, r *Result, newEngine func(visible, hidden int) dual.Engine[float64]) error {
	w := g.w
	n, p, m := w.model.Visible(), w.model.Hidden(), float64(w.M)
	net, moments := dual.NewNetwork(&w.model.Params, w.lambda), rbm.NewMoments[float64](n, p)
	report, err := newEngine(n, p).Moments(ctx, moments, net)
	if err != nil {
		return err
	}
	r.record("ln_mean_z", []float64{report.LnZ + w.constant}, []float64{g.LnMeanZ})
	coupling, field, hidden := scaled(net.Coupling, 2), slices.Clone(net.VisibleField), scaled(net.HiddenField, 2)
	for k, v := range net.Coupling {
		field[k%n] -= v
	}
	r.record("ln_mean_z", g.gather(coupling, n), byHidden(g.DualCoupling))
	r.record("ln_mean_z", field, g.DualField)
	r.record("ln_mean_z", g.gather(hidden, 1), g.DualHiddenField)
	r.record("correlation", moments.Visible, g.DualVisibleMean)
	r.record("correlation", g.gather(features(moments.Hidden, w.hidden), 1), g.DualHiddenMean)
	r.record("correlation", g.correlations(moments), byHidden(g.DualCorrelation))
	data, kl := variational.JensenDataTerm(w.model, w.data)*m+m*w.constant, w.model.Posterior.KL()
	r.record("data_term", []float64{data}, []float64{g.DataLower})
	r.record("kl", []float64{kl}, []float64{g.KL})
	r.record("elbo", []float64{data - m*(report.LnZ+w.constant) - kl}, []float64{g.Bound})

	term, grad := &dual.Annealed[float64]{Engine: newEngine(n, p)}, dual.NewGradient[float64](&w.model.Params)
	if _, err := dual.Term(ctx, term, grad, &w.model.Params, w.lambda); err != nil {
		return err
	}
	winners := g.winners()
	gradient, fields, causes, slope := scaled(grad.Synapse, -m), scaled(grad.VisibleField, -m), scaled(features(grad.HiddenField, w.hidden), -m), -m*grad.Coupling[0]/w.coupling
	for a, row := range g.Samples {
		for i, s := range row {
			fields[i] += s
			for mu := range p {
				x := (s - g.Offset[i]) * (winners[mu*w.M+a] - w.HiddenOffset[mu])
				gradient[mu*n+i] += g.Coupling * x
				slope += w.lambda[mu*n+i] * x
			}
		}
		for mu := range p {
			causes[mu] += winners[mu*w.M+a]
		}
	}
	q := w.model.Posterior
	for k, l := range w.lambda {
		gradient[k] = (1 - l*l) * (gradient[k] - q.Theta[k] + q.PriorTheta[k])
	}
	r.record("gradient", g.gather(gradient, n), byHidden(g.GradientTheta))
	r.record("gradient", fields, g.GradientField)
	r.record("gradient", g.gather(causes, 1), g.GradientHiddenField)
	r.record("gradient", []float64{slope}, []float64{g.GradientCoupling})
	return nil
}

// winners returns the softmax of each group at the mean synapses, states x samples.
func (g *groupsWork) winners() []float64 {
	net := rbm.NewNetwork[float64](g.w.model.Visible(), g.w.model.Hidden())
	net.SetWeights(&g.w.model.Params, g.w.lambda)
	means := g.w.hiddenFields(net)
	rbm.SetMeans(means, means, g.w.hidden, g.w.M)
	return features(means, g.w.hidden)
}
