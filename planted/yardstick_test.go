package planted

import (
	"context"
	"fmt"
	"math"
	"testing"

	"bethe/spin"
	"bethe/stream"
)

// The teacher and a sample of the run that starts at it are both draws from
// the posterior, so on average the other run's samples overlap as much with
// either (Nishimori condition).
func TestNishimori(t *testing.T) {
	const n, p, instances = 30, 2, 60
	var difference, gap []float64
	for k := range uint64(instances) {
		key := stream.New(1).Sub(k)
		m := teacher(t, n, p, 0, key.Sub(0))
		y, err := NewYardstick(context.Background(), m, data(t, m, 4*n, key.Sub(1)),
			Schedule{BurnIn: 100, Temperature: 3, Keep: 200}, key.Sub(2))
		if err != nil {
			t.Fatal(err)
		}
		difference = append(difference, y.FromRandom.SampleOverlap-y.Replicas)
		gap = append(gap, y.FromRandom.MeanLogLikelihood-y.FromTeacher.MeanLogLikelihood)
	}
	checkMean(t, "overlap with the teacher less that of replicas", difference, 0)
	checkMean(t, "log-likelihood gap between starts", gap, 0)
}

// some is long enough for these tests.
var some = Schedule{BurnIn: 500, Temperature: 3, Keep: 2000}

// The overlap at P = 3, alpha = 5 and beta = 1 that an independent program
// found was 0.87, mean of five instances of standard deviation below 0.08.
func TestYardstick(t *testing.T) {
	const n, p, alpha, instances = 100, 3, 5, 5
	var sign, signRandom, mean, sample float64
	for k := range uint64(instances) {
		key := stream.New(2).Sub(k)
		m := teacher(t, n, p, 0, key.Sub(0))
		d := data(t, m, alpha*n, key.Sub(1))
		y, err := NewYardstick(context.Background(), m, d, some, key.Sub(2))
		if err != nil {
			t.Fatal(err)
		}
		sign += y.FromTeacher.Overlap.Mean() / instances
		signRandom += y.FromRandom.Overlap.Mean() / instances
		mean += y.FromTeacher.MeanOverlap.Mean() / instances
		sample += y.FromTeacher.SampleOverlap / instances
		if len(y.FromRandom.Samples) != some.Keep || len(y.FromRandom.Mean) != n*p {
			t.Fatalf("%d samples, %d means", len(y.FromRandom.Samples), len(y.FromRandom.Mean))
		}
		last := some.Keep - 1
		if got, want := y.FromRandom.LogLikelihood[last], logLikelihood(t, d, y.FromRandom.Samples[last], m.Coupling()); math.Abs(got-want) > 1e-6 {
			t.Errorf("log-likelihood %v, want %v", got, want)
		}
		if c := y.FromTeacher.Changed; c < 0.01 || c > 0.3 {
			t.Errorf("share of changed synapses %v", c)
		}
	}
	if math.Abs(sign-0.87) > 0.08 {
		t.Errorf("overlap from the teacher %.3f, want 0.87 ± 0.08", sign)
	}
	if math.Abs(signRandom-sign) > 0.05 {
		t.Errorf("overlap from a random start %.3f, from the teacher %.3f", signRandom, sign)
	}
	// Taking signs raises the overlap, the aligned mean keeps that of samples.
	if sign < mean || math.Abs(mean-sample) > 0.02 {
		t.Errorf("overlaps: sign %.3f, mean %.3f, sample %.3f", sign, mean, sample)
	}
}

func TestYardstickIsAFunctionOfItsKey(t *testing.T) {
	m := teacher(t, 20, 2, 0, stream.New(3))
	d := data(t, m, 60, stream.New(4))
	run := func(seed uint64) *Yardstick {
		y, err := NewYardstick(context.Background(), m, d, Schedule{BurnIn: 5, Temperature: 2, Keep: 10}, stream.New(seed))
		if err != nil {
			t.Fatal(err)
		}
		return y
	}
	a, b, c := run(5), run(5), run(6)
	if !a.FromRandom.Samples[9].Equal(b.FromRandom.Samples[9]) || a.Replicas != b.Replicas {
		t.Error("equal keys give different runs")
	}
	if a.FromTeacher.Samples[9].Equal(c.FromTeacher.Samples[9]) && a.FromRandom.Samples[9].Equal(c.FromRandom.Samples[9]) {
		t.Error("different keys give equal runs")
	}
}

func TestYardstickErrors(t *testing.T) {
	ctx := context.Background()
	m := teacher(t, 10, 2, 0, stream.New(1))
	d := data(t, m, 20, stream.New(2))
	short := Schedule{BurnIn: 3, Temperature: 2, Keep: 3}
	m.VisibleField[0] = 1
	if _, err := NewYardstick(ctx, m, d, short, stream.New(3)); err == nil {
		t.Error("a teacher with fields is no error")
	}
	m.VisibleField[0] = math.NaN()
	if _, err := NewYardstick(ctx, m, d, short, stream.New(3)); err == nil {
		t.Error("an invalid teacher is no error")
	}
	wide := teacher(t, 10, MaxTracked+1, 0, stream.New(1))
	if _, err := NewYardstick(ctx, wide, d, short, stream.New(3)); err == nil {
		t.Error("too many hidden units are no error")
	}
	mustPanic(t, "rows", func() { NewYardstick(ctx, m, spin.New(9, 4), short, stream.New(3)) })
}

func BenchmarkRun(b *testing.B) {
	for _, c := range []struct{ n, p, alpha int }{{100, 1, 8}, {100, 3, 8}, {100, 8, 8}} {
		b.Run(fmt.Sprintf("N=%d/P=%d/alpha=%d", c.n, c.p, c.alpha), func(b *testing.B) {
			m := teacher(b, c.n, c.p, 0, stream.New(1))
			post := NewExactPosterior(data(b, m, c.alpha*c.n, stream.New(2)), c.p, m.Coupling())
			start := spin.Random(c.n, c.p, stream.New(3).Rand())
			for b.Loop() { // 2,500 sweeps
				if _, err := post.Run(context.Background(), start, some, stream.New(4)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAlignedMean(b *testing.B) {
	for _, p := range []int{3, 8} {
		b.Run(fmt.Sprintf("N=100/P=%d", p), func(b *testing.B) {
			m := teacher(b, 100, p, 0, stream.New(1))
			post := NewExactPosterior(data(b, m, 300, stream.New(2)), p, m.Coupling())
			run, err := post.Run(context.Background(), m.Signs(), some, stream.New(4))
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() { // 2,000 samples
				alignedMean(b, run.Samples)
			}
		})
	}
}
