package runs

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
)

// A Number is a float64 whose JSON form is null where it is not finite.
type Number float64

// MarshalJSON implements json.Marshaler.
func (x Number) MarshalJSON() ([]byte, error) {
	if v := float64(x); math.IsNaN(v) || math.IsInf(v, 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(x))
}

// UnmarshalJSON implements json.Unmarshaler.
func (x *Number) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*x = Number(math.NaN())
		return nil
	}
	v, err := strconv.ParseFloat(string(text), 64) // faster than through json, which has checked the text
	if err != nil {
		return &json.UnmarshalTypeError{Value: string(text[:min(len(text), 40)]), Type: reflect.TypeFor[float64]()}
	}
	*x = Number(v)
	return nil
}

// Numbers converts.
func Numbers[T ~float32 | ~float64](x []T) []Number {
	y := make([]Number, len(x))
	for k, v := range x {
		y[k] = Number(v)
	}
	return y
}

// Floats converts.
func Floats(x []Number) []float64 {
	y := make([]float64, len(x))
	for k, v := range x {
		y[k] = float64(v)
	}
	return y
}

// A Record is one line of a metrics file: how learning stands after a step.
// What was not measured is absent.
type Record struct {
	Start     int     `json:"start,omitempty"` // which random start, counted from 0
	Step      int     `json:"step"`            // steps done
	Epoch     float64 `json:"epoch,omitempty"` // passes through the data
	Seconds   float64 `json:"seconds"`         // of learning
	Fraction  float64 `json:"fraction"`        // of the learning that is done
	Rate      Number  `json:"rate"`
	Coupling  Number  `json:"coupling"`
	Polarised Number  `json:"polarised"`      // share of synapses with |mean| > 0.9
	KL        Number  `json:"kl_per_synapse"` // nats

	Engine        *EngineReport  `json:"engine,omitempty"`
	Bound         *Bound         `json:"bound,omitempty"`
	LogLikelihood *LogLikelihood `json:"log_likelihood,omitempty"`
	Validation    *LogLikelihood `json:"validation,omitempty"` // of data that were not learned from

	Labels   *Labels   `json:"labels,omitempty"`
	Sampler  *Sampler  `json:"sampler,omitempty"`
	Meter    *Meter    `json:"meter,omitempty"`
	Patience *Patience `json:"patience,omitempty"`
	Work     *Work     `json:"work,omitempty"`
	Layers   []Layer   `json:"layers,omitempty"` // of a deep machine, from the first hidden layer on

	Magnetisations []int    `json:"magnetisations,omitempty"`  // counts of posterior means in equal bins from -1 to 1
	SingularValues []Number `json:"singular_values,omitempty"` // of the posterior means, falling
	Overlap        *Overlap `json:"overlap,omitempty"`

	NoSingularValues string `json:"no_singular_values,omitempty"` // why they were not measured, though they were due

	TeacherOverlaps []Number `json:"teacher_overlaps,omitempty"` // planted: matched |lambda.xi*|/N of each hidden unit

	Synapses string `json:"synapses,omitempty"` // pictures, by their names in the pictures folder
	Samples  string `json:"samples,omitempty"`
}

// EngineReport is what the expectation step of a record reported.
type EngineReport struct {
	Name       string `json:"name"`
	Iterations int    `json:"iterations,omitempty"`
	Residual   Number `json:"residual"`
	Converged  bool   `json:"converged"`
	// Rho is the smallest rho of Gaussian units on binary synapses (dual.Report); 0 of others.
	Rho Number `json:"smallest_rho,omitzero"`
}

// A Layer is how a hidden layer of a deep machine stands.
type Layer struct {
	Coupling  Number `json:"coupling"`  // of the link below it
	Polarised Number `json:"polarised"` // share of the synapses below it with |mean| > 0.9
	Mean      Number `json:"mean_size"` // mean |posterior mean| of those synapses
	// Spread is the standard deviation over the samples of a batch of the mean of a unit
	// given the sample, a mean over units: 0 of a layer that sleeps.
	Spread Number `json:"spread"`
}

// Meter is what tempered chains that follow learning tell of the network that it samples: the dual network of the
// posterior, or the machine of known synapses. Intervals are ± 1.96 standard errors over ensembles.
type Meter struct {
	LnZ           Estimate  `json:"ln_z"`
	Exact         *Number   `json:"ln_z_exact,omitempty"`                       // by exact sums, of up to 12 units in the smaller layer
	Online        *Estimate `json:"log_likelihood_online"`                      // nats per training sample, under that network
	Validation    *Estimate `json:"log_likelihood_online_validation,omitempty"` // the same of validation data
	LeastExchange Number    `json:"least_exchange_rate"`
	RoundTrips    Number    `json:"round_trips"` // an ensemble, while it was read
	Temperatures  int       `json:"temperatures"`
	Averaged      int       `json:"models_averaged,omitempty"` // with patience: that the network is the mean of, while learning searches
	Kind          string    `json:"synapses"`                  // what the synapses are at this step
}

