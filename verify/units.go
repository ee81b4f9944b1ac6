package verify

import (
	"context"
	"errors"
	"fmt"
	"math"

	"bethe/dual"
	"bethe/rbm"
	"bethe/spin"
	"bethe/units"
	"bethe/variational"
)

// A unitsCase is a machine of units of any kinds, with features 0 and 1 of one-hot units.
// Matrices are visible x hidden features; samples are rows.
type unitsCase struct {
	Name          string      `json:"name"`
	Visible       string      `json:"visible"` // spin, potts or gauss
	Hidden        string      `json:"hidden"`  // spin, winner, winner_or_none or gauss
	N             int         `json:"N"`       // units
	P             int         `json:"P"`
	K             int         `json:"K"` // features of a visible unit
	G             int         `json:"G"` // of a hidden one
	M             int         `json:"M"`
	Coupling      float64     `json:"coupling"`
	PosteriorMean [][]float64 `json:"posterior_mean"`
	PriorMean     [][]float64 `json:"prior_mean"`
	VisibleField  []float64   `json:"visible_field"`
	HiddenField   []float64   `json:"hidden_field"`
	VisibleOffset []float64   `json:"visible_offset"`
	HiddenOffset  []float64   `json:"hidden_offset"`
	Samples       [][]float64 `json:"samples"`
	Mean          []float64   `json:"mean"`
	LnSigma       []float64   `json:"ln_sigma"`
	Fixed         struct {
		LnZ                float64     `json:"ln_z"`
		LnLikelihood       []float64   `json:"ln_likelihood"`
		HiddenGivenSamples [][]float64 `json:"hidden_given_samples"`
		HiddenStates       [][]float64 `json:"hidden_states"`
		VisibleGivenHidden [][]float64 `json:"visible_given_hidden"`
	} `json:"fixed"`
	Dual struct {
		LnMeanZ float64     `json:"ln_mean_z"`
		X       []float64   `json:"x"`
		X2      []float64   `json:"x2"`
		Y       []float64   `json:"y"`
		Synapse [][]float64 `json:"synapse"`
		DJ      float64     `json:"dJ"`
	} `json:"dual"`
	FieldMean          [][]float64 `json:"field_mean"`
	FieldVariance      [][]float64 `json:"field_variance"`
	DataGaussian       float64     `json:"data_term_gaussian"`
	DataJensen         float64     `json:"data_term_jensen"`
	DataCharacteristic *float64    `json:"data_term_characteristic"`
	KL                 float64     `json:"kl"`
	Bound              float64     `json:"bound_gaussian"`
	Gradient           struct {
		PosteriorMean [][]float64 `json:"posterior_mean"`
		Coupling      *float64    `json:"coupling"`
		HiddenField   []float64   `json:"hidden_field"`
		VisibleField  []float64   `json:"visible_field"`
		Mean          []float64   `json:"mean"`
		LnSigma       []float64   `json:"ln_sigma"`
	} `json:"gradient"`
	Enumerated *struct {
		DataTerm    float64 `json:"data_term"`
		MeanLnZ     float64 `json:"mean_ln_z"`
		LnMeanZ     float64 `json:"ln_mean_z"`
		LnEvidence  float64 `json:"ln_evidence"`
		BoundExact  float64 `json:"bound_exact"`
		BoundJensen float64 `json:"bound_jensen"`
	} `json:"over_synapses"`
	Missing *missingCase `json:"missing"`
}

// kinds returns those of the layers.
func (c *unitsCase) kinds() (visible, hidden units.Kind, err error) {
	switch c.Visible {
	case units.Spin:
	case units.Gauss:
		visible.Word = units.Gauss
	case units.Potts:
		visible = units.Kind{Word: units.Potts, States: c.K}
	default:
		return visible, hidden, fmt.Errorf("visible units of the kind %q are not known: they are spin, potts or gauss", c.Visible)
	}
	switch c.Hidden {
	case units.Spin:
	case units.Gauss:
		hidden.Word = units.Gauss
	case "winner", "winner_or_none":
		hidden = units.Kind{Word: units.Group, States: c.G, None: c.Hidden != "winner"}
	default:
		return visible, hidden, fmt.Errorf("hidden units of the kind %q are not known: they are spin, winner, winner_or_none or gauss", c.Hidden)
	}
	return visible, hidden, units.CheckPair(visible, hidden)
}

