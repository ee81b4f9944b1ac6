package causes

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"bethe/internal/npy"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// toy are samples of n units, of some patterns with noise.
func toy(n, m, patterns int, key stream.Key) *spin.Matrix {
	rng := key.Rand()
	of := spin.Random(n, patterns, rng)
	s := spin.New(n, m)
	for a := range m {
		k := rng.IntN(patterns)
		for i := range n {
			v := of.At(i, k)
			if rng.Float64() < 0.15 {
				v = -v
			}
			s.Set(i, a, v)
		}
	}
	return s
}

// toys are options of each kind of learning, on pictures of 6 x 4.
func toys() map[string]Options {
	key := stream.New(3)
	return map[string]Options{
		"mixture": {Model: MixtureModel, Rule: EM, Causes: 5, Passes: 12, Coupling: 0.8, Key: key},
		"fixed":   {Model: MixtureModel, Rule: EM, Causes: 3, Passes: 6, Coupling: 0.5, FixedCoupling: true, Key: key},
		"real":    {Model: MixtureModel, Rule: EM, Causes: 5, Passes: 12, Real: true, Key: key},
		"tree":    {Model: TreeModel, Rule: EM, Causes: 4, States: 3, Patches: Tiles(6, 4, 4, 3), Passes: 24, Coupling: 0.8, Key: key},
		"stdp":    {Model: MixtureModel, Rule: STDP, Causes: 5, Passes: 2, Coupling: 0.8, CounterBits: 5, Homeostasis: 1, Key: key},
	}
}

// TestObjectiveNeverFalls: a pass never lowers what learning climbs, but for rounding in float32.
// The objectives of the stages of a tree are not compared with each other.
func TestObjectiveNeverFalls(t *testing.T) {
	for seed := range uint64(3) {
		samples := toy(24, 700, 6, stream.New(seed+10))
		for name, o := range toys() {
			if o.Rule == STDP {
				continue
			}
			o.Key = stream.New(seed)
			l, err := NewLearner(samples, o)
			if err != nil {
				t.Fatal(err)
			}
			last := climbs(t, fmt.Sprintf("%s, seed %d", name, seed), l, name == "tree")
			if m, err := l.Measure(t.Context()); err != nil || m.Objective < last-2e-6*math.Abs(last) || !(m.LnP > -24*math.Ln2) {
				t.Errorf("%s, seed %d: %+v after %v, %v", name, seed, m, last, err)
			}
		}
	}
}

