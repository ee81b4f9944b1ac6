package apply

import (
	"context"
	"fmt"
	"image"
	"io"
	"math"
	"slices"

	"bethe/dataset/source"
	"bethe/evaluate"
	"bethe/figure"
	"bethe/rbm"
	"bethe/setting"
	"bethe/spin"
	"bethe/stream"
)

// Mending infers what noisy samples were (evaluate.Mend).
type Mending struct {
	Job
	Name   string  // of the data
	Flip   float64 // probability that a spin is flipped, or was, or a colour replaced by another
	Noise  float64 // standard deviation of the noise of real numbers, in deviations of their columns
	Noisy  bool    // the data are noisy already
	Count  int     // samples to take, from the first on; 0 for all
	Chains int     // of each sample
	Sweeps int     // of each chain
	Files
}

// A MendingReport is what mending found.
type MendingReport struct {
	Model   string   `json:"model"`
	Data    string   `json:"data"`
	Samples int      `json:"samples"`
	Flip    float64  `json:"flip"`            // 0 of real numbers
	Noise   float64  `json:"noise,omitempty"` // of real numbers alone
	Chains  int      `json:"chains"`
	Sweeps  int      `json:"sweeps"`
	Before  *float64 `json:"error_before"` // share of the units that are wrong; nil where the truth is not known
	After   *float64 `json:"error_after"`
	// Of real numbers instead: the root mean square of the error, in deviations of their columns.
	RMSEBefore *float64 `json:"rmse_before,omitempty"`
	RMSEAfter  *float64 `json:"rmse_after,omitempty"`
	Files
	Settling
	Changed float64 `json:"-"` // share of the units seen that change; of numbers the root mean square change
	things  string
}

// Text says it for a person.
func (r *MendingReport) Text() string {
	switch {
	case r.Noise > 0 && r.RMSEAfter == nil:
		return fmt.Sprintf("%d samples restored; their numbers change by %.4f deviations of their columns (root mean square)\n", r.Samples, r.Changed)
	case r.Noise > 0:
		return fmt.Sprintf("%d samples of %s: their numbers were off by %.4f deviations of their columns (root mean square), by %.4f after\n", r.Samples, r.Data, *r.RMSEBefore, *r.RMSEAfter)
	case r.After == nil:
		return fmt.Sprintf("%d samples restored; %.2f %% of their %s change\n", r.Samples, 100*r.Changed, r.things)
	}
	return fmt.Sprintf("%d samples of %s: %.2f %% of their %s were wrong, %.2f %% are after\n", r.Samples, r.Data, 100**r.Before, r.things, 100**r.After)
}

// Run mends, and writes the files: arrays as evaluate.Mended.Write does, or evaluate.FileMended.Write of other units than spins and where values
// are missing, and a picture
// as figure.Restorations does. The error is a *setting.Error, the context's, that of the
// model or the data, or of a file that cannot be written.
func (m *Mending) Run(ctx context.Context) (*MendingReport, error) {
	if !(m.Flip > 0 && m.Flip < 0.5) {
		return nil, setting.Errorf("flip", m.Flip, "it must lie between 0 and 0.5")
	}
	if m.Count < 0 || m.Chains < 1 || m.Sweeps < 1 {
		return nil, setting.Phrase("count", "{count %d} {chains %d} {sweeps %d}: chains and sweeps must be at least 1, and the samples not negative", m.Count, m.Chains, m.Sweeps)
	}
	if err := m.check(); err != nil {
		return nil, err
	}
	can, err := able[mends](&m.Job, "denoise", m.Out, m.PNG)
	if err != nil {
		return nil, err
	}
	return can.mend(ctx, m)
}

func (file layered) mend(ctx context.Context, m *Mending) (*MendingReport, error) {
	if len(m.Data.Reading.Missing) > 0 {
		return mixed(file).mend(ctx, m)
	}
	machine := file.Machine()
	return m.spins(machine.Layers().Data(), []*rbm.Machine{machine}, func(samples *spin.Matrix, key stream.Key, r evaluate.Restoring) (*evaluate.Mended, error) {
		return evaluate.Mend(ctx, machine, samples, m.Flip, m.Noisy, key, r)
	})
}

