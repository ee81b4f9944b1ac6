package spikes

import (
	"context"
	"math"
)

// Running says how long a circuit runs.
type Running struct {
	Burn, Steps int // steps before spikes count, and steps in which they do
	// Most is how many spikes of the first network are kept at most, 0 for none.
	Most     int
	Progress func(fraction float64)
}

// A Decoding is what the spikes of a circuit say of the means.
type Decoding struct {
	Means []float64 // of each neuron being on, from 0 to 1: tau times its spikes per step
	// Errors are the standard errors of Means, from the networks; 0 for one network.
	Errors []float64
	// Autocorrelation is the mean integrated autocorrelation time, in steps, of neurons whose
	// mean is no certainty: what the variance over networks says.
	Autocorrelation float64
	Rate            float64 // spikes of a neuron a step
	Neuron, Time    []int64 // spikes of the first network: which, and in which step
	Cut             bool    // there were more of them
}

// Run runs a circuit. The error is the context's.
func Run(ctx context.Context, c Circuit, r Running) (*Decoding, error) {
	d := &Decoding{}
	for k := range r.Burn + r.Steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if k == r.Burn {
			c.Forget()
		}
		c.Step()
		if k >= r.Burn && r.Most > 0 {
			c.Spikes(0, func(neuron int) {
				if len(d.Neuron) == r.Most {
					d.Cut = true
					return
				}
				d.Neuron, d.Time = append(d.Neuron, int64(neuron)), append(d.Time, int64(k-r.Burn))
			})
		}
		if r.Progress != nil && (k%16 == 0 || k == r.Burn+r.Steps-1) {
			r.Progress(float64(k+1) / float64(r.Burn+r.Steps))
		}
	}
	d.decode(c.Counts(), c.Networks(), float64(c.Window()), float64(r.Steps))
	return d, nil
}

// uncertain is how far a mean is from certainty for its neuron to count for autocorrelation.
const uncertain = 0.05

// decode takes spikes, neurons x networks.
func (d *Decoding) decode(counts []int32, networks int, tau, steps float64) {
	n := len(counts) / networks
	d.Means, d.Errors = make([]float64, n), make([]float64, n)
	times, total, spikes := 0, 0.0, 0.0
	for i := range n {
		row, sum := counts[i*networks:(i+1)*networks], 0.0
		for _, c := range row {
			sum += float64(c)
		}
		spikes += sum
		mean := tau * sum / (steps * float64(networks))
		d.Means[i] = mean
		if networks == 1 {
			continue
		}
		variance := 0.0
		for _, c := range row {
			x := tau*float64(c)/steps - mean
			variance += x * x
		}
		variance /= float64(networks - 1)
		d.Errors[i] = math.Sqrt(variance / float64(networks))
		if mean > uncertain && mean < 1-uncertain {
			total += variance * steps / (mean * (1 - mean))
			times++
		}
	}
	d.Rate = spikes / (steps * float64(len(counts)))
	if times > 0 {
		d.Autocorrelation = total / float64(times)
	}
}

// A Comparison is how far decoded means are from others.
type Comparison struct {
	RMS float64 `json:"rms_error"` // of means from 0 to 1
	// Expected is what RMS would be if noise were all: the root mean square of the standard errors.
	Expected float64 `json:"rms_expected_of_noise"`
	Max      float64 `json:"max_error"`
	RMSZ     float64 `json:"rms_z"` // of errors in standard errors, where these are known
	MaxZ     float64 `json:"max_z"`
}

// Compare compares a decoding with reference means and their standard errors (0 where they
// are exact), but for the neurons that are left out.
func (d *Decoding) Compare(means, errors []float64, leave func(neuron int) bool) Comparison {
	var c Comparison
	n, measured := 0, 0
	for i, m := range means {
		if leave(i) {
			continue
		}
		e := d.Means[i] - m
		variance := d.Errors[i]*d.Errors[i] + errors[i]*errors[i]
		c.RMS += e * e
		c.Expected += variance
		c.Max = max(c.Max, math.Abs(e))
		n++
		if variance > 0 {
			z := math.Abs(e) / math.Sqrt(variance)
			c.RMSZ += z * z
			c.MaxZ = max(c.MaxZ, z)
			measured++
		}
	}
	c.RMS, c.Expected = math.Sqrt(c.RMS/float64(max(1, n))), math.Sqrt(c.Expected/float64(max(1, n)))
	c.RMSZ = math.Sqrt(c.RMSZ / float64(max(1, measured)))
	return c
}
