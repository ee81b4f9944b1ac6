package main

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"bethe/rbm"
)

// TestInit: learning that hardly moves ends at the machine that it started from,
// also one that another program learned; binary learning from real weights is
// ahead of learning from nothing.
func TestInit(t *testing.T) {
	data, folder := small(t), t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	common := []string{"train", "--data", data, "--hidden", "5", "--batch", "50", "--seed", "2"}
	train := func(words string, out string) string {
		t.Helper()
		return object(t, append(append(common, strings.Fields(words)...), "--out", in(out))...)["model"].(string)
	}
	mean := func(path string) float64 {
		t.Helper()
		return object(t, "eval", path, "--data", data)["log_likelihood"].(map[string]any)["mean"].(float64)
	}
	real, binary := train("--synapses real --steps 300", "real"), train("--steps 300", "binary")
	object(t, "export", real, "--to", "rbm01", "-o", in("real01.npz"))
	imported := in("imported.npz")
	object(t, "import", in("real01.npz"), "-o", imported)
	for _, c := range []struct{ words, from string }{
		{"--synapses real --init " + real, real}, {"--synapses real --init " + imported, real}, {"--synapses real --no-centre --init " + imported, real},
		{"--synapses real --init " + binary, binary}, {"--init " + binary, binary},
	} {
		still := train(c.words+" --steps 1 --rate 1e-9", "still"+strings.ReplaceAll(filepath.ToSlash(c.words), "/", "-"))
		if a, b := mean(c.from), mean(still); math.Abs(a-b) > 1e-3 {
			t.Errorf("%s: log-likelihood %v, and %v where learning started from it", c.words, a, b)
		}
	}
	if warm, cold := mean(train("--init "+imported+" --steps 10", "warm")), mean(train("--steps 10", "cold")); !(warm > cold+1) {
		t.Errorf("log-likelihood after 10 steps from real weights %v, from nothing %v", warm, cold)
	}

	// A resume goes on to the same bytes, and not from another machine.
	args := append(common, "--init", imported, "--steps", "10", "--out", in("warm"), "--resume")
	if v := object(t, args...); v["model"] != filepath.Join(in("warm"), "model.npz") {
		t.Errorf("%v", v)
	}
	args[len(common)+1] = binary
	if status, _, stderr := bethe(t, t.Context(), args...); status != exitUsage || !strings.Contains(stderr, "another run") {
		t.Errorf("another machine: status %d, %s", status, stderr)
	}

	// A run's folder stands for its model.
	if status, _, stderr := bethe(t, t.Context(), append(common, "--steps", "3", "--out", in("of-folder"), "--init", in("real"))...); status != exitDone {
		t.Errorf("the folder of a run: status %d, %s", status, stderr)
	}

	// What does not fit is told.
	file, err := rbm.Load(imported)
	if err != nil {
		t.Fatal(err)
	}
	file.Synapses = rbm.RealValued(file.Visible(), file.Hidden(), make([]float32, file.Visible()*file.Hidden()))
	if err := file.Save(in("zero.npz")); err != nil {
		t.Fatal(err)
	}
	for words, want := range map[string]string{
		"--hidden 4 --init " + imported:        "a machine of 12 x 5 units, where learning is of 12 x 4",
		"--init " + in("real01.npz"):           "bethe import",
		"--init " + in("zero.npz"):             "zero.npz: the root mean square of its couplings is 0",
		"--init missing.npz":                   "missing.npz",
		"--init " + imported + " --restarts 2": "--init with --restarts 2",
		"--init " + imported + " --no-fields":  "--init with --no-fields",
		"--init " + imported + " --beta 1":     "--init with --beta",
	} {
		status, stdout, stderr := bethe(t, t.Context(), append(common, append(strings.Fields("--steps 3 --out "+in("bad")), strings.Fields(words)...)...)...)
		if status == exitDone || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%s: status %d, %s", words, status, stderr)
		}
	}
}
