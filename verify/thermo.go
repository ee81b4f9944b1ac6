package verify

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"bethe/rbm"
	"bethe/sampler"
	"bethe/spin"
	"bethe/thermo"
)

// ThermoQuantities are the quantities compared with an oracle of thermodynamics.
var ThermoQuantities = []string{"curve", "peak_beta", "path", "length", "work", "jarzynski", "dissipation", "crooks", "bar", "heat", "temperature", "temperatures_apart", "problem"}

// thermoLimits are the limits of those that are not 1e-8: lengths are by other rules of
// integration, the peak is flat, and identities hold to more digits.
var thermoLimits = map[string]float64{"peak_beta": 1e-6, "length": 5e-5, "jarzynski": 1e-10, "crooks": 1e-10, "temperatures_apart": 1e-6}

// errorsOf gathers the largest errors of a part, entry by entry: |ours - oracle| / max(1, |oracle|).
type errorsOf map[string]float64

func (e errorsOf) compare(quantity string, ours, oracle float64) {
	d := math.Abs(ours-oracle) / max(1, math.Abs(oracle))
	if math.IsNaN(d) {
		d = math.Inf(1)
	}
	e[quantity] = max(e[quantity], d)
}

func (e errorsOf) compareAll(quantity string, ours, oracle []float64) {
	if len(ours) != len(oracle) {
		e[quantity] = math.Inf(1)
		return
	}
	for k, v := range oracle {
		e.compare(quantity, ours[k], v)
	}
}

// compareThermo compares all parts of an oracle of thermodynamics.
func compareThermo(ctx context.Context, raw map[string]json.RawMessage) ([]Result, error) {
	o := &thermoOracle{}
	if err := o.decode(raw); err != nil {
		return nil, err
	}
	var results []Result
	for _, part := range o.comparisons() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		e := errorsOf{}
		if err := part.compare(ctx, e); err != nil {
			return nil, &caseError{len(results), part.name, err}
		}
		r := Result{Case: part.name, Errors: e}
		r.Report.Engine, r.Report.Converged = "exact", true
		results = append(results, r)
	}
	return results, nil
}

// A comparison compares some keys of an oracle with this build.
type comparison struct {
	name    string
	compare func(context.Context, errorsOf) error
}

// comparisons returns all of them. The first makes the machine that others take.
func (o *thermoOracle) comparisons() []comparison {
	return []comparison{{"machine", o.machine}, {"curves", o.curves}, {"path", o.path}, {"protocols", o.protocols}, {"crooks", o.crooks}, {"heat exchange", o.heat},
		{"learning", o.learning}, {"sampler", o.samplers}, {"xu_oates", o.xuOates}, {"problem", o.problem}, {"bar", o.bar}}
}

// machine makes the plain network from the centred machine.
func (o *thermoOracle) machine(_ context.Context, e errorsOf) error {
	m := &o.Machine
	n, p := len(m.VisibleField), len(m.HiddenField)
	switch {
	case n == 0 || p == 0 || max(n, p) > maxThermoUnits:
		return fmt.Errorf("%d visible and %d hidden units: each must be at least 1 and at most %d", n, p, maxThermoUnits)
	case len(m.Base) != n:
		return fmt.Errorf("base_field has %d numbers, not %d", len(m.Base), n)
	}
	synapses, err := spins("synapses", m.Synapses, p)
	if err != nil {
		return err
	}
	byHidden := spin.New(len(m.Synapses), p)
	synapses.Transpose(byHidden)
	params := rbm.NewParams(n, p, m.Coupling)
	params.VisibleField, params.HiddenField, params.VisibleOffset, params.HiddenOffset = m.VisibleField, m.HiddenField, m.VisibleOffset, m.HiddenOffset
	if err := params.Validate(); err != nil {
		return err
	}
	if byHidden.Rows() != n {
		return fmt.Errorf("synapses has %d rows, not %d", byHidden.Rows(), n)
	}
	o.net = rbm.NetworkOf[float64](&rbm.Machine{Params: params, Synapses: rbm.Binary(byHidden)})
	o.net.Constant = 0 // no number of the oracle holds it
	e.compareAll("path", o.net.VisibleField, m.PlainVisible)
	e.compareAll("path", o.net.HiddenField, m.PlainHidden)
	return nil
}

