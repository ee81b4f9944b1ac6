package variational

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"bethe/internal/durable"
	"bethe/internal/npy"
	"bethe/spin"
)

// An EngineState is the state of an engine of persistent chains, which goes
// into checkpoints.
type EngineState interface {
	State() (hidden *spin.Matrix, sweeps uint64)
	Restore(visible int, hidden *spin.Matrix, sweeps uint64) error
}

// checkpointFormat is the version of the checkpoint file.
const checkpointFormat = 1

// maxCheckpointBytes limits the decoded size of a checkpoint that is read.
const maxCheckpointBytes = 4 << 30

type checkpointMeta struct {
	Format  int           `json:"format"`
	Label   string        `json:"label"` // what the run is, to be told from another
	Step    int           `json:"step"`
	Elapsed time.Duration `json:"elapsed_ns"`
	Sweeps  uint64        `json:"sweeps"`
}

// SaveCheckpoint writes all that a later trainer of the same samples and
// options needs to go on as if nothing had happened: parameters, thetas,
// optimiser, chains (nil where the engine has none) and the number of steps.
// The label says what run this is. The file, an .npz archive, is replaced as a
// whole or not at all. Only float32 models are checkpointed.
func SaveCheckpoint(path, label string, t *Trainer[float32], engine EngineState) error {
	m, s := t.Model, &t.state
	n, p := m.Visible(), m.Hidden()
	meta := checkpointMeta{Format: checkpointFormat, Label: label, Step: s.step, Elapsed: s.elapsed}
	arrays := []npy.Array{
		{Name: "theta", Shape: []int{p, n}, Data: m.Posterior.Theta},
		{Name: "theta_first", Shape: []int{p, n}, Data: s.synapse.First},
		{Name: "theta_second", Shape: []int{p, n}, Data: s.synapse.Second},
	}
	for _, v := range t.vectors() {
		arrays = append(arrays, npy.Array{Name: v.name, Shape: []int{len(*v.x)}, Data: *v.x})
	}
	if engine != nil {
		if hidden, sweeps := engine.State(); hidden != nil {
			values := make([]int8, hidden.Rows()*hidden.Cols())
			spin.Values(values, hidden)
			arrays = append(arrays, npy.Array{Name: "chains_hidden", Shape: []int{hidden.Rows(), hidden.Cols()}, Data: values})
			meta.Sweeps = sweeps
		}
	}
	text, err := json.Marshal(meta)
	if err != nil {
		return err
	}
	arrays = append(arrays, npy.Array{Name: "meta.json", Data: text})
	return durable.WriteFile(path, func(w io.Writer) error { return npy.WriteArchive(w, arrays) })
}

// LoadCheckpoint puts a trainer, built anew from the same samples and options,
// and its engine where SaveCheckpoint found them. The label must be the one
// saved. Errors name the file and what does not fit.
func LoadCheckpoint(path, label string, t *Trainer[float32], engine EngineState) error {
	a, err := npy.ReadArchive(path, maxCheckpointBytes)
	if err != nil {
		return err
	}
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
	}
	m, s := t.Model, &t.state
	n, p := m.Visible(), m.Hidden()
	for _, v := range []struct {
		name string
		x    *[]float32
	}{{"theta", &m.Posterior.Theta}, {"theta_first", &s.synapse.First}, {"theta_second", &s.synapse.Second}} {
		x, err := npy.Get[float32](a, v.name, p, n)
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
	m.Coupling = (*params[0].x)[0]
	if err := m.Validate(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if engine != nil && a.Has("chains_hidden") {
		shape := a.Shape("chains_hidden")
		if len(shape) != 2 || shape[0] != p {
			return fmt.Errorf("%s: array \"chains_hidden\" has shape %v, for %d hidden units", path, shape, p)
		}
		values, err := npy.Get[int8](a, "chains_hidden", shape...)
		if err != nil {
			return err
		}
		if err := engine.Restore(n, spin.FromSigns(p, shape[1], values), meta.Sweeps); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	s.step, s.elapsed = meta.Step, meta.Elapsed
	return nil
}

type namedVector struct {
	name string
	x    *[]float64
}

// vectors lists all parameters and optimiser states but those of the synapses;
// the first is a copy of the coupling.
func (t *Trainer[T]) vectors() []namedVector {
	m, s := t.Model, &t.state
	coupling := []float64{m.Coupling}
	return []namedVector{
		{"coupling", &coupling},
		{"visible_field", &m.VisibleField}, {"hidden_field", &m.HiddenField},
		{"visible_offset", &m.VisibleOffset}, {"hidden_offset", &m.HiddenOffset},
		{"coupling_first", &s.coupling.First}, {"coupling_second", &s.coupling.Second},
		{"visible_first", &s.visible.First}, {"visible_second", &s.visible.Second},
		{"hidden_first", &s.hidden.First}, {"hidden_second", &s.hidden.Second},
	}
}
