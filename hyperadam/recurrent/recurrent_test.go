package recurrent

import (
	"context"
	"math"
	"runtime"
	"slices"
	"testing"

	"bethe/stream"
)

// TestStart: before learning the rule is Adam with the momentum of its first candidate, whatever the recurrent net.
func TestStart(t *testing.T) {
	rng := stream.New(1).Rand()
	w := Start()
	for k := range 4 * Cells * (Cells + 2) {
		w[k] += rng.NormFloat64()
	}
	const n = 7
	a, b := make([]float64, n), make([]float64, n)
	published, adam := Published{Weights: w}.Begin(n, stream.New(2)), Adam{0.1}.Begin(n, stream.New(2))
	for range 30 {
		grad := make([]float64, n)
		for k := range grad {
			grad[k] = rng.NormFloat64()
		}
		if charge := published(a, grad, 0.1); charge != 0 {
			t.Fatal(charge)
		}
		adam(b, grad, 0.1)
	}
	for k := range a {
		if math.Abs(a[k]-b[k]) > 1e-6 {
			t.Errorf("synapse %d: %v, and Adam %v", k, a[k], b[k])
		}
	}
}

// TestStep holds a state against the formulas of one synapse written out.
func TestStep(t *testing.T) {
	rng := stream.New(3).Rand()
	w := make([]float64, Numbers)
	for k := range w {
		w[k] = 0.5 * rng.NormFloat64()
	}
	at := 0
	take := func(count int) []float64 { at += count; return w[at-count : at] }
	var gates [4 * Cells][]float64
	for k := range gates {
		gates[k] = take(Cells + 2)
	}
	var keep, square, combine [Candidates][]float64
	for j := range Candidates {
		keep[j], square[j], combine[j] = take(Cells+2), take(Cells+2), take(Cells+1)
	}
	width := take(Cells + 1)
	if at != Numbers {
		t.Fatal(at)
	}
	dot := func(w, x []float64) (sum float64) {
		for k, v := range x {
			sum += w[k] * v
		}
		return sum + w[len(x)]
	}
	sigmoid := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	s := NewState(w, 1)
	state, cell := make([]float64, Cells), make([]float64, Cells)
	var m, v [Candidates]float64
	left, leftSquare := [Candidates]float64{1, 1, 1, 1, 1}, [Candidates]float64{1, 1, 1, 1, 1}
	for range 20 {
		g := rng.NormFloat64()
		s.Step([]float64{g})
		sign := g / (math.Abs(g) + 1e-8) // one synapse: the gradient over its root mean square
		x := append(slices.Clone(state), sign)
		for i := range Cells {
			cell[i] = sigmoid(dot(gates[i], x))*cell[i] + sigmoid(dot(gates[Cells+i], x))*math.Tanh(dot(gates[3*Cells+i], x))
			state[i] = sigmoid(dot(gates[2*Cells+i], x)) * math.Tanh(cell[i])
		}
		mean := 0.
		for j := range Candidates {
			y := append(slices.Clone(state), m[j]/(math.Abs(m[j])+1e-8))
			b, c := sigmoid(dot(keep[j], y)), sigmoid(dot(square[j], y))
			m[j], v[j] = b*m[j]+(1-b)*g, c*v[j]+(1-c)*g*g
			left[j], leftSquare[j] = left[j]*b, leftSquare[j]*c
			rho := dot(combine[j], state)
			if rho < 0 {
				rho = math.Exp(rho) - 1
			}
			mean += rho * m[j] / (1 - left[j]) / (math.Sqrt(v[j]/(1-leftSquare[j])) + 1e-8)
		}
		if l := dot(width, state); math.Abs(s.Mean[0]-mean) > 1e-6 || math.Abs(s.LnVariance[0]-l) > 1e-9 {
			t.Fatalf("%v and %v, not %v and %v", s.Mean, s.LnVariance, mean, l)
		}
		if kl := (math.Exp(s.LnVariance[0]) + mean*mean - 1 - s.LnVariance[0]) / 2; math.Abs(kl-s.Divergence()) > 1e-6 {
			t.Fatalf("divergence %v, not %v", s.Divergence(), kl)
		}
	}
}

// TestGeneration: learning is the same on one thread and on several, drawn steps are charged, and tasks are learned.
func TestGeneration(t *testing.T) {
	draw := func(key stream.Key) (*Task, error) { return NewTask(t.Context(), 20, 2, 4, 16, 0.4, key) }
	var means [2][]float64
	for k, threads := range []int{1, 3} {
		before := runtime.GOMAXPROCS(threads)
		l := NewLearner(true, 2, stream.New(4))
		for range 2 {
			if _, err := l.Generation(t.Context(), Adam{}, draw); err != nil {
				t.Fatal(err)
			}
		}
		means[k] = l.Mean
		runtime.GOMAXPROCS(before)
	}
	if !slices.Equal(means[0], means[1]) || slices.Equal(means[0], NewLearner(true, 2, stream.New(4)).Mean) {
		t.Error("the weights depend on the threads, or have not moved")
	}
	task, err := draw(stream.New(5))
	if err != nil {
		t.Fatal(err)
	}
	drawn, err := task.Run(t.Context(), Published{Start(), true})
	if err != nil || !(drawn.Charge > 0) {
		t.Errorf("%+v, %v", drawn, err)
	}
	plain, err := task.Run(t.Context(), Published{Weights: Start()})
	if err != nil || plain.Charge != 0 || !(plain.Bound >= plain.Course) || !(plain.Overlap > 0.2) {
		t.Errorf("%+v, %v", plain, err)
	}
	if s, err := task.Run(t.Context(), Published{Weights: slices.Repeat([]float64{math.NaN()}, Numbers)}); err != nil || !math.IsInf(s.Bound, -1) {
		t.Errorf("a rule that diverges: %+v, %v", s, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := NewLearner(false, 1, stream.New(1)).Generation(ctx, Adam{}, draw); err == nil {
		t.Error("an ended context gives no error")
	}
}
