package verify

import (
	"testing"

	"bethe/dual"
)

func exact(visible, hidden int) dual.Engine[float64] { return dual.Exact[float64]{} }

func TestOracle(t *testing.T) {
	results, err := Read("testdata/oracle.json", exact)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		for _, q := range Quantities {
			if e, ok := r.Errors[q]; !ok || e > Limit(q) {
				t.Errorf("%s: %s off by %.2g, limit %.0e", r.Case, q, e, Limit(q))
			}
		}
		t.Log(r.Case, r.Errors)
	}
}
