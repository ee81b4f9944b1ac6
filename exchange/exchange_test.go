package exchange

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"bethe/internal/npy"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

func TestSafetensors(t *testing.T) {
	var check script
	for _, m := range []*rbm.Machine{testMachine(5, 3, 0.4, 1), realMachine(5, 3, 1)} {
		f := fileOf(m)
		var b bytes.Buffer
		if err := WriteSafetensors(&b, f); err != nil {
			t.Fatal(err)
		}
		raw := b.Bytes()
		length := binary.LittleEndian.Uint64(raw)
		var header map[string]struct {
			DType       string
			Shape       []int
			DataOffsets []int  `json:"data_offsets"`
			MetaJSON    string `json:"meta.json"`
		}
		if err := json.Unmarshal(raw[8:8+length], &header); err != nil {
			t.Fatal(err)
		}
		data := raw[8+length:]
		field := header["visible_field"]
		for i, want := range m.VisibleField {
			if got := math.Float64frombits(binary.LittleEndian.Uint64(data[field.DataOffsets[0]+8*i:])); got != want || field.DType != "F64" {
				t.Errorf("visible_field[%d] is %v, not %v", i, got, want)
			}
		}
		if isReal(m) {
			w, want := header["weights"], rbm.Values(m.Synapses)[2*5+1]
			if got := math.Float32frombits(binary.LittleEndian.Uint32(data[w.DataOffsets[0]+4*(1*3+2):])); got != want || w.DType != "F32" {
				t.Errorf("weights[1, 2] is %v, not %v", got, want)
			}
		} else if s := header["synapses"]; int8(data[s.DataOffsets[0]+1*3+2]) != m.Signs().At(1, 2) || s.DType != "I8" || !reflect.DeepEqual(s.Shape, []int{5, 3}) {
			t.Errorf("synapses[1, 2]: %+v", s)
		}
		model := filepath.Join(t.TempDir(), "model.npz")
		if err := f.Save(model); err != nil {
			t.Fatal(err)
		}
		path := write(t, "model.safetensors", func(w io.Writer) error { _, err := w.Write(raw); return err })
		check.add("safetensors", model, path)
	}
	bad := fileOf(testMachine(2, 2, 1, 1))
	bad.SetCoupling(-1)
	if err := WriteSafetensors(io.Discard, bad); err == nil {
		t.Error("a machine out of range is written")
	}
	check.run(t)
}