// check returns an error unless the shapes of the case fit each other.
func (c *unitsCase) check(visible, hidden units.Kind) error {
	f, h, m := c.N*c.K, c.P*c.G, len(c.Samples)
	switch {
	case c.N < 1 || c.P < 1 || c.K < 1 || c.G < 1 || c.N > maxCase || c.P > maxCase || c.K > units.MaxStates || c.G > units.MaxStates:
		return fmt.Errorf("sizes N, P, K, G are %d, %d, %d, %d: each must be at least 1", c.N, c.P, c.K, c.G)
	case visible.Features() != c.K || hidden.Features() != c.G:
		return fmt.Errorf("sizes K, G are %d, %d for units of %s and %s", c.K, c.G, visible, hidden)
	case m < 1 || m != c.M:
		return fmt.Errorf("size M is %d and there are %d samples", c.M, m)
	case !(c.Coupling > 0) || math.IsInf(c.Coupling, 0):
		return fmt.Errorf("coupling is %v", c.Coupling)
	case c.Enumerated != nil && f*h > maxSynapses:
		return fmt.Errorf("over_synapses of %d synapses: at most %d are enumerated", f*h, maxSynapses)
	case !(states(visible, f) <= maxUnits*math.Ln2) && !(states(hidden, h) <= maxUnits*math.Ln2):
		return fmt.Errorf("each layer has more than 2^%d states, which are enumerated", maxUnits)
	}
	type array struct {
		name       string
		x          [][]float64
		rows, cols int
	}
	one := func(name string, x []float64, n int) array { return array{name, [][]float64{x}, 1, n} }
	arrays := []array{
		{"posterior_mean", c.PosteriorMean, f, h}, {"prior_mean", c.PriorMean, f, h}, {"samples", c.Samples, m, f},
		one("visible_field", c.VisibleField, f), one("hidden_field", c.HiddenField, h), one("visible_offset", c.VisibleOffset, f), one("hidden_offset", c.HiddenOffset, h),
		one("fixed.ln_likelihood", c.Fixed.LnLikelihood, m), {"fixed.hidden_given_samples", c.Fixed.HiddenGivenSamples, m, h},
		{"fixed.hidden_states", c.Fixed.HiddenStates, len(c.Fixed.VisibleGivenHidden), h}, {"fixed.visible_given_hidden", c.Fixed.VisibleGivenHidden, len(c.Fixed.HiddenStates), f},
		one("dual.x", c.Dual.X, f), one("dual.x2", c.Dual.X2, f), one("dual.y", c.Dual.Y, h), {"dual.synapse", c.Dual.Synapse, f, h},
		{"field_mean", c.FieldMean, m, h}, {"field_variance", c.FieldVariance, m, h},
	}
	if !visible.Bits() {
		arrays = append(arrays, one("mean", c.Mean, f), one("ln_sigma", c.LnSigma, f))
	}
	if c.Gradient.Coupling != nil {
		arrays = append(arrays, array{"gradient.posterior_mean", c.Gradient.PosteriorMean, f, h})
		if hidden.Bits() {
			arrays = append(arrays, one("gradient.hidden_field", c.Gradient.HiddenField, h))
		}
		if visible.Bits() {
			arrays = append(arrays, one("gradient.visible_field", c.Gradient.VisibleField, f))
		} else {
			arrays = append(arrays, one("gradient.mean", c.Gradient.Mean, f), one("gradient.ln_sigma", c.Gradient.LnSigma, f))
		}
	}
	if c.Missing != nil {
		if visible != (units.Kind{}) || c.Enumerated == nil {
			return errors.New("missing: such a case is one of visible spins, whose synapses are enumerated")
		}
		arrays = append(arrays, array{"missing.seen", c.Missing.Seen, m, f}, array{"missing.mean_field", c.Missing.MeanField, m, f})
	}
	for _, a := range arrays {
		if len(a.x) != a.rows {
			return fmt.Errorf("%s has %d rows, not %d", a.name, len(a.x), a.rows)
		}
		for _, row := range a.x {
			if len(row) != a.cols {
				return fmt.Errorf("%s has a row of %d numbers, not %d", a.name, len(row), a.cols)
			}
			for _, v := range row {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					return fmt.Errorf("%s has the number %v", a.name, v)
				}
			}
		}
	}
	return nil
}

