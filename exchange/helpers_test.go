package exchange

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"bethe/internal/npy"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// testMachine is a machine with fields and offsets.
func testMachine(n, p int, coupling float64, seed uint64) *rbm.Machine {
	rng := rand.New(rand.NewPCG(seed, 1))
	m := &rbm.Machine{Params: rbm.NewParams(n, p, coupling), Synapses: rbm.Binary(spin.Random(n, p, rng))}
	for _, x := range [][]float64{m.VisibleField, m.HiddenField, m.VisibleOffset, m.HiddenOffset} {
		for k := range x {
			x[k] = 1.6*rng.Float64() - 0.8
		}
	}
	return m
}

// realMachine is one with real synapses.
func realMachine(n, p int, seed uint64) *rbm.Machine {
	m := testMachine(n, p, 0.3, seed)
	weights := make([]float32, n*p)
	rng := rand.New(rand.NewPCG(seed, 2))
	for k := range weights {
		weights[k] = float32(rng.NormFloat64())
	}
	m.Synapses = rbm.RealValued(n, p, weights)
	return m
}

// isReal reports whether a machine's synapses are real numbers.
func isReal(m *rbm.Machine) bool {
	_, signed := m.Synapses.(rbm.Signed)
	return !signed
}

// fileOf is a model file of a machine.
func fileOf(m *rbm.Machine) *rbm.File {
	info := rbm.Info{Program: "bethe test", Seed: 7, Data: "a */ \"b\"\n\\u000a// ünï.csv", Samples: 10, Steps: 20}
	if isReal(m) {
		return &rbm.File{Params: m.Params, Synapses: m.Synapses, Info: info}
	}
	q := rbm.NewPosterior[float32](m.Visible(), m.Hidden())
	q.Randomize(0.5, stream.New(3))
	return &rbm.File{Params: m.Params, Synapses: rbm.Learned(m.Signs(), q), Info: info}
}

// states is a matrix of all states of n spins, a column each.
func states(n int) *spin.Matrix {
	s := spin.New(n, 1<<n)
	for k := range 1 << n {
		for i := range n {
			s.Set(i, k, int8(k>>i&1))
		}
	}
	return s
}

// write writes a file of the test's folder.
func write(t testing.TB, name string, to func(w io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := to(&b); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func archive(t testing.TB, arrays ...npy.Array) string {
	return write(t, "arrays.npz", func(w io.Writer) error { return npy.WriteArchive(w, arrays) })
}

// rows is a matrix of spins as an array, a column of the matrix in each row.
func rows(name string, m *spin.Matrix) npy.Array {
	x, across := make([]int8, m.Rows()*m.Cols()), spin.New(m.Cols(), m.Rows())
	m.Transpose(across)
	spin.Values(x, across)
	return npy.Array{Name: name, Shape: []int{m.Cols(), m.Rows()}, Data: x}
}

// skip says loudly which test a missing program prevents. If the variable is
// set, as .ci/run does, it fails instead.
func skip(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("BETHE_TEST_ALL") != "" {
		t.Fatalf("%s is missing", what)
	}
	t.Skipf("NOT TESTED: %s is missing; .ci/run installs it", what)
}

// A script is a run of testdata/check.py with what it is to check.
type script []string

func (s *script) add(args ...string) {
	if len(*s) > 0 {
		args = append([]string{","}, args...)
	}
	*s = append(*s, args...)
}

// run fails where the script does, and skips the test where there is no Python
// that it can run in.
func (s *script) run(t *testing.T) {
	t.Helper()
	for _, program := range []string{"python3", "/usr/bin/python3"} {
		out, err := exec.Command(program, append([]string{"testdata/check.py"}, *s...)...).CombinedOutput()
		const missing = 77
		exit, ran := errors.AsType[*exec.ExitError](err)
		switch {
		case err != nil && (!ran || exit.ExitCode() == missing):
			continue
		case err != nil:
			t.Fatalf("%s check.py %v: %v\n%s", program, *s, err, out)
		}
		t.Logf("%s: %s", program, out)
		return
	}
	skip(t, "python3 with numpy, scikit-learn and PyNN")
}
