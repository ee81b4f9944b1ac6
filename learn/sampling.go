package learn

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"bethe/dual"
	"bethe/runs"
	"bethe/sampler"
	"bethe/setting"
	"bethe/spin"
	"bethe/stream"
	"bethe/thermo"
)

// A Sampling has the expectation step done by a sampler that is not ours: see package sampler. Chains
// of the recipe are its reads a step. How problems travel is the job's (Job.Transport).
type Sampling struct {
	Sampler       string  `json:"sampler,omitzero"`         // program and arguments; empty: our own engines
	SamplerHRange float64 `json:"sampler_h_range,omitzero"` // largest field that it takes; 0: any
	SamplerJRange float64 `json:"sampler_j_range,omitzero"` // largest coupling
	SamplerBits   int     `json:"sampler_bits,omitzero"`    // precision of both; 0: full
	SamplerGauges int     `json:"sampler_gauges,omitzero"`  // parts of the reads, each turned by a random gauge
	// SamplerBeta is its inverse temperature: auto or empty (from its samples), xu-oates or xu-oates:RATE, or a number.
	SamplerBeta string  `json:"sampler_beta,omitzero"`
	MaxField    float64 `json:"max_field,omitzero"` // bound on fields, in units of the coupling; 0: what the samples justify
}

// Words of SamplerBeta.
const (
	betaAuto    = "auto"
	betaXuOates = "xu-oates"
	xuOatesRate = 0.02
)

// check returns a *SettingError if a setting is out of its range.
func (s *Sampling) check() error {
	bad := func(v float64) bool { return !(v >= 0) || math.IsInf(v, 0) }
	switch {
	case bad(s.SamplerHRange):
		return setting.Phrase("sampler_h_range", "{sampler_h_range %v}: it must be positive and finite", s.SamplerHRange)
	case bad(s.SamplerJRange):
		return setting.Phrase("sampler_j_range", "{sampler_j_range %v}: it must be positive and finite", s.SamplerJRange)
	case s.SamplerBits < 0 || s.SamplerBits == 1 || s.SamplerBits > 52:
		return setting.Phrase("sampler_bits", "{sampler_bits %d}: from 2, the sign among them, to 52", s.SamplerBits)
	case s.SamplerGauges < 0:
		return setting.Phrase("sampler_gauges", "{sampler_gauges %d}: it must not be negative", s.SamplerGauges)
	case bad(s.MaxField):
		return setting.Phrase("max_field", "{max_field %v}: it must be positive and finite", s.MaxField)
	}
	_, err := followerOf(s, nil)
	return err
}

// followerOf returns what follows the temperature, with data for the rule of Xu and Oates.
func followerOf(s *Sampling, data *spin.Matrix) (sampler.Follower, error) {
	word, rate, given := strings.Cut(s.SamplerBeta, ":")
	number, err := strconv.ParseFloat(s.SamplerBeta, 64)
	switch {
	case s.SamplerBeta == "" || s.SamplerBeta == betaAuto:
		return sampler.Auto{}, nil
	case s.SamplerBeta == betaXuOates:
		return sampler.XuOates{Rate: xuOatesRate, Data: data}, nil
	case word == betaXuOates && given:
		if r, err := strconv.ParseFloat(rate, 64); err == nil && r > 0 && !math.IsInf(r, 0) {
			return sampler.XuOates{Rate: r, Data: data}, nil
		}
	case err == nil && number > 0 && !math.IsInf(number, 0):
		return sampler.Fixed(number), nil
	}
	return nil, setting.Phrase("sampler_beta", "{sampler_beta %s}: it is auto, xu-oates, xu-oates:RATE or a positive number", s.SamplerBeta)
}

// checkSampler returns a *SettingError if a sampler does not go with other settings.
func (r *Recipe) checkSampler() error {
	if err := r.Sampling.check(); err != nil {
		return err
	}
	switch {
	case r.Sampler == "" && r.Sampling != Sampling{MaxField: r.MaxField}:
		return setting.Phrase("sampler", "settings of {sampler} without one: name a program, or a folder with {sampler_dir}")
	case r.Sampler != "" && r.Estep != "auto":
		return setting.Phrase("estep", "{estep %s} with {sampler}: the sampler is the expectation step", r.Estep)
	case r.Sampler != "" && r.Partition != annealed:
		return setting.Phrase("partition", "{partition %s} with {sampler}: it samples the annealed network", r.Partition)
	case r.SamplerGauges > r.Chains:
		return setting.Phrase("sampler_gauges", "{sampler_gauges %d} with {chains %d}: there must be a read a gauge", r.SamplerGauges, r.Chains)
	}
	return nil
}

