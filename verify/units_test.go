package verify

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// unitsOracle returns the cases of an oracle of other kinds of units.
func unitsOracle(t testing.TB, path string) []map[string]any {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var oracle struct{ Cases []map[string]any }
	if err := json.Unmarshal(text, &oracle); err != nil {
		t.Fatal(err)
	}
	return oracle.Cases
}

func compareUnits(t *testing.T, cases ...map[string]any) (*Report, error) {
	t.Helper()
	text, err := json.Marshal(map[string]any{"cases": cases})
	if err != nil {
		t.Fatal(err)
	}
	results, err := Compare(t.Context(), bytes.NewReader(text), exact)
	return NewReport("units", "exact", results), err
}

// Machines of Gaussian units, colours and groups agree with enumeration elsewhere, two seeds.
func TestUnitsAgreeWithTheOracle(t *testing.T) {
	for _, name := range []string{"oracle-units.json", "oracle-units-2.json"} {
		r, err := compareUnits(t, unitsOracle(t, "../internal/gausstest/testdata/"+name)...)
		if err != nil || !r.Passed || len(r.Cases) != 16 {
			t.Fatalf("%s: %d cases, %v, %v", name, len(r.Cases), r.worst, err)
		}
		for quantity, v := range r.worst {
			if !(v < 1e-9) {
				t.Errorf("%s: %s is off by %g", name, quantity, v)
			}
		}
	}
}

// change adds 1e-3 to x if it is a number. In a list it changes the middle element, or else the first.
func change(x any) (changed any, ok bool) {
	switch x := x.(type) {
	case float64:
		return x + 1e-3, true
	case []any:
		for _, k := range []int{len(x) / 2, 0} {
			if k < len(x) {
				if v, ok := change(x[k]); ok {
					y := slices.Clone(x)
					y[k] = v
					return y, true
				}
			}
		}
	}
	return x, false
}

// Each array of a case is looked at: one number that is changed by 1e-3 is caught.
func TestChangedNumbersOfUnitsAreCaught(t *testing.T) {
	free := []string{"beta", "name", "visible", "hidden", "missing"} // missing values are not compared
	for _, c := range unitsOracle(t, "../internal/gausstest/testdata/oracle-units.json") {
		name := c["name"].(string)
		if !slices.Contains([]string{"gauss plain", "potts centred", "gauss hidden"}, name) {
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(c)) {
			try := func(what string, v any) {
				changed := maps.Clone(c)
				changed[key] = v
				if r, err := compareUnits(t, changed); err == nil && r.Passed {
					t.Errorf("%s: a changed %s is not caught", name, what)
				}
			}
			if slices.Contains(free, key) || name == "gauss plain" && key == "visible_field" { // Gaussian units have none
				continue
			}
			if part, ok := c[key].(map[string]any); ok {
				for _, inner := range slices.Sorted(maps.Keys(part)) {
					if v, ok := change(part[inner]); ok {
						other := maps.Clone(part)
						other[inner] = v
						try(key+"."+inner, other)
					}
				}
				continue
			}
			if unused := map[string]string{"visible_offset": "gauss plain", "hidden_field": "gauss hidden", "hidden_offset": "gauss hidden"}[key]; unused == name {
				continue
			}
			if v, ok := change(c[key]); ok {
				try(key, v)
			}
		}
	}
}

// Cases that do not fit give errors that name the wrong value.
func TestWrongCasesOfUnits(t *testing.T) {
	cases := unitsOracle(t, "../internal/gausstest/testdata/oracle-units.json")
	for k, w := range []struct {
		key  string
		v    any
		want string
	}{
		{"visible", "ising", "are not known"}, {"hidden", "potts", "are not known"}, {"K", 2, "sizes K, G"}, {"N", 0, "at least 1"}, {"M", 3, "M is 3"},
		{"coupling", -1, "coupling"}, {"samples", []any{[]any{1.0}}, "samples"}, {"hidden", "gauss", "E Z is infinite"}, {"posterior_mean", []any{[]any{1.0, 2.0}}, "posterior_mean"},
	} {
		c := maps.Clone(cases[0])
		c[w.key] = w.v
		if _, err := compareUnits(t, c); err == nil || !strings.Contains(err.Error(), w.want) {
			t.Errorf("wrong case %d: %v", k, err)
		}
	}
	potts := maps.Clone(cases[4])
	potts["samples"] = []any{[]any{1.0, 1.0, 0.0, 1.0, 0.0, 0.0}, []any{1.0, 0.0, 0.0, 1.0, 0.0, 0.0}, []any{1.0, 0.0, 0.0, 1.0, 0.0, 0.0}, []any{1.0, 0.0, 0.0, 1.0, 0.0, 0.0}}
	if _, err := compareUnits(t, potts); err == nil || !strings.Contains(err.Error(), "samples[0]: unit 0") {
		t.Errorf("two colours of one unit: %v", err)
	}
}
