package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"bethe/dataset/mnist"
	"bethe/dual"
	"bethe/internal/kernel"
	"bethe/planted"
	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
	"bethe/variational"
)

// coupling is about what a machine of this size learns from digits.
const coupling = 0.03

// tasks are the kinds of work that a process of this program does on request.
// Each prepares and returns a function that does it n times.
var tasks = map[string]func() (func(n int) error, error){
	"step":            func() (func(int) error, error) { return trainingSteps(visible, hidden, 500, false) },
	"step-deep":       func() (func(int) error, error) { return trainingSteps(visible, hidden, 500, true, hidden) },
	"step-centred":    func() (func(int) error, error) { return trainingSteps(visible, hidden, 500, true) },
	"step-gauss":      func() (func(int) error, error) { return gaussSteps(rbm.BinaryKind) },
	"step-gauss-real": func() (func(int) error, error) { return gaussSteps(rbm.RealKind) },
	"sweep":           func() (func(int) error, error) { return sweeps(hidden, 1000) },
	"copy":            copies,
	"sweep-plain": func() (func(int) error, error) {
		p := newPlainSweep(1000)
		return func(n int) error {
			for range n {
				p.sweep()
			}
			return nil
		}, nil
	},
	"planted": func() (func(int) error, error) {
		return plantedRuns(variational.Adam, func() dual.Partition[float32] { return &dual.Annealed[float32]{Engine: dual.Exact[float32]{}} })
	},
	"planted-quenched": func() (func(int) error, error) {
		return plantedRuns(variational.ClippedAdam, func() dual.Partition[float32] {
			engine := dual.NewBethe[float32]()
			engine.EdgeCorrelation, engine.Damping, engine.Tolerance = true, 0, 1e-5
			return &dual.Quenched[float32]{Engine: engine, Draws: 64, Key: stream.New(1)}
		})
	},
}

// taskOf returns the task of a name in tasks. Names of steps and sweeps may also carry sizes: sweep/2000/10000
// has 2,000 hidden units and 10,000 chains (of steps: samples).
func taskOf(name string) (func() (func(n int) error, error), error) {
	if task, ok := tasks[name]; ok {
		return task, nil
	}
	var p, count int
	kind, sizes, _ := strings.Cut(name, "/")
	if n, err := fmt.Sscanf(sizes, "%d/%d", &p, &count); n == 2 && err == nil && p > 0 && count > 0 {
		switch kind {
		case "step", "step-centred":
			return func() (func(int) error, error) { return trainingSteps(visible, p, count, kind != "step") }, nil
		case "sweep":
			return func() (func(int) error, error) { return sweeps(p, count) }, nil
		}
	}
	return nil, fmt.Errorf("there is no task %q", name)
}

// sweeps prepares Gibbs sweeps of a machine of binary synapses with fields.
func sweeps(p, count int) (func(int) error, error) {
	rng := rand.New(rand.NewPCG(1, 2))
	machine := &rbm.Machine{Params: rbm.NewParams(visible, p, coupling), Synapses: rbm.Binary(spin.Random(visible, p, rng))}
	for _, fields := range [][]float64{machine.VisibleField, machine.HiddenField} {
		for k := range fields {
			fields[k] = rng.NormFloat64()
		}
	}
	chains := sample.NewChains(sample.OnMachine(machine), count, stream.New(1))
	return func(n int) error { chains.Sweep(n); return nil }, nil
}

// errEnough ends a run of learning after the steps that were asked for.
var errEnough = errors.New("enough steps")

// trainingSteps prepares learning of digits as the command does it, with as
// many chains as samples per step. Above are the sizes of hidden layers above the first.
func trainingSteps(n, p, batch int, centre bool, above ...int) (func(int) error, error) {
	samples := mnist.Train().Samples
	if n != samples.Rows() {
		samples = spin.Random(n, max(2*batch, 5000), rand.New(rand.NewPCG(1, 2)))
	}
	key := stream.New(1)
	model := variational.NewModel[float32](variational.Initial{
		Hidden: p, Above: above, Coupling: 2.8 / math.Sqrt(float64(n)), Fields: true, Centre: centre, Deviation: 0.3, Key: key.Sub(0),
	}, samples)
	first := make([]int, batch)
	for k := range first {
		first[k] = k
	}
	start := spin.New(n, batch)
	samples.Gather(start, first)
	if even := model.Visible(); even > n { // the states of even hidden layers below the samples
		start = units.Below(start, spin.Random(even-n, batch, rand.New(rand.NewPCG(3, 4))))
	}
	engine := &dual.Chains[float32]{Count: batch, Sweeps: 1, Key: key.Sub(1), InitialVisible: start}
	opt := variational.Options{
		Steps: 1 << 20, Batch: batch, Rate: 0.02, FinalRate: 0.02, FieldRate: 1, CouplingRate: 0.5, MaxTheta: 4, Key: key.Sub(2),
	}
	if centre {
		opt.OffsetRate = 0.01
	}
	if len(above) > 0 {
		opt.Deep = variational.Deep{Recognition: variational.Aware, Hold: true, Key: key.Sub(4)}
	}
	trainer, err := variational.NewTrainer(model, units.NewSpins[float32](samples), &dual.Annealed[float32]{Engine: engine}, variational.Mixture[float32]{}, opt)
	if err != nil {
		return nil, err
	}
	return stepsOf(trainer), nil
}

// stepsOf takes steps of learning.
func stepsOf(trainer *variational.Trainer[float32]) func(int) error {
	return func(n int) error {
		err := trainer.Run(context.Background(), func(variational.Progress) error {
			if n--; n == 0 {
				return errEnough
			}
			return nil
		})
		if errors.Is(err, errEnough) {
			return nil
		}
		return err
	}
}

