package apply

import (
	"context"
	"fmt"
	"math"
	"strings"

	"bethe/figure"
	"bethe/planted"
	"bethe/rbm"
	"bethe/setting"
	"bethe/stream"
	"bethe/thermo"
)

// A Thermodynamics asks for the thermodynamics of a machine.
type Thermodynamics struct {
	Job
	Most         float64 // largest inverse temperature; 0: thermo.DefaultMost
	Sweeps       int     // of tempered chains; 0: thermo.DefaultSweeps
	Temperatures int     // of the way to the machine and back; 0: thermo.DefaultTemperatures
	Chains       int     // each way; 0: thermo.DefaultChains
	Out          string  // folder for the picture and its numbers; empty: none
}

// A ThermodynamicsReport is what a machine's thermodynamics is.
type ThermodynamicsReport struct {
	Model  string                `json:"model"`
	Exact  bool                  `json:"exact_curve"` // by exact sums; else by tempered chains, with errors
	Curve  []thermo.SampledPoint `json:"curve"`
	Peak   PeakReport            `json:"peak"`
	At     []thermo.Point        `json:"at"`                      // beta of 0.5, 1 and 1.5, as far as the curve goes
	Ground *float64              `json:"ground_energy,omitempty"` // exact alone
	// CurveLength and RoundTrips are of the tempered chains of a curve that is not exact.
	CurveLength float64 `json:"curve_length,omitempty"`
	RoundTrips  float64 `json:"round_trips"`

	Way         *thermo.Way      `json:"way"`
	Blocks      *thermo.HeatTest `json:"heat_exchange_block"`
	Palindromic *thermo.HeatTest `json:"heat_exchange_palindromic"`
	Files       []string         `json:"files,omitempty"`
}

// A PeakReport is where the heat capacity is highest.
type PeakReport struct {
	Beta              float64 `json:"beta"`
	BetaError         float64 `json:"beta_error"`
	HeatCapacity      float64 `json:"heat_capacity"`
	HeatCapacityError float64 `json:"heat_capacity_error"`
	AtEnd             bool    `json:"at_end,omitempty"` // the highest point is the last: the peak may lie beyond
}

// Check returns a *setting.Error of a setting that is out of range. It is for callers that have set all: 0, which
// Run takes for a default, is out of range.
func (t *Thermodynamics) Check() error {
	if !(t.Most > firstBeta) || math.IsInf(t.Most, 0) {
		return setting.Errorf("most", t.Most, "it must be finite and above %v", firstBeta)
	}
	for _, c := range []struct {
		setting.Count
		least int
	}{{setting.Count{Name: "sweeps", Value: t.Sweeps}, thermo.LeastSweeps}, {setting.Count{Name: "temperatures", Value: t.Temperatures}, 1}, {setting.Count{Name: "chains", Value: t.Chains}, 2}} {
		if c.Value < c.least {
			return setting.Errorf(c.Name, c.Value, "it must be at least %d", c.least)
		}
	}
	return nil
}

// exactThermodynamics is how many units the smaller layer has at most if the curve is exact.
const exactThermodynamics = 20

// Steps of the exact curve.
const (
	exactPoints = 60
	firstBeta   = 0.05
)

// Run measures, and draws if there is a folder. The error is the context's, of settings, or names the file.
func (t *Thermodynamics) Run(ctx context.Context) (*ThermodynamicsReport, error) {
	file, err := rbm.Load(t.Model)
	if err != nil {
		return nil, err
	}
	machine, key := file.Machine(), stream.New(t.Seed)
	r := &ThermodynamicsReport{Model: t.Model}
	if t.Most == 0 {
		t.Most = thermo.DefaultMost
	}
	if err := t.curve(ctx, r, machine, key.Sub(stream.WayCurve)); err != nil {
		return nil, err
	}
	way := thermo.Annealing{Temperatures: t.Temperatures, Chains: t.Chains, Equilibration: t.Sweeps, Key: key.Sub(stream.WayAnnealing), Progress: t.progress("both ways")}
	if way.Chains == 0 {
		way.Chains = thermo.DefaultChains
	}
	if r.Exact && machine.Whole() {
		if _, binary := machine.Synapses.(rbm.Signed); binary {
			if way.Starts, err = planted.Data(ctx, machine, way.Chains, key.Sub(stream.WayStarts)); err != nil {
				return nil, err
			}
		}
	}
	r.Way, err = thermo.Anneal(ctx, machine, way)
	if err != nil {
		return nil, err
	}
	capacity := 1.0
	for _, p := range r.At {
		if p.Beta == 1 {
			capacity = max(1, p.HeatCapacity)
		}
	}
	bath := 1 - min(0.2, 1/math.Sqrt(capacity)) // so that a state of the bath is about a standard deviation away
	r.Blocks = r.Way.ExchangeHeat(machine, bath, 2, thermo.Blocks, key.Sub(stream.WayHeatBlocks))
	r.Palindromic = r.Way.ExchangeHeat(machine, bath, 2, thermo.Palindromic, key.Sub(stream.WayHeatPalindromic))
	if t.Out == "" {
		return r, nil
	}
	r.Files, err = figure.SaveWithNumbers(t.Out, "thermodynamics", r.chart(), r.table())
	return r, err
}

