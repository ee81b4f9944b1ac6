package variational

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"time"

	"bethe/dual"
	"bethe/internal/durable"
	"bethe/internal/npy"
	"bethe/rbm"
)

// checkpointFormat is the version of the checkpoint file.
const checkpointFormat = 1

// maxCheckpointBytes limits the decoded size of a checkpoint that is read.
const maxCheckpointBytes = 4 << 30

type checkpointMeta struct {
	Format  int           `json:"format"`
	Label   string        `json:"label"` // what the run is, to be told from another
	Step    int           `json:"step"`
	Elapsed time.Duration `json:"elapsed_ns"`
	Counts  []uint64      `json:"counts"`            // of the stateful parts, in order
	Average int           `json:"average,omitempty"` // models in the average
	Ending  ending        `json:"ending,omitzero"`
}

// SaveCheckpoint writes all that a later trainer of the same samples and
// options needs to go on as if nothing had happened: parameters, thetas,
// optimiser, the states of the given engine and partition term (those that keep
// any, always in the same order) and the number of steps.
// The label says what run this is. The file, an .npz archive, is replaced as a
// whole or not at all. Only float32 models are checkpointed. Parameters that
// are not finite or not valid are ErrDiverged: they never replace a good
// checkpoint.
//
// A context that is done, or gets done meanwhile, says that there is no time: the
// file is written all the same, but not compressed.
func SaveCheckpoint(ctx context.Context, path, label string, t *Trainer[float32], parts ...dual.Stateful) error {
	arrays, err := soundArrays(label, t, parts)
	if err != nil {
		return fmt.Errorf("%s: not written: %w", path, err)
	}
	if ctx.Err() == nil {
		err := durable.WriteFile(path, func(w io.Writer) error { return npy.WriteArchive(durable.Until(ctx, w), arrays) })
		if ctx.Err() == nil || !errors.Is(err, ctx.Err()) {
			return err
		}
	}
	return durable.WriteFile(path, func(w io.Writer) error { return npy.StoreArchive(w, arrays) })
}

// soundArrays returns the arrays of a checkpoint, or the error of parameters that are not finite or not valid.
func soundArrays(label string, t *Trainer[float32], parts []dual.Stateful) ([]npy.Array, error) {
	arrays, err := checkpointArrays(label, t, parts)
	if err != nil {
		return nil, err
	}
	if err := t.validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDiverged, err)
	}
	for _, a := range arrays {
		if x, ok := a.Data.([]float32); ok && !finite(x) {
			return nil, fmt.Errorf("array %q: %w", a.Name, ErrDiverged)
		}
		if x, ok := a.Data.([]float64); ok && !finite(x) {
			return nil, fmt.Errorf("array %q: %w", a.Name, ErrDiverged)
		}
	}
	return arrays, nil
}

// WriteCheckpoint writes what SaveCheckpoint does, not compressed, for runs that have no file.
func WriteCheckpoint(w io.Writer, label string, t *Trainer[float32], parts ...dual.Stateful) error {
	arrays, err := soundArrays(label, t, parts)
	if err != nil {
		return err
	}
	return npy.StoreArchive(w, arrays)
}

// CheckpointBytes returns how large the file of SaveCheckpoint can become.
func CheckpointBytes(label string, t *Trainer[float32], parts ...dual.Stateful) (int64, error) {
	arrays, err := checkpointArrays(label, t, parts)
	if err != nil {
		return 0, err
	}
	var bytes int64
	for _, a := range arrays {
		const headers = 512 // of the array and its member of the archive, and what deflate adds
		bytes += int64(binary.Size(a.Data)) + headers
	}
	return bytes + bytes/1000, nil
}