// Travel completes the recipe by how problems travel, and returns a *SettingError if that, or a setting that was asked for, by
// JSON names, does not go with the recipe's sampler or with none.
func (r *Recipe) Travel(t sampler.Transport, asked ...string) error {
	has := func(name string) bool { return slices.Contains(asked, name) }
	switch {
	case has("sampler") && r.Sampler == "":
		return setting.Phrase("sampler", "{sampler} is empty: name a program with its arguments, or leave it out")
	case has("sampler_dir") && t.Folder == "":
		return setting.Phrase("sampler_dir", "{sampler_dir} is empty: name a folder, or leave it out")
	case t.Folder != "" && r.Sampler != "" && r.Sampler != FolderSampler:
		return setting.Phrase("sampler_dir", "{sampler %q} with {sampler_dir %s}: samples come from a program or through a folder, not both", r.Sampler, t.Folder)
	case t.Folder != "":
		r.Sampler = FolderSampler
	}
	names := []string{"scouts", "probe", "sweeps", "final_sweeps"} // of our chains
	if r.Sampler == "" {
		names = []string{"sampler_format", "sampler_protocol", "sampler_timeout"}
	}
	for _, name := range names {
		switch {
		case has(name) && r.Sampler == "":
			return setting.Phrase(name, fmt.Sprintf("{%s} without {sampler}: name a program, or a folder with {sampler_dir}", name))
		case has(name):
			return setting.Phrase(name, fmt.Sprintf("{%s} is of our own chains, and the sampler takes their place: leave it out, or leave out {sampler}", name))
		}
	}
	return nil
}

// FolderSampler names the sampler of a recipe whose problems and samples are files.
const FolderSampler = "folder"

// openSampler opens the sampler of the recipe.
func (r *Run) openSampler() (err error) {
	if r.outside = r.job.Sampler; r.outside != nil || r.recipe.Sampler == "" {
		return nil
	}
	if t := r.job.Transport; r.recipe.Sampler == FolderSampler && t.Folder == "" {
		return setting.Phrase("sampler_dir", "{sampler_dir}: the samples of this recipe come through a folder, and none is named")
	}
	r.outside, err = sampler.Open(r.recipe.Sampler, r.job.Transport)
	return err
}

// expectation returns the engine of a start and why.
func expectation(r *Run, start *spin.Matrix, key stream.Key) (engine dual.Engine[float32], why string) {
	f := &r.recipe
	if r.outside == nil {
		return NewEngine[float32](&f.Expectation, start.Rows(), f.folding(r.job.Data.Visible()).Hidden(), start, key)
	}
	follow, _ := followerOf(&f.Sampling, start) // checked before
	return &sampler.Engine[float32]{Sampler: r.outside, Name: f.Sampler, Reads: f.Chains, Key: key, Gauges: f.SamplerGauges, Follow: follow,
		Range: sampler.Range{Field: f.SamplerHRange, Coupling: f.SamplerJRange, Bits: f.SamplerBits}}, "the sampler " + f.Sampler
}

// A reading is an engine that tells the temperature of its samples.
type reading interface{ Last() *sampler.Reading }

// samplerRead returns what the sampler's last samples tell; nil if there is none. The energy is asked only
// of machines whose states take no time.
func (l *learner) samplerRead(ctx context.Context, energy bool) *runs.Sampler {
	e, ok := l.engine.(reading)
	if !ok || e.Last() == nil {
		return nil
	}
	last := e.Last()
	s := &runs.Sampler{Beta: runs.Number(last.Estimate()), Local: runs.Number(last.Local.Beta), LocalError: runs.Number(last.Local.Error), Limited: last.Limited}
	if !energy || min(last.Net.Visible(), last.Net.Hidden()) > quickExact {
		return s
	}
	if t, err := thermo.Both(ctx, thermo.ExactCurve{Net: last.Net}, last.Net, last.Samples.Visible, last.Samples.Hidden); err == nil {
		global, globalError := runs.Number(t.Global.Beta), runs.Number(t.Global.Error)
		s.Global, s.GlobalError = &global, &globalError
		if agree, known := t.Agree(); known {
			s.Equilibrium = &agree
		}
	}
	return s
}

// keepAfter saves a checkpoint after a sampler has failed: nothing was learned from that call.
func (l *learner) keepAfter(ctx context.Context, err error) error {
	if failed := (*sampler.Error)(nil); !errors.As(err, &failed) {
		return err
	}
	if l.job.Folder == "" {
		return err
	}
	if no := l.states.save(ctx, l); no != nil {
		return errors.Join(err, no)
	}
	return &SamplerError{Folder: l.job.Folder, Step: l.trainer.Step(), Err: err}
}

// A SamplerError is that of a run whose sampler failed. The run can be resumed.
type SamplerError struct {
	Folder string
	Step   int // steps done
	Err    error
}

// Error tells how far the run came.
func (e *SamplerError) Error() string {
	return "after step " + strconv.Itoa(e.Step) + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *SamplerError) Unwrap() error { return e.Err }
