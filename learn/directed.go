package learn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"bethe/causes"
	"bethe/evaluate"
	"bethe/internal/durable"
	"bethe/internal/npy"
	"bethe/runs"
	"bethe/spin"
	"bethe/stream"
)

// A family is the kind of machine that a run learns.
type family interface {
	// learn learns from every start, keeps what comes of it in the run's folder, and returns
	// the result.
	learn(ctx context.Context, watching observers) (*Result, error)
	// model returns the machine of a run that is over, which is kept at path if it was not learned here.
	model(path string) (Model, error)
}

// layered is the family of machines with hidden units.
type layered struct{ *Run }

func (r layered) learn(ctx context.Context, watching observers) (*Result, error) {
	best, result, err := r.learnAll(ctx, watching)
	if err != nil {
		return nil, err
	}
	return result, r.finish(ctx, watching, best, result)
}

func (r layered) model(string) (Model, error) { return r.File() }

// directed is the family of machines of package causes.
type directed struct{ *Run }

func (r directed) model(path string) (Model, error) {
	if r.shippedCauses != nil {
		return r.shippedCauses, nil
	}
	return causes.Load(path)
}

// A CauseIllustrator is an Illustrator that draws directed machines as well.
type CauseIllustrator interface {
	// DrawCauses draws what each cause looks like.
	DrawCauses(path string, file *causes.File) error
	// DrawDictionary draws the states of the groups of a tree.
	DrawDictionary(path string, file *causes.File) error
	// DrawDraws draws the means of the visible units given drawn states (visible x count).
	DrawDraws(path string, means []float32, visible, width, height int) error
}

// A CausesResult is what a directed machine found.
type CausesResult struct {
	Causes int    `json:"causes"`
	Rare   int    `json:"causes_that_rarely_win"` // fewer than RareWins training samples
	Table  string `json:"winners,omitempty"`      // file of winners by label
	// Errors is how often the labels that the causes stand for are wrong, on evaluated data.
	Errors *float64 `json:"label_errors,omitempty"`
}

// RareWins is how many samples a cause must win to count as used.
const RareWins = 20

// directedCheckpoint is the meta.json of a checkpoint.
type directedCheckpoint struct {
	Format  int           `json:"format"`
	Label   string        `json:"label"`
	Elapsed time.Duration `json:"elapsed_ns"`
}

// A directedStart learns from one start.
type directedStart struct {
	directed
	watching observers
	number   int
	learner  causes.Learner
	key      stream.Key
	elapsed  time.Duration // before began
	began    time.Time
	log      recorder
	resumed  bool
}

func (r directed) learn(ctx context.Context, watching observers) (*Result, error) {
	var best *directedStart
	var result *Result
	seconds := 0.0
	for k := range r.recipe.Restarts {
		s, err := r.start(k, watching)
		if err != nil {
			return nil, err
		}
		one, err := s.learn(ctx)
		if err != nil {
			return nil, err
		}
		seconds += one.Seconds
		if best == nil || *one.Bound > *result.Bound {
			best, result = s, one
		}
		watching.learned(k, one)
	}
	result.Seconds = seconds
	return result, best.finish(ctx, result)
}

// start returns a start before its first step, or where its checkpoint is.
func (r directed) start(k int, watching observers) (*directedStart, error) {
	s := &directedStart{directed: r, watching: watching, number: k, key: r.key().Sub(stream.RunStarts).Sub(uint64(k)), began: time.Now()}
	var err error
	if s.learner, err = causes.NewLearner(r.job.Data.Samples, r.recipe.options(&r.job.Data, s.key)); err != nil {
		return nil, err
	}
	if r.job.Resume {
		err = s.resume()
	}
	return s, err
}

// path is that of the checkpoint, empty where nothing is kept.
func (s *directedStart) path() string {
	if s.keeper.where() == "" {
		return ""
	}
	return checkpointPath(s.keeper.where(), &s.recipe, s.number)
}

