package learn

import (
	"slices"

	"bethe/dual"
	"bethe/rbm"
	"bethe/setting"
	"bethe/spin"
	"bethe/stream"
	"bethe/variational"
)

// Names of partition terms.
const (
	annealed = "annealed"
	quenched = "quenched"
)

// An Expectation chooses the expectation step.
type Expectation struct {
	Estep     string `json:"estep"`     // how moments of the dual network are found: auto, exact, bethe, tap or chains
	Partition string `json:"partition"` // partition term: annealed or quenched
	Chains    int    `json:"chains"`    // persistent chains, or fixed points of tap
	Sweeps    int    `json:"sweeps"`    // of the chains a step
	Draws     int    `json:"draws"`     // Gaussian draws a step of the quenched term; even
	Scouts    int    `json:"scouts"`    // chains replaced every 100 sweeps by new ones from scattered states
	Probe     int    `json:"probe"`     // sweeps between probes, whose scouts join the chains only if they find heavy states; 0: none
}

// Check returns a *SettingError if a setting is out of its range.
func (e *Expectation) Check() error {
	switch {
	case !slices.Contains([]string{"auto", "exact", "bethe", "tap", "chains"}, e.Estep):
		return setting.Phrase("estep", "{estep %q}: it is auto, exact, bethe, tap or chains", e.Estep)
	case !slices.Contains([]string{annealed, quenched}, e.Partition):
		return setting.Phrase("partition", "{partition %q}: it is annealed or quenched", e.Partition)
	case e.Chains < 1:
		return setting.Phrase("chains", "{chains %d}: it must be at least 1", e.Chains)
	case e.Sweeps < 1:
		return setting.Phrase("sweeps", "{sweeps %d}: it must be at least 1", e.Sweeps)
	case e.Scouts < 0:
		return setting.Phrase("scouts", "{scouts %d}: it must not be negative", e.Scouts)
	case e.Probe < 0:
		return setting.Phrase("probe", "{probe %d}: it must not be negative", e.Probe)
	case e.Draws < 2 || e.Draws%2 != 0:
		return setting.Phrase("draws", "{draws %d}: it must be even and positive", e.Draws)
	}
	return nil
}

// NewEngine returns the engine that an expectation names for a machine of the
// given size, and why: its name, and for auto the reason. start holds visible
// states (visible x Chains) to start chains and fixed points at, or is nil.
func NewEngine[T rbm.Real](e *Expectation, visible, hidden int, start *spin.Matrix, key stream.Key) (engine dual.Engine[T], why string) {
	chains := dual.Chains[T]{Count: e.Chains, Sweeps: e.Sweeps, Key: key, InitialVisible: start, Scouts: e.Scouts, Probe: e.Probe}
	switch e.Estep {
	case "exact":
		return dual.Exact[T]{}, "exact, as asked"
	case "bethe":
		return dual.NewBethe[T](), "bethe, as asked"
	case "tap":
		return dual.NewTAP[T](start), "tap, as asked"
	case "chains":
		return &chains, "chains, as asked"
	}
	return dual.Auto(visible, hidden, chains)
}

// partitionOf returns the partition term of a recipe over an engine.
func partitionOf(r *Recipe, engine dual.Engine[float32], key stream.Key) dual.Partition[float32] {
	if r.Partition == quenched {
		return &dual.Quenched[float32]{Engine: engine, Draws: r.Draws, Key: key}
	}
	return dual.TermFor(r.kind(), engine)
}

// sweepsAt returns the sweeps of chains a step at a fraction of learning.
func (r *Recipe) sweepsAt(fraction float64) int {
	return r.Sweeps + int(fraction*float64(r.FinalSweeps-r.Sweeps)+0.5)
}

// falls are the ways in which the rate falls.
var falls = map[string]variational.Fall{"linear": variational.Linear, "cosine": variational.Cosine, "geometric": variational.Geometric}
