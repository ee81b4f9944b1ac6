package rbm

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"bethe/internal/npy"
	"bethe/spin"
	"bethe/stream"
)

// testStack returns a stack of machines of 5, 3, 4 and 2 units.
func testStack(t *testing.T) *Stack {
	t.Helper()
	s := &Stack{Info: Info{Program: "test", Seed: 3, Data: "data", Samples: 7}}
	sizes := []int{5, 3, 4, 2}
	for l := range sizes[1:] {
		n, p := sizes[l], sizes[l+1]
		rng := stream.New(uint64(l + 1)).Rand()
		params := NewParams(n, p, 0.3+float64(l))
		for _, x := range [][]float64{params.VisibleField, params.HiddenField, params.VisibleOffset, params.HiddenOffset} {
			for k := range x {
				x[k] = rng.Float64() - 0.5
			}
		}
		q := NewPosterior[float32](n, p)
		for k := range q.Theta {
			q.Theta[k] = float32(rng.NormFloat64())
		}
		s.Files = append(s.Files, &File{Params: params, Synapses: Learned(q.Sign(), q)})
	}
	return s
}

// TestStackFile: a stack that is saved is read as it was, to the byte.
func TestStackFile(t *testing.T) {
	folder := t.TempDir()
	first, second := filepath.Join(folder, "a.npz"), filepath.Join(folder, "b.npz")
	s := testStack(t)
	if err := s.Save(first); err != nil {
		t.Fatal(err)
	}
	again, err := LoadStack(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Save(second); err != nil {
		t.Fatal(err)
	}
	a, b := read(t, first), read(t, second)
	if !bytes.Equal(a, b) {
		t.Error("another file after it was read")
	}
	arrays, err := s.Arrays()
	if err != nil {
		t.Fatal(err)
	}
	memory, err := DecodeStack("memory", arrays)
	if err != nil {
		t.Fatal(err)
	}
	if err := memory.Save(second); err != nil || !bytes.Equal(a, read(t, second)) {
		t.Errorf("another file after it was read from memory: %v", err)
	}
	if FamilyOf(first) != StackModel {
		t.Errorf("family %q", FamilyOf(first))
	}
	for l, f := range again.Files {
		for k, v := range Values(f.Synapses) {
			if v != Values(s.Files[l].Synapses)[k] {
				t.Fatalf("machine %d: synapse %d", l+1, k)
			}
		}
	}
	if _, err := LoadKinds(first); err == nil || !strings.Contains(err.Error(), StackModel) {
		t.Errorf("as another family: %v", err)
	}
}

// TestStackFileRefused: a file that holds no stack gives an error that names it.
func TestStackFileRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stack.npz")
	whole, err := testStack(t).Arrays()
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func([]npy.Array) []npy.Array{
		"one machine": func(a []npy.Array) []npy.Array { return a[:1+(len(a)-1)/3] },
		"no meta":     func(a []npy.Array) []npy.Array { return a[1:] },
		"other layers": func(a []npy.Array) []npy.Array {
			a[0].Data = bytes.Replace(a[0].Data.([]byte), []byte("[5,3,4,2]"), []byte("[5,3,4,1]"), 1)
			return a
		},
		"more layers": func(a []npy.Array) []npy.Array {
			a[0].Data = bytes.Replace(a[0].Data.([]byte), []byte("[5,3,4,2]"), []byte("[5,3,4,2,9]"), 1)
			return a
		},
		"another family": func(a []npy.Array) []npy.Array {
			a[0].Data = bytes.Replace(a[0].Data.([]byte), []byte(`"stack"`), []byte(`"heap"`), 1)
			return a
		},
		"a stranger": func(a []npy.Array) []npy.Array {
			return append(a, npy.Array{Name: "other", Shape: []int{1}, Data: []float64{1}})
		},
		"a part lost": func(a []npy.Array) []npy.Array { return append(a[:2:2], a[3:]...) },
		"a strange part": func(a []npy.Array) []npy.Array {
			return append(a, npy.Array{Name: "other_1", Shape: []int{1}, Data: []float64{1}})
		},
		"an upper machine of other sizes": func(a []npy.Array) []npy.Array {
			third := 1 + (len(a)-1)/3
			return append(a[:third:third], a[third+(len(a)-1)/3:]...)
		},
	} {
		list := make([]npy.Array, len(whole))
		copy(list, whole)
		list[0].Data = bytes.Clone(whole[0].Data.([]byte))
		if err := WriteArrays(path, change(list)); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadStack(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
		copy(list, whole)
		list[0].Data = bytes.Clone(whole[0].Data.([]byte))
		if _, err := DecodeStack("memory", change(list)); err == nil || !strings.Contains(err.Error(), "memory") {
			t.Errorf("%s, in memory: %v", name, err)
		}
	}
	bad := testStack(t)
	bad.Files = bad.Files[:1]
	if err := bad.Save(path); err == nil {
		t.Error("one machine is saved as a stack")
	}
	bad = testStack(t)
	bad.Files[0], bad.Files[1] = bad.Files[1], bad.Files[0]
	if err := bad.Save(path); err == nil {
		t.Error("machines that do not fit are saved as a stack")
	}
}

// TestUpsideDown: the marginal of the hidden units of a machine is that of the visible units
// of the machine upside down: both give them the same weights, but for the sum over the others.
func TestUpsideDown(t *testing.T) {
	f := testStack(t).Files[0]
	u := f.UpsideDown(2.5)
	n, p := f.Visible(), f.Hidden()
	below, above := NetworkOf[float64](f.Machine()), NetworkOf[float64](u.Machine())
	weights := make([]float64, 1<<p)
	states := spin.New(p, 1<<p)
	for k := range 1 << p {
		for mu := range p {
			states.Set(mu, k, int8(2*(k>>mu&1)-1))
		}
	}
	above.LogWeights(weights, states)
	for k := range 1 << p {
		var logs []float64
		for a := range 1 << n {
			v, h := make([]float64, n), make([]float64, p)
			for i := range v {
				v[i] = float64(2*(a>>i&1) - 1)
			}
			for mu := range h {
				h[mu] = float64(states.At(mu, k))
			}
			logs = append(logs, below.lnWeight(v, h))
		}
		if d := LogSumExp(logs) - weights[k]; d > 1e-10 || d < -1e-10 {
			t.Errorf("state %d: %v", k, d)
		}
	}
	if q := u.Synapses.(Uncertain).Posterior(); q.Theta[0] != 2.5 && q.Theta[0] != -2.5 {
		t.Errorf("theta %v", q.Theta[0])
	}
	back := u.UpsideDown(1)
	for k, v := range Values(back.Synapses) {
		if v != Values(f.Synapses)[k] {
			t.Fatal("upside down twice is another machine")
		}
	}
}