func (o *thermoOracle) curves(ctx context.Context, e errorsOf) error {
	c := &o.Curves
	if len(c.Points) == 0 {
		return fmt.Errorf("no points")
	}
	for _, want := range c.Points {
		if !(want.Beta > 0) {
			return fmt.Errorf("beta is %v: it must be positive", want.Beta)
		}
		p, err := thermo.PointAt(ctx, o.net, want.Beta)
		if err != nil {
			return err
		}
		e.compareAll("curve", []float64{p.LnZ, p.Energy, p.Entropy, p.HeatCapacity}, []float64{want.LnZ, want.Energy, want.Entropy, want.HeatCapacity})
	}
	var known []thermo.Point
	for x := -4.0; x <= 3; x += 0.25 {
		p, err := thermo.PointAt(ctx, o.net, math.Exp(x))
		if err != nil {
			return err
		}
		known = append(known, p)
	}
	peak, err := thermo.Peak(ctx, o.net, known)
	if err != nil {
		return err
	}
	e.compare("peak_beta", peak.Beta, c.PeakBeta)
	e.compare("curve", peak.HeatCapacity, c.PeakCapacity)
	ground, err := thermo.GroundEnergy(ctx, o.net)
	e.compare("curve", ground, c.Ground)
	return err
}

// lengthSteps are those of the integrals of lengths.
const lengthSteps = 80

func (o *thermoOracle) path(_ context.Context, e errorsOf) error {
	if len(o.Path.Points) == 0 {
		return fmt.Errorf("no points")
	}
	for _, p := range o.Path.Points {
		s := thermo.ScoreAt(o.net, o.Machine.Base, p.T)
		e.compareAll("path", []float64{s.LnZ, s.Mean, s.Marginal, s.Joint}, []float64{p.LnZ, p.Score, p.Marginal, p.Joint})
	}
	marginal, joint := thermo.Lengths(o.net, o.Machine.Base, lengthSteps)
	e.compare("length", marginal, o.Path.Marginal)
	e.compare("length", joint, o.Path.Joint)
	return nil
}

// protocols compares the walk along the ladder in both directions.
func (o *thermoOracle) protocols(_ context.Context, e errorsOf) error {
	if n := len(o.Ladder); n < 2 || n > maxThermoNetworks {
		return fmt.Errorf("a ladder of %d temperatures", n)
	}
	var nets []*rbm.Network[float64]
	for _, t := range o.Ladder {
		nets = append(nets, thermo.At(o.net, o.Machine.Base, t))
	}
	o.Forward.compare(e, thermo.Follow(nets, nil))
	if l := o.Forward.FromLength; l != nil {
		length, _ := thermo.Lengths(o.net, o.Machine.Base, lengthSteps)
		e.compare("length", length*length/float64(2*(len(nets)-1)), *l)
	} else {
		e["length"] = math.Inf(1)
	}
	slices.Reverse(nets)
	o.Reverse.compare(e, thermo.Follow(nets, nil))
	return nil
}

func (p *protocol) compare(e errorsOf, ours *thermo.Protocol) {
	if len(p.Steps) != len(ours.Steps) {
		e["work"] = math.Inf(1)
		return
	}
	first := ours.Steps[len(ours.Steps)-1].LnZ - ours.LnZRatio
	for k, want := range p.Steps {
		s := &ours.Steps[k]
		e.compareAll("work", []float64{float64(k + 1), s.MeanWork, s.WorkVariance, s.LnZ, s.EffectiveShare}, []float64{float64(want.Step), want.Work, want.Variance, want.LnZ, want.Share})
		e.compare("jarzynski", s.Jarzynski, want.Jarzynski)
		e.compare("jarzynski", s.Jarzynski, s.LnZ-first) // the identity itself
		e.compare("dissipation", s.KLAfterWork, want.AfterWork)
		if k+1 == len(p.Steps) {
			continue
		}
		for _, pair := range []struct {
			ours float64
			want *float64
		}{{s.KLAfterSweep, want.AfterSweep}, {s.Relaxation(), want.Production}} {
			if pair.want == nil {
				e["dissipation"] = math.Inf(1)
				return
			}
			e.compare("dissipation", pair.ours, *pair.want)
		}
	}
	e.compareAll("dissipation", []float64{ours.Dissipated, ours.Relaxation, ours.KLEnd, ours.LnZRatio}, []float64{p.Dissipated, p.Relaxation, p.KLEnd, p.Ratio})
	e.compare("dissipation", ours.Dissipated, ours.Relaxation+ours.KLEnd)
}