// states returns ln of the number of states of a layer, infinite if it is Gaussian.
func states(kind units.Kind, features int) float64 {
	if !kind.Bits() {
		return math.Inf(1)
	}
	return kind.LnStates(features)
}

// held returns fields and offsets of features as spins hold them.
func held(field, offset []float64, kind units.Kind) (fields, offsets []float64) {
	fields, offsets = make([]float64, len(field)), make([]float64, len(field))
	for k, b := range field {
		fields[k], offsets[k] = b/kind.Scale(), offset[k]
		if kind.OneHot() {
			offsets[k] = 2*offset[k] - 1
		}
	}
	return fields, offsets
}

// features returns the means of features, given those of the spins that hold them.
func features(means []float64, kind units.Kind) []float64 {
	out := make([]float64, len(means))
	for k, v := range means {
		out[k] = v
		if kind.OneHot() {
			out[k] = (v + 1) / 2
		}
	}
	return out
}

// unitsWork is a case on its way.
type unitsWork struct {
	*unitsCase
	visible, hidden units.Kind
	model           *rbm.Model[float64]
	lambda          []float64 // hidden x visible
	data            units.Data[float64]
	valued          units.Valued // data
	constant        float64      // what fields of features 0 and 1 add to the log-weights
	density         float64      // -sum ln sigma
	result          Result
	coupling        float64 // what derivatives by the coupling are divided by
}

func (c *unitsCase) compare(ctx context.Context, newEngine func(visible, hidden int) dual.Engine[float64]) (Result, error) {
	visible, hidden, err := c.kinds()
	if err != nil {
		return Result{}, err
	}
	if err := c.check(visible, hidden); err != nil {
		return Result{}, err
	}
	w := &unitsWork{unitsCase: c, visible: visible, hidden: hidden, result: Result{Case: c.Name, Errors: map[string]float64{}}, coupling: visible.Scale() * hidden.Scale()}
	if err := w.build(); err != nil {
		return Result{}, err
	}
	for _, part := range []func(context.Context, func(visible, hidden int) dual.Engine[float64]) error{w.annealed, w.fields, w.fixed, w.overSynapses, w.incomplete} {
		if err := part(ctx, newEngine); err != nil {
			return Result{}, err
		}
	}
	return w.result, nil
}

func (w *unitsWork) record(quantity string, ours, oracle []float64) {
	w.result.Errors[quantity] = max(w.result.Errors[quantity], relativeError(ours, oracle))
}

// build makes the model and the samples.
func (w *unitsWork) build() error {
	f, h := w.N*w.K, w.P*w.G
	params := rbm.NewParams(f, h, w.Coupling/w.coupling)
	params.VisibleKind, params.HiddenKind = w.visible, w.hidden
	params.VisibleField, params.VisibleOffset = held(w.VisibleField, w.VisibleOffset, w.visible)
	params.HiddenField, params.HiddenOffset = held(w.HiddenField, w.HiddenOffset, w.hidden)
	for _, x := range []struct {
		fields []float64
		kind   units.Kind
	}{{params.VisibleField, w.visible}, {params.HiddenField, w.hidden}} {
		if x.kind.OneHot() {
			for _, b := range x.fields {
				w.constant += b
			}
		}
	}
	q := rbm.NewPosterior[float64](f, h)
	q.PriorTheta = make([]float64, f*h)
	w.lambda = byHidden(w.PosteriorMean)
	for k, v := range byHidden(w.PriorMean) {
		if !(math.Abs(v) < 1 && math.Abs(w.lambda[k]) < 1) {
			return fmt.Errorf("a posterior mean of %v with a prior mean of %v: both must lie between -1 and 1", w.lambda[k], v)
		}
		q.Theta[k], q.PriorTheta[k] = math.Atanh(w.lambda[k]), math.Atanh(v)
	}
	w.model = &rbm.Model[float64]{Params: params, Posterior: q}
	if !w.visible.Bits() {
		w.model.VisibleOwn = append(append([]float64{}, w.LnSigma...), w.Mean...)
		for _, v := range w.LnSigma {
			w.density -= v
		}
		v := units.NewReals[float64](f, w.M)
		for a, row := range w.Samples {
			for i, x := range row {
				v.Row(i)[a] = x
			}
		}
		gauss := units.NewGauss(v)
		w.data, w.valued = gauss, gauss
	} else {
		s, err := bitsOf(w.Samples, w.visible, "samples")
		if err != nil {
			return err
		}
		w.setBits(s)
	}
	w.data.Prepare(w.model.VisibleOwn, false)
	return w.model.Validate()
}