// checkpointArrays returns the arrays of a checkpoint.
func checkpointArrays(label string, t *Trainer[float32], parts []dual.Stateful) ([]npy.Array, error) {
	m, s := t.Model, &t.state
	n, p := m.Visible(), m.Hidden()
	meta := checkpointMeta{Format: checkpointFormat, Label: label, Step: s.step, Elapsed: t.Elapsed(), Average: s.average.count, Ending: s.ending}
	arrays := []npy.Array{{Name: "theta", Shape: []int{p, n}, Data: m.Posterior.Theta}}
	for _, a := range s.synapse.kept() {
		arrays = append(arrays, npy.Array{Name: thetaPart(a.name), Shape: []int{p, len(*a.x) / p}, Data: *a.x})
	}
	if h := t.Objective.head; h != nil {
		for k, x := range h.saved() {
			arrays = append(arrays, npy.Array{Name: headNames[k], Shape: []int{len(*x)}, Data: *x})
		}
	}
	if s.average.count > 0 {
		arrays = append(arrays, npy.Array{Name: averageTheta, Shape: []int{p, n}, Data: s.average.theta})
		for k, x := range s.average.vectors {
			arrays = append(arrays, npy.Array{Name: averageName(k), Shape: []int{len(x)}, Data: x})
		}
	}
	for _, v := range t.vectors() {
		arrays = append(arrays, npy.Array{Name: v.name, Shape: []int{len(*v.x)}, Data: *v.x})
	}
	for k, part := range parts {
		state := part.State()
		meta.Counts = append(meta.Counts, state.Count)
		for i, x := range state.States {
			x.Name = statesName(k, i)
			arrays = append(arrays, x)
		}
		for i, x := range state.Numbers {
			arrays = append(arrays, npy.Array{Name: numbersName(k, i), Shape: []int{len(x)}, Data: x})
		}
	}
	text, err := json.Marshal(meta)
	if err != nil {
		return nil, err
	}
	return append(arrays, npy.Array{Name: "meta.json", Data: text}), nil
}

// LoadCheckpoint puts a trainer, built anew from the same samples and options,
// and its parts where SaveCheckpoint found them. The label must be the one
// saved. Errors name the file and what does not fit.
func LoadCheckpoint(path, label string, t *Trainer[float32], parts ...dual.Stateful) error {
	a, err := npy.ReadArchiveOf(path, maxCheckpointBytes, t.checkMember)
	if err != nil {
		return err
	}
	return loadCheckpoint(a, path, label, t, parts)
}

// ParseCheckpoint is LoadCheckpoint for the content of a file in memory. Errors call it by name.
func ParseCheckpoint(name string, content []byte, label string, t *Trainer[float32], parts ...dual.Stateful) error {
	a, err := npy.ParseArchive(name, content, maxCheckpointBytes)
	if err != nil {
		return err
	}
	return loadCheckpoint(a, name, label, t, parts)
}