func (o *thermoOracle) crooks(_ context.Context, e errorsOf) error {
	c := &o.Crooks
	net, err := c.network()
	if err != nil {
		return err
	}
	steps := len(c.Ladder) - 1
	if steps < 1 || net.Visible()*steps > 14 {
		return fmt.Errorf("%d steps of %d visible units: at most %d paths are enumerated", steps, net.Visible(), maxPaths)
	}
	if len(c.Base) != net.Visible() {
		return fmt.Errorf("base_field has %d numbers, not %d", len(c.Base), net.Visible())
	}
	var nets []*rbm.Network[float64]
	for _, t := range c.Ladder {
		nets = append(nets, thermo.At(net, c.Base, t))
	}
	ratio := thermo.Enumerate(nets[steps]).LnZ - thermo.Enumerate(nets[0]).LnZ
	paths := thermo.Paths(nets)
	if len(c.Work) != len(paths) || len(c.ForwardPaths) != len(paths) || len(c.ReversePaths) != len(paths) {
		return fmt.Errorf("%d works, %d forward and %d reverse probabilities of %d paths", len(c.Work), len(c.ForwardPaths), len(c.ReversePaths), len(paths))
	}
	want := make([]thermo.Path, len(paths))
	for k := range want {
		want[k] = thermo.Path{Work: c.Work[k], Forward: c.ForwardPaths[k], Reverse: c.ReversePaths[k]}
	}
	sortPaths(paths)
	sortPaths(want)
	var meanF, meanR, acceptance float64
	for k, p := range paths {
		e.compareAll("crooks", []float64{p.Work, p.Forward, p.Reverse}, []float64{want[k].Work, want[k].Forward, want[k].Reverse})
		e.compare("crooks", p.Forward*math.Exp(-p.Work), p.Reverse*math.Exp(ratio)) // the identity itself
		meanF += p.Forward * p.Work
		meanR -= p.Reverse * p.Work
		acceptance += p.Forward / (1 + math.Exp(p.Work+ratio))
	}
	e.compareAll("crooks", []float64{ratio, meanF, -meanR, acceptance, meanF + ratio, meanR - ratio},
		[]float64{c.Ratio, c.MeanForward, -c.MeanReverse, c.Acceptance, c.DissipatedF, c.DissipatedR})
	return nil
}

// sortPaths sorts by work, then by probability, with works that are equal but for rounding in
// one place.
func sortPaths(paths []thermo.Path) {
	slices.SortFunc(paths, func(a, b thermo.Path) int {
		return cmp.Or(cmp.Compare(math.Round(a.Work*1e9), math.Round(b.Work*1e9)), cmp.Compare(a.Forward, b.Forward))
	})
}

func (o *thermoOracle) heat(_ context.Context, e errorsOf) error {
	net, err := o.Crooks.network()
	if err != nil {
		return err
	}
	if n := net.Visible() + net.Hidden(); n > maxPairs {
		return fmt.Errorf("%d units: pairs of states of at most %d are enumerated", n, maxPairs)
	}
	e.compare("heat", thermo.Asymmetry(net, thermo.Blocks), o.Asymmetry)
	e.compare("heat", thermo.Asymmetry(net, thermo.Palindromic), 0)
	for _, x := range []struct {
		of    *heatExchange
		order thermo.Sweeping
	}{{&o.Block, thermo.Blocks}, {&o.Palindromic, thermo.Palindromic}} {
		if x.of.Sweeps < 1 || x.of.Sweeps > maxHeatSweeps {
			return fmt.Errorf("%d sweeps: at least 1 and at most %d", x.of.Sweeps, maxHeatSweeps)
		}
		ours := thermo.ExchangeHeat(net, x.of.Start, x.of.Bath, x.of.Sweeps, x.order)
		e.compareAll("heat", []float64{ours.MeanHeat, ours.MeanExp, ours.EntropyProduction, 1}, []float64{x.of.Heat, x.of.Exp, x.of.Production, ours.MeanExp})
		violation := 0.0
		if x.order == thermo.Blocks {
			violation = o.Violation
		}
		e.compare("heat", ours.Violation, violation)
	}
	return nil
}

