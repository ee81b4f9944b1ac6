// Package learn runs learning from data, from a recipe to a machine that is
// shipped. The command and other languages call it, and have no logic of their own.
//
// A Recipe holds the settings, a Job what they are used on. Start checks both and
// opens the run folder, Run learns and tells observers how it goes. A run that was
// interrupted goes on from its checkpoint to the same bytes.
package learn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"bethe/causes"
	"bethe/dataset"
	"bethe/evaluate"
	"bethe/hyperadam"
	"bethe/internal/npy"
	"bethe/rbm"
	"bethe/sampler"
	"bethe/setting"
	"bethe/spin"
	"bethe/stream"
	"bethe/variational"
)

// Data are samples and how they are called.
type Data struct {
	*dataset.Set
	Name string // as it was asked for, such as a path
	// Threshold and Binarise say how grey levels became spins, in the words that
	// asked for it. They tell runs apart.
	Threshold, Binarise string
}

// level returns the threshold of grey levels if it was asked for.
func (d *Data) level() *float64 {
	if d.Threshold == "" {
		return nil
	}
	return d.Source.Threshold
}

// A Job says what a recipe is used on. Only Data must be set.
type Job struct {
	Data    Data
	Seed    uint64
	Program string // that files say made them: name and version
	Command string // that the folder says made it, for a shell: runs.Info

	// Folder gets what comes of the run: see the run folder in package runs. If it
	// is empty nothing is written, and a run that is interrupted is lost.
	Folder string
	Resume bool // go on from the folder's checkpoint, or start if there is none
	// Checkpoints are saved this far apart; the zero value is DefaultInterval.
	Checkpoints Interval
	// MeasureEvery is the number of steps between two records; 0: now and then, in
	// about 3 % of the time.
	MeasureEvery int
	Pictures     Illustrator // nil: no pictures are drawn
	Init         *rbm.File   // machine that learning starts from, if the recipe names no file; nil: random synapses

	// Validation are data that are not learned from: their log-likelihood is measured along
	// the way, in about 5 % of the time, and at the end. They change nothing of the
	// machine. Without a Set there are none. See HoldOut.
	Validation Data

	Evaluation Evaluation

	// Meter asks for ln Z and likelihoods along the way, from chains that follow learning. It costs time
	// and changes nothing of the machine.
	Meter bool

	// Work asks for the work, heat and dissipation of the learning chains. It costs time and changes nothing of the machine.
	Work bool

	// Transport says how problems and samples of the recipe's sampler travel. Sampler takes its place, if it is not nil.
	Transport sampler.Transport
	Sampler   sampler.Sampler
}

// An Evaluation asks for the log-likelihood of the machine at the end.
type Evaluation struct {
	Asked   bool
	Data    Data             // samples to evaluate
	Options evaluate.Options // numbers that are 0 have their defaults; the run sets Key and Progress
}

// check completes the options, and returns an error if the evaluation would fail once
// all is learned.
func (e *Evaluation) check(data int, recipe Recipe) error {
	if !e.Asked {
		return nil
	}
	if e.Data.Set == nil || e.Data.Len() == 0 {
		return errors.New("no samples to evaluate")
	}
	if n := e.Data.Visible(); n != data {
		return fmt.Errorf("%s: samples of %d units to evaluate a machine of %d visible units", e.Data.Name, n, data)
	}
	o := &e.Options
	for _, number := range []struct {
		value          *int
		usual, atLeast int
		of             string
	}{{&o.Temperatures, evaluate.DefaultTemperatures, 1, "temperatures"}, {&o.Chains, evaluate.DefaultChains, 2, "chains"},
		{&o.Equilibration, evaluate.DefaultEquilibration, evaluate.LeastEquilibration, "sweeps of equilibration"}} {
		if *number.value == 0 {
			*number.value = number.usual
		}
		if *number.value < number.atLeast {
			return fmt.Errorf("%d %s to evaluate with: there must be at least %d", *number.value, number.of, number.atLeast)
		}
	}
	return o.CheckMemory(recipe.size(data))
}

// A Run is one run of learning. It is not safe for concurrent use.
type Run struct {
	recipe        Recipe
	job           Job
	begin         beginning
	scale         shownScale        // of real numbers; of other data it has no columns
	prior         []float32         // thetas; none for the uniform prior
	weights       hyperadam.Weights // of the rule that has some
	extended      []int             // steps after which the run was over and went on
	settings      map[string]any
	label         string // the settings as text: what a checkpoint must match
	keeper        keeper
	family        family
	finished      *Result // of a call that came to the end
	shipped       *rbm.File
	shippedCauses *causes.File
	shippedStack  *rbm.Stack
	outside       sampler.Sampler // nil: our own engines
	met           *spin.Matrix    // states that the scouts of the start that is kept have met; nil if there are none
}

