package recurrent

import (
	"context"
	"math"

	"bethe/dual"
	"bethe/internal/parallel"
	"bethe/planted"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
	"bethe/variational"
)

// A Rule moves the log-odds of synapses.
type Rule interface {
	// Begin returns what moves so many synapses: it adds a step at a rate to theta, and returns what the rule is charged for it.
	Begin(synapses int, key stream.Key) func(theta, grad []float64, rate float64) (charge float64)
}

// Published is the rule with some weights. Draws says whether steps are drawn; else they are means.
type Published struct {
	Weights []float64
	Draws   bool
}

// divergenceWeight is that of the divergence in what the variational form is charged, in nats per sample.
const divergenceWeight = 1e-3

// Begin implements Rule.
func (p Published) Begin(synapses int, key stream.Key) func(theta, grad []float64, rate float64) float64 {
	s, rng := NewState(p.Weights, synapses), key.Rand()
	return func(theta, grad []float64, rate float64) float64 {
		s.Step(grad)
		for k, mu := range s.Mean {
			if p.Draws {
				mu += math.Exp(s.LnVariance[k]/2) * rng.NormFloat64()
			}
			theta[k] += rate * mu
		}
		if p.Draws {
			return divergenceWeight * s.Divergence()
		}
		return 0
	}
}

// Adam is the incumbent.
type Adam struct{ Momentum float64 }

// Begin implements Rule.
func (a Adam) Begin(synapses int, _ stream.Key) func(theta, grad []float64, rate float64) float64 {
	const keep, epsilon = 0.999, 1e-8
	first, second, step := make([]float64, synapses), make([]float64, synapses), 0.
	return func(theta, grad []float64, rate float64) float64 {
		step++
		for k, g := range grad {
			first[k] = a.Momentum*first[k] + (1-a.Momentum)*g
			second[k] = keep*second[k] + (1-keep)*g*g
			theta[k] += rate * first[k] / (1 - math.Pow(a.Momentum, step)) / (math.Sqrt(second[k]/(1-math.Pow(keep, step))) + epsilon)
		}
		return 0
	}
}

// A Task is planted synapses to learn from all samples with exact moments, at the known coupling.
type Task struct {
	Steps   int
	Rate    float64 // at the start; it falls to a tenth
	teacher *spin.Matrix
	data    *spin.Matrix
	key     stream.Key
}

// NewTask draws a teacher and alpha samples per visible unit.
func NewTask(ctx context.Context, visible, hidden int, alpha float64, steps int, rate float64, key stream.Key) (*Task, error) {
	teacher, err := planted.NewTeacher(visible, hidden, 1, 0, key.Sub(stream.TaskTeacher))
	if err != nil {
		return nil, err
	}
	data, err := planted.Data(ctx, teacher, int(math.Round(alpha*float64(visible))), key.Sub(stream.TaskData))
	return &Task{steps, rate, teacher.Signs(), data, key}, err
}

// A Score is how a rule does at a task.
type Score struct {
	Bound   float64 // at the end, nats per sample
	Course  float64 // mean of the bound over the steps; rules learn from it
	Charge  float64 // mean of the penalties that the rule pays
	Overlap float64 // of the signs with the teacher, at the end
}

// Run learns by a rule. The error is the context's. A rule that diverges has a bound of -Inf.
func (t *Task) Run(ctx context.Context, rule Rule) (Score, error) {
	visible, hidden := t.teacher.Rows(), t.teacher.Cols()
	model := variational.NewModel[float64](variational.Initial{Hidden: hidden, Coupling: 1 / math.Sqrt(float64(visible)), Deviation: 0.5, Key: t.key.Sub(stream.TaskThetas)}, t.data)
	objective := &variational.Objective[float64]{Partition: &dual.Annealed[float64]{Engine: dual.Exact[float64]{}}, Hidden: variational.Mixture[float64]{}, Samples: t.data.Cols()}
	samples, grad := units.NewSpins[float64](t.data), dual.NewGradient[float64](&model.Params)
	theta := model.Posterior.Theta
	move := rule.Begin(len(theta), t.key.Sub(stream.TaskBatches))
	const looks = 8 // at the bound
	var s Score
	for step := range t.Steps {
		if _, err := objective.Gradient(ctx, grad, model, samples); err != nil {
			return s, err
		}
		s.Charge += move(theta, grad.Synapse, t.Rate*(1-0.9*float64(step)/float64(t.Steps))) / float64(t.Steps)
		const limit = 8
		for k, v := range theta {
			if math.IsNaN(v) {
				return Score{Bound: math.Inf(-1), Course: math.Inf(-1)}, nil
			}
			theta[k] = max(-limit, min(limit, v))
		}
		if (step+1)*looks%t.Steps < looks {
			terms, _, err := objective.Terms(ctx, model, samples)
			if err != nil {
				return s, err
			}
			s.Bound = terms.Bound()
			s.Course += s.Bound / looks
		}
	}
	means := make([]float64, len(theta))
	model.Posterior.Mean(means)
	s.Overlap = planted.MatchMean(means, t.teacher).Mean()
	return s, nil
}

