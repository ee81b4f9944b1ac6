package apply

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"bethe/dataset/source"
	"bethe/evaluate"
	"bethe/exchange"
	"bethe/figure"
	"bethe/internal/durable"
	"bethe/internal/npy"
	"bethe/rbm"
	"bethe/setting"
	"bethe/spikes"
	"bethe/spin"
	"bethe/stream"
)

// Kinds of noise of spiking neurons.
const (
	NeuronNoise  = "neurons"  // neurons spike at random: exact
	SynapseNoise = "synapses" // synapses flip, neurons compare with a threshold: an approximation
)

// Spiking runs a machine as spiking neurons (package spikes).
type Spiking struct {
	Job
	Tau         int    // steps of the refractory window
	Steps, Burn int    // steps that count, and before them
	Networks    int    // that run at once: errors come from their differences
	Sweeps      int    // of the tempered chains whose states networks start at
	Noise       string // NeuronNoise or SynapseNoise
	Integers    bool   // run what exchange.WriteSpikesC writes; network k starts silent, from the seed + k
	Clamp, From string // visible units that are held at what they are in a sample; both are empty, or none
	Out         string // npz file of the spikes of the first network; may be empty
	Raster      string // their picture, .png or .svg; may be empty
}

// A SpikingReport is what spikes say of the means, beside what they are.
type SpikingReport struct {
	Model       string              `json:"model"`
	Noise       string              `json:"noise"`
	Tau         int                 `json:"tau"`
	Steps       int                 `json:"steps"`
	Burn        int                 `json:"burn"`
	Networks    int                 `json:"networks"`
	Integers    bool                `json:"integers,omitempty"`
	Clamped     int                 `json:"clamped"`
	Populations []spikes.Population `json:"populations"`
	Rate        float64             `json:"spikes_per_neuron_and_step"`
	// Autocorrelation times in steps, of decoded means and of Gibbs chains.
	Autocorrelation      float64           `json:"autocorrelation"`
	GibbsAutocorrelation float64           `json:"gibbs_autocorrelation"`
	Reference            string            `json:"reference"` // what means are compared with: exact, or Gibbs of equal length
	Against              spikes.Comparison `json:"against_reference"`
	Gibbs                spikes.Comparison `json:"gibbs_against_reference"` // zero where Gibbs is the reference
	Spikes               int               `json:"spikes_kept,omitempty"`
	Cut                  bool              `json:"spikes_cut,omitempty"` // there were more
	Out                  string            `json:"out,omitempty"`
	Raster               string            `json:"raster,omitempty"`
}

// circuits are models that run as spiking neurons.
type circuits interface {
	Visible() int
	// circuits prepares the networks.
	circuits(ctx context.Context, s *Spiking, held *spin.Matrix, units []int) (*prepared, error)
}

// prepared are networks that are ready to run.
type prepared struct {
	circuit   spikes.Circuit
	gibbs     spikes.Circuit // the same with windows of one step
	exact     []float64      // means of all neurons; none where they are not known
	reference string
}

// Validate returns the *setting.Error of the first setting that does not fit.
func (s *Spiking) Validate() error {
	switch {
	case s.Tau < 1 || s.Tau > 10000:
		return setting.Errorf("tau", s.Tau, "it must be from 1 to 10000")
	case s.Steps < 1 || s.Burn < 0 || s.Sweeps < 1:
		return setting.Phrase("steps", "{steps %d} {burn %d} {sweeps %d}: steps and sweeps must be at least 1, and burn not negative", s.Steps, s.Burn, s.Sweeps)
	case s.Networks < 2:
		return setting.Errorf("networks", s.Networks, "errors come from the differences of networks: there must be at least 2")
	case s.Noise != NeuronNoise && s.Noise != SynapseNoise:
		return setting.Phrase("noise", "{noise %q}: it is %s or %s", s.Noise, NeuronNoise, SynapseNoise)
	case s.Noise == SynapseNoise && s.Tau != 1:
		return setting.Phrase("tau", "{tau %d} with {noise %s}: threshold neurons have no window, {tau 1}", s.Tau, SynapseNoise)
	case s.Integers && (s.Noise == SynapseNoise || s.Clamp != ""):
		return setting.Phrase("integers", "{integers} runs neurons alone, without {noise %s} and {clamp}", SynapseNoise)
	case (s.Clamp == "") != (s.From == ""):
		return setting.Phrase("clamp", "{clamp} and {from} go together: which units are held, and at which sample")
	case s.Raster != "" && !slices.Contains([]string{".png", ".svg"}, filepath.Ext(s.Raster)):
		return setting.Errorf("raster", s.Raster, "a picture is a .png or an .svg file")
	case s.Out != "" && s.Out == s.Raster:
		return setting.Phrase("raster", "{out} and {raster} name the same file, %s", s.Out)
	case strings.EqualFold(filepath.Ext(s.Out), ".png"), strings.EqualFold(filepath.Ext(s.Out), ".svg"):
		return setting.Phrase("out", "{out %s}: {out} is for spikes, in an npz file; for a picture name {raster %s}", s.Out, s.Out)
	}
	return promises("out", s.Out, ".npz")
}

