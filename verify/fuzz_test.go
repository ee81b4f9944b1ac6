package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"
)

// An oracle file is an error, or one result a case with every quantity.
func FuzzCompare(f *testing.F) {
	f.Add([]byte(`{"cases":[]}`)) // whole oracles take seconds an execution
	f.Add(tiny)
	f.Fuzz(func(t *testing.T, text []byte) {
		results, err := Compare(context.Background(), bytes.NewReader(text), exact)
		if err != nil {
			return
		}
		for _, r := range results {
			if len(r.Errors) < len(Quantities) {
				t.Errorf("case %q: %v", r.Case, r.Errors)
			}
		}
	})
}

// The same of cases of other kinds of units, one at a time, and with missing values.
func FuzzCompareUnits(f *testing.F) {
	for _, c := range unitsOracle(f, "../internal/gausstest/testdata/oracle-units.json") {
		text, err := json.Marshal(map[string]any{"cases": []any{c}})
		if err != nil {
			f.Fatal(err)
		}
		if len(text) < 4000 { // of few synapses
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		results, err := Compare(context.Background(), bytes.NewReader(text), exact)
		if err == nil && len(results) == 0 {
			t.Error("no case, and no error")
		}
	})
}

// tiny is a case of one visible and one hidden unit.
var tiny = []byte(`{"cases":[{"name":"tiny","N":1,"P":1,"M":1,"beta":1,"coupling":1,"visible_field":[0.1],"hidden_field":[0],
"visible_offset":[0],"hidden_offset":[0.5],"posterior_mean":[[0.3]],"prior_mean":[[0]],"samples":[[1]],
"dual":{"constant":0,"couplings":[[0.2]],"visible_field":[0],"hidden_field":[0],"ln_z":1.4,"visible_mean":[0],"hidden_mean":[0],"correlation":[[0.2]]},
"ln_mean_z":1.4,"data_term_gaussian":1,"kl":0.1,"elbo":-1,
"gradient":{"posterior_mean":[[0]],"visible_field":[0],"hidden_field":[0],"coupling":0},"ln_likelihood_at_sign":-1}]}`)
