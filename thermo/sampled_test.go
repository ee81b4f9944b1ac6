package thermo

import (
	"errors"
	"math"
	"testing"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// A sampled curve of a centred machine agrees with the exact one within five errors at every rung, and its interpolation
// and its peak too. The errors are small.
func TestSampleCurve(t *testing.T) {
	params := rbm.NewParams(20, 6, 0.35)
	rng := stream.New(3).Rand()
	for i := range params.VisibleField {
		params.VisibleField[i], params.VisibleOffset[i] = 0.3*rng.NormFloat64(), 0.5*rng.Float64()
	}
	for mu := range params.HiddenField {
		params.HiddenOffset[mu] = 0.4 * rng.Float64()
	}
	m := &rbm.Machine{Params: params, Synapses: rbm.Binary(spin.Random(20, 6, rng))}
	net := rbm.NetworkOf[float64](m)
	told := 0.0
	c, err := SampleCurve(t.Context(), m, Sampling{Sweeps: 600, Key: stream.New(1), Progress: func(f float64) { told = f }})
	if err != nil {
		t.Fatal(err)
	}
	if c.RoundTrips < 5 || told < 0.9 || c.Points[0].Beta != 0 || c.Points[len(c.Points)-1].Beta != 2 {
		t.Errorf("%.1f round trips, told %v, from %v to %v", c.RoundTrips, told, c.Points[0].Beta, c.Points[len(c.Points)-1].Beta)
	}
	var exact []Point
	for _, p := range c.Points {
		want, err := PointAt(t.Context(), net, p.Beta)
		if err != nil {
			t.Fatal(err)
		}
		exact = append(exact, want)
		for name, x := range map[string][3]float64{"ln Z": {p.LnZ, want.LnZ, p.LnZError}, "U": {p.Energy, want.Energy, p.EnergyError},
			"S": {p.Entropy, want.Entropy, p.EntropyError}, "C": {p.HeatCapacity, want.HeatCapacity, p.HeatCapacityError}} {
			if math.Abs(x[0]-x[1]) > 5*x[2]+1e-4 || x[2] > 0.5 {
				t.Errorf("beta %.3f: %s is %.4f ± %.4f, exactly %.4f", p.Beta, name, x[0], x[2], x[1])
			}
		}
	}
	peak, err := Peak(t.Context(), net, exact[1:])
	if err != nil || math.Abs(peak.Beta-c.Peak.Beta) > 5*c.PeakError+0.02 || math.Abs(peak.HeatCapacity-c.Peak.HeatCapacity) > 5*c.HeightError+0.1 {
		t.Errorf("peak at %.3f ± %.3f of %.3f ± %.3f, exactly %.3f of %.3f (%v)", c.Peak.Beta, c.PeakError, c.Peak.HeatCapacity, c.HeightError, peak.Beta, peak.HeatCapacity, err)
	}
	curve := c.Curve()
	mid, err := curve.PointAt(t.Context(), 0.77)
	want, _ := PointAt(t.Context(), net, 0.77)
	if err != nil || math.Abs(mid.Energy-want.Energy) > 0.3 || math.Abs(mid.LnZ-want.LnZ) > 0.2 {
		t.Errorf("between rungs: %+v, exactly %+v (%v)", mid, want, err)
	}
	if _, err := curve.PointAt(t.Context(), 2.1); !errors.Is(err, ErrBeyond) {
		t.Errorf("beyond: %v", err)
	}
	// Both thermometers by it read samples at 0.7.
	s := samplesOf(net, 0.7, 4000)
	both, err := Both(t.Context(), curve, net, s[0], s[1])
	if agree, known := both.Agree(); err != nil || !agree || !known || math.Abs(both.Global.Beta-0.7) > 0.05 {
		t.Errorf("thermometers at 0.7: %+v %v", both, err)
	}
}

// samplesOf returns chains at an inverse temperature that have swept long.
func samplesOf(net *rbm.Network[float64], beta float64, count int) [2]*spin.Matrix {
	at := Scaled(net, beta)
	visible, hidden := spin.Random(net.Visible(), count, stream.New(8).Rand()), spin.New(net.Hidden(), count)
	across := make([]float64, len(net.Coupling))
	at.TransposeCoupling(across)
	for k := range 100 {
		fields := make([]float64, net.Hidden()*count)
		at.HiddenFields(fields, visible)
		spin.Draw(hidden, fields, stream.New(9).Sub(uint64(k)))
		if k == 99 {
			break
		}
		fields = make([]float64, net.Visible()*count)
		at.VisibleFields(fields, across, hidden)
		spin.Draw(visible, fields, stream.New(10).Sub(uint64(k)))
	}
	return [2]*spin.Matrix{visible, hidden}
}

func TestSampleCurveRefuses(t *testing.T) {
	m := &rbm.Machine{Params: rbm.NewParams(3, 2, 1), Synapses: rbm.Binary(spin.New(3, 2))}
	for _, s := range []Sampling{{Most: -1}, {Ensembles: 1}, {Sweeps: 3}, {Most: math.Inf(1)}} {
		if _, err := SampleCurve(t.Context(), m, s); err == nil {
			t.Errorf("%+v passes", s)
		}
	}
}
