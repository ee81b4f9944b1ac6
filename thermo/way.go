package thermo

import (
	"context"
	"fmt"
	"math"

	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// Annealing says how the way to a machine is annealed in both directions.
type Annealing struct {
	Temperatures  int // steps of the way; 0: DefaultTemperatures
	Chains        int // each way; 0: DefaultChains
	Equilibration int // sweeps of the tempered chains whose last states start the way back; 0: DefaultSweeps
	// Starts are states of the machine in equilibrium, visible x Chains, if they are known: then no chains are tempered.
	Starts   *spin.Matrix
	Key      stream.Key
	Progress func(fraction float64) // may be nil
}

// Defaults of Annealing.
const (
	DefaultTemperatures = 200
	DefaultChains       = 256
)

// A Way is the way from independent spins to a machine and back, on one ladder: works, their
// crossing, and the dissipated work. Works are in units of kT. Those of the way back have the sign of the way forward: minus the work done.
type Way struct {
	Temperatures int       `json:"temperatures"`
	Chains       int       `json:"chains"`
	Forward      []float64 `json:"forward_work"`
	Reverse      []float64 `json:"reverse_work_seen_forward"`
	Ratio        float64   `json:"ln_z_ratio"` // ln Z of the machine over that of the spins, by BAR: works cross at minus it
	RatioError   float64   `json:"ln_z_ratio_error"`
	LnZ          float64   `json:"ln_z"`
	Slope        *float64  `json:"crooks_slope,omitempty"`
	SlopeError   *float64  `json:"crooks_slope_error,omitempty"`
	// DissipatedForward and DissipatedReverse are mean works beyond reversible ones: no chain is farther
	// from equilibrium, in nats.
	DissipatedForward float64 `json:"dissipated_forward"`
	DissipatedReverse float64 `json:"dissipated_reverse"`
	Length            float64 `json:"length"`                  // thermodynamic length of the way
	FromLength        float64 `json:"dissipation_from_length"` // L^2/2K: what K steps of independent states dissipate
	// Along is what chains that have come to t have dissipated so far, from either end.
	Along []Dissipation `json:"along"`

	equilibrium *spin.Matrix // visible states of the machine
}

// Dissipation is what chains have dissipated at t, by ln of the mean of exp(-work) plus the mean work.
type Dissipation struct {
	T       float64 `json:"t"`
	Forward float64 `json:"forward"` // from 0 to t
	Reverse float64 `json:"reverse"` // from 1 to t
}

// knots is how many points of a way are told.
const knots = 50

// Anneal anneals to a machine and back. The way back starts at the last states of tempered chains, and the independent spins of the
// other end have the means of these. The error is the context's, and of settings.
func Anneal(ctx context.Context, machine *rbm.Machine, a Annealing) (*Way, error) {
	if a.Temperatures == 0 {
		a.Temperatures = DefaultTemperatures
	}
	if a.Chains == 0 {
		a.Chains = DefaultChains
	}
	if a.Equilibration == 0 {
		a.Equilibration = DefaultSweeps
	}
	if a.Temperatures < 1 || a.Chains < 2 || a.Equilibration < LeastSweeps {
		return nil, fmt.Errorf("%d temperatures, %d chains and %d sweeps: at least 1, 2 and %d", a.Temperatures, a.Chains, a.Equilibration, LeastSweeps)
	}
	starts := a.Starts
	if starts == nil {
		var err error
		if starts, err = equilibrate(ctx, machine, &a); err != nil {
			return nil, err
		}
	}
	if starts.Units() != machine.Visible() || starts.Len() != a.Chains {
		return nil, fmt.Errorf("%d starts of %d units for %d chains of %d", starts.Len(), starts.Units(), a.Chains, machine.Visible())
	}
	source := sample.OnMachine(machine).From(units.MeanFields(starts))
	profile, err := sample.MeasureProfile(ctx, source, sample.Measuring{Chains: curvePilotChains, Steps: curvePilotSteps, Key: a.Key.Sub(stream.WayPilot)})
	if err != nil {
		return nil, err
	}
	ladder := profile.AnnealingLadder(a.Temperatures)
	w := &Way{Temperatures: a.Temperatures, Chains: a.Chains, Length: profile.Length(), equilibrium: starts}
	w.FromLength = w.Length * w.Length / float64(2*a.Temperatures)
	w.Along = make([]Dissipation, 0, knots+1)
	places := map[int]int{} // of the knots among the steps
	for k := range knots + 1 {
		step := k * a.Temperatures / knots
		if _, there := places[step]; !there {
			places[step] = len(w.Along)
			w.Along = append(w.Along, Dissipation{T: ladder[step]})
		}
	}
	annealing := sample.Annealing{Chains: a.Chains, Ladder: ladder, Key: a.Key.Sub(stream.WayForward), Watch: func(done int, gains []float64) {
		if k, there := places[done]; there {
			w.Along[k].Forward = dissipated(gains)
		}
	}}
	forward, err := sample.AnnealedLnZ(ctx, source, annealing)
	if err != nil {
		return nil, err
	}
	annealing.Key = a.Key.Sub(stream.WayReverse)
	annealing.Watch = func(done int, gains []float64) {
		if k, there := places[a.Temperatures-done]; there {
			w.Along[k].Reverse = dissipated(gains)
		}
	}
	reverse, err := sample.ReverseLnZ(ctx, source, starts, annealing)
	if err != nil {
		return nil, err
	}
	base := source.LnZBase()
	w.LnZ, w.RatioError = BAR(forward.LogWeights, reverse.LogWeights)
	w.Ratio = w.LnZ - base
	if slope, se, _ := CrooksSlope(forward.LogWeights, reverse.LogWeights); !math.IsNaN(slope) {
		w.Slope, w.SlopeError = &slope, &se
	}
	for _, z := range forward.LogWeights {
		w.Forward = append(w.Forward, base-z)
		w.DissipatedForward += (base - z + w.Ratio) / float64(a.Chains)
	}
	for _, z := range reverse.LogWeights {
		w.Reverse = append(w.Reverse, base-z)
		w.DissipatedReverse -= (base - z + w.Ratio) / float64(a.Chains)
	}
	return w, nil
}

// dissipated returns the mean work minus the free-energy difference that Jarzynski's equality gives.
func dissipated(gains []float64) float64 {
	return rbm.LogSumExp(gains) - math.Log(float64(len(gains))) - sum(gains)/float64(len(gains))
}

// equilibrate returns visible states of tempered chains at the machine.
func equilibrate(ctx context.Context, machine *rbm.Machine, a *Annealing) (*spin.Matrix, error) {
	source := sample.OnMachine(machine)
	profile, err := sample.MeasureProfile(ctx, source, sample.Measuring{Chains: curvePilotChains, Steps: curvePilotSteps, Key: a.Key.Sub(stream.WayProfile)})
	if err != nil {
		return nil, err
	}
	tempered := sample.NewTempered(source, sample.Tempering{Chains: a.Chains, Ladder: profile.ExchangeLadder(curveStep), Key: a.Key.Sub(stream.WayTempering)})
	for k := range a.Equilibration {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		tempered.Sweep(1)
		if a.Progress != nil && k%16 == 0 {
			a.Progress(float64(k) / float64(a.Equilibration))
		}
	}
	return tempered.Top().Visible.Clone(), nil
}

// A HeatTest is a sampled exchange of heat: states of the machine take some sweeps at another inverse temperature.
type HeatTest struct {
	Start    float64   `json:"beta_start"`
	Bath     float64   `json:"beta_bath"`
	Sweeps   int       `json:"sweeps"`
	Heats    []float64 `json:"heats"`
	MeanHeat float64   `json:"mean_heat"`
	// MeanExp is <exp((bath - start) Q)>, which is 1, with its standard error.
	MeanExp      float64 `json:"mean_exp"`
	MeanExpError float64 `json:"mean_exp_error"`
	// Slope is that of ln P(Q)/P(-Q) against Q: start - bath if the heat theorem holds in detail. It is nil if
	// all heats have one sign.
	Slope             *float64 `json:"slope,omitempty"`
	SlopeError        *float64 `json:"slope_error,omitempty"`
	EntropyProduction float64  `json:"entropy_production"`
}

// ExchangeHeat lets the states that the way back started at take sweeps in the given order at a bath, and returns the
// exchange of heat from inverse temperature 1.
func (w *Way) ExchangeHeat(machine *rbm.Machine, bath float64, sweeps int, order Sweeping, key stream.Key) *HeatTest {
	net := rbm.NetworkOf[float64](machine)
	n, p, m := net.Visible(), net.Hidden(), w.equilibrium.Cols()
	across := make([]float64, n*p)
	net.TransposeCoupling(across)
	s, h := w.equilibrium.Clone(), spin.New(p, m)
	hidden, visible := make([]float64, p*m), make([]float64, n*m)
	drawHidden := func(beta float64, key stream.Key) {
		net.HiddenFields(hidden, s)
		for k := range hidden {
			hidden[k] *= beta
		}
		spin.Draw(h, hidden, key)
	}
	drawVisible := func(key stream.Key) {
		net.VisibleFields(visible, across, h)
		for k := range visible {
			visible[k] *= bath
		}
		spin.Draw(s, visible, key)
	}
	drawHidden(1, key.Sub(stream.ChainsStart))
	before := machine.Energy(s, h)
	for k := range sweeps {
		at := key.Sub(stream.ChainsHidden).Sub(uint64(k))
		if order == Palindromic {
			drawHidden(bath, at.Sub(stream.ChainsRedraw))
		}
		drawVisible(at.Sub(stream.ChainsVisible))
		drawHidden(bath, at.Sub(stream.ChainsHidden))
	}
	t := &HeatTest{Start: 1, Bath: bath, Sweeps: sweeps}
	weights := make([]float64, m)
	for l, e := range machine.Energy(s, h) {
		q := e - before[l]
		t.Heats = append(t.Heats, q)
		t.MeanHeat += q / float64(m)
		weights[l] = math.Exp((bath - 1) * q)
		t.MeanExp += weights[l] / float64(m)
	}
	for _, x := range weights {
		t.MeanExpError += (x - t.MeanExp) * (x - t.MeanExp)
	}
	t.MeanExpError = math.Sqrt(t.MeanExpError/float64(max(1, m-1))) / math.Sqrt(float64(m))
	t.EntropyProduction = (1 - bath) * t.MeanHeat
	if slope, se := signSlope(t.Heats); !math.IsNaN(slope) {
		t.Slope, t.SlopeError = &slope, &se
	}
	return t
}

// signSlope returns the slope a of ln P(q)/P(-q) = a q, by the likelihood of the signs given the sizes, and its
// standard error; NaN if there is none.
func signSlope(q []float64) (slope, standardError float64) {
	var plus, minus bool
	scale := 0.0
	for _, x := range q {
		plus, minus, scale = plus || x > 0, minus || x < 0, max(scale, math.Abs(x))
	}
	if !plus || !minus {
		return math.NaN(), math.NaN()
	}
	a, curvature := 0.0, 0.0
	for range 100 {
		g := 0.0
		curvature = 0
		for _, x := range q {
			f := fermi(a * x) // of the other sign
			g += f * x
			curvature += f * (1 - f) * x * x
		}
		step := g / curvature
		if most := 2 / scale * 5; math.Abs(step) > most {
			step = math.Copysign(most, step)
		}
		a += step
		if math.Abs(step) < 1e-12*max(1/scale, math.Abs(a)) {
			break
		}
	}
	return a, 1 / math.Sqrt(curvature)
}