// climbs takes all steps, none of which may lower the objective, and returns the last objective. Stages of a tree have objectives
// of their own.
func climbs(t *testing.T, name string, l Learner, tree bool) (last float64) {
	t.Helper()
	last = math.Inf(-1)
	for l.Done() < l.Steps() {
		p, err := l.Step(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if tree && (p.Step == passesApart+1 || p.Step == passesApart+passesFree+1) {
			last = math.Inf(-1)
		}
		if p.Objective < last-2e-6*math.Abs(last) {
			t.Errorf("%s: pass %d lowers the objective from %v to %v", name, p.Step, last, p.Objective)
		}
		last = p.Objective
	}
	return last
}

func learn(t *testing.T, samples *spin.Matrix, o Options, from []npy.Array, steps int) Learner {
	t.Helper()
	l, err := NewLearner(samples, o)
	if err != nil {
		t.Fatal(err)
	}
	if from != nil {
		path := filepath.Join(t.TempDir(), "state.npz")
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := npy.StoreArchive(f, from); err != nil {
			t.Fatal(err)
		}
		f.Close()
		a, err := npy.ReadArchive(path, 1<<24)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Restore(a); err != nil {
			t.Fatal(err)
		}
	}
	for l.Done() < min(steps, l.Steps()) {
		if _, err := l.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// TestSameBytes: any number of threads, a run that is interrupted in a step, and one that goes on
// from a state give the same bytes.
func TestSameBytes(t *testing.T) {
	samples := toy(24, 2500, 6, stream.New(5))
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for name, o := range toys() {
		runtime.GOMAXPROCS(1)
		want := learn(t, samples, o, nil, 1<<30).State()
		runtime.GOMAXPROCS(3)
		for _, at := range []int{0, 1, 3, 7, 20} {
			part := learn(t, samples, o, nil, at)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if at < part.Steps() {
				if _, err := part.Step(ctx); err == nil || part.Done() != min(at, part.Steps()) {
					t.Errorf("%s: a step without time: %v", name, err)
				}
			}
			if got := learn(t, samples, o, part.State(), 1<<30).State(); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: going on after step %d gives another state", name, at)
			}
		}
	}
}

// states returns all states of n units as columns.
func states(n int) *spin.Matrix {
	s := spin.New(n, 1<<n)
	for a := range 1 << n {
		for i := range n {
			s.Set(i, a, int8(2*(a>>i&1)-1))
		}
	}
	return s
}

// machines are learned on samples of 12 units.
func machines(t *testing.T) map[string]*Machine {
	samples := toy(12, 500, 4, stream.New(8))
	list := map[string]*Machine{}
	for name, o := range toys() {
		if name == "tree" {
			o.Patches = Tiles(4, 3, 3, 2)
		}
		list[name] = learn(t, samples, o, nil, 1<<30).File(rbm.Info{}).Machine()
	}
	return list
}

// TestProbabilities: probabilities of all states sum to one, posteriors are those of Bayes, means
// of completions those of all states that agree, and draws are drawn with these probabilities
// (chi-squared, false alarm below 1e-6).
func TestProbabilities(t *testing.T) {
	const n = 12
	all := states(n)
	for name, m := range machines(t) {
		r, err := m.Infer(t.Context(), all, nil)
		if err != nil {
			t.Fatal(err)
		}
		total := 0.0
		weights := make([]float64, m.Causes())
		for a, l := range r.LnP {
			total += math.Exp(l)
			sum := 0.0
			for k := range weights {
				p := r.Causes[k*len(r.LnP)+a]
				weights[k] += p * math.Exp(l)
				sum += p
			}
			if math.Abs(sum-1) > 1e-12 {
				t.Fatalf("%s: posterior of state %d sums to %v", name, a, sum)
			}
		}
		if math.Abs(total-1) > 1e-10 {
			t.Errorf("%s: probabilities sum to %v", name, total)
		}
		for k, w := range m.Weights() {
			if math.Abs(w-weights[k]) > 1e-10 {
				t.Errorf("%s: cause %d has weight %v, and the mean of its posterior is %v", name, k, w, weights[k])
			}
		}
		m.checkCompletion(t, name, all, r.LnP)
		m.checkDraws(t, name, r.LnP)
	}
}

func (m *Machine) checkCompletion(t *testing.T, name string, all *spin.Matrix, lnP []float64) {
	n := m.Visible()
	given := []int{1, 2, 7, 10}
	const a = 1234
	some := all.Blank(1)
	all.Gather(some, []int{a})
	means, drawn, err := m.Complete(t.Context(), some, given, 4000, stream.New(1))
	if err != nil {
		t.Fatal(err)
	}
	want, total := make([]float64, n), 0.0
	for b, l := range lnP {
		agrees := true
		for _, i := range given {
			agrees = agrees && all.At(i, b) == all.At(i, a)
		}
		if agrees {
			total += math.Exp(l)
			for i := range n {
				want[i] += math.Exp(l) * float64(all.At(i, b))
			}
		}
	}
	for i, w := range want {
		if math.Abs(float64(means[i])-w/total) > 1e-6 {
			t.Errorf("%s: unit %d is completed by %v, not %v", name, i, means[i], w/total)
		}
		sum := 0.0
		for k := range 4000 {
			sum += float64(drawn.Visible.At(i, k)) / 4000
		}
		if v := w / total; math.Abs(sum-v) > 5*math.Sqrt((1-v*v)/4000)+1e-9 {
			t.Errorf("%s: draws of unit %d have mean %v, not %v", name, i, sum, v)
		}
	}
}

func (m *Machine) checkDraws(t *testing.T, name string, lnP []float64) {
	const draws = 40000
	d := m.Sample(draws, stream.New(2))
	seen := make([]int, len(lnP))
	for k := range draws {
		at := 0
		for i := range m.Visible() {
			if d.Visible.At(i, k) > 0 {
				at |= 1 << i
			}
		}
		seen[at]++
	}
	chi, cells, rest, restSeen := 0.0, 0, 0.0, 0
	for a, l := range lnP {
		expected := draws * math.Exp(l)
		if expected < 20 {
			rest, restSeen = rest+expected, restSeen+seen[a]
			continue
		}
		chi += (float64(seen[a]) - expected) * (float64(seen[a]) - expected) / expected
		cells++
	}
	chi += (float64(restSeen) - rest) * (float64(restSeen) - rest) / rest
	if limit := float64(cells) + 5*math.Sqrt(2*float64(cells)) + 12; chi > limit {
		t.Errorf("%s: draws have chi-squared %v in %d cells", name, chi, cells)
	}
}

func TestFiles(t *testing.T) {
	samples := toy(24, 300, 4, stream.New(9))
	for name, o := range toys() {
		f := learn(t, samples, o, nil, 1<<30).File(rbm.Info{Program: "test", Seed: 3, Width: 6, Height: 4})
		path := filepath.Join(t.TempDir(), "model.npz")
		if err := f.Save(path); err != nil {
			t.Fatal(err)
		}
		if family := rbm.FamilyOf(path); family != f.Model {
			t.Errorf("%s: the file says it is a %q", name, family)
		}
		if _, err := rbm.Load(path); err == nil || !strings.Contains(err.Error(), "the model is a "+f.Model) {
			t.Errorf("%s: read as a machine with hidden units: %v", name, err)
		}
		g, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		a, _, _ := f.Machine().LogLikelihood(t.Context(), samples, nil)
		b, _, err := g.Machine().LogLikelihood(t.Context(), samples, nil)
		if err != nil || a != b {
			t.Errorf("%s: %v, read back %v, %v", name, a, b, err)
		}
		arrays, err := f.Arrays()
		if err != nil {
			t.Fatal(err)
		}
		h, err := Decode("memory", arrays)
		if err != nil {
			t.Fatal(err)
		}
		if c, _, _ := h.Machine().LogLikelihood(t.Context(), samples, nil); c != a {
			t.Errorf("%s: %v, of its arrays %v", name, a, c)
		}
		if _, err := Decode("memory", append(arrays, npy.Array{Name: "other", Shape: []int{1}, Data: []int8{1}})); err == nil || !strings.Contains(err.Error(), "memory") {
			t.Errorf("%s: an array that no file has: %v", name, err)
		}
		again := filepath.Join(t.TempDir(), "again.npz")
		if err := g.Save(again); err != nil {
			t.Fatal(err)
		}
		x, _ := os.ReadFile(path)
		if y, _ := os.ReadFile(again); !bytes.Equal(x, y) {
			t.Errorf("%s: saved again, other bytes", name)
		}
	}
	if _, err := Load("no such file"); err == nil {
		t.Error("no file is no error")
	}
}

// TestPosteriors: features are the posteriors of Infer, a sample a row: causes, then the states of groups.
func TestPosteriors(t *testing.T) {
	samples := toy(24, 300, 4, stream.New(9))
	for name, o := range toys() {
		m := learn(t, samples, o, nil, 1<<30).File(rbm.Info{}).Machine()
		x, err := m.Posteriors(t.Context(), samples, nil)
		if err != nil {
			t.Fatal(err)
		}
		r, err := m.Infer(t.Context(), samples, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := append([]float64(nil), r.Causes...)
		if m.Levels().Two {
			want = append(want, r.States...)
		}
		count := m.Features()
		if len(want) != count*300 || len(x) != len(want) {
			t.Fatalf("%s: %d numbers of %d features, not %d", name, len(x), count, len(want))
		}
		for a := range 300 {
			for k := range count {
				if x[a*count+k] != float32(want[k*300+a]) {
					t.Fatalf("%s: feature %d of sample %d is %v, not %v", name, k, a, x[a*count+k], want[k*300+a])
				}
			}
		}
		if _, err := m.Posteriors(t.Context(), spin.New(3, 2), nil); err == nil {
			t.Errorf("%s: samples of other units are no error", name)
		}
	}
}

// TestDamagedFiles: a file with an array that is missing, of another shape, or out of range is an
// error that names it.
func TestDamagedFiles(t *testing.T) {
	o := toys()["tree"]
	f := learn(t, toy(24, 200, 4, stream.New(9)), o, nil, 1<<30).File(rbm.Info{})
	arrays, err := f.Arrays()
	if err != nil {
		t.Fatal(err)
	}
	write := func(arrays []npy.Array) string {
		path := filepath.Join(t.TempDir(), "model.npz")
		w, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		if err := npy.WriteArchive(w, arrays); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for k, a := range arrays {
		without := append(append([]npy.Array{}, arrays[:k]...), arrays[k+1:]...)
		if _, err := Load(write(without)); err == nil {
			t.Errorf("without %s: no error", a.Name)
		}
		if x, ok := a.Data.([]float64); ok {
			was := x[0]
			x[0] = math.NaN()
			if _, err := Load(write(arrays)); err == nil || !strings.Contains(err.Error(), a.Name) {
				t.Errorf("NaN in %s: %v", a.Name, err)
			}
			x[0] = was
		}
		if x, ok := a.Data.([]int8); ok {
			was := x[0]
			x[0] = 0
			if _, err := Load(write(arrays)); err == nil || !strings.Contains(err.Error(), a.Name) {
				t.Errorf("0 in %s: %v", a.Name, err)
			}
			x[0] = was
		}
	}
	if _, err := Load(write(append([]npy.Array{{Name: "other", Shape: []int{1}, Data: []int8{1}}}, arrays...))); err == nil {
		t.Error("an array that no file has is no error")
	}
	if _, err := Load(write(arrays)); err != nil {
		t.Error(err)
	}
}

func FuzzLoad(f *testing.F) {
	samples := toy(6, 40, 2, stream.New(1))
	for _, o := range []Options{{Model: MixtureModel, Rule: EM, Causes: 2, Passes: 1, Coupling: 1}, {Model: TreeModel, Rule: EM, Causes: 2, States: 2, Patches: Tiles(3, 2, 2, 2), Passes: 1, Coupling: 1}} {
		l, err := NewLearner(samples, o)
		if err != nil {
			f.Fatal(err)
		}
		path := filepath.Join(f.TempDir(), "model.npz")
		if err := l.File(rbm.Info{}).Save(path); err != nil {
			f.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "model.npz")
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		file, err := Load(path)
		if err != nil {
			return
		}
		if file.Layer.Visible() > 1000 || len(file.LnWeight) > 1000 {
			return
		}
		file.Machine().Sample(2, stream.New(1))
	})
}

func TestTiles(t *testing.T) {
	got := Tiles(5, 3, 2, 2)
	want := [][]int{{0, 1, 5, 6}, {2, 3, 7, 8}, {4, 9}, {10, 11}, {12, 13}, {14}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
}

func TestWinners(t *testing.T) {
	samples := toy(24, 400, 3, stream.New(4))
	m := learn(t, samples, toys()["mixture"], nil, 1<<30).File(rbm.Info{}).Machine()
	labels := make([]int, samples.Cols())
	for a := range labels {
		labels[a] = 3 + int(samples.At(0, a))
	}
	w, err := CountWinners(t.Context(), m, samples, nil, labels)
	if err != nil {
		t.Fatal(err)
	}
	wins, share := 0, 0.0
	for k, n := range w.Wins {
		wins += n
		share += w.Share[2*k] + w.Share[2*k+1]
	}
	if wins != 400 || math.Abs(share-400) > 1e-9 || !reflect.DeepEqual(w.Labels, []int{2, 4}) {
		t.Errorf("%d wins, shares of %v, labels %v", wins, share, w.Labels)
	}
	if wrong, err := w.Errors(t.Context(), m, samples, nil, labels); err != nil || wrong > 0.3 {
		t.Errorf("%v of the labels are told wrong, %v", wrong, err)
	}
	var text bytes.Buffer
	if err := w.WriteCSV(&text); err != nil || !strings.HasPrefix(text.String(), "cause,wins,label,label_2,label_4\n0,") || strings.Count(text.String(), "\n") != 6 {
		t.Errorf("%s, %v", text.String(), err)
	}
	if w, err := CountWinners(t.Context(), m, samples, nil, nil); err != nil || len(w.Labels) != 0 {
		t.Errorf("without labels: %+v, %v", w, err)
	}
}