// setBits sets the samples, features x samples.
func (w *unitsWork) setBits(s *spin.Matrix) {
	bits := units.NewFeatures[float64](s, w.visible)
	w.data, w.valued = bits, bits
}

// bitsOf returns rows of features as the columns of a matrix of the spins that hold them.
func bitsOf(rows [][]float64, kind units.Kind, name string) (*spin.Matrix, error) {
	s := spin.New(len(rows[0]), len(rows))
	for a, row := range rows {
		for i, x := range row {
			if kind.OneHot() {
				x = 2*x - 1
			}
			if x != 1 && x != -1 {
				return nil, fmt.Errorf("%s[%d][%d] is no feature of %s units", name, a, i, kind)
			}
			s.Set(i, a, int8(x))
		}
	}
	if kind.OneHot() {
		if unit, a, ok := s.OneHot(kind.States, kind.None); !ok {
			return nil, fmt.Errorf("%s[%d]: unit %d has more or fewer features on than %s units have", name, a, unit, kind)
		}
	}
	return s, nil
}

// annealed compares the dual network, the bound and its gradient.
func (w *unitsWork) annealed(ctx context.Context, newEngine func(visible, hidden int) dual.Engine[float64]) error {
	c, m := w.unitsCase, float64(w.M)
	n, p := w.model.Visible(), w.model.Hidden()
	var term dual.Partition[float64] = dual.Gauss[float64]{}
	if w.visible.Bits() && w.hidden.Bits() {
		term = &dual.Annealed[float64]{Engine: newEngine(n, p)}
	}
	grad := dual.NewGradient[float64](&w.model.Params)
	report, err := dual.Term(ctx, term, grad, &w.model.Params, w.lambda)
	if err != nil {
		return err
	}
	w.result.Report = report
	w.record("ln_mean_z", []float64{report.LnZ + w.constant}, []float64{c.Dual.LnMeanZ})
	x, second := features(grad.VisibleField, w.visible), make([]float64, n)
	for i, v := range x {
		second[i] = v // of 0 and 1
		if !w.visible.OneHot() {
			second[i] = 1
		}
	}
	if !w.visible.Bits() {
		if second, err = (dual.Gauss[float64]{}).SecondMoments(ctx, &w.model.Params, w.lambda); err != nil {
			return err
		}
	}
	w.record("correlation", x, c.Dual.X)
	w.record("correlation", second, c.Dual.X2)
	w.record("correlation", features(grad.HiddenField, w.hidden), c.Dual.Y)
	synapse := make([]float64, len(w.lambda))
	for k, l := range w.lambda {
		synapse[k] = l + (1-l*l)*grad.Synapse[k]
	}
	w.record("correlation", synapse, byHidden(c.Dual.Synapse))
	w.record("gradient", []float64{grad.Coupling[0] / w.coupling}, []float64{c.Dual.DJ})

	objective := &variational.Objective[float64]{Partition: term, Hidden: variational.ExactHiddenOf[float64](w.hidden), Samples: w.M}
	terms, _, err := objective.Terms(ctx, w.model, w.data)
	if err != nil {
		return err
	}
	w.record("data_term", []float64{terms.Data*m + m*w.constant}, []float64{c.DataGaussian})
	w.record("data_term", []float64{variational.JensenDataTerm(w.model, w.data)*m + m*w.constant}, []float64{c.DataJensen})
	if c.DataCharacteristic != nil {
		exact, err := variational.ExactDataTerm(ctx, w.model, w.data)
		if err != nil {
			return err
		}
		w.record("data_term", []float64{exact*m + m*w.constant}, []float64{*c.DataCharacteristic})
	}
	w.record("kl", []float64{terms.KL * m}, []float64{c.KL})
	w.record("elbo", []float64{terms.Bound() * m}, []float64{c.Bound})
	if c.Gradient.Coupling == nil {
		return nil // synapses are known, and the oracle has no gradient
	}
	if _, err := objective.Gradient(ctx, grad, w.model, w.data); err != nil {
		return err
	}
	w.record("gradient", scaled(grad.Synapse, m), byHidden(c.Gradient.PosteriorMean))
	w.record("gradient", []float64{grad.Coupling[0] * m / w.coupling}, []float64{*c.Gradient.Coupling})
	if w.hidden.Bits() {
		w.record("gradient", scaled(grad.HiddenField, m/w.hidden.Scale()), c.Gradient.HiddenField)
	}
	if w.visible.Bits() {
		w.record("gradient", scaled(grad.VisibleField, m/w.visible.Scale()), c.Gradient.VisibleField)
		return nil
	}
	w.record("gradient", scaled(grad.VisibleOwn[:n], m), c.Gradient.LnSigma)
	w.record("gradient", scaled(grad.VisibleOwn[n:], m), c.Gradient.Mean)
	return nil
}

