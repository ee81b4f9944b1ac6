package evolve

import (
	"context"
	"errors"
	"math"
	"sync"

	"bethe/dataset"
	"bethe/dual"
	"bethe/hyperadam"
	"bethe/planted"
	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
	"bethe/variational"
)

// Digits are what tasks learn from and measure on: of 28 x 28 pixels, seen at every second row and column. It is safe
// for concurrent use.
type Digits struct {
	learn, measure *spin.Matrix // 196 units
	labels         [2][]int
	mu             sync.Mutex
	parts          map[int][2]*spin.Matrix // by classes, a bit each
}

const (
	side     = 14
	measured = 2000 // samples
)

// NewDigits takes labelled digits: it learns from those before the place and measures on some of those after it. It
// panics if they are not of 784 units with labels, or none is on a side of the place.
func NewDigits(set *dataset.Set, place int) *Digits {
	small := halved(set.Samples)
	columns := func(lo, hi int) *spin.Matrix {
		list := make([]int, 0, hi-lo)
		for a := lo; a < hi; a++ {
			list = append(list, a)
		}
		m := spin.New(small.Rows(), len(list))
		small.Gather(m, list)
		return m
	}
	n := small.Cols()
	return &Digits{learn: columns(0, place), measure: columns(place, n), labels: [2][]int{set.Labels[:place], set.Labels[place:n]}, parts: map[int][2]*spin.Matrix{}}
}

// halved keeps every second pixel of every second row.
func halved(m *spin.Matrix) *spin.Matrix {
	list := make([]int, 0, side*side)
	for r := range side {
		for c := range side {
			list = append(list, (2*r+1)*2*side+2*c+1)
		}
	}
	turned, chosen, half := spin.New(m.Cols(), m.Rows()), spin.New(m.Cols(), len(list)), spin.New(len(list), m.Cols())
	m.Transpose(turned)
	turned.Gather(chosen, list)
	chosen.Transpose(half)
	return half
}

// of returns the samples to learn from and to measure on that have one of the classes, all for none.
func (d *Digits) of(classes int) (learn, measure *spin.Matrix) {
	d.mu.Lock()
	defer d.mu.Unlock()
	parts, there := d.parts[classes]
	if !there {
		for side, all := range []*spin.Matrix{d.learn, d.measure} {
			var list []int
			for a, label := range d.labels[side] {
				if (classes == 0 || classes>>label&1 == 1) && (side == 0 || len(list) < measured) {
					list = append(list, a)
				}
			}
			parts[side] = spin.New(all.Rows(), len(list))
			all.Gather(parts[side], list)
		}
		d.parts[classes] = parts
	}
	return parts[0], parts[1]
}

// A task says what a rule is worth. Equal rules have equal scores.
type task interface {
	score(ctx context.Context, rule *hyperadam.Weights) (float64, error)
}

// draw draws a task.
func (l *Learner) draw(ctx context.Context, key stream.Key) (task, error) {
	rng := key.Sub(stream.TaskKind).Rand()
	if rng.Float64() < l.settings.Planted {
		t := plantedTask{hidden: 2 + rng.IntN(2), steps: []int{40, 80}[rng.IntN(2)], key: key}
		alpha := 3 + 3*rng.Float64()
		teacher, err := planted.NewTeacher(plantedUnits, t.hidden, 1, 0, key.Sub(stream.TaskTeacher))
		if err != nil {
			return nil, err
		}
		t.data, err = planted.Data(ctx, teacher, int(alpha*plantedUnits), key.Sub(stream.TaskData))
		return t, err
	}
	classes := 0
	if rng.IntN(2) == 0 {
		k := rng.IntN(5)
		classes = 1<<k | 1<<(k+2) | 1<<(k+4)
	}
	t := digitTask{hidden: 24 + 8*rng.IntN(2), steps: []int{150, 300, 600}[rng.IntN(3)], batch: []int{100, 200}[rng.IntN(2)], key: key}
	t.learn, t.measure = l.digits.of(classes)
	return t, nil
}

