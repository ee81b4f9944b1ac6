package evaluate

import (
	"bytes"
	"context"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"bethe/internal/npy"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// archive writes an npz file and reads it.
func archive(t *testing.T, write func(io.Writer) error) *npy.Archive {
	t.Helper()
	var content bytes.Buffer
	if err := write(&content); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a.npz")
	if err := os.WriteFile(path, content.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	a, err := npy.ReadArchive(path, 1<<24)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func get[T int8 | float32](t *testing.T, a *npy.Archive, name string, shape ...int) []T {
	t.Helper()
	x, err := npy.Get[T](a, name, shape...)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// TestSample: samples have the means of enumeration, tempered or not, held units stay,
// and the file holds what was drawn. Each mean is off by more than five standard
// deviations with a probability below 1e-6.
func TestSample(t *testing.T) {
	m := restoreMachine(stream.New(4))
	all := allStates(6)
	const count = 4000
	for _, tempered := range []bool{false, true} {
		for _, clamped := range []bool{false, true} {
			s := Sampling{Count: count, Sweeps: 50, Tempered: tempered, Key: stream.New(5)}
			given := func(int) float64 { return 1 }
			if clamped {
				s.Units, s.Held = []int{1, 4}, spin.FromSigns(6, 1, []float64{1, -1, 1, 1, 1, 1})
				given = func(a int) float64 {
					if all.At(1, a) == -1 && all.At(4, a) == 1 {
						return 1
					}
					return 0
				}
			}
			done := 0.
			s.Progress = func(f float64) { done = f }
			got, err := Sample(t.Context(), m, s)
			if err != nil || done != 1 || tempered != (got.Temperatures > 0) {
				t.Fatalf("%v, %v done, %d temperatures", err, done, got.Temperatures)
			}
			want := exactMeans(m, all, given)
			a := archive(t, got.Write)
			samples, means := get[int8](t, a, "samples", count, 6), get[float32](t, a, "visible_mean", count, 6)
			for i := range 6 {
				var mean, ofMeans float64
				for k := range count {
					mean += float64(samples[k*6+i]) / count
					ofMeans += float64(means[k*6+i]) / count
				}
				allowed := 5*math.Sqrt((1-want[i]*want[i])/count) + 1e-6
				if math.Abs(mean-want[i]) > allowed || !(clamped && (i == 1 || i == 4)) && math.Abs(ofMeans-want[i]) > allowed {
					t.Errorf("tempered %v, clamped %v, unit %d: %v, means %v, not %v", tempered, clamped, i, mean, ofMeans, want[i])
				}
			}
			if same := get[int8](t, archive(t, func(w io.Writer) error { return WriteSamples(w, got.Chains.Visible) }), "samples", count, 6); !bytes.Equal(bytesOf(same), bytesOf(samples)) {
				t.Error("WriteSamples writes others")
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Sample(ctx, m, Sampling{Count: 1, Sweeps: 1}); err == nil {
		t.Error("a context that is done is no error")
	}
}

func bytesOf(x []int8) []byte {
	b := make([]byte, len(x))
	for k, v := range x {
		b[k] = byte(v)
	}
	return b
}

func TestCompleteKnown(t *testing.T) {
	m := restoreMachine(stream.New(4))
	samples := spin.Random(6, 5, stream.New(6).Rand())
	c, err := CompleteKnown(t.Context(), m, samples, []int{0, 3, 5}, Restoring{Chains: 2, Sweeps: 30, Key: stream.New(7)})
	if err != nil {
		t.Fatal(err)
	}
	if string(bytesOf(c.Given)) != "\x01\x00\x00\x01\x00\x01" || len(c.Free) != 3 || c.Free[0] != 1 || c.Error != float64(Wrong(c.SpinRestoration, samples, []int{1, 2, 4}))/15 {
		t.Errorf("given %v, free %v, error %v", c.Given, c.Free, c.Error)
	}
	a := archive(t, c.Write)
	mean, states := get[float32](t, a, "mean", 5, 6), get[int8](t, a, "completions", 5, 2, 6)
	for k := range 5 {
		for i := range 6 {
			if mean[k*6+i] != c.Mean[i*5+k] || states[(k*2+1)*6+i] != c.States.At(i, k*2+1) {
				t.Fatalf("sample %d, unit %d", k, i)
			}
			if c.Given[i] == 1 && states[k*2*6+i] != samples.At(i, k) {
				t.Errorf("sample %d: unit %d was given and changed", k, i)
			}
		}
	}
	if given := get[int8](t, a, "given", 6); given[3] != 1 || given[4] != 0 {
		t.Errorf("given %v", given)
	}
	if _, err := CompleteKnown(t.Context(), m, samples, nil, Restoring{}); err == nil {
		t.Error("no chains are no error")
	}
}

// TestMend: samples of the machine have fewer wrong spins after than before; the
// share before is the probability, within five standard deviations.
func TestMend(t *testing.T) {
	m := restoreMachine(stream.New(4))
	m.SetCoupling(1.5)
	drawn, err := Sample(t.Context(), m, Sampling{Count: 500, Sweeps: 100, Key: stream.New(8)})
	if err != nil {
		t.Fatal(err)
	}
	truth := drawn.Chains.Visible.Clone()
	how := Restoring{Chains: 3, Sweeps: 60}
	r, err := Mend(t.Context(), m, truth, 0.2, false, stream.New(9), how)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(*r.Before-0.2) > 5*math.Sqrt(0.2*0.8/3000) || *r.After >= *r.Before {
		t.Errorf("%v wrong before, %v after", *r.Before, *r.After)
	}
	a := archive(t, r.Write)
	if seen, restored := get[int8](t, a, "seen", 500, 6), get[int8](t, a, "restored", 500, 6); seen[3*6+2] != r.Seen.At(2, 3) || restored[4*6+1] != r.Restored.At(1, 4) {
		t.Error("the file holds others")
	}
	again, err := Mend(t.Context(), m, r.Seen, 0.2, true, stream.New(9), how)
	if err != nil {
		t.Fatal(err)
	}
	if again.Before != nil || again.After != nil || !again.Seen.Equal(r.Seen) || !again.Restored.Equal(r.Restored) || again.Changed != r.Changed || r.Changed == 0 {
		t.Errorf("noisy samples: %v, %v; %v changed, not %v", again.Before, again.After, again.Changed, r.Changed)
	}
	if _, err := Mend(t.Context(), m, truth, 0.6, false, 0, how); err == nil {
		t.Error("more flips than not are no error")
	}
}

// TestUncertain: where the posterior is sure, all machines are the one of its signs;
// where it is not, they differ, and their mean and spread are those of their values.
func TestUncertain(t *testing.T) {
	q := rbm.NewPosterior[float32](6, 3)
	for k := range q.Theta {
		q.Theta[k] = float32(20 * (k%2*2 - 1))
	}
	file := &rbm.File{Params: rbm.NewParams(6, 3, 0.4), Synapses: rbm.Learned(q.Sign(), q)}
	samples := spin.Random(6, 10, stream.New(1).Rand())
	var seen []int
	u, err := Uncertain(t.Context(), file, 3, FileSamples{Bits: samples}, Options{Key: stream.New(2)}, func(k, of int) { seen = append(seen, k, of) })
	if err != nil {
		t.Fatal(err)
	}
	l, err := Likelihood(t.Context(), OnMachine(file.Machine()), samples, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if u.Signs != l.Mean || math.Abs(u.Mean-l.Mean) > 1e-12 || u.Spread > 1e-12 || u.Draws != 3 || len(seen) != 8 || seen[6] != 4 || seen[7] != 4 {
		t.Errorf("%+v, not %v; %v", u, l.Mean, seen)
	}
	numbers := *file // Gaussian visible units: of numbers, not of spins
	numbers.VisibleKind, numbers.VisibleOwn = units.Kind{Word: units.Gauss}, make([]float64, 12)
	numbers.Scale = rbm.Scale{Mean: make([]float64, 6), Deviation: []float64{1, 1, 1, 1, 1, 1}}
	reals := FileSamples{Numbers: units.RealsOf(6, 1, []float32{1, 2, 3, 0, -1, 0.5})}
	l, err = FileLikelihood(t.Context(), &numbers, reals, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if u, err = Uncertain(t.Context(), &numbers, 2, reals, Options{}, func(int, int) {}); err != nil || u.Signs != l.Mean {
		t.Errorf("%+v, not %v, %v", u, l.Mean, err)
	}
	clear(q.Theta)
	if u, err = Uncertain(t.Context(), file, 2, FileSamples{Bits: samples}, Options{Key: stream.New(2)}, func(int, int) {}); err != nil {
		t.Fatal(err)
	}
	if want := math.Abs(u.Values[0]-u.Values[1]) / math.Sqrt2; u.Spread == 0 || math.Abs(u.Spread-want) > 1e-12 || math.Abs(u.Mean-(u.Values[0]+u.Values[1])/2) > 1e-12 {
		t.Errorf("%+v", u)
	}
	if _, err := Uncertain(t.Context(), file, 1, FileSamples{Bits: samples}, Options{}, nil); err == nil {
		t.Error("one machine has a spread")
	}
	real := &rbm.File{Params: rbm.NewParams(6, 3, 1), Synapses: rbm.RealValued(6, 3, make([]float32, 18))}
	if CheckDraws(real, 2) == nil {
		t.Error("real synapses have a posterior")
	}
	if LikelihoodKey(stream.New(3)) == stream.New(3) {
		t.Error("the key of a seed itself")
	}
}

// TestScoreClassifier: the report is that of FitClassifier, with a sixth held out.
func TestScoreClassifier(t *testing.T) {
	s, labels := labelledSpins(600, stream.New(1))
	other, otherLabels := labelledSpins(300, stream.New(2))
	tried := []float64{1e-3, 1}
	r, err := ScoreClassifier(t.Context(), Labelled{"train", SpinInputs(s), labels}, Labelled{"test", SpinInputs(other), otherLabels}, tried, stream.New(3), nil)
	if err != nil {
		t.Fatal(err)
	}
	k, err := FitClassifier(t.Context(), SpinInputs(s), labels, Fitting{L2: tried, HeldOut: 1. / 6, Key: stream.New(3).Sub(12)})
	if err != nil {
		t.Fatal(err)
	}
	if r.TestError != must(k.ErrorRate(t.Context(), SpinInputs(other), otherLabels)) || r.L2 != k.L2 || r.Features != 40 || r.Classes != 3 || r.Test != "test" || r.TestSamples != 300 || len(r.HeldOutError) != 2 || !(r.TrainError < 0.5) {
		t.Errorf("%+v", r)
	}
	if _, err := ScoreClassifier(t.Context(), Labelled{"train", SpinInputs(s), labels[:1]}, Labelled{}, tried, 0, nil); err == nil {
		t.Error("too few labels are no error")
	}
	x, err := npy.ReadHeader(bytes.NewReader(written(t, func(w io.Writer) error { return WriteFeatures(w, make([]float32, 6), 2) })))
	if err != nil || len(x.Shape) != 2 || x.Shape[0] != 3 || x.Shape[1] != 2 {
		t.Errorf("%+v, %v", x, err)
	}
}

func written(t *testing.T, write func(io.Writer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
