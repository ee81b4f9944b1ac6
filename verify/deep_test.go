package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// deepOracle decodes the oracle of deep machines as it is.
func deepOracle(t testing.TB) map[string]any {
	t.Helper()
	content, err := os.ReadFile("testdata/deep.json")
	if err != nil {
		t.Fatal(err)
	}
	var file map[string]any
	if err := json.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	return file
}

// wrongDeep reports whether a file is refused, or a quantity of it is off.
func wrongDeep(t testing.TB, file map[string]any) (bool, error) {
	t.Helper()
	text, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	results, err := Compare(context.Background(), bytes.NewReader(text), exact)
	for _, r := range results {
		for q, e := range r.Errors {
			if !(e <= Limit(q)) {
				return true, nil
			}
		}
	}
	return err != nil, err
}

func TestDeepOracle(t *testing.T) {
	results, err := Read(t.Context(), "testdata/deep.json", exact)
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != 9 || results[8].Case != "stack" || results[7].Case != "layers [6 4]" {
		t.Errorf("%d results, the last %+v", len(results), results[len(results)-1])
	}
	for k, r := range results {
		if k < 8 && len(r.Errors) != len(Quantities) {
			t.Errorf("%s: quantities %v", r.Case, r.Errors)
		}
		for q, e := range r.Errors {
			if !(e <= 1e-10) { // the limits are 1e-8 and, of gradients, 2e-6
				t.Errorf("%s: %s off by %.2g", r.Case, q, e)
			}
		}
	}
}

// No number may be wrong by 0.001 unnoticed: of a machine of two hidden layers, each
// thirteenth, and of the stack.
func TestEveryDeepNumberCounts(t *testing.T) {
	whole := deepOracle(t)
	for name, file := range map[string]map[string]any{
		"machine": {"machines": whole["machines"].([]any)[:1]}, "stack": {"stack": whole["stack"]},
	} {
		if wrong, err := wrongDeep(t, file); wrong {
			t.Fatalf("%s unchanged: %v", name, err)
		}
		numbers := 0
		eachNumber(name, file, nil, func(path string, v float64, set func(any)) {
			if numbers++; name == "machine" && numbers%13 != 0 {
				return // each takes sums over all synapses
			}
			defer set(v)
			set(v + 1e-3)
			if wrong, _ := wrongDeep(t, file); !wrong {
				t.Errorf("%s = %g may be %g", path, v, v+1e-3)
			}
		})
		if numbers < 40 {
			t.Errorf("%s: only %d numbers", name, numbers)
		}
	}
}

func TestDeepErrors(t *testing.T) {
	for want, change := range map[string]func(m map[string]any){
		"must be 2 to":                  func(m map[string]any) { m["sizes"] = []any{3.0} },
		"layer 1 has 0 units":           func(m map[string]any) { m["sizes"] = []any{3.0, 0.0, 2.0} },
		"at most 12":                    func(m map[string]any) { m["sizes"] = []any{3.0, 20.0, 2.0} },
		"1 couplings of 2 links":        func(m map[string]any) { m["coupling"] = []any{1.0} },
		"field has 0 layers, not 3":     func(m map[string]any) { m["field"] = []any{} },
		"synapses has 0 links, not 2":   func(m map[string]any) { delete(m, "synapses") },
		"samples has a row of 0":        func(m map[string]any) { m["samples"].([]any)[0] = []any{} },
		"0 recognitions":                func(m map[string]any) { delete(m, "recognition") },
		"it must lie between -1 and 1":  func(m map[string]any) { first(m["posterior_mean"])[0] = 1.0 },
		"one of synapses is 0":          func(m map[string]any) { first(m["synapses"])[0] = 0.0 },
		"must be positive":              func(m map[string]any) { m["coupling"].([]any)[1] = 0.0 },
		"w of recognition 0 has 0 rows": func(m map[string]any) { m["recognition"].([]any)[0].(map[string]any)["w"] = []any{} },
	} {
		file := deepOracle(t)
		file["machines"] = file["machines"].([]any)[:1]
		change(file["machines"].([]any)[0].(map[string]any))
		if _, err := wrongDeep(t, file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
	for want, change := range map[string]func(m map[string]any){
		"there must be 2 of each":        func(m map[string]any) { m["lower"].(map[string]any)["sizes"] = []any{4.0} },
		"one of synapses is 0":           func(m map[string]any) { first(m["upper"].(map[string]any)["synapses"])[0] = 0.0 },
		"3 visible units on one of 4":    func(m map[string]any) { m["lower"], m["upper"] = m["upper"], m["lower"]; shrink(m) },
		"3 samples, 0 likelihoods":       func(m map[string]any) { delete(m, "ln_likelihood") },
		"samples has a row of 1 numbers": func(m map[string]any) { m["samples"].([]any)[0] = []any{1.0} },
	} {
		file := deepOracle(t)
		delete(file, "machines")
		change(file["stack"].(map[string]any))
		if _, err := wrongDeep(t, file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}

// first returns the innermost first list.
func first(x any) []any {
	list := x.([]any)
	if inner, ok := list[0].([]any); ok {
		return first(inner)
	}
	return list
}

// shrink makes the lower machine of a stack one of 3 x 4 units.
func shrink(m map[string]any) {
	lower := map[string]any{"sizes": []any{3.0, 4.0}, "coupling": 1.0}
	row := []any{1.0, 1.0, 1.0, 1.0}
	lower["field"], lower["offset"] = []any{[]any{0.0, 0.0, 0.0}, []any{0.0, 0.0, 0.0, 0.0}}, []any{[]any{0.0, 0.0, 0.0}, []any{0.0, 0.0, 0.0, 0.0}}
	lower["synapses"] = []any{row, row, row}
	m["lower"], m["upper"] = lower, map[string]any{"sizes": []any{3.0, 4.0}, "coupling": 1.0, "field": lower["field"], "offset": lower["offset"], "synapses": lower["synapses"]}
}