// mostSpikes is how many spikes of the first network are kept, and rasterSteps how many steps a
// raster shows.
const (
	mostSpikes  = 20_000_000
	rasterSteps = 400
)

// Run runs the networks and writes the files. The error is a *setting.Error, the context's, that
// of the model or the data, or of a file that cannot be written.
func (s *Spiking) Run(ctx context.Context) (*SpikingReport, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	m, err := able[circuits](&s.Job, "spikes", s.Out, s.Raster)
	if err != nil {
		return nil, err
	}
	held, units, err := s.held(m.Visible())
	if err != nil {
		return nil, err
	}
	p, err := m.circuits(ctx, s, held, units)
	if err != nil {
		return nil, err
	}
	run := spikes.Running{Burn: s.Burn, Steps: s.Steps, Progress: s.progress("spiking")}
	gibbs, err := spikes.Run(ctx, p.gibbs, spikes.Running{Burn: s.Burn, Steps: s.Steps, Progress: s.progress("Gibbs")})
	if err != nil {
		return nil, err
	}
	if s.Out != "" || s.Raster != "" {
		run.Most = mostSpikes
	}
	d, err := spikes.Run(ctx, p.circuit, run)
	if err != nil {
		return nil, err
	}
	r := &SpikingReport{Model: s.Model, Noise: s.Noise, Tau: s.Tau, Steps: s.Steps, Burn: s.Burn, Networks: s.Networks, Integers: s.Integers, Clamped: len(units), Populations: p.circuit.Populations(),
		Rate: d.Rate, Autocorrelation: d.Autocorrelation, GibbsAutocorrelation: gibbs.Autocorrelation, Reference: p.reference, Spikes: len(d.Neuron), Cut: d.Cut, Out: s.Out, Raster: s.Raster}
	leave := func(neuron int) bool { return slices.Contains(units, neuron) }
	if len(p.exact) > 0 {
		none := make([]float64, len(p.exact))
		r.Against, r.Gibbs = d.Compare(p.exact, none, leave), gibbs.Compare(p.exact, none, leave)
	} else {
		r.Against = d.Compare(gibbs.Means, gibbs.Errors, leave)
	}
	return r, s.write(d, r)
}

// held returns the sample that units are held at, visible x 1, and the units.
func (s *Spiking) held(visible int) (held *spin.Matrix, units []int, err error) {
	held = spin.New(visible, 1)
	if s.Clamp == "" {
		return held, nil, nil
	}
	picked, err := s.Data.Pick("from", s.From, visible)
	if err != nil {
		return nil, nil, err
	}
	if n := len(picked.Numbers); n != 1 {
		return nil, nil, setting.Errorf("from", s.From, "%d samples, where units are held at one", n)
	}
	units, err = source.Region("clamp", s.Clamp, visible, picked.Width, picked.Height)
	return picked.Samples, units, err
}

// options returns those of a circuit.
func (s *Spiking) options(tau int, label uint64, units []int) spikes.Options {
	return spikes.Options{Tau: tau, Key: stream.New(s.Seed).Sub(label), Clamp: units}
}

// mostExact is the largest smaller layer whose means are enumerated.
const mostExact = 16

// circuits starts networks at the states of tempered chains, or of chains that hold the units.
func (file layered) circuits(ctx context.Context, s *Spiking, held *spin.Matrix, units []int) (*prepared, error) {
	machine := file.Machine()
	if err := (count{"networks", s.Networks}).fits(machine, 1, "networks", true); err != nil {
		return nil, err
	}
	how := evaluate.Sampling{Count: s.Networks, Sweeps: s.Sweeps, Tempered: true, Key: stream.New(s.Seed).Sub(stream.SpikesStates), Progress: s.progress("tempering")}
	if len(units) > 0 {
		how.Units, how.Held = units, held
	}
	drawn, err := evaluate.Sample(ctx, machine, how)
	if err != nil {
		return nil, err
	}
	start := drawn.Chains.Visible
	p := &prepared{circuit: spikes.Layered(machine, start, s.options(s.Tau, stream.SpikesStart, units)), gibbs: spikes.Layered(machine, start, s.options(1, stream.SpikesReference, units)), reference: "Gibbs of equal length"}
	if s.Noise == SynapseNoise {
		if p.circuit, err = spikes.Noisy(machine, start, s.options(1, stream.SpikesStart, units)); err != nil {
			return nil, setting.Phrase("noise", "{noise %s}: %s: %v", s.Noise, s.Model, err)
		}
	}
	if s.Integers {
		packed, err := exchange.Pack(machine)
		if err != nil {
			return nil, setting.Phrase("integers", "{integers}: %s: %v", s.Model, err)
		}
		p.circuit = packed.Circuit(s.Seed, s.Networks, s.Tau)
	}
	if min(machine.Visible(), machine.Hidden()) > mostExact || len(units) > 0 {
		return p, nil
	}
	moments := rbm.NewMoments[float64](machine.Visible(), machine.Hidden())
	if _, err := rbm.NetworkOf[float64](machine).ExactMoments(ctx, moments); err != nil {
		return nil, err
	}
	p.exact, p.reference = halves(moments.Visible, moments.Hidden), "exact"
	return p, nil
}

