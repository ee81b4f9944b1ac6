package apply

import (
	"context"
	"fmt"
	"image"
	"io"

	"bethe/dataset/source"
	"bethe/evaluate"
	"bethe/exchange"
	"bethe/figure"
	"bethe/setting"
	"bethe/spin"
	"bethe/stream"
)

// Sampling draws samples from a model (evaluate.Sample).
type Sampling struct {
	Job
	Count, Sweeps int // independent chains, and sweeps of each
	Tempered      bool
	// Clamp names visible units that are held at what they are in the sample From,
	// DATA:K; both are empty, or none.
	Clamp, From string
	// Integers draws as exported source does, bit for bit; chain k starts from the seed
	// + k. It goes with none of Tempered, Clamp and PNG.
	Integers bool
	Files
}

// A SamplingReport says what was drawn.
type SamplingReport struct {
	Model   string `json:"model"`
	Samples int    `json:"samples"`
	Sweeps  int    `json:"sweeps"`
	Clamped int    `json:"clamped"`
	Rungs   int    `json:"temperatures,omitempty"` // of tempered chains
	Files
}

// Validate returns the *setting.Error of the first setting that does not fit.
func (s *Sampling) Validate() error {
	if err := setting.AtLeastOne("both must be at least 1", setting.Count{Name: "count", Value: s.Count}, setting.Count{Name: "sweeps", Value: s.Sweeps}); err != nil {
		return err
	}
	if err := s.neededOrSequences("samples"); err != nil {
		return err
	}
	switch {
	case (s.Clamp == "") != (s.From == ""):
		return setting.Phrase("clamp", "{clamp} and {from} go together: which units are held, and at which sample")
	case s.Integers && (s.PNG != "" || s.Clamp != "" || s.Tempered):
		return setting.Phrase("integers", "{integers} draws samples to {out}, without {png}, {clamp} and {tempered}")
	}
	return nil
}

// Run draws, and writes the files: arrays as evaluate.Samples.Write does, and a picture
// of the mean of each visible unit given the hidden ones. The error is a *setting.Error,
// the context's, that of the model or the data, or of a file that cannot be written.
func (s *Sampling) Run(ctx context.Context) (*SamplingReport, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	m, err := able[samples](&s.Job, "sample", s.Out, s.PNG)
	if err != nil {
		return nil, err
	}
	return m.sample(ctx, s)
}

func (file layered) sample(ctx context.Context, s *Sampling) (*SamplingReport, error) {
	machine := file.Machine()
	if err := (count{"count", s.Count}).fits(machine, 1, "samples", true); err != nil {
		return nil, err
	}
	r := &SamplingReport{Model: s.Model, Samples: s.Count, Sweeps: s.Sweeps, Files: s.Files}
	if s.Integers {
		if machine.Deep() {
			packed, err := exchange.PackLayers(machine)
			return r, s.integers(ctx, packed, err)
		}
		packed, err := exchange.Pack(machine)
		return r, s.integers(ctx, packed, err)
	}
	how := evaluate.Sampling{Count: s.Count, Sweeps: s.Sweeps, Tempered: s.Tempered, Key: stream.New(s.Seed)}
	if s.Clamp != "" {
		var err error
		if how.Units, err = source.Units("clamp", s.Clamp, machine.Layers().Data()); err != nil {
			return nil, err
		}
		picked, err := s.Data.Pick("from", s.From, machine.Layers().Data())
		if err != nil {
			return nil, err
		}
		if n := len(picked.Numbers); n != 1 {
			return nil, setting.Errorf("from", s.From, "%d samples, where units are held at one", n)
		}
		how.Held, r.Clamped = picked.Samples, len(how.Units)
	}
	if how.Progress = s.progress("sampling"); s.Tempered {
		how.Progress = s.progress("tempering")
	}
	drawn, err := evaluate.Sample(ctx, machine, how)
	if err != nil {
		return nil, err
	}
	r.Rungs = drawn.Temperatures
	return r, s.write(drawn.Write, func() image.Image {
		return figure.Headed(figure.ChainMeans(drawn.Chains, machine.Layers().Data(), file.Info.Width, file.Info.Height), figure.SamplesTitle, figure.SpinKey)
	})
}

// samplers are machines in integers.
type samplers interface {
	Sample(ctx context.Context, chains, sweeps int, seed uint64, progress func(float64)) (*spin.Matrix, error)
}

// integers draws as exported source does, unless packing the machine gave an error.
func (s *Sampling) integers(ctx context.Context, packed samplers, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", s.Model, err)
	}
	drawn, err := packed.Sample(ctx, s.Count, s.Sweeps, s.Seed, s.progress("sampling"))
	if err != nil {
		return err
	}
	return s.write(func(w io.Writer) error { return evaluate.WriteSamples(w, drawn) }, nil)
}
