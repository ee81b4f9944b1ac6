package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bethe/rbm"
	"bethe/runs"
)

// TestExtremes: whatever the coupling, the rate and the data, train prints and
// saves finite numbers, and the model can be evaluated, drawn from and
// exported; or else an error names the problem in words.
func TestExtremes(t *testing.T) {
	table := func(rows ...string) string {
		path := filepath.Join(t.TempDir(), "data.csv")
		if err := os.WriteFile(path, []byte(strings.Join(rows, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	ordinary := small(t)
	equal := table("1,0,1,1", "1,0,1,1", "1,0,1,1", "1,0,1,1")
	for _, c := range []struct{ name, data, flags string }{
		{"coupling 1e-6", ordinary, "--beta 3.4641e-6 --fixed-coupling"},
		{"coupling 1e-6, learned", ordinary, "--beta 3.4641e-6"},
		{"coupling 1e3", ordinary, "--beta 3464.1 --fixed-coupling"},
		{"coupling 1e3, by chains", ordinary, "--beta 3464.1 --estep chains"},
		{"coupling 1e3, real", ordinary, "--beta 3464.1 --synapses real"},
		{"one hidden unit", ordinary, "--hidden 1"},
		{"one sample", table("1,0,1,1,0"), ""},
		{"one visible unit", table("1", "0", "1"), ""},
		{"constant pixels", table("1,0,1,0", "1,1,1,0", "1,0,0,0"), ""},
		{"all-equal data", equal, ""},
		{"all-equal data, chains", equal, "--estep chains"},
		{"all-equal data, real", equal, "--synapses real"},
		{"saturated thetas", ordinary, "--rate 1000"},
		{"saturated thetas, natural gradient", ordinary, "--rule bayes --rate 1000"},
		{"saturated thetas, signs", ordinary, "--synapses sign --rate 1000"},
		{"huge steps, real", ordinary, "--synapses real --rate 1e6"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "run")
			args := []string{"train", "--data", c.data, "--hidden", "3", "--steps", "30", "--batch", "50", "--chains", "20", "--out", out, "--evaluate", "--quiet", "--json"}
			status, stdout, stderr := bethe(t, t.Context(), append(args, strings.Fields(c.flags)...)...)
			if status == exitFailed && strings.HasPrefix(stderr, "bethe: ") && !strings.Contains(stderr, "a bug") {
				t.Logf("refused: %s", stderr)
				return
			}
			if status != exitDone {
				t.Fatalf("status %d\n%s", status, stderr)
			}
			var v map[string]any
			if err := json.Unmarshal([]byte(stdout), &v); err != nil {
				t.Fatalf("%v\n%s", err, stdout)
			}
			if _, ok := v["bound_per_sample"].(float64); !ok {
				t.Errorf("bound %v", v["bound_per_sample"])
			}
			model := filepath.Join(out, runs.ModelFile)
			file, err := rbm.Load(model) // refuses numbers that are not finite
			if err != nil {
				t.Fatal(err)
			}
			mean := object(t, "eval", model, "--data", c.data)["log_likelihood"].(map[string]any)["mean"].(float64)
			if math.IsNaN(mean) || mean > 1e-9 {
				t.Errorf("log-likelihood %v", mean)
			}
			object(t, "sample", model, "-n", "5", "--sweeps", "5", "--out", filepath.Join(out, "s.npz"))
			object(t, "export", model, "--to", "ising", "-o", filepath.Join(out, "p.coo"))
			if file.Synapses.Bits() != 32 {
				object(t, "export", model, "--to", "c", "-o", filepath.Join(out, "m.h"))
			}
		})
	}
}