func (o *thermoOracle) learning(_ context.Context, e errorsOf) error {
	l := &o.Learning
	if n := len(l.Networks); n < 2 || n > maxThermoNetworks || len(l.LogLikelihood) != n {
		return fmt.Errorf("%d networks and %d likelihoods", n, len(l.LogLikelihood))
	}
	var nets []*rbm.Network[float64]
	for k := range l.Networks {
		net, err := l.Networks[k].network()
		if err != nil {
			return fmt.Errorf("networks[%d]: %w", k, err)
		}
		if net.Visible() != o.net.Visible() {
			return fmt.Errorf("networks[%d] has %d visible units, not %d", k, net.Visible(), o.net.Visible())
		}
		nets = append(nets, net)
	}
	data, err := spins("data", l.Data, o.net.Visible())
	if err != nil {
		return err
	}
	ours := thermo.Follow(nets, nil)
	l.protocol.compare(e, ours)
	atData := make([]float64, 1<<o.net.Visible())
	for a := range data.Cols() {
		k := 0
		for i := range data.Rows() {
			k |= int(data.At(i, a)+1) / 2 << i
		}
		atData[k] += 1 / float64(data.Cols())
	}
	for k, net := range nets {
		weights := make([]float64, data.Cols())
		net.LogWeights(weights, data)
		mean := 0.0
		for _, w := range weights {
			mean += w / float64(len(weights))
		}
		e.compare("work", mean-thermo.Enumerate(net).LnZ, l.LogLikelihood[k])
	}
	steps := thermo.Follow(nets, atData).Steps
	j := steps[len(steps)-1].Jarzynski
	e.compareAll("work", []float64{j, j - ours.LnZRatio}, []float64{l.AtData.Jarzynski, l.AtData.Error})
	return nil
}

func (o *thermoOracle) samplers(ctx context.Context, e errorsOf) error {
	if len(o.Sampler) == 0 {
		return fmt.Errorf("no samples")
	}
	for k, s := range o.Sampler {
		visible, err := spins(fmt.Sprintf("[%d].visible", k), s.Visible, o.net.Visible())
		if err != nil {
			return err
		}
		hidden, err := spins(fmt.Sprintf("[%d].hidden", k), s.Hidden, o.net.Hidden())
		if err != nil {
			return err
		}
		local, err := thermo.Pseudolikelihood(o.net, visible, hidden)
		if err != nil {
			return err
		}
		energy, _, err := thermo.MeanEnergy(o.net, visible, hidden)
		if err != nil {
			return err
		}
		global, err := thermo.Likelihood(ctx, thermo.ExactCurve{Net: o.net}, energy, visible.Cols())
		if err != nil {
			return err
		}
		e.compareAll("temperature", []float64{energy, global.Beta, global.Error, local.Beta, local.Error}, []float64{s.Energy, s.Global, s.GlobalError, s.Local, s.LocalError})
		if !(math.Abs(global.Beta-s.True) < 6*global.Error) {
			e["temperature"] = math.Inf(1)
		}
		couplings, fields, err := thermo.Apart(o.net, visible, hidden)
		none := errors.Is(err, thermo.ErrNoTemperature)
		switch {
		case err != nil && !none:
			return err
		case none != (s.Couplings == nil) || none != (s.Fields == nil):
			e["temperatures_apart"] = math.Inf(1)
		case !none:
			e.compareAll("temperatures_apart", []float64{couplings.Beta, fields.Beta}, []float64{*s.Couplings, *s.Fields})
		}
	}
	return nil
}

func (o *thermoOracle) xuOates(_ context.Context, e errorsOf) error {
	x := &o.XuOates
	data, err := spins("data", x.Data, o.net.Visible())
	if err != nil {
		return err
	}
	if len(o.Sampler) < 2 {
		return fmt.Errorf("sampler has %d lists of samples, and sampler_energy is that of the second", len(o.Sampler))
	}
	ours := thermo.DataEnergy(o.net, data)
	e.compareAll("temperature", []float64{ours, o.Sampler[1].Energy, thermo.XuOates(ours, x.SamplerEnergy, x.Beta)}, []float64{x.DataEnergy, x.SamplerEnergy, x.Gradient})
	return nil
}