// halves returns means of spins as means of units that are 0 or 1.
func halves(spins ...[]float64) (means []float64) {
	for _, v := range slices.Concat(spins...) {
		means = append(means, (1+v)/2)
	}
	return means
}

// circuits starts networks at exact draws.
func (d directed) circuits(ctx context.Context, s *Spiking, held *spin.Matrix, units []int) (*prepared, error) {
	if s.Noise == SynapseNoise || s.Integers {
		return nil, setting.Phrase("noise", "{noise %s} and {integers} are for machines with hidden units, not for a %s", SynapseNoise, d.Model)
	}
	machine := d.Machine()
	_, start, err := machine.Complete(ctx, held, units, s.Networks, stream.New(s.Seed).Sub(stream.SpikesStates))
	if err != nil {
		return nil, err
	}
	e, err := machine.Expect(ctx, held, units)
	if err != nil {
		return nil, err
	}
	p := &prepared{circuit: spikes.Directed(machine, start, s.options(s.Tau, stream.SpikesStart, units)), gibbs: spikes.Directed(machine, start, s.options(1, stream.SpikesReference, units)), reference: "exact"}
	p.exact = append(halves(e.Visible), e.States...)
	if machine.Levels().Two {
		p.exact = append(p.exact, e.Causes...)
	}
	return p, nil
}

// write writes the spikes and their raster.
func (s *Spiking) write(d *spikes.Decoding, r *SpikingReport) error {
	if s.Out != "" {
		if err := durable.WriteOutput(s.Out, func(w io.Writer) error { return npy.WriteArchive(w, spikeArrays(d, r)) }); err != nil {
			return err
		}
	}
	if s.Raster == "" {
		return nil
	}
	chart := raster(d, r)
	encode := figure.EncodePNG
	if filepath.Ext(s.Raster) == ".svg" {
		encode = figure.EncodeSVG
	}
	return durable.WriteOutput(s.Raster, func(w io.Writer) error { return encode(w, chart, figure.Light) })
}

// spikeArrays are neuron, time and layer of each spike of the first network, tau and steps, and
// the decoded mean of each neuron with its error.
func spikeArrays(d *spikes.Decoding, r *SpikingReport) []npy.Array {
	layer := make([]int64, len(d.Neuron))
	for k, neuron := range d.Neuron {
		for _, p := range r.Populations {
			if neuron < int64(p.Size) {
				break
			}
			neuron -= int64(p.Size)
			layer[k]++
		}
	}
	n := len(d.Neuron)
	return []npy.Array{{Name: "neuron", Shape: []int{n}, Data: d.Neuron}, {Name: "time", Shape: []int{n}, Data: d.Time}, {Name: "layer", Shape: []int{n}, Data: layer},
		{Name: "tau", Shape: []int{}, Data: []int64{int64(r.Tau)}}, {Name: "steps", Shape: []int{}, Data: []int64{int64(r.Steps)}},
		{Name: "mean", Shape: []int{len(d.Means)}, Data: d.Means}, {Name: "mean_error", Shape: []int{len(d.Errors)}, Data: d.Errors}}
}

// raster draws the first steps of the first network: a column per step, a row per neuron.
func raster(d *spikes.Decoding, r *SpikingReport) figure.Chart {
	steps := min(r.Steps, rasterSteps)
	panels := &figure.Panels{Title: fmt.Sprintf("Spikes of a network, tau %d", r.Tau), Columns: 1}
	first := 0
	for _, p := range r.Populations {
		dark := make([]bool, p.Size*steps)
		for k, neuron := range d.Neuron {
			if i := int(neuron) - first; i >= 0 && i < p.Size && d.Time[k] < int64(steps) {
				dark[i*steps+int(d.Time[k])] = true
			}
		}
		panels.Charts = append(panels.Charts, &figure.Picture{Title: p.Name, Note: fmt.Sprintf("%d neurons, %d steps: a row a neuron, a column a step", p.Size, steps),
			Image: figure.Raster(steps, dark)})
		first += p.Size
	}
	return panels
}