// A Learner learns weights by evolution strategies: pairs of rules around the mean, each tried on the tasks of a generation.
type Learner struct {
	Draws       bool
	Key         stream.Key
	Pairs       int
	Mean        []float64
	first, sq   []float64
	generations int
}

// NewLearner returns a learner at Start.
func NewLearner(draws bool, pairs int, key stream.Key) *Learner {
	l := &Learner{Draws: draws, Key: key, Pairs: pairs, Mean: Start(), first: make([]float64, Numbers), sq: make([]float64, Numbers)}
	rng := key.Sub(stream.RuleNet).Rand()
	n := parts(l.Mean)
	for k := range n.gates { // different states from the start
		for i := range n.gates[k] {
			n.gates[k][i] += 0.3 * rng.NormFloat64()
		}
	}
	return l
}

// Generation learns from one more and returns by how much its rules were better than Adam of the given momentum, in nats per sample of
// the course. It depends on the key and the number of the generation, not on threads.
func (l *Learner) Generation(ctx context.Context, incumbent Adam, draw func(rng stream.Key) (*Task, error)) (gain float64, err error) {
	const sigma, rate, tasks, largest = 0.1, 0.05, 4, 1
	key := l.Key.Sub(stream.RuleGenerations).Sub(uint64(l.generations))
	list := make([]*Task, tasks)
	for k := range list {
		if list[k], err = draw(key.Sub(stream.GenerationTasks).Sub(uint64(k))); err != nil {
			return 0, err
		}
	}
	rules, noise := []Rule{incumbent}, make([][]float64, l.Pairs)
	for k := range noise {
		rng := key.Sub(stream.GenerationPairs).Sub(uint64(k)).Rand()
		plus, minus := make([]float64, Numbers), make([]float64, Numbers)
		noise[k] = make([]float64, Numbers)
		for i, x := range l.Mean {
			e := rng.NormFloat64()
			noise[k][i], plus[i], minus[i] = e, x+sigma*e, x-sigma*e
		}
		rules = append(rules, Published{plus, l.Draws}, Published{minus, l.Draws})
	}
	worth, errs := make([]float64, len(rules)*tasks), make([]error, len(rules)*tasks)
	parallel.For(len(worth), 1, func(lo, hi int) {
		for k := lo; k < hi; k++ {
			var s Score
			s, errs[k] = list[k%tasks].Run(ctx, rules[k/tasks])
			worth[k] = s.Course - s.Charge
		}
	})
	for _, err := range errs {
		if err != nil {
			return 0, err
		}
	}
	better := func(rule int) (sum float64) {
		for k := range tasks {
			sum += max(-largest, min(largest, worth[rule*tasks+k]-worth[k])) / tasks
		}
		return sum
	}
	grad := make([]float64, Numbers)
	for k, e := range noise {
		plus, minus := better(2*k+1), better(2*k+2)
		gain += (plus + minus) / float64(2*l.Pairs)
		for i := range grad {
			grad[i] += (plus - minus) / 2 * e[i] / (sigma * float64(l.Pairs))
		}
	}
	l.generations++
	const keep, keepSquare, epsilon = 0.8, 0.95, 1e-4
	n := float64(l.generations)
	for i, g := range grad {
		l.first[i] = keep*l.first[i] + (1-keep)*g
		l.sq[i] = keepSquare*l.sq[i] + (1-keepSquare)*g*g
		l.Mean[i] += rate * l.first[i] / (1 - math.Pow(keep, n)) / (math.Sqrt(l.sq[i]/(1-math.Pow(keepSquare, n))) + epsilon)
	}
	return gain, nil
}
