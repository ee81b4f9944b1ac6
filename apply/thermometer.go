package apply

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"

	"bethe/rbm"
	"bethe/sampler"
	"bethe/thermo"
)

// A Thermometer is what samples of a machine tell of their inverse temperature, relative to the machine's.
type Thermometer struct {
	Samples    int                 `json:"samples"`
	MeanEnergy float64             `json:"mean_energy"`
	Local      *thermo.Temperature `json:"local"`     // by pseudolikelihood; null if no finite one is the best
	Couplings  *thermo.Temperature `json:"couplings"` // the same with two of them
	Fields     *thermo.Temperature `json:"fields"`
	Global     *thermo.Temperature `json:"global"` // by the mean energy; null if no finite one has it
	// Exact tells that the global one is by exact sums, and not by a curve that was sampled.
	Exact       bool  `json:"exact_curve"`
	Equilibrium *bool `json:"in_equilibrium,omitempty"` // local and global agree within three errors; absent if one does not read or has no error
}

// exactThermometer is how many units the smaller layer has at most if the curve is by exact sums.
const exactThermometer = 16

// ReadThermometer reads both thermometers of the samples in a file (sampler.ReadSamples). The curve of a machine of
// many units is sampled as s says. Errors name the file, or are the context's.
func ReadThermometer(ctx context.Context, machine *rbm.Machine, path string, s thermo.Sampling) (*Thermometer, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	x, err := sampler.ReadSamples(f, machine.Visible(), machine.Hidden(), 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	net := rbm.NetworkOf[float64](machine)
	r := &Thermometer{Samples: x.Visible.Cols()}
	if r.MeanEnergy, _, err = thermo.MeanEnergy(net, x.Visible, x.Hidden); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	none := func(err error) bool { return errors.Is(err, thermo.ErrNoTemperature) }
	local, err := thermo.Pseudolikelihood(net, x.Visible, x.Hidden)
	if err == nil {
		r.Local = &local
	} else if !none(err) {
		return nil, err
	}
	couplings, fields, err := thermo.Apart(net, x.Visible, x.Hidden)
	if err == nil {
		r.Couplings, r.Fields = &couplings, &fields
	} else if !none(err) {
		return nil, err
	}
	var curve thermo.Curve = thermo.ExactCurve{Net: net}
	r.Exact = min(net.Visible(), net.Hidden()) <= exactThermometer
	if !r.Exact {
		if r.Local != nil {
			s.Most = max(thermo.DefaultMost, math.Ceil(1.5*local.Beta))
		}
		sampled, err := thermo.SampleCurve(ctx, machine, s)
		if err != nil {
			return nil, err
		}
		curve = sampled.Curve()
	}
	global, err := thermo.Likelihood(ctx, curve, r.MeanEnergy, r.Samples)
	switch {
	case err == nil:
		r.Global = &global
	case !none(err) && !errors.Is(err, thermo.ErrBeyond):
		return nil, err
	}
	if r.Local != nil && r.Global != nil {
		if agree, known := (&thermo.Temperatures{Local: local, Global: global}).Agree(); known {
			r.Equilibrium = &agree
		}
	}
	return r, nil
}

// Text reports what was read, in lines.
func (r *Thermometer) Text() string {
	var b strings.Builder
	line := func(name string, t *thermo.Temperature, more string) {
		if t == nil {
			fmt.Fprintf(&b, "  %-10s no finite one is the best  %s\n", name, more)
			return
		}
		if math.IsNaN(t.Error) {
			fmt.Fprintf(&b, "  %-10s %.4f, error not known  %s\n", name, t.Beta, more)
			return
		}
		fmt.Fprintf(&b, "  %-10s %.4f ± %.4f  %s\n", name, t.Beta, t.Error, more)
	}
	fmt.Fprintf(&b, "inverse temperature of %d samples, relative to the machine (1: they are its own), mean energy %.2f:\n", r.Samples, r.MeanEnergy)
	line("local", r.Local, "by pseudolikelihood: whether spins follow their neighbours")
	line("couplings", r.Couplings, "the same, couplings and fields apart")
	line("fields", r.Fields, "")
	how := "by the mean energy, on a curve of tempered chains"
	if r.Exact {
		how = "by the mean energy, exact sums"
	}
	line("global", r.Global, how)
	switch {
	case r.Equilibrium == nil && r.Local != nil && r.Global != nil:
		fmt.Fprintf(&b, "  samples are too few, or too alike, to tell an error: whether they agree is not known\n")
	case r.Equilibrium == nil:
		fmt.Fprintf(&b, "  one thermometer does not read: whether they agree is not known\n")
	case *r.Equilibrium:
		fmt.Fprintf(&b, "  both agree within three errors (of independent samples)\n")
	default:
		fmt.Fprintf(&b, "  NOT in equilibrium: local and global disagree, so these are no Boltzmann samples of the machine at any temperature\n")
	}
	return b.String()
}