// beginning makes the model that learning starts from.
type beginning interface {
	model(kind rbm.Kind, start variational.Initial, samples *spin.Matrix) (*rbm.Model[float32], error)
}

// randomSynapses break the symmetry between hidden units.
type randomSynapses struct{}

func (randomSynapses) model(_ rbm.Kind, start variational.Initial, samples *spin.Matrix) (*rbm.Model[float32], error) {
	return variational.NewModel[float32](start, samples), nil
}

// fromMachine starts at a machine.
type fromMachine struct {
	file *rbm.File
	path string
}

func (m fromMachine) model(kind rbm.Kind, start variational.Initial, samples *spin.Matrix) (*rbm.Model[float32], error) {
	model, err := variational.From(m.file, kind, start, samples)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.path, err)
	}
	return model, nil
}

// Start checks a recipe and a job, loads what they name and opens the run folder,
// which no other process can open until Close. Nothing is learned yet. Wrong
// settings are *SettingError; others are of files.
func Start(recipe Recipe, job Job) (*Run, error) {
	if err := recipe.Check(); err != nil {
		return nil, err
	}
	if job.MeasureEvery < 0 {
		return nil, setting.Phrase("measure_every", "{measure_every %d}: it must not be negative", job.MeasureEvery)
	}
	if job.Data.Set == nil || job.Data.Samples == nil || job.Data.Len() == 0 {
		return nil, errors.New("no samples to learn from")
	}
	if err := job.Evaluation.check(job.Data.Visible(), recipe); err != nil {
		return nil, err
	}
	if job.Init != nil && recipe.Beta != 0 {
		return nil, errInitBeta
	}
	if job.Checkpoints == (Interval{}) {
		job.Checkpoints = DefaultInterval
	}
	r := &Run{recipe: recipe, job: job, begin: randomSynapses{}, keeper: memory{}}
	if err := r.checkData(); err != nil {
		return nil, err
	}
	if !recipe.spins() || job.Data.Missing != nil {
		r.begin = otherUnits{r}
	}
	if err := r.checkLabels(); err != nil {
		return nil, err
	}
	if err := r.checkValidation(); err != nil {
		return nil, err
	}
	if err := r.checkPatience(); err != nil {
		return nil, err
	}
	if err := r.checkMeter(); err != nil {
		return nil, err
	}
	if err := r.setFamily(); err != nil {
		return nil, err
	}
	if err := r.loadPrior(); err != nil {
		return nil, err
	}
	if err := r.loadInit(); err != nil {
		return nil, err
	}
	if err := r.loadRule(); err != nil {
		return nil, err
	}
	if err := r.openSampler(); err != nil {
		return nil, err
	}
	if err := r.checkWork(); err != nil {
		return nil, err
	}
	r.describe()
	if job.Folder != "" {
		r.keeper = newFolder(r)
	}
	var err error
	if r.finished, err = r.keeper.open(); err != nil {
		return nil, errors.Join(err, r.keeper.close())
	}
	return r, nil
}

// setFamily sets what the run learns, and completes the recipe.
func (r *Run) setFamily() error {
	if r.recipe.directed() {
		r.family = directed{r}
		if err := r.recipe.completeDirected(&r.job.Data); err != nil {
			return err
		}
		return r.checkDirectedMemory()
	}
	if r.recipe.Stack {
		r.family = stacked{r}
		return stacked{r}.complete()
	}
	r.family = layered{r}
	if err := r.recipe.complete(r.visible(), r.job.Data.Len(), r.job.Init != nil); err != nil {
		return err
	}
	return r.checkMemory()
}

// checkLabels returns an error if labels are to be learned and cannot be.
func (r *Run) checkLabels() error {
	labels, name := r.job.Data.Labels, r.job.Data.Name
	r.recipe.LabelsHash = ""
	switch {
	case r.recipe.LabelWeight == 0:
		return nil
	case labels == nil:
		return setting.Phrase("label_weight", "{label_weight}: %s has no labels: name their column with {label_column}, or their file with {labels}", name)
	case len(labels) > 0 && slices.Min(labels) == slices.Max(labels):
		return setting.Phrase("label_weight", "{label_weight}: the labels of %s are all %d: there is nothing to tell apart", name, labels[0])
	}
	r.recipe.LabelsHash = hashLabels(labels)
	return nil
}