func (s *directedStart) save(ctx context.Context) error {
	path := s.path()
	if path == "" {
		return nil
	}
	text, err := json.Marshal(directedCheckpoint{1, s.label, s.time()})
	if err != nil {
		return err
	}
	arrays := append([]npy.Array{{Name: "meta.json", Data: text}}, s.learner.State()...)
	if err := durable.WriteFile(path, func(w io.Writer) error { return npy.StoreArchive(w, arrays) }); err != nil {
		return fmt.Errorf("the checkpoint of step %d cannot be written: %w", s.learner.Done(), err)
	}
	return nil
}

// time is that of learning so far.
func (s *directedStart) time() time.Duration { return s.elapsed + time.Since(s.began) }

// resume goes back to the checkpoint, if there is one.
func (s *directedStart) resume() error {
	path := s.path()
	if path == "" {
		return nil
	}
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	archive, err := npy.ReadArchive(path, maxCheckpointBytes)
	if err != nil {
		return err
	}
	text, err := archive.Bytes("meta.json")
	if err != nil {
		return err
	}
	var about directedCheckpoint
	if err := json.Unmarshal(text, &about); err != nil || about.Format != 1 {
		return fmt.Errorf("%s: not a checkpoint of a directed machine that is known here", path)
	}
	if about.Label != s.label && !(s.over() > 0 && sameButLimits(about.Label, s.label)) {
		return fmt.Errorf("%s: a checkpoint of another run: %s\nresume with the settings it was made with, or choose another folder", path, differences(about.Label, s.label))
	}
	if err := s.learner.Restore(archive); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	s.elapsed, s.resumed = about.Elapsed, true
	return nil
}

// learn takes all steps.
func (s *directedStart) learn(ctx context.Context) (*Result, error) {
	d := &s.job.Data
	if err := s.watching.began(Beginning{Start: s.number, Resumed: s.resumed, Extended: s.over(), Step: s.learner.Done(), Visible: d.Visible(), Hidden: s.recipe.columns(), Samples: d.Len(), Engine: "exact sums over the causes"}); err != nil {
		return nil, err
	}
	if err := s.save(ctx); err != nil {
		return nil, err
	}
	from := s.learner.Done()
	if from == 0 && s.number == 0 {
		from = -1 // nothing of an earlier run stays
	}
	log, kept, err := s.keeper.records(s.number, from)
	if err != nil {
		return nil, err
	}
	s.log = log
	defer log.Close()
	if err := s.keeper.keepPictures(kept); err != nil {
		return nil, err
	}
	if err := s.steps(ctx); err != nil {
		return nil, err
	}
	if err := s.save(ctx); err != nil {
		return nil, err
	}
	p, err := s.learner.Measure(ctx)
	if err != nil {
		return nil, s.orInterrupted(ctx, err)
	}
	if math.IsNaN(p.Bound) || math.IsInf(p.Bound, 0) {
		return nil, fmt.Errorf("after step %d: the bound is %v nats per sample", s.learner.Done(), p.Bound)
	}
	p.Step, p.Steps = s.learner.Done(), s.learner.Steps()
	p.Passes = float64(p.Step*s.recipe.Batch) / float64(d.Len())
	file := s.learner.File(s.info(p.Step))
	r := s.record(p)
	if r.Validation, err = s.validate(ctx, file); err != nil {
		return nil, s.orInterrupted(ctx, err)
	}
	result := &Result{Model: s.keeper.model(), Steps: p.Step, Seconds: s.time().Seconds(), Bound: &p.Bound, BoundBy: exactSums, BoundKind: s.recipe.directedBound(), Coupling: p.Coupling,
		SynapseBits: file.SynapseBits(), Seed: s.job.Seed, Extended: s.extended, Validation: r.Validation, Start: s.number}
	if !math.IsNaN(p.Polarised) {
		result.Polarised = &p.Polarised
	}
	return result, s.append(r)
}

// exactSums says how the bound of directed machines is found.
const exactSums = "exact"