// gaussSteps prepares learning of 784 Gaussian visible units by 500 hidden spins, as the command does it.
func gaussSteps(synapses rbm.Kind) (func(int) error, error) {
	const batch, m = 500, 10000
	numbers := units.NewReals[float32](visible, m)
	rng := rand.New(rand.NewPCG(1, 2))
	for k := range numbers.Values() {
		numbers.Values()[k] = float32(rng.NormFloat64())
	}
	key, data := stream.New(1), units.NewGauss(numbers)
	start := units.NewReals[float32](visible, batch)
	numbers.Gather(start, rng.Perm(m)[:batch])
	model, err := variational.NewKindModel(variational.Initial{
		Hidden: hidden, Coupling: 0.5 / math.Sqrt(visible), Fields: true, Centre: true, Deviation: 0.3, Key: key.Sub(0),
	}, data, units.Kind{Word: units.Gauss}, units.Kind{})
	if err != nil {
		return nil, err
	}
	var partition dual.Partition[float32] = &dual.GaussChains[float32]{Count: batch, Sweeps: 1, Key: key.Sub(1), InitialReals: start}
	if synapses == rbm.RealKind {
		partition = dual.TermFor(synapses, dual.Engine[float32](&dual.RealChains{Count: batch, Sweeps: 1, Key: key.Sub(1), InitialReals: start}))
	}
	trainer, err := variational.NewTrainer(model, data, partition, variational.Mixture[float32]{}, variational.Options{
		Steps: 1 << 20, Batch: batch, Rate: 0.02, FinalRate: 0.02, FieldRate: 1, CouplingRate: 0.5, OwnRate: 0.2, OffsetRate: 0.01, MaxTheta: 4, Synapses: synapses, Key: key.Sub(2),
	})
	if err != nil {
		return nil, err
	}
	return stepsOf(trainer), nil
}

// plantedRuns prepares learning of a planted machine, N = 100, P = 2,
// alpha = 5, beta = 1: 200 steps from one start, in float32, as the command
// planted does it.
func plantedRuns(rule variational.Rule, partition func() dual.Partition[float32]) (func(int) error, error) {
	const n, p, m, steps = 100, 2, 500, 200
	key := stream.New(1)
	teacher, err := planted.NewTeacher(n, p, 1, 0, key.Sub(0))
	if err != nil {
		return nil, err
	}
	samples, err := planted.Data(context.Background(), teacher, m, key.Sub(1))
	if err != nil {
		return nil, err
	}
	return func(runs int) error {
		for k := range runs {
			model := variational.NewModel[float32](variational.Initial{
				Hidden: p, Coupling: teacher.Coupling(), Deviation: 0.5, Key: key.Sub(2).Sub(uint64(k)),
			}, samples)
			trainer, err := variational.NewTrainer(model, units.NewSpins[float32](samples), partition(), variational.Mixture[float32]{}, variational.Options{
				Steps: steps, Rule: rule, Rate: 0.2, FinalRate: 0.1, Key: key.Sub(3),
			})
			if err != nil {
				return err
			}
			if err := trainer.Run(context.Background(), nil); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// serve does a task as often as it is asked to: it prints its versions, then
// reads numbers, a line each, and answers with seconds a piece.
func serve(task string) error {
	prepare, err := taskOf(task)
	if err != nil {
		return err
	}
	work, err := prepare()
	if err != nil {
		return err
	}
	if err := print(map[string]string{"go": runtime.Version()}); err != nil {
		return err
	}
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		n, err := strconv.Atoi(in.Text())
		if err != nil {
			return err
		}
		start := time.Now()
		if err := work(n); err != nil {
			return err
		}
		if err := print(time.Since(start).Seconds() / float64(n)); err != nil {
			return err
		}
	}
	return in.Err()
}

// print writes a JSON value on a line.
func print(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Println(string(text))
	return err
}

// sizeRows measures how the time of a centred step grows with each size.
func sizeRows(rounds int) ([]row, error) {
	var rows []row
	for _, s := range []struct {
		what  string
		first int
		step  func(size int) (func(int) error, error)
	}{
		{"visible units N", 196, func(n int) (func(int) error, error) { return trainingSteps(n, hidden, 500, true) }},
		{"hidden units P", 125, func(p int) (func(int) error, error) { return trainingSteps(visible, p, 500, true) }},
		{"samples and chains a step M", 125, func(m int) (func(int) error, error) { return trainingSteps(visible, hidden, m, true) }},
	} {
		const doublings = 4
		var sizes []float64
		var work [](func(int) error)
		for k := range doublings + 1 {
			f, err := s.step(s.first << k)
			if err != nil {
				return nil, err
			}
			sizes, work = append(sizes, float64(s.first<<k)), append(work, f)
		}
		times := make([][]float64, len(work))
		for round := range rounds + 1 {
			for k, f := range work {
				n := max(1, 16>>k)
				start := time.Now()
				if err := f(n); err != nil {
					return nil, err
				}
				if round > 0 { // the first warms up
					times[k] = append(times[k], time.Since(start).Seconds()/float64(n))
				}
			}
		}
		medians := make([]float64, len(times))
		for k := range times {
			medians[k] = median(times[k])
			rows = append(rows, row{What: fmt.Sprintf("%s = %.0f", s.what, sizes[k]), Tier: kernel.Tier(), Threads: 1, Seconds: medians[k], Value: 1 / medians[k], Unit: "steps/s"})
		}
		rows = append(rows, row{What: s.what + ": exponent of the time", Tier: kernel.Tier(), Threads: 1, Value: exponent(sizes, medians)})
	}
	return rows, nil
}