func points(list []thermo.SampledPoint) (p []thermo.Point) {
	for _, x := range list {
		p = append(p, x.Point)
	}
	return p
}

// curve measures the temperature curve.
func (t *Thermodynamics) curve(ctx context.Context, r *ThermodynamicsReport, machine *rbm.Machine, key stream.Key) error {
	progress := t.progress("curve")
	if min(machine.Visible(), machine.Hidden()) > exactThermodynamics {
		c, err := thermo.SampleCurve(ctx, machine, thermo.Sampling{Most: t.Most, Sweeps: t.Sweeps, Key: key, Progress: progress})
		if err != nil {
			return err
		}
		r.Curve, r.CurveLength, r.RoundTrips = c.Points, c.Length, c.RoundTrips
		r.Peak = PeakReport{c.Peak.Beta, c.PeakError, c.Peak.HeatCapacity, c.HeightError, c.Peak.Beta == t.Most}
		return r.at(t.Most, func(beta float64) (thermo.Point, error) { return c.Curve().PointAt(ctx, beta) })
	}
	if !(t.Most > firstBeta) || math.IsInf(t.Most, 0) {
		return fmt.Errorf("a curve to beta = %v: it must be finite and above %v", t.Most, firstBeta)
	}
	r.Exact = true
	net := rbm.NetworkOf[float64](machine)
	for k := range exactPoints + 1 {
		beta := firstBeta + (t.Most-firstBeta)*float64(k)/exactPoints
		p, err := thermo.PointAt(ctx, net, beta)
		if err != nil {
			return err
		}
		r.Curve = append(r.Curve, thermo.SampledPoint{Point: p})
		progress(float64(k) / (exactPoints + 20))
	}
	if err := r.at(t.Most, func(beta float64) (thermo.Point, error) { return thermo.PointAt(ctx, net, beta) }); err != nil {
		return err
	}
	peak, err := thermo.Peak(ctx, net, points(r.Curve))
	if err != nil {
		return err
	}
	ground, err := thermo.GroundEnergy(ctx, net)
	r.Ground = &ground
	r.Peak = PeakReport{Beta: peak.Beta, HeatCapacity: peak.HeatCapacity, AtEnd: peak.Beta >= t.Most*(1-1e-3)}
	return err
}

// at measures the points that are told in words.
func (r *ThermodynamicsReport) at(most float64, point func(beta float64) (thermo.Point, error)) error {
	for _, beta := range []float64{0.5, 1, 1.5} {
		if beta > most {
			break
		}
		p, err := point(beta)
		if err != nil {
			return err
		}
		r.At = append(r.At, p)
	}
	return nil
}

// Text reports in lines.
func (r *ThermodynamicsReport) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "heat capacity: highest at beta = %.4f ± %.4f, %.1f ± %.1f", r.Peak.Beta, r.Peak.BetaError, r.Peak.HeatCapacity, r.Peak.HeatCapacityError)
	switch {
	case r.Exact:
		fmt.Fprintf(&b, " (exact sums)\n")
	default:
		fmt.Fprintf(&b, " (tempered chains, %.1f round trips an ensemble)\n", r.RoundTrips)
	}
	if !r.Exact && r.RoundTrips < 1 {
		fmt.Fprintf(&b, "  fewer than one round trip an ensemble: that the chains are in equilibrium is not shown (--sweeps)\n")
	}
	if r.Peak.AtEnd {
		fmt.Fprintf(&b, "  that is the end of the curve: the peak may lie beyond (--most)\n")
	}
	for _, p := range r.At {
		fmt.Fprintf(&b, "  beta %.1f: energy %.1f, entropy %.1f, heat capacity %.1f, ln Z %.2f\n", p.Beta, p.Energy, p.Entropy, p.HeatCapacity, p.LnZ)
	}
	w := r.Way
	fmt.Fprintf(&b, "from independent spins and back, %d temperatures, %d chains each way: works cross at %.2f, ln Z = %.3f ± %.3f\n", w.Temperatures, w.Chains, -w.Ratio, w.LnZ, w.RatioError)
	fmt.Fprintf(&b, "  dissipated %.2f forward, %.2f back, nats: no chain is farther from equilibrium; length %.2f, L^2/2K = %.2f\n", w.DissipatedForward, w.DissipatedReverse, w.Length, w.FromLength)
	if w.Slope != nil {
		fmt.Fprintf(&b, "  Crooks: ln P_F/P_R against work has slope %.2f ± %.2f (1 in equilibrium)\n", *w.Slope, *w.SlopeError)
	}
	for _, x := range []struct {
		name string
		of   *thermo.HeatTest
	}{{"sweeps h, s, h", r.Palindromic}, {"blocks s, h", r.Blocks}} {
		fmt.Fprintf(&b, "heat from beta 1 to %.3f, %s: mean %.2f, <exp> = %.3f ± %.3f (1)", x.of.Bath, x.name, x.of.MeanHeat, x.of.MeanExp, x.of.MeanExpError)
		if x.of.Slope != nil {
			fmt.Fprintf(&b, ", slope of ln P(Q)/P(-Q) %.4f ± %.4f (%.4f in detail)", *x.of.Slope, *x.of.SlopeError, 1-x.of.Bath)
		}
		fmt.Fprintln(&b)
	}
	return b.String()
}