// Free energies are those that scikit-learn computes, and a machine that it
// learned has its free energies here.
func TestScikitLearn(t *testing.T) {
	var check script
	for _, m := range []*rbm.Machine{testMachine(60, 20, 0.2, 4), testMachine(784, 100, 0.3, 5), realMachine(40, 30, 6)} {
		s := spin.New(m.Visible(), 200)
		fair := make([]float64, m.Visible()*200)
		spin.Draw(s, fair, stream.New(8))
		path := write(t, "machine.npz", func(w io.Writer) error { return WriteZeroOne(w, m) })
		check.add("score", path, archive(t, rows("samples", s), npy.Array{Name: "free_energy", Shape: []int{200}, Data: m.FreeEnergy(s)}))
	}
	m := testMachine(9, 4, 0.5, 7)
	p, err := Pack(m)
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.Sample(t.Context(), 300, 50, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "learned.npz")
	check.add("learn", out, archive(t, rows("samples", s)))
	check.run(t)
	learned, err := ReadZeroOne(out)
	if err != nil {
		t.Fatal(err)
	}
	a, err := npy.ReadArchive(out+".energies.npz", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := npy.Get[float64](a, "free_energy", 300)
	if err != nil {
		t.Fatal(err)
	}
	ours := learned.FreeEnergy(s)
	for k := range ours {
		if d := (ours[k] - ours[0]) - (theirs[k] - theirs[0]); math.Abs(d) > 1e-4 {
			t.Fatalf("sample %d: free energies differ by %v", k, d)
		}
	}
	if learned.Hidden() != 7 || learned.Visible() != 9 {
		t.Errorf("%d x %d units", learned.Visible(), learned.Hidden())
	}
}

// What is written and read again is the same distribution, as real synapses.
func TestZeroOneRoundTrip(t *testing.T) {
	for _, m := range []*rbm.Machine{testMachine(6, 4, 0.4, 1), realMachine(7, 3, 2), testMachine(5, 1, 1e-6, 3), testMachine(5, 2, 1e3, 3)} {
		got, err := ReadZeroOne(write(t, "m.npz", func(w io.Writer) error { return WriteZeroOne(w, m) }))
		if err != nil {
			t.Fatal(err)
		}
		a, b := rbm.NetworkOf[float64](m), rbm.NetworkOf[float64](got)
		for _, x := range []struct{ a, b []float64 }{{a.Coupling, b.Coupling}, {a.VisibleField, b.VisibleField}, {a.HiddenField, b.HiddenField}} {
			for k := range x.a {
				if d := math.Abs(x.a[k] - x.b[k]); d > 2e-7*(math.Abs(x.a[k])+m.Coupling()*float64(m.Visible())) {
					t.Errorf("%v, not %v", x.b[k], x.a[k])
				}
			}
		}
		if !isReal(got) || got.Centred() {
			t.Error("not a plain machine with real synapses")
		}
	}
}

func TestReadZeroOneErrors(t *testing.T) {
	array := func(name string, x []float64, shape ...int) npy.Array {
		return npy.Array{Name: name, Shape: shape, Data: x}
	}
	w, v, h := array("W", make([]float64, 6), 2, 3), array("vbias", make([]float64, 2), 2), array("hbias", make([]float64, 3), 3)
	for part, arrays := range map[string][]npy.Array{
		"none of a machine":         {w, v, h, array("extra", nil, 0)},
		`no array "W"`:              {v, h},
		`no array "vbias"`:          {w, h},
		`no array "hbias"`:          {w, v},
		"W.T":                       {array("W", make([]float64, 6), 3, 2), v, h},
		"has shape [6]":             {array("W", make([]float64, 6), 6), v, h},
		"element 1 is NaN":          {w, array("vbias", []float64{0, math.NaN()}, 2), h},
		"element 0 is +Inf":         {w, array("vbias", []float64{math.Inf(1), 0}, 2), h},
		"element 0 is 1e+300":       {array("W", []float64{1e300, 0, 0, 0, 0, 0}, 2, 3), v, h},
		"at least one":              {array("W", nil, 0, 3), array("vbias", nil, 0), h},
		"elements of []int64, not ": {w, {Name: "vbias", Shape: []int{2}, Data: []int64{1, 2}}, h},
	} {
		path := archive(t, arrays...)
		if _, err := ReadZeroOne(path); err == nil || !strings.Contains(err.Error(), part) || !strings.Contains(err.Error(), path) {
			t.Errorf("error %v does not say %q", err, part)
		}
	}
	if _, err := ReadZeroOne("testdata/check.py"); err == nil || !strings.Contains(err.Error(), "check.py: not an .npz file") {
		t.Error(err)
	}
	single := archive(t, npy.Array{Name: "W", Shape: []int{1, 1}, Data: []float32{4}}, array("vbias", []float64{0}, 1), npy.Array{Name: "hbias", Shape: []int{1}, Data: []float32{-2}})
	m, err := ReadZeroOne(single)
	if err != nil || !isReal(m) || rbm.Values(m.Synapses)[0] != 1 || m.HiddenField[0] != 0 || m.VisibleField[0] != 1 {
		t.Errorf("%+v, %v", m, err)
	}
}

func FuzzReadZeroOne(f *testing.F) {
	for _, m := range []*rbm.Machine{testMachine(3, 2, 0.4, 1), realMachine(1, 1, 2)} {
		var b bytes.Buffer
		if err := WriteZeroOne(&b, m); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		path := write(t, "m.npz", func(w io.Writer) error { _, err := w.Write(content); return err })
		m, err := ReadZeroOne(path)
		if err != nil {
			if !strings.Contains(err.Error(), path) {
				t.Errorf("an error without the file's name: %v", err)
			}
			return
		}
		if err := m.Validate(); err != nil {
			t.Error(err)
		}
		if n, p := m.Synapses.Size(); !isReal(m) || n != m.Visible() || p != m.Hidden() {
			t.Fatalf("%d x %d synapses, real: %v, of %d x %d units", n, p, isReal(m), m.Visible(), m.Hidden())
		}
		for _, x := range rbm.Values(m.Synapses) {
			if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
				t.Fatalf("a synapse is %v", x)
			}
		}
	})
}

