package verify

import (
	"math"
	"testing"

	"bethe/dual"
)

func TestReport(t *testing.T) {
	r := NewReport("o.json", "exact", []Result{
		{"a", map[string]float64{"ln_z": 1e-12, "gradient": 1e-6}, dual.Report{Iterations: 3, Converged: true}},
		{"b", map[string]float64{"ln_z": 1e-10, "gradient": 1e-9}, dual.Report{Residual: 0.5}},
	})
	if v, within := r.Worst("ln_z"); v != 1e-10 || !within || !r.Passed || *r.MaxError["gradient"] != 1e-6 || len(r.Cases) != 2 || r.Cases[0].Iterations != 3 || r.Cases[1].Converged || *r.Cases[0].MaxError["ln_z"] != 1e-12 {
		t.Errorf("%+v", r)
	}
	for _, bad := range []float64{1e-5, math.Inf(1)} {
		r = NewReport("o.json", "exact", []Result{{"a", map[string]float64{"ln_z": bad}, dual.Report{}}})
		if _, within := r.Worst("ln_z"); within || r.Passed || math.IsInf(bad, 1) != (r.MaxError["ln_z"] == nil) {
			t.Errorf("%v: %+v", bad, r)
		}
	}
}
