package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bethe/rbm"
)

// A learned model goes out in every format, and comes back from units 0 and 1
// with the same likelihood.
func TestExportImport(t *testing.T) {
	data, folder := small(t), t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	for _, kind := range []string{"binary", "real"} {
		model := object(t, "train", "--data", data, "--hidden", "5", "--steps", "100", "--batch", "50", "--synapses", kind, "--out", in(kind))["model"].(string)
		for _, to := range []string{"safetensors", "rbm01", "ising", "c", "go"} {
			out := in(kind + "." + to)
			if kind == "real" && (to == "c" || to == "go") {
				if status, _, stderr := bethe(t, t.Context(), "export", model, "--to", to, "-o", out); status != exitFailed || !strings.Contains(stderr, model) || !strings.Contains(stderr, "real") {
					t.Errorf("%s to %s: status %d, %s", kind, to, status, stderr)
				}
				continue
			}
			v := object(t, "export", model, "--to", to, "-o", out)
			if info, err := os.Stat(out); err != nil || v["bytes"] != float64(info.Size()) || v["to"] != to {
				t.Errorf("%s to %s: %v, %v", kind, to, v, err)
			}
		}
		back := in(kind + "-back.npz")
		v := object(t, "import", in(kind+".rbm01"), "-o", back, "--width", "4", "--height", "3")
		if v["visible"] != 12.0 || v["hidden"] != 5.0 || !(v["rounding"].(float64) < 1e-7) {
			t.Errorf("import: %v", v)
		}
		file, err := rbm.Load(back)
		if err != nil || file.Synapses.Bits() != 32 || file.Info.Width != 4 {
			t.Fatalf("%v, %+v", err, file)
		}
		mean := func(path string) float64 {
			return object(t, "eval", path, "--data", data)["log_likelihood"].(map[string]any)["mean"].(float64)
		}
		if a, b := mean(model), mean(back); a-b > 1e-5 || b-a > 1e-5 {
			t.Errorf("%s: log-likelihood %v, and %v when it is back", kind, a, b)
		}
		if status, _, _ := bethe(t, t.Context(), "import", in(kind+".rbm01"), "-o", back, "--width", "5", "--height", "3"); status != exitUsage {
			t.Errorf("wrong width: status %d", status)
		}
		drawn := in(kind + "-drawn.npz")
		status, _, stderr := bethe(t, t.Context(), "sample", model, "-n", "10", "--sweeps", "5", "--integers", "--out", drawn)
		if kind == "real" {
			if status != exitFailed || !strings.Contains(stderr, model) {
				t.Errorf("integers of real synapses: status %d, %s", status, stderr)
			}
			continue
		}
		if info := object(t, "data", "info", drawn); status != exitDone || info["samples"] != 10.0 || info["visible"] != 12.0 {
			t.Errorf("status %d, %v", status, info)
		}
	}
}