// inFull is a line whose bias has no exponent.
var inFull = regexp.MustCompile(`^\d+ \d+ -?\d+(\.\d+)?$`)

// The energies of all states are those of the Ising problem.
func TestIsing(t *testing.T) {
	var check script
	for _, m := range []*rbm.Machine{testMachine(4, 3, 0.4, 1), realMachine(3, 4, 2), testMachine(4, 3, 1e-6, 1), testMachine(3, 2, 1e-30, 1), testMachine(4, 3, 1e3, 2)} {
		func() {
			n, p := m.Visible(), m.Hidden()
			both := states(n + p)
			s, h := spin.New(n, both.Cols()), spin.New(p, both.Cols())
			for a := range both.Cols() {
				for k := range n + p {
					if k < n {
						s.Set(k, a, both.At(k, a))
					} else {
						h.Set(k-n, a, both.At(k, a))
					}
				}
			}
			energy := m.Energy(s, h)
			var b bytes.Buffer
			if err := WriteIsing(&b, m); err != nil {
				t.Fatal(err)
			}
			text := b.String()
			var constant float64
			biases := map[[2]int]float64{}
			for k, line := range strings.Split(strings.TrimSpace(text), "\n") {
				var u, v int
				var bias float64
				switch {
				case k == 0 && line != "# vartype=SPIN" || line[0] != '#' && !inFull.MatchString(line):
					t.Fatalf("line %q", line)
				case strings.HasPrefix(line, "# constant"):
					fmt.Sscanf(line, "# constant %g", &constant)
				case line[0] == '#':
				default:
					if _, err := fmt.Sscanf(line, "%d %d %g", &u, &v, &bias); err != nil {
						t.Fatalf("line %q: %v", line, err)
					}
					biases[[2]int{u, v}] = bias
				}
			}
			if len(biases) != n+p+n*p {
				t.Errorf("%d biases", len(biases))
			}
			for a := range both.Cols() {
				e := constant
				for k, bias := range biases {
					if k[0] == k[1] {
						e += bias * float64(both.At(k[0], a))
					} else {
						e += bias * float64(both.At(k[0], a)) * float64(both.At(k[1], a))
					}
				}
				if math.Abs(e-energy[a]) > 1e-12*(1+m.Coupling()*float64(n*p)) {
					t.Fatalf("state %d: energy %v, not %v", a, e, energy[a])
				}
			}
			check.add("coo", write(t, "p.txt", func(w io.Writer) error { return WriteIsing(w, m) }),
				archive(t, rows("states", both), npy.Array{Name: "energy", Shape: []int{len(energy)}, Data: energy}))
		}()
	}
	check.run(t)
}

// A disk that fills up is an error of every writer.
func TestWriteErrors(t *testing.T) {
	f := fileOf(testMachine(40, 33, 0.2, 1))
	for name, to := range map[string]func(w io.Writer) error{
		"safetensors": func(w io.Writer) error { return WriteSafetensors(w, f) },
		"zero-one":    func(w io.Writer) error { return WriteZeroOne(w, f.Machine()) },
		"ising":       func(w io.Writer) error { return WriteIsing(w, f.Machine()) },
		"C":           func(w io.Writer) error { return WriteC(w, f, "m") },
		"Go":          func(w io.Writer) error { return WriteGo(w, f, "m") },
	} {
		var whole bytes.Buffer
		if err := to(&whole); err != nil {
			t.Fatal(err)
		}
		for _, room := range []int{0, 1, 8, 100, whole.Len() - 1} {
			if err := to(&short{room}); !errors.Is(err, io.ErrShortWrite) {
				t.Errorf("%s: room for %d of %d bytes: %v", name, room, whole.Len(), err)
			}
		}
	}
}

// short is a writer that fails after some bytes.
type short struct{ left int }

func (s *short) Write(p []byte) (int, error) {
	if len(p) > s.left {
		return s.left, io.ErrShortWrite
	}
	s.left -= len(p)
	return len(p), nil
}