// Work is what learning does to its chains, in nats per chain: means over Chains of them, with intervals of ± 1.96 standard errors.
type Work struct {
	Chains int      `json:"chains"`
	Work   Estimate `json:"work"` // of the step: the change of the network at the states that chains were in
	Heat   Estimate `json:"heat"` // that the sweeps after it took up
	// Dissipated is what the step's change alone dissipated, if the chains were in equilibrium before it; else an estimate.
	Dissipated Number `json:"dissipated_step"`

	Since     int    `json:"since"` // step that totals are from
	TotalWork Number `json:"total_work"`
	TotalHeat Number `json:"total_heat"`
	Replaced  int    `json:"replaced,omitempty"` // chains of these that scouts took the place of since then

	// Where ln Z is known: its change, how, and work plus that change. No chain is farther from equilibrium than those of Since were and so many
	// nats more.
	LnZ   *Number   `json:"ln_z_change,omitempty"`
	By    string    `json:"ln_z_by,omitempty"` // exact or meter
	Total *Estimate `json:"dissipated,omitempty"`
}

// Patience is how the search for the best held-out likelihood stands, by the readings of the meter.
type Patience struct {
	Best     int      `json:"best_step"`
	Estimate Estimate `json:"best"`                    // nats per sample of validation data
	Waited   int      `json:"readings_since"`          // that were not the best
	Stopped  int      `json:"stopped_after,omitempty"` // step after which the search ended; 0: it goes on
	ByLimit  bool     `json:"stopped_by_limit,omitempty"`
	Ending   int      `json:"ending_steps,omitempty"` // that learning takes from the best to its end
}

// Text tells how the search ended, in a line.
func (p *Patience) Text() string {
	why := fmt.Sprintf("%d readings since were no better", p.Waited)
	if p.ByLimit {
		why = "the limit of learning came"
	}
	then := "that is the machine"
	if p.Ending > 0 {
		then = fmt.Sprintf("from there learning ends in %d steps", p.Ending)
	}
	return fmt.Sprintf("held-out likelihood was best after step %d, %.2f nats per sample by the meter; at step %d %s: %s", p.Best, float64(p.Estimate.Value), p.Stopped, why, then)
}

// Sampler is the temperature of the samples of an outside sampler at the step. Local and Global
// are inverse temperatures relative to the machine; 1 is wanted.
type Sampler struct {
	Beta        Number  `json:"beta"`  // of the sampler itself, by Local
	Local       Number  `json:"local"` // by pseudolikelihood
	LocalError  Number  `json:"local_error"`
	Global      *Number `json:"global,omitempty"` // by energy, of machines whose states take no time
	GlobalError *Number `json:"global_error,omitempty"`
	Equilibrium *bool   `json:"in_equilibrium,omitempty"` // both agree within their errors
	Limited     bool    `json:"range_exceeded,omitempty"` // the machine did not fit the sampler's range
}

// Text tells the temperatures in a line.
func (s *Sampler) Text() string {
	text := fmt.Sprintf("the sampler is at inverse temperature %.4g; its last samples, relative to the machine: %.3f ± %.3f by pseudolikelihood", float64(s.Beta), float64(s.Local), float64(s.LocalError))
	if s.Global != nil {
		text += fmt.Sprintf(", %.3f ± %.3f by energy", float64(*s.Global), float64(*s.GlobalError))
	}
	if s.Equilibrium != nil && !*s.Equilibrium {
		text += ": NOT in equilibrium, as they disagree"
	}
	if s.Limited {
		text += "; the machine exceeds the sampler's range"
	}
	return text
}

// Labels is how a classifier that learns along did on the batch of the step, from
// half of the hidden means.
type Labels struct {
	Loss  Number `json:"loss"`  // -ln p(label), nats per sample
	Error Number `json:"error"` // share of wrong labels
}

// Bound is the lower bound on the log-likelihood, in nats per sample.
type Bound struct {
	Value     Number `json:"value"`
	Data      Number `json:"data"`
	Partition Number `json:"partition"`
	KL        Number `json:"kl"`
	By        string `json:"by"`             // how the partition term was found
	Kind      string `json:"kind,omitempty"` // what the value is: see learn.BoundKind; empty in older records
}

// LogLikelihood is an estimate of the mean log-likelihood, in nats per sample.
type LogLikelihood struct {
	Data    string    `json:"data"` // of what samples
	Exact   *Estimate `json:"exact,omitempty"`
	Forward *Estimate `json:"forward,omitempty"`
	Reverse *Estimate `json:"reverse,omitempty"`
}

// Mean returns the exact value if it is known, else that of annealing in reverse, else
// forward; NaN if there is none.
func (l *LogLikelihood) Mean() Number {
	for _, e := range []*Estimate{l.Exact, l.Reverse, l.Forward} {
		if e != nil {
			return e.Value
		}
	}
	return Number(math.NaN())
}

// Estimate is a value with the ends of its interval.
type Estimate struct {
	Value Number `json:"value"`
	Low   Number `json:"low"`
	High  Number `json:"high"`
}

// Overlap sums up the normalised overlaps between the posterior means of pairs
// of hidden units.
type Overlap struct {
	Mean   Number   `json:"mean"`             // of the absolute values
	Max    Number   `json:"max"`              // of them
	Of     int      `json:"of,omitempty"`     // hidden units that mean and max are of, evenly spaced, where that are not all
	Matrix []Number `json:"matrix,omitempty"` // those of some units, row by row
	Units  []int    `json:"units,omitempty"`  // those of the matrix, from 0, where they are not all
}

// before reports whether a record is of (start, step) or earlier.
func (r *Record) before(start, step int) bool {
	return r.Start < start || r.Start == start && r.Step <= step
}