// steps takes all steps, with records, progress and checkpoints.
func (s *directedStart) steps(ctx context.Context) error {
	defer s.watching.ended(Learning)
	shown := Progress{Start: s.number, Rate: math.NaN(), Polarised: math.NaN()}
	savedAt := time.Now()
	pictures := pace{share: 0.02, gap: time.Second, last: time.Now()}
	for s.learner.Done() < s.learner.Steps() {
		p, err := s.learner.Step(ctx)
		if ctx.Err() != nil {
			if err := s.save(ctx); err != nil {
				return fmt.Errorf("interrupted after step %d, and %w", s.learner.Done(), err)
			}
			return &InterruptedError{Folder: s.job.Folder, Step: s.learner.Done(), Err: ctx.Err()}
		}
		if err != nil {
			return err
		}
		r := s.record(p)
		now := time.Now()
		if pictures.due(now) && p.Step < p.Steps {
			if err := pictures.time(now, func() error { return s.drawAlong(ctx, &r) }); err != nil {
				return err
			}
		}
		if every := max(1, s.job.MeasureEvery); p.Step%every == 0 {
			if err := s.append(r); err != nil {
				return err
			}
		}
		shown.Step, shown.Fraction, shown.Coupling, shown.Bound = p.Step, float64(p.Step)/float64(p.Steps), p.Coupling, r.Bound
		if !math.IsNaN(p.Polarised) {
			shown.Polarised = p.Polarised
		}
		s.watching.stepped(shown)
		if s.job.Checkpoints.due(p.Step, savedAt) {
			savedAt = time.Now()
			if err := s.save(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *directedStart) append(r runs.Record) error {
	if err := s.log.Append(r); err != nil {
		return fmt.Errorf("the record of the run cannot be written: %w", err)
	}
	return s.watching.recorded(&r)
}

// record returns what a step measured.
func (s *directedStart) record(p causes.Progress) runs.Record {
	r := runs.Record{Start: s.number, Step: p.Step, Epoch: p.Passes, Seconds: s.time().Seconds(), Fraction: float64(p.Step) / float64(p.Steps), Rate: runs.Number(math.NaN()),
		Coupling: runs.Number(p.Coupling), Polarised: runs.Number(p.Polarised), KL: runs.Number(p.KL)}
	if p.Measured {
		r.Bound = &runs.Bound{Value: runs.Number(p.Bound), Data: runs.Number(p.LnP), KL: runs.Number(p.LnP - p.Bound), By: exactSums, Kind: string(s.recipe.directedBound())}
	}
	return r
}

// validate measures the log-likelihood of the machine on the validation data, nil if there
// are none.
func (s *directedStart) validate(ctx context.Context, file *causes.File) (*runs.LogLikelihood, error) {
	d := &s.job.Validation
	if d.Set == nil {
		return nil, nil
	}
	l, err := DirectedLikelihood(ctx, file.Machine(), d.Samples, d.Missing)
	if err != nil {
		return nil, err
	}
	return recordedLikelihood(d.Name, l), nil
}

// DirectedLikelihood returns the exact log-likelihood of samples; of their known values if some are missing (causes.Machine.Infer).
// The error is the context's.
func DirectedLikelihood(ctx context.Context, machine *causes.Machine, samples, missing *spin.Matrix) (*evaluate.LogLikelihood, error) {
	mean, standardError, err := machine.LogLikelihood(ctx, samples, missing)
	if err != nil {
		return nil, err
	}
	return &evaluate.LogLikelihood{Mean: mean, Exact: true, LogWeight: mean, SampleError: standardError}, nil
}

// illustrator returns what draws, and whether there is any.
func (s *directedStart) illustrator() (CauseIllustrator, bool) {
	draws, ok := s.job.Pictures.(CauseIllustrator)
	return draws, ok && s.keeper.where() != ""
}

// drawAlong keeps the model as it is, and its picture.
func (s *directedStart) drawAlong(ctx context.Context, r *runs.Record) error {
	folder := s.keeper.where()
	if folder == "" {
		return nil
	}
	file := s.learner.File(s.info(r.Step))
	if err := saveCauses(ctx, filepath.Join(folder, runs.LiveFile), file); err != nil {
		return err
	}
	draws, ok := s.illustrator()
	if !ok {
		return nil
	}
	name := func(what string) string {
		if s.recipe.Restarts > 1 {
			what = fmt.Sprintf("%s-start%d", what, r.Start)
		}
		return fmt.Sprintf("%s-%08d.png", what, r.Step)
	}
	r.Synapses, r.Samples = name("synapses"), name("samples")
	if err := draws.DrawCauses(filepath.Join(folder, runs.PicturesFolder, r.Synapses), file); err != nil {
		return err
	}
	return s.drawSamples(draws, filepath.Join(folder, runs.PicturesFolder, r.Samples), file, 64)
}

func (s *directedStart) drawSamples(draws CauseIllustrator, path string, file *causes.File, most int) error {
	d := &s.job.Data
	drawn := file.Machine().Sample(shownSamples(most, d.Visible()), s.key.Sub(stream.StartPictures))
	return draws.DrawDraws(path, drawn.Means, d.Visible(), d.Width, d.Height)
}

func saveCauses(ctx context.Context, path string, file *causes.File) error {
	arrays, err := file.Arrays()
	if err != nil {
		return fmt.Errorf("%s: not written: %w", path, err)
	}
	return durable.WriteFile(path, func(w io.Writer) error { return npy.WriteArchive(durable.Until(ctx, w), arrays) })
}

// finish keeps the model, the pictures, the winners by label, the likelihood if it was
// asked for, and the result.
func (s *directedStart) finish(ctx context.Context, result *Result) error {
	file := s.learner.File(s.info(result.Steps))
	s.shippedCauses = file
	machine := file.Machine()
	result.Causes = &CausesResult{Causes: machine.Causes()}
	d := &s.job.Data
	table, err := causes.CountWinners(ctx, machine, d.Samples, d.Missing, d.Labels)
	if err != nil {
		return s.orInterrupted(ctx, err)
	}
	for _, wins := range table.Wins {
		if wins < RareWins {
			result.Causes.Rare++
		}
	}
	if folder := s.keeper.where(); folder != "" {
		if err := s.keep(ctx, folder, file, table, result); err != nil {
			return s.orInterrupted(ctx, err)
		}
	}
	if e := &s.job.Evaluation; e.Asked {
		likelihood, err := DirectedLikelihood(ctx, machine, e.Data.Samples, e.Data.Missing)
		if err != nil {
			return s.orInterrupted(ctx, err)
		}
		result.LogLikelihood, result.Evaluated = likelihood, e.Data.Name
		if e.Data.Labels != nil && d.Labels != nil {
			wrong, err := table.Errors(ctx, machine, e.Data.Samples, e.Data.Missing, e.Data.Labels)
			if err != nil {
				return s.orInterrupted(ctx, err)
			}
			result.Causes.Errors = &wrong
		}
		if err := s.recordLikelihood(s.watching, result); err != nil {
			return err
		}
	}
	return s.keeper.finish(result)
}

// keep writes the files of the folder.
func (s *directedStart) keep(ctx context.Context, folder string, file *causes.File, table *causes.Winners, result *Result) error {
	if err := saveCauses(ctx, s.keeper.model(), file); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(folder, runs.LiveFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if len(table.Labels) > 0 {
		result.Causes.Table = filepath.Join(folder, runs.WinnersFile)
		if err := durable.WriteFile(result.Causes.Table, table.WriteCSV); err != nil {
			return err
		}
	}
	draws, ok := s.illustrator()
	if !ok {
		return nil
	}
	if err := draws.DrawCauses(filepath.Join(folder, runs.SynapsesFile), file); err != nil {
		return err
	}
	if file.Model == causes.TreeModel {
		if err := draws.DrawDictionary(filepath.Join(folder, runs.DictionaryFile), file); err != nil {
			return err
		}
	}
	return s.drawSamples(draws, filepath.Join(folder, runs.SamplesFile), file, lastSamples)
}