// fields compares means and variances of the fields of hidden features.
func (w *unitsWork) fields(context.Context, func(visible, hidden int) dual.Engine[float64]) error {
	p, m := w.model.Hidden(), w.M
	b := &units.Block[float64]{Rows: p, First: make([]float64, p*m), Second: make([]float64, p*m), Extra: make([]float64, w.data.Extra(p)), Sums: make([]float64, 2*p)}
	l := &units.Link[float64]{Mean: w.lambda, Coupling: w.model.Coupling(), Offset: w.model.VisibleOffset, Biased: w.visible.Bits()}
	w.data.Fields(b, l)
	mean, variance, y := make([]float64, m), make([]float64, m), w.hidden.Scale()
	for mu := range p {
		w.data.Field(b, l, mu, mean, variance, 0)
		for a := range m {
			w.record("data_term", []float64{y * mean[a], y * y * variance[a]}, []float64{w.FieldMean[a][mu], w.FieldVariance[a][mu]})
		}
	}
	return nil
}

// logWeights returns the log-weights of the samples on a network.
func (w *unitsWork) logWeights(net *rbm.Network[float64]) []float64 {
	out := make([]float64, w.M)
	n, p := net.Visible(), net.Hidden()
	fields := w.hiddenFields(net)
	for a := range out {
		out[a] = net.Constant + w.constant + w.density
		for i := range n {
			x := w.valued.Value(i, a)
			out[a] += net.VisibleField[i] * x
			if !w.visible.Bits() {
				out[a] -= x * x / 2
			}
		}
	}
	rbm.AddLogSums(out, fields[:p*w.M], w.hidden, w.M, 0, 1)
	return out
}

// hiddenFields returns those of the samples, hidden x samples.
func (w *unitsWork) hiddenFields(net *rbm.Network[float64]) []float64 {
	n, p := net.Visible(), net.Hidden()
	fields := make([]float64, p*w.M)
	for mu := range p {
		for a := range w.M {
			sum := net.HiddenField[mu]
			for i := range n {
				sum += net.Coupling[mu*n+i] * w.valued.Value(i, a)
			}
			fields[mu*w.M+a] = sum
		}
	}
	return fields
}