// describe sets the settings that go into the model file and the label.
func (r *Run) describe() {
	r.settings = r.recipe.settings()
	if len(r.extended) > 0 {
		r.settings["extended"] = r.extended
	}
	d := &r.job.Data
	of := map[string]any{"data": d.Name, "threshold": d.Threshold, "binarise": d.Binarise, "samples": d.Len(), "visible": d.Visible(), "hash": fmt.Sprintf("%016x", d.Hash()),
		"seed": r.job.Seed, "settings": r.settings}
	if r.recipe.Patience > 0 { // they decide
		of["validation_hash"] = fmt.Sprintf("%016x", r.job.Validation.Hash())
	}
	text, err := json.Marshal(of)
	if err != nil {
		panic(err) // numbers, words and truths always have a JSON form
	}
	r.label = string(text)
}

// Recipe returns the recipe with all that depends on the data set.
func (r *Run) Recipe() Recipe { return r.recipe }

// Finished reports whether all results are there: of Run, or of an earlier call with
// the same settings in the folder. Run then returns them at once.
func (r *Run) Finished() bool { return r.finished != nil }

// Close lets others open the folder. It may be called again.
func (r *Run) Close() error {
	err := r.keeper.close()
	if r.outside != nil {
		err = errors.Join(err, r.outside.Close())
	}
	return err
}

// Run learns from every start, keeps the one with the best bound, and ships its
// machine. If the context is done the error is an *InterruptedError and a run with
// a folder can be resumed. Other errors are those of files, of an observer, and
// variational.ErrDiverged.
func (r *Run) Run(ctx context.Context, observe ...Observer) (*Result, error) {
	if r.finished != nil {
		return r.finished, nil
	}
	watching := observers(observe)
	result, err := r.family.learn(ctx, watching)
	if err != nil {
		return nil, err
	}
	r.finished = result
	return result, nil
}

// File returns the model file of a run that is over.
func (r *Run) File() (*rbm.File, error) {
	if r.shipped != nil {
		return r.shipped, nil
	}
	if r.finished == nil {
		return nil, errors.New("the run is not over: it has no model yet")
	}
	return rbm.LoadKinds(r.finished.Model)
}

// A Model is what a model file of any family holds: *rbm.File, *causes.File of a directed machine, or *rbm.Stack.
type Model interface {
	// Arrays returns what the file is made of, meta.json first.
	Arrays() ([]npy.Array, error)
}

// Model returns the model of a run that is over, of any family.
func (r *Run) Model() (Model, error) {
	if r.finished == nil {
		return nil, errors.New("the run is not over: it has no model yet")
	}
	return r.family.model(r.finished.Model)
}

// Met returns the heavy states that the scouts of the start that was kept have met, a column
// each; nil if there are none, or the run was over before (Scouted reads them then).
func (r *Run) Met() *spin.Matrix { return r.met }

// learnAll learns from every start and returns the model with the best bound.
func (r *Run) learnAll(ctx context.Context, watching observers) (*rbm.Model[float32], *Result, error) {
	var best *rbm.Model[float32]
	var bestResult *Result
	var seconds float64
	for k := range r.recipe.Restarts {
		l, err := newLearner(r, k, watching)
		if err != nil {
			return nil, nil, err
		}
		result, err := l.learn(ctx)
		if err != nil {
			return nil, nil, err
		}
		seconds += result.Seconds
		if best == nil || *result.Bound > *bestResult.Bound {
			best, bestResult, r.met = l.trainer.Result(), result, l.met()
		}
		watching.learned(k, result)
	}
	bestResult.Seconds = seconds
	return best, bestResult, nil
}

// key is that of the seed.
func (r *Run) key() stream.Key { return stream.New(r.job.Seed) }

// info says how a model was made.
func (r *Run) info(steps int) rbm.Info {
	d := &r.job.Data
	return rbm.Info{
		Program: r.job.Program, Seed: r.job.Seed, Data: d.Name, Samples: d.Len(), Steps: steps,
		Width: d.Width, Height: d.Height, Alphabet: d.Alphabet, Settings: r.settings,
		Columns: d.Columns, Threshold: d.level(), Transposed: d.Source.Transposed,
	}
}

// An InterruptedError is returned if the context was done. It wraps the
// context's error.
type InterruptedError struct {
	Folder string // the run can go on from it; empty if nothing was kept
	Step   int    // steps done
	Over   bool   // all steps were done
	Err    error
}

// Error tells how far the run came, and whether it can be resumed.
func (e *InterruptedError) Error() string {
	text := fmt.Sprintf("interrupted after step %d", e.Step)
	if e.Over {
		text = "interrupted after learning"
	}
	if e.Folder == "" {
		return text + "; nothing was kept, as there is no folder"
	}
	return fmt.Sprintf("%s; nothing is lost: the run in %q can be resumed", text, e.Folder)
}

// Unwrap returns the context's error.
func (e *InterruptedError) Unwrap() error { return e.Err }