// table returns the curve as numbers.
func (r *ThermodynamicsReport) table() *figure.Table {
	t := &figure.Table{Columns: []string{"beta", "ln_z", "ln_z_error", "energy", "energy_error", "entropy", "entropy_error", "heat_capacity", "heat_capacity_error"}}
	for _, p := range r.Curve {
		t.Add(p.Beta, p.LnZ, p.LnZError, p.Energy, p.EnergyError, p.Entropy, p.EntropyError, p.HeatCapacity, p.HeatCapacityError)
	}
	return t
}

// chart draws all.
func (r *ThermodynamicsReport) chart() figure.Chart {
	beta := figure.Axis{Label: "inverse temperature β"}
	series := func(name string, value, deviation func(p *thermo.SampledPoint) float64) figure.Series {
		s := figure.Series{Name: name}
		for k := range r.Curve {
			p := &r.Curve[k]
			v, e := value(p), deviation(p)
			s.X, s.Y = append(s.X, p.Beta), append(s.Y, v)
			if !r.Exact {
				s.Low, s.High = append(s.Low, v-2*e), append(s.High, v+2*e)
			}
		}
		s.Band = s.Low != nil
		return s
	}
	capacity := &figure.Curves{Title: "Heat capacity", Note: fmt.Sprintf("peak at β = %.3f", r.Peak.Beta), X: beta, Y: figure.Axis{Label: "β² Var E", Unit: "nats"},
		Series: []figure.Series{series("", func(p *thermo.SampledPoint) float64 { return p.HeatCapacity }, func(p *thermo.SampledPoint) float64 { return p.HeatCapacityError }),
			figure.Guide("the machine", 1, 0, r.Peak.HeatCapacity)}}
	energy := &figure.Curves{Title: "Energy", X: beta, Y: figure.Axis{Label: "mean energy", Unit: "kT"},
		Series: []figure.Series{series("", func(p *thermo.SampledPoint) float64 { return p.Energy }, func(p *thermo.SampledPoint) float64 { return p.EnergyError })}}
	entropy := &figure.Curves{Title: "Entropy", X: beta, Y: figure.Axis{Label: "entropy", Unit: "nats"},
		Series: []figure.Series{series("", func(p *thermo.SampledPoint) float64 { return p.Entropy }, func(p *thermo.SampledPoint) float64 { return p.EntropyError })}}
	along := &figure.Curves{Title: "Dissipation along the way", Note: fmt.Sprintf("%d temperatures", r.Way.Temperatures), X: figure.Axis{Label: "t"}, Y: figure.Axis{Label: "dissipated so far", Unit: "nats"},
		Series: []figure.Series{{Name: "forward"}, {Name: "back"}}}
	for _, d := range r.Way.Along {
		for k, v := range []float64{d.Forward, d.Reverse} {
			s := &along.Series[k]
			s.X, s.Y = append(s.X, d.T), append(s.Y, v)
		}
	}
	return &figure.Panels{Title: "Thermodynamics of " + r.Model, Columns: 2, Charts: []figure.Chart{energy, capacity, entropy,
		both("Work, both ways", "works cross at "+fmt.Sprintf("%.1f", -r.Way.Ratio), figure.Axis{Label: "work", Unit: "kT"}, r.Way.Forward, r.Way.Reverse, -r.Way.Ratio, "forward", "back, seen forward"),
		along,
		both("Heat exchanged", fmt.Sprintf("from β = 1 to %.3f", r.Blocks.Bath), figure.Axis{Label: "heat taken up", Unit: "kT"}, r.Palindromic.Heats, r.Blocks.Heats, 0, "h, s, h", "blocks")}}
}

// both draws two histograms over each other as lines.
func both(title, note string, x figure.Axis, a, b []float64, guide float64, first, second string) figure.Chart {
	low, high := guide, guide
	for _, list := range [][]float64{a, b} {
		for _, v := range list {
			low, high = min(low, v), max(high, v)
		}
	}
	if !(low < high) {
		low, high = low-1, high+1
	}
	const bins = 30
	c := &figure.Curves{Title: title, Note: note, X: x, Y: figure.Axis{Label: "chains"}}
	top := 0.0
	for k, list := range [][]float64{a, b} {
		edges, counts := figure.Bin(list, low, high, bins)
		s := figure.Series{Name: []string{first, second}[k]}
		for j, n := range counts {
			s.X, s.Y = append(s.X, (edges[j]+edges[j+1])/2), append(s.Y, n)
			top = max(top, n)
		}
		c.Series = append(c.Series, s)
	}
	c.Series = append(c.Series, figure.Guide("", guide, 0, top))
	return c
}