// fixed compares the machine with the signs of the means as synapses.
func (w *unitsWork) fixed(ctx context.Context, _ func(visible, hidden int) dual.Engine[float64]) error {
	c, n, p := w.unitsCase, w.model.Visible(), w.model.Hidden()
	signs := make([]float64, n*p)
	for k, l := range w.lambda {
		signs[k] = 1
		if l < 0 {
			signs[k] = -1
		}
	}
	net := rbm.NewNetwork[float64](n, p)
	net.SetWeights(&w.model.Params, signs)
	lnZ, err := net.LnZ(ctx)
	if err != nil {
		return err
	}
	w.record("ln_z", []float64{lnZ + w.constant}, []float64{c.Fixed.LnZ})
	likelihood := w.logWeights(net)
	for a := range likelihood {
		likelihood[a] -= lnZ + w.constant
	}
	w.record("ln_likelihood", likelihood, c.Fixed.LnLikelihood)
	means := w.hiddenFields(net)
	rbm.SetMeans(means, means, w.hidden, w.M)
	for a, row := range c.Fixed.HiddenGivenSamples {
		ours := make([]float64, p)
		for mu := range ours {
			ours[mu] = means[mu*w.M+a]
		}
		w.record("correlation", features(ours, w.hidden), row)
	}
	if len(c.Fixed.HiddenStates) == 0 {
		return nil
	}
	states, err := bitsOf(c.Fixed.HiddenStates, w.hidden, "fixed.hidden_states")
	if err != nil {
		return err
	}
	t, count := make([]float64, n*p), states.Cols()
	net.TransposeCoupling(t)
	visible := make([]float64, n*count)
	net.VisibleFields(visible, t, states)
	rbm.SetMeans(visible, visible, w.visible, count)
	for a, row := range c.Fixed.VisibleGivenHidden {
		ours := make([]float64, n)
		for i := range ours {
			ours[i] = visible[i*count+a]
			if !w.visible.Bits() {
				ours[i] = c.Mean[i] + math.Exp(c.LnSigma[i])*ours[i]
			}
		}
		w.record("correlation", features(ours, w.visible), row)
	}
	return nil
}

// overSynapses compares sums over all sets of synapses.
func (w *unitsWork) overSynapses(ctx context.Context, _ func(visible, hidden int) dual.Engine[float64]) error {
	o := w.Enumerated
	if o == nil {
		return nil
	}
	m := float64(w.M)
	var data, meanLnZ float64
	var lnWeights, lnEvidence []float64
	err := w.eachSynapses(ctx, func(net *rbm.Network[float64], lnQ, lnPrior, lnZ float64) {
		weight := 0.0
		for _, v := range w.logWeights(net) {
			weight += v
		}
		data += math.Exp(lnQ) * weight
		meanLnZ += math.Exp(lnQ) * lnZ
		lnWeights, lnEvidence = append(lnWeights, lnQ+lnZ), append(lnEvidence, lnPrior+weight-m*lnZ)
	})
	if err != nil {
		return err
	}
	lnMeanZ, kl := rbm.LogSumExp(lnWeights), w.model.Posterior.KL()
	w.record("ln_z", []float64{meanLnZ}, []float64{o.MeanLnZ})
	w.record("ln_mean_z", []float64{lnMeanZ}, []float64{o.LnMeanZ})
	w.record("data_term", []float64{data}, []float64{o.DataTerm})
	w.record("ln_likelihood", []float64{rbm.LogSumExp(lnEvidence)}, []float64{o.LnEvidence})
	jensen := variational.JensenDataTerm(w.model, w.data)*m + m*w.constant
	w.record("elbo", []float64{data - m*lnMeanZ - kl, jensen - m*lnMeanZ - kl}, []float64{o.BoundExact, o.BoundJensen})
	return nil
}

// eachSynapses calls do for each set of synapses, with ln of its probabilities under the posterior and the
// prior, and ln Z. The error is the context's.
func (w *unitsWork) eachSynapses(ctx context.Context, do func(net *rbm.Network[float64], lnQ, lnPrior, lnZ float64)) error {
	n, p := w.model.Visible(), w.model.Hidden()
	net, synapses := rbm.NewNetwork[float64](n, p), make([]float64, n*p)
	for k := range 1 << (n * p) {
		lnQ, lnPrior := 0.0, 0.0
		for e, l := range w.lambda {
			synapses[e] = 1 - 2*float64(k>>e&1)
			lnQ += math.Log((1 + synapses[e]*l) / 2)
			lnPrior += math.Log((1 + synapses[e]*math.Tanh(w.model.Posterior.PriorTheta[e])) / 2)
		}
		net.SetWeights(&w.model.Params, synapses)
		lnZ, err := net.LnZ(ctx)
		if err != nil {
			return err
		}
		do(net, lnQ, lnPrior, lnZ+w.constant)
	}
	return nil
}