// spins mends samples of n visible spins by a model whose chains are on machines.
func (m *Mending) spins(n int, machines []*rbm.Machine, infer func(samples *spin.Matrix, key stream.Key, r evaluate.Restoring) (*evaluate.Mended, error)) (*MendingReport, error) {
	set, err := m.Data.Open("data", m.Name)
	if err != nil {
		return nil, err
	}
	if err := source.Fits(set, n); err != nil {
		return nil, setting.Errorf("data", m.Name, "%v", err)
	}
	if m.Count > 0 {
		set = set.Head(min(m.Count, set.Len()))
	}
	for _, machine := range machines {
		if err := (count{"chains", m.Chains}).fits(machine, set.Len(), "chains", false); err != nil {
			return nil, err
		}
	}
	r, err := infer(set.Samples, stream.New(m.Seed), evaluate.Restoring{Chains: m.Chains, Sweeps: m.Sweeps, Progress: m.progress("denoising")})
	if err != nil {
		return nil, err
	}
	truth := set.Samples
	if m.Noisy {
		truth = nil
	}
	report := &MendingReport{Model: m.Model, Data: m.Name, Samples: set.Len(), Flip: m.Flip, Chains: m.Chains, Sweeps: m.Sweeps, Before: r.Before, After: r.After,
		Files: m.Files, Settling: settling(r.SpinRestoration), Changed: r.Changed, things: "spins"}
	return report, m.write(r.Write, func() image.Image {
		return figure.Restorations(truth, r.Seen, r.Mean, r.Restored, set.Width, set.Height)
	})
}

// mend is of any kind of units, and of data with missing values.
func (f mixed) mend(ctx context.Context, m *Mending) (*MendingReport, error) {
	if !f.VisibleKind.Bits() && !(m.Noise > 0 && m.Noise < math.Inf(1)) {
		return nil, setting.Errorf("noise", m.Noise, "it must be positive")
	}
	m.Data.Reading.Units, m.Data.Reading.Incomplete = f.VisibleKind, true
	set, err := m.Data.Open("data", m.Name)
	if err != nil {
		return nil, err
	}
	if m.Count > 0 {
		set = set.Head(min(m.Count, set.Len()))
	}
	if err := (count{"chains", m.Chains}).fits(f.Machine(), set.Len(), "chains", false); err != nil {
		return nil, err
	}
	samples := evaluate.FileSamples{Bits: set.Samples, Numbers: set.Reals, Missing: set.Missing}
	r, err := evaluate.MendFile(ctx, f.File, samples, evaluate.Channel{Flip: m.Flip, Noise: m.Noise}, m.Noisy, stream.New(m.Seed),
		evaluate.Restoring{Chains: m.Chains, Sweeps: m.Sweeps, Progress: m.progress("denoising")})
	if err != nil {
		return nil, err
	}
	report := &MendingReport{Model: m.Model, Data: m.Name, Samples: set.Len(), Chains: m.Chains, Sweeps: m.Sweeps, Files: m.Files,
		Settling: settling(&evaluate.SpinRestoration{RHat: r.RHat}), Changed: r.Changed, things: "spins"}
	switch {
	case !f.VisibleKind.Bits():
		report.Noise, report.RMSEBefore, report.RMSEAfter = m.Noise, r.Before, r.After
	default:
		report.Flip, report.Before, report.After = m.Flip, r.Before, r.After
		if f.VisibleKind.OneHot() {
			report.things = "colours"
		}
	}
	return report, m.write(func(w io.Writer) error { return r.Write(w, f.VisibleKind) }, func() image.Image {
		sets := []figure.Column{{Word: "truth", At: f.shown(samples, samples.Missing)}, {Word: "noisy", At: f.shown(r.Seen, r.Seen.Missing)}, {Word: "restored", At: f.shown(r.Restored, nil)}}
		if m.Noisy {
			sets = sets[1:]
		}
		key := keyOf(f.File)
		if set.Missing != nil {
			key = append(slices.Clone(key), figure.Swatch{Colour: figure.Unknown, Means: "missing"})
		}
		return figure.Mended(set.Units(), set.Len(), set.Width, set.Height, key, sets...)
	})
}

// shown returns what a picture shows of samples, from -1 to 1, and whether it is known: numbers up to two deviations from their mean, colours evenly spread.
func (f mixed) shown(s evaluate.FileSamples, missing *spin.Matrix) func(i, a int) (value float64, known bool) {
	return func(i, a int) (float64, bool) {
		if missing != nil && missing.At(i, a) > 0 {
			return 0, false
		}
		switch of := f.VisibleKind.States; {
		case s.Numbers != nil:
			if f.Scale.Deviation[i] == 0 {
				return 0, true
			}
			return max(-1, min(1, (float64(s.Numbers.Row(i)[a])-f.Scale.Mean[i])/(2*f.Scale.Deviation[i]))), true
		case of > 0:
			for k := range of {
				if s.Bits.At(i*of+k, a) > 0 {
					return 2*float64(k)/float64(max(1, of-1)) - 1, true
				}
			}
			return -1, true
		}
		return float64(s.Bits.At(i, a)), true
	}
}