func loadCheckpoint(a *npy.Archive, path, label string, t *Trainer[float32], parts []dual.Stateful) error {
	text, err := a.Bytes("meta.json")
	if err != nil {
		return fmt.Errorf("%w: not a checkpoint", err)
	}
	var meta checkpointMeta
	if err := json.Unmarshal(text, &meta); err != nil {
		return fmt.Errorf("%s: meta.json: %w", path, err)
	}
	switch {
	case meta.Format != checkpointFormat:
		return fmt.Errorf("%s: format %d of checkpoints is not known here, only %d", path, meta.Format, checkpointFormat)
	case meta.Label != label:
		return fmt.Errorf("%s: a checkpoint of another run\n  it is of: %s\n  this is:  %s\nresume with the settings it was made with, or choose another folder", path, meta.Label, label)
	case meta.Step < 0 || meta.Elapsed < 0:
		return fmt.Errorf("%s: meta.json: step %d after %v", path, meta.Step, meta.Elapsed)
	case float64(meta.Step) > t.limit():
		return fmt.Errorf("%s: meta.json: step %d of a run that ends after %.0f", path, meta.Step, t.limit())
	case meta.Ending != ending{} && (!t.opt.Constant || meta.Ending.Begun < 1 || meta.Ending.Begun > meta.Step || meta.Ending.Steps < 0):
		return fmt.Errorf("%s: meta.json: an end of %d steps that began after step %d", path, meta.Ending.Steps, meta.Ending.Begun)
	case meta.Average < 0 || meta.Average > meta.Step/averageEvery:
		return fmt.Errorf("%s: meta.json: an average of %d models, one every %d steps, after step %d", path, meta.Average, averageEvery, meta.Step)
	}
	m, s := t.Model, &t.state
	n, p := m.Visible(), m.Hidden()
	type floats struct {
		name  string
		x     *[]float32
		shape []int
	}
	all := []floats{{"theta", &m.Posterior.Theta, []int{p, n}}}
	for _, k := range s.synapse.kept() {
		all = append(all, floats{thetaPart(k.name), k.x, []int{p, len(*k.x) / p}})
	}
	if h := t.Objective.head; h != nil {
		for k, x := range h.saved() {
			all = append(all, floats{headNames[k], x, []int{len(*x)}})
		}
	}
	for _, v := range all {
		x, err := npy.Get[float32](a, v.name, v.shape...)
		if err != nil {
			return err
		}
		if !finite(x) {
			return fmt.Errorf("%s: array %q has numbers that are not finite", path, v.name)
		}
		*v.x = x
	}
	params := t.vectors()
	for _, v := range params {
		x, err := npy.Get[float64](a, v.name, len(*v.x))
		if err != nil {
			return err
		}
		if !finite(x) {
			return fmt.Errorf("%s: array %q has numbers that are not finite", path, v.name)
		}
		copy(*v.x, x)
	}
	setCouplings(&m.Params, *params[0].x)
	if err := t.validate(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if len(meta.Counts) != len(parts) {
		return fmt.Errorf("%s: the states of %d parts, not %d", path, len(meta.Counts), len(parts))
	}
	for k, part := range parts {
		state := dual.State{Count: meta.Counts[k]}
		for i := 0; a.Has(statesName(k, i)); i++ {
			x := a.Array(statesName(k, i))
			if len(x.Shape) != 2 {
				return fmt.Errorf("%s: array %q has shape %v, not units x chains", path, x.Name, x.Shape)
			}
			state.States = append(state.States, x)
		}
		for i := 0; a.Has(numbersName(k, i)); i++ {
			x, err := npy.Get[float64](a, numbersName(k, i), -1)
			if err != nil {
				return err
			}
			if !finite(x) {
				return fmt.Errorf("%s: array %q has numbers that are not finite", path, numbersName(k, i))
			}
			state.Numbers = append(state.Numbers, x)
		}
		if err := part.Restore(n, p, state); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	if s.average, err = loadAverage(a, path, meta.Average, &m.Params); err != nil {
		return err
	}
	s.step, s.elapsed, s.ending = meta.Step, meta.Elapsed, meta.Ending
	if t.opt.Extended > 0 && s.step == t.opt.Extended && t.Fraction() <= 1-t.opt.Average {
		s.average = running[float32]{} // of the end of the shorter run
	}
	return nil
}

// checkMember refuses a member of a checkpoint that is none of the trainer's, or of another
// size, before it takes memory. States of parts are known by their shapes alone; the
// parts check them.
func (t *Trainer[T]) checkMember(name string, shape []int) error {
	n, p := t.Model.Visible(), t.Model.Hidden()
	want := map[string][]int{"meta.json": nil, "theta": {p, n}, averageTheta: {p, n}}
	for _, k := range t.state.synapse.kept() {
		want[thetaPart(k.name)] = []int{p, len(*k.x) / p}
	}
	for _, v := range t.vectors() {
		want[v.name] = []int{len(*v.x)}
	}
	for k, x := range parameters(&t.Model.Params) {
		want[averageName(k)] = []int{len(x)}
	}
	if h := t.Objective.head; h != nil {
		for k, x := range h.saved() {
			want[headNames[k]] = []int{len(*x)}
		}
	}
	is, known := want[name]
	switch {
	case known && name != "meta.json" && !slices.Equal(is, shape): // LoadCheckpoint tells one that is an array
		return fmt.Errorf("array %q has shape %v, not %v", name, shape, is)
	case known:
		return nil
	case slices.Contains(headNames[:], name) && len(shape) == 1: // of labels that are not learned here
		return nil
	case stateNames.MatchString(name) && (len(shape) == 1 || len(shape) == 2):
		return nil
	}
	return fmt.Errorf("array %q of shape %v: a checkpoint of this run has none", name, shape)
}

// loadAverage reads the average of the given number of models.
func loadAverage(a *npy.Archive, path string, count int, params *rbm.Params) (running[float32], error) {
	r := running[float32]{count: count}
	if count == 0 {
		return r, nil
	}
	var err error
	if r.theta, err = npy.Get[float32](a, averageTheta, params.Hidden(), params.Visible()); err != nil {
		return r, err
	}
	if !finite(r.theta) {
		return r, fmt.Errorf("%s: array %q has numbers that are not finite", path, averageTheta)
	}
	for k, like := range parameters(params) {
		x, err := npy.Get[float64](a, averageName(k), len(like))
		if err != nil {
			return r, err
		}
		if !finite(x) {
			return r, fmt.Errorf("%s: array %q has numbers that are not finite", path, averageName(k))
		}
		r.vectors = append(r.vectors, x)
	}
	return r, nil
}

// thetaPart names what the optimiser of the thetas keeps.
func thetaPart(of string) string { return "theta_" + of }

// headNames are the arrays of a head in their order.
var headNames = [...]string{"head", "head_first", "head_second"}

// saved lists what a checkpoint keeps of a head.
func (h *head[T]) saved() [len(headNames)]*[]T {
	return [...]*[]T{&h.weights, &h.opt.First, &h.opt.Second}
}

const averageTheta = "average_theta"

func averageName(k int) string { return fmt.Sprintf("average_parameters%d", k) }

// stateNames are those of statesName and numbersName.
var stateNames = regexp.MustCompile(`^state\d+_(spins|states\d+|numbers\d+)$`)

// statesName is that of states of a part. The first has the name that it had when
// all states were spins.
func statesName(part, k int) string {
	if k == 0 {
		return fmt.Sprintf("state%d_spins", part)
	}
	return fmt.Sprintf("state%d_states%d", part, k)
}

func numbersName(part, k int) string { return fmt.Sprintf("state%d_numbers%d", part, k) }

type namedVector struct {
	name string
	x    *[]float64
}

// vectors lists all parameters and optimiser states but those of the synapses;
// the first is a copy of the couplings, one per link.
func (t *Trainer[T]) vectors() []namedVector {
	m, s := t.Model, &t.state
	coupling := m.Couplings()
	list := []namedVector{
		{"coupling", &coupling},
		{"visible_field", &m.VisibleField}, {"hidden_field", &m.HiddenField},
		{"visible_offset", &m.VisibleOffset}, {"hidden_offset", &m.HiddenOffset},
		{"coupling_first", &s.coupling.First}, {"coupling_second", &s.coupling.Second},
		{"visible_first", &s.visible.First}, {"visible_second", &s.visible.Second},
		{"hidden_first", &s.hidden.First}, {"hidden_second", &s.hidden.Second},
	}
	if t.opt.FieldPrior > 0 {
		list = append(list, namedVector{"held_visible", &s.held.visible}, namedVector{"held_hidden", &s.held.hidden})
	}
	if len(m.VisibleOwn) > 0 {
		list = append(list, namedVector{"visible_own", &m.VisibleOwn}, namedVector{"own_first", &s.own.First}, namedVector{"own_second", &s.own.Second})
	}
	return list
}

// validate returns an error that names the first parameter out of its range.
func (t *Trainer[T]) validate() error {
	return t.Model.ValidateWithin(t.samples.OffsetLimit(), t.Objective.Hidden.OffsetLimit())
}