// diverged is the score of a rule that leaves no machine.
const diverged = -1000

// learn learns, and reports whether there is a machine.
func learn(ctx context.Context, trainer *variational.Trainer[float32]) (bool, error) {
	err := trainer.Run(ctx, nil)
	if errors.Is(err, variational.ErrDiverged) {
		return false, nil
	}
	return err == nil, err
}

// A digitTask learns a small machine of digits as train does by default, and measures it by a short annealing, the same for all rules:
// rough, but quick.
type digitTask struct {
	learn, measure       *spin.Matrix
	hidden, steps, batch int
	key                  stream.Key
}

func (d digitTask) score(ctx context.Context, rule *hyperadam.Weights) (float64, error) {
	const chains = 200
	model := variational.NewModel[float32](variational.Initial{
		Hidden: d.hidden, Coupling: 1 / math.Sqrt(float64(d.hidden)), Fields: true, Centre: true, Deviation: 0.3, Key: d.key.Sub(stream.TaskThetas),
	}, d.learn)
	engine := &dual.Chains[float32]{Count: chains, Sweeps: 1, Key: d.key.Sub(stream.TaskChains), InitialVisible: d.learn.Choose(chains, d.key.Sub(stream.TaskStates).Rand()), Scouts: 32}
	partition := &dual.Annealed[float32]{Engine: engine}
	trainer, err := variational.NewTrainer(model, units.NewSpins[float32](d.learn), partition, variational.Mixture[float32]{}, variational.Options{
		Steps: d.steps, Batch: d.batch, Rule: variational.HyperAdam, Weights: *rule, Rate: 0.02, FinalRate: 0.02, MaxTheta: 4, Settle: 0.3, Average: 0.15,
		FieldRate: 1, CouplingRate: 0.1, OffsetRate: 0.01, Key: d.key.Sub(stream.TaskBatches),
	})
	if err != nil {
		return 0, err
	}
	if ok, err := learn(ctx, trainer); err != nil || !ok {
		return diverged, err
	}
	objective := &variational.Objective[float32]{Partition: partition, Hidden: variational.Mixture[float32]{}, Samples: d.learn.Cols(), Synapses: rbm.SignKind}
	terms, _, err := objective.EstimateTerms(ctx, trainer.Result(), units.NewSpins[float32](d.measure), sample.Annealing{Chains: 64, Temperatures: 200, Key: d.key.Sub(stream.TaskScores)})
	if v := terms.Bound(); err == nil && !math.IsNaN(v) && !math.IsInf(v, 0) {
		return v, nil
	}
	return diverged, err
}

// A plantedTask learns planted synapses from all samples with exact moments; its score is the bound at the end, in
// units that make it count as much as digits do.
type plantedTask struct {
	data          *spin.Matrix
	hidden, steps int
	key           stream.Key
}

const (
	plantedUnits  = 60
	plantedWeight = 20
)

func (p plantedTask) score(ctx context.Context, rule *hyperadam.Weights) (float64, error) {
	model := variational.NewModel[float32](variational.Initial{Hidden: p.hidden, Coupling: 1 / math.Sqrt(plantedUnits), Deviation: 0.5, Key: p.key.Sub(stream.TaskThetas)}, p.data)
	partition := &dual.Annealed[float32]{Engine: dual.Exact[float32]{}}
	samples := units.NewSpins[float32](p.data)
	trainer, err := variational.NewTrainer(model, samples, partition, variational.Mixture[float32]{}, variational.Options{
		Steps: p.steps, Rule: variational.HyperAdam, Weights: *rule, Rate: 0.2, FinalRate: 0.1, Key: p.key.Sub(stream.TaskBatches),
	})
	if err != nil {
		return 0, err
	}
	if ok, err := learn(ctx, trainer); err != nil || !ok {
		return diverged, err
	}
	terms, _, err := trainer.Objective.Terms(ctx, model, samples)
	if v := terms.Bound(); err == nil && !math.IsNaN(v) && !math.IsInf(v, 0) {
		return plantedWeight * v, nil
	}
	return diverged, err
}