func (o *thermoOracle) problem(_ context.Context, e errorsOf) error {
	p, n, h := &o.Problem, o.net.Visible(), o.net.Hidden()
	if err := shape("quadratic", p.Quadratic, n, h); err != nil {
		return err
	}
	if p.Bits < 1 || p.Bits > 62 || !(p.CouplingRange > 0) || !(p.FieldRange > 0) || len(p.GaugeVisible) != n || len(p.GaugeHidden) != h {
		return fmt.Errorf("%d bits, ranges %v and %v, a gauge of %d and %d spins", p.Bits, p.FieldRange, p.CouplingRange, len(p.GaugeVisible), len(p.GaugeHidden))
	}
	scale := sampler.Range{Field: p.FieldRange, Coupling: p.CouplingRange}.Scale(o.net)
	e.compare("problem", scale, p.Scale)
	ours := sampler.NewProblem(o.net, scale)
	e.compareAll("problem", ours.Linear, p.Linear)
	e.compareAll("problem", ours.Quadratic, byHidden(p.Quadratic))

	// The oracle rounds to steps of its own, which are no levels of any machine. There J alpha is a tie, and the last bit of the
	// oracle's product says whether it goes up or down: either is right, for all couplings alike.
	step := 2 * p.CouplingRange / (math.Exp2(float64(p.Bits)) - 1)
	exact, nearest := thermo.Enumerate(o.net), errorsOf{"problem": math.Inf(1)}
	for _, tie := range []float64{-1e-9, 1e-9} {
		rounded := sampler.NewProblem(o.net, scale)
		for _, list := range [][]float64{rounded.Linear, rounded.Quadratic} {
			for k, v := range list {
				list[k] = math.Copysign(math.Round(math.Abs(v/step)+tie)*step, v)
			}
		}
		there, off := rounded.Network(), errorsOf{}
		roundedLnZ := thermo.Enumerate(there).LnZ
		off.compare("problem", roundedLnZ, p.RoundedLnZ)
		off.compare("problem", divergence(o.net, there, exact.LnZ, roundedLnZ), p.RoundingKL)
		if off["problem"] < nearest["problem"] {
			nearest = off
		}
	}
	e["problem"] = max(e["problem"], nearest["problem"])

	gauge := make([]int8, 0, n+h)
	for _, g := range slices.Concat(p.GaugeVisible, p.GaugeHidden) {
		if g != 1 && g != -1 {
			return fmt.Errorf("a gauge of %v: it is 1 or -1", g)
		}
		gauge = append(gauge, int8(g))
	}
	ours.Turn(gauge)
	e.compare("problem", thermo.Enumerate(ours.Network()).LnZ, exact.LnZ)
	return nil
}

// divergence returns that of b from a over pairs of states: the mean difference of energies at a, from
// exact moments.
func divergence(a, b *rbm.Network[float64], lnZA, lnZB float64) float64 {
	m := rbm.NewMoments[float64](a.Visible(), a.Hidden())
	if _, err := a.ExactMoments(context.Background(), m); err != nil {
		return math.NaN()
	}
	sum := lnZB - lnZA
	for _, x := range [][3][]float64{{a.Coupling, b.Coupling, m.Correlation}, {a.VisibleField, b.VisibleField, m.Visible}, {a.HiddenField, b.HiddenField, m.Hidden}} {
		for k, v := range x[2] {
			sum += v * (x[0][k] - x[1][k])
		}
	}
	return sum
}

func (o *thermoOracle) bar(_ context.Context, e errorsOf) error {
	b := &o.BAR
	if len(b.Forward) == 0 || len(b.Reverse) == 0 {
		return fmt.Errorf("%d forward and %d reverse works", len(b.Forward), len(b.Reverse))
	}
	gains := func(works []float64) []float64 { return scaled(works, -1) }
	ratio, standardError := thermo.BAR(gains(b.Forward), gains(b.Reverse))
	forward := rbm.LogSumExp(gains(b.Forward)) - math.Log(float64(len(b.Forward)))
	reverse := math.Log(float64(len(b.Reverse))) - rbm.LogSumExp(b.Reverse)
	e.compareAll("bar", []float64{ratio, standardError, o.Crooks.Ratio, forward, reverse}, []float64{b.Ratio, b.Error, b.Exact, b.ForwardZ, b.ReverseZ})
	return nil
}
