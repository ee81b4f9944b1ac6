package verify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestThermoOracles(t *testing.T) {
	for _, seed := range []int{1, 2} {
		path := fmt.Sprintf("testdata/thermo-%d.json", seed)
		results, err := Read(t.Context(), path, exact)
		if err != nil {
			t.Fatal(err)
		}
		report := NewReport(path, "exact", results)
		if got, want := report.Quantities(), ThermoQuantities; strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%s: compared %q, not %q", path, got, want)
		}
		for _, q := range report.Quantities() {
			if v, within := report.Worst(q); !within {
				t.Errorf("%s: %s off by %.2g, limit %.0e", path, q, v, Limit(q))
			}
		}
		if !report.Passed || len(results) != 11 {
			t.Errorf("%s: passed %v, %d parts", path, report.Passed, len(results))
		}
	}
}

// thermoParts returns the parts of an oracle of thermodynamics as they are.
func thermoParts(t *testing.T) map[string]any {
	t.Helper()
	text, err := os.ReadFile("testdata/thermo-1.json")
	if err != nil {
		t.Fatal(err)
	}
	var parts map[string]any
	if err := json.Unmarshal(text, &parts); err != nil {
		t.Fatal(err)
	}
	return parts
}

// passes reports whether the comparisons that a key of an oracle enters are within all limits.
func passes(t *testing.T, raw map[string]json.RawMessage, key string, part any) bool {
	t.Helper()
	raw = maps.Clone(raw)
	text, err := json.Marshal(part)
	if err != nil {
		t.Fatal(err)
	}
	raw[key] = text
	o := &thermoOracle{}
	if err := o.decode(raw); err != nil {
		return false
	}
	for _, c := range o.comparisons() {
		if slices.Contains([]string{"forward", "reverse", "ladder"}, key) && c.name == "protocols" ||
			strings.HasPrefix(key, "heat_exchange") && c.name == "heat exchange" || key == "joint_block_gibbs_asymmetry" && c.name == "heat exchange" ||
			c.name == "machine" || c.name == key || key == "machine" && c.name == "path" {
			e := errorsOf{}
			if err := c.compare(t.Context(), e); err != nil {
				return false
			}
			for q, v := range e {
				if v > Limit(q) {
					return false
				}
			}
		}
	}
	return true
}

// No number of the file may be wrong by 0.001 unnoticed: one of each list is tried.
func TestEveryThermoNumberCounts(t *testing.T) {
	parts, raw := thermoParts(t), map[string]json.RawMessage{}
	for key, part := range parts {
		text, err := json.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		raw[key] = text
	}
	numbers, seen := 0, map[string]bool{}
	for key := range (&thermoOracle{}).parts() {
		if !passes(t, raw, key, parts[key]) {
			t.Fatalf("%s: unchanged, it fails", key)
		}
		eachNumber(key, parts[key], func(v any) { parts[key] = v }, func(path string, v float64, set func(any)) {
			var shape strings.Builder // the path without its places
			for _, word := range strings.FieldsFunc(path, func(r rune) bool { return strings.ContainsRune("[]0123456789", r) }) {
				shape.WriteString(word)
			}
			// The temperature of the draws is only near the one found, and the range of fields does not bind.
			if strings.HasSuffix(path, "beta_true") || strings.HasSuffix(path, "h_range") || strings.HasSuffix(path, "ladder[0]") || strings.HasSuffix(path, ".t") && v == 0 || seen[shape.String()] {
				return
			}
			seen[shape.String()] = true
			numbers++
			set(v + 1e-3*max(1, math.Abs(v)))
			if passes(t, raw, key, parts[key]) {
				t.Errorf("%s = %g may be larger by a thousandth", path, v)
			}
			set(v)
		})
	}
	if numbers < 80 {
		t.Errorf("only %d numbers", numbers)
	}
}

func TestMalformedThermo(t *testing.T) {
	for _, c := range []struct{ key, text, part string }{
		{"machine", "", "it has no machine"},
		{"machine", `{}`, `case 0, "machine": 0 visible and 0 hidden units`},
		{"machine", `[]`, "machine: json"},
		{"curves", `{"points": []}`, `"curves": no points`},
		{"curves", `{"points": [{"beta": 0}]}`, "beta is 0"},
		{"ladder", `[1]`, "a ladder of 1 temperatures"},
		{"crooks", `{"coupling": [[1]], "visible_field": [1], "hidden_field": [1], "ladder": [0, 1], "base_field": []}`, "base_field has 0 numbers, not 1"},
		{"crooks", `{"coupling": [[1], [1]], "visible_field": [1], "hidden_field": [1]}`, "coupling has 2 rows, not 1"},
		{"heat_exchange_block", `{"sweeps": 1000000}`, "1000000 sweeps"},
		{"learning", `{"networks": []}`, "0 networks"},
		{"sampler", `[{"visible": [[1, 2, 1, 1, 1, 1]], "hidden": [[1, 1, 1, 1]]}]`, "[0].visible[0][1] is 2, not ±1"},
		{"xu_oates", `{}`, "data has no rows"},
		{"problem", `{}`, "quadratic has 0 rows"},
		{"bar", `{}`, "0 forward and 0 reverse works"},
	} {
		parts := thermoParts(t)
		delete(parts, c.key)
		if c.text != "" {
			parts[c.key] = json.RawMessage(c.text)
		}
		text, err := json.Marshal(parts)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Compare(t.Context(), bytes.NewReader(text), exact); err == nil || !strings.Contains(err.Error(), c.part) {
			t.Errorf("%s %s: error %v does not say %q", c.key, c.text, err, c.part)
		}
	}
}
