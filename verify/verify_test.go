package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bethe/dual"
	"bethe/rbm"
)

func exact(visible, hidden int) dual.Engine[float64] { return dual.Exact[float64]{} }

// failures lists the quantities of results that are missing or off by more than their limit.
func failures(results []Result) (list []string) {
	for _, r := range results {
		for _, q := range Quantities {
			if e, ok := r.Errors[q]; !ok || !(e <= Limit(q)) {
				list = append(list, fmt.Sprintf("%s: %s off by %.2g, limit %.0e", r.Case, q, e, Limit(q)))
			}
		}
	}
	return list
}

func TestOracles(t *testing.T) {
	paths, err := filepath.Glob("testdata/oracle*.json")
	if err != nil || len(paths) != 3 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		results, err := Read(t.Context(), path, exact)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range failures(results) {
			t.Errorf("%s: %s", path, f)
		}
		if len(results) != 8 || results[7].Case != "wider, centred" || results[7].Report.Engine != "exact" {
			t.Errorf("%s: %d results, the last %+v", path, len(results), results[len(results)-1])
		}
	}
}

// oracleCases decodes the cases of an oracle file as they are.
func oracleCases(t testing.TB) []map[string]any {
	t.Helper()
	content, err := os.ReadFile("testdata/oracle.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []map[string]any }
	if err := json.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	return file.Cases
}

// compare runs Compare on a file of one case.
func compare(t testing.TB, c map[string]any) ([]Result, error) {
	t.Helper()
	text, err := json.Marshal(map[string]any{"seed": 1, "cases": []any{c}})
	if err != nil {
		t.Fatal(err)
	}
	return Compare(context.Background(), bytes.NewReader(text), exact)
}

// eachNumber calls f for every number below x, with its path and a way to set it.
func eachNumber(path string, x any, set func(any), f func(path string, v float64, set func(any))) {
	switch x := x.(type) {
	case float64:
		f(path, x, set)
	case []any:
		for k, y := range x {
			eachNumber(fmt.Sprintf("%s[%d]", path, k), y, func(v any) { x[k] = v }, f)
		}
	case map[string]any:
		for k, y := range x {
			eachNumber(path+"."+k, y, func(v any) { x[k] = v }, f)
		}
	}
}

// Not one number of a file may be wrong by 0.001 unnoticed: every number is
// compared, or changes one that is. Cases: without fields, and with everything.
func TestEveryNumberCounts(t *testing.T) {
	cases := oracleCases(t)
	for _, k := range []int{1, 5} {
		c := cases[k]
		if results, err := compare(t, c); err != nil || failures(results) != nil {
			t.Fatalf("unchanged: %v, %q", err, failures(results))
		}
		numbers := 0
		eachNumber(c["name"].(string), c, nil, func(path string, v float64, set func(any)) {
			defer set(v)
			set(v + 1e-3)
			numbers++
			if results, err := compare(t, c); err == nil && failures(results) == nil {
				t.Errorf("%s = %g may be %g", path, v, v+1e-3)
			}
		})
		if numbers < 100 {
			t.Errorf("case %d: only %d numbers", k, numbers)
		}
	}
}

// So are a whole spin, a part of the file that is missing, and an error far
// below 0.001.
func TestSmallChanges(t *testing.T) {
	for name, change := range map[string]func(c map[string]any){
		"a flipped spin": func(c map[string]any) {
			row := c["samples"].([]any)[3].([]any)
			row[2] = -row[2].(float64)
		},
		"ln E_q Z":    func(c map[string]any) { c["ln_mean_z"] = c["ln_mean_z"].(float64) + 1e-6 },
		"null":        func(c map[string]any) { c["gradient"].(map[string]any)["posterior_mean"] = nil },
		"no gradient": func(c map[string]any) { delete(c, "gradient") },
		"no elbo":     func(c map[string]any) { delete(c, "elbo") },
	} {
		c := oracleCases(t)[1]
		change(c)
		if results, err := compare(t, c); err == nil && failures(results) == nil {
			t.Errorf("%s passes", name)
		}
	}
}

func TestMalformed(t *testing.T) {
	set := func(path string, v any) func(map[string]any) {
		return func(c map[string]any) {
			keys := strings.Split(path, ".")
			for _, k := range keys[:len(keys)-1] {
				c = c[k].(map[string]any)
			}
			if v == nil {
				delete(c, keys[len(keys)-1])
			} else {
				c[keys[len(keys)-1]] = v
			}
		}
	}
	row := []any{0.1, 0.1}
	for _, c := range []struct {
		name string
		edit func(map[string]any)
		part string
	}{
		{"no units", set("visible_field", []any{}), "0 visible units, 2 hidden units"},
		{"no hidden units", set("hidden_field", nil), "4 visible units, 0 hidden units"},
		{"no samples", set("samples", []any{}), "0 samples"},
		{"too large", func(c map[string]any) {
			c["visible_field"], c["hidden_field"] = make([]float64, 21), make([]float64, 21)
		}, "the smaller layer at most 20"},
		{"N", set("N", 5), "N, P, M are 5, 2, 6"},
		{"P", set("P", 1), "N, P, M are 4, 1, 6"},
		{"M", set("M", nil), "N, P, M are 4, 2, 0"},
		{"beta", set("beta", 1.1), "coupling is 0.5, not beta/sqrt(N)"},
		{"spin 0", set("samples", []any{[]any{1, 1, 0, 1}, []any{1, 1, 1, 1}, []any{1, 1, 1, 1}, []any{1, 1, 1, 1}, []any{1, 1, 1, 1}, []any{1, 1, 1, 1}}), "samples[0][2] is 0, not ±1"},
		{"short sample", set("samples", []any{[]any{1, 1, 0}, row, row, row, row, row}), "samples has a row of 3 numbers, not 4"},
		{"rows of posterior_mean", set("posterior_mean", []any{row}), "posterior_mean has 1 rows, not 4"},
		{"row of prior_mean", set("prior_mean", []any{row, row, row, []any{0.1}}), "prior_mean has a row of 1 numbers, not 2"},
		{"couplings", set("dual.couplings", nil), "dual.couplings has 0 rows"},
		{"correlation", set("dual.correlation", []any{row, row, row, row, row}), "dual.correlation has 5 rows"},
		{"dual fields", set("dual.visible_field", row), "dual.visible_field has a row of 2 numbers, not 4"},
		{"hidden means", set("dual.hidden_mean", nil), "dual.hidden_mean has a row of 0 numbers"},
		{"gradient", set("gradient.hidden_field", nil), "gradient.hidden_field has a row of 0"},
		{"offset", set("visible_offset", []any{0, 0, 2, 0}), "visible_offset[2] is 2: it must lie between"},
		{"number of offsets", set("hidden_offset", []any{0}), "hidden_offset has 1 elements"},
	} {
		edited := oracleCases(t)[1]
		c.edit(edited)
		_, err := compare(t, edited)
		if err == nil || !strings.HasPrefix(err.Error(), `case 0, "two hidden units": `) || !strings.Contains(err.Error(), c.part) {
			t.Errorf("%s: error %v does not name the case and say %q", c.name, err, c.part)
		}
	}

	for text, part := range map[string]string{
		"":                                  "not an oracle file",
		"{":                                 "not an oracle file",
		"[]":                                "not an oracle file",
		"{}":                                "it has no cases",
		`{"cases": []}`:                     "it has no cases",
		`{"cases": [{"name": "x"}]}`:        `case 0, "x": 0 visible units`,
		`{"cases": [{"visible_field": 1}]}`: "not an oracle file",
	} {
		path := filepath.Join(t.TempDir(), "oracle.json")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(t.Context(), path, exact); err == nil || !strings.HasPrefix(err.Error(), path+": ") || !strings.Contains(err.Error(), part) {
			t.Errorf("%q: error %v does not name the file and say %q", text, err, part)
		}
	}
	if _, err := Read(t.Context(), filepath.Join(t.TempDir(), "none"), exact); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	wide := oracleCases(t)[6] // 8 x 3: too many synapses to enumerate
	wide["over_synapses"] = map[string]any{}
	if _, err := compare(t, wide); err == nil || !strings.Contains(err.Error(), "over_synapses of 24 synapses: at most 16 are enumerated") {
		t.Errorf("over_synapses of many: %v", err)
	}
}

// Approximate engines show their errors, and only where the moments enter.
func TestEngines(t *testing.T) {
	for name, engine := range map[string]func(visible, hidden int) dual.Engine[float64]{
		"bethe":  func(int, int) dual.Engine[float64] { return dual.NewBethe[float64]() },
		"tap":    func(int, int) dual.Engine[float64] { return dual.NewTAP[float64](nil) },
		"chains": func(int, int) dual.Engine[float64] { return &dual.Chains[float64]{Count: 100, Sweeps: 1} },
	} {
		results, err := Read(t.Context(), "testdata/oracle.json", engine)
		if err != nil {
			t.Fatal(err)
		}
		for k, r := range results {
			if r.Report.Engine != name {
				t.Errorf("%s: engine %q", name, r.Report.Engine)
			}
			if tree := name == "bethe" && k == 0; !tree && r.Errors["correlation"] <= Limit("correlation") {
				t.Errorf("%s: %s: correlations exact", name, r.Case)
			}
			if d := r.Errors["data_term"]; d > Limit("data_term") || r.Errors["kl"] > Limit("kl") || r.Errors["ln_likelihood"] > Limit("ln_likelihood") {
				t.Errorf("%s: %s: errors %v", name, r.Case, r.Errors)
			}
			if e := r.Errors["ln_mean_z"]; (name == "chains") != math.IsInf(e, 1) {
				t.Errorf("%s: ln E_q Z off by %g", name, e)
			}
		}
	}
	cause := errors.New("cause")
	if _, err := Read(t.Context(), "testdata/oracle.json", func(int, int) dual.Engine[float64] { return broken{cause} }); !errors.Is(err, cause) || !strings.Contains(err.Error(), `case 0, "one hidden unit"`) {
		t.Errorf("error %v", err)
	}
}

type broken struct{ err error }

func (b broken) Moments(context.Context, *rbm.Moments[float64], *rbm.Network[float64]) (dual.Report, error) {
	return dual.Report{}, b.err
}

func TestRelativeError(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		x, y []float64
		want float64
	}{
		{nil, nil, 0}, {[]float64{1, 2}, []float64{1, 2.5}, 0.2}, {[]float64{0.1, 0}, []float64{0, 0}, 0.1},
		{[]float64{-8, 0}, []float64{-4, 0}, 1}, {[]float64{nan}, []float64{1}, inf}, {[]float64{1, 1}, []float64{nan, 1}, inf},
	} {
		if got := relativeError(c.x, c.y); math.Abs(got-c.want) > 1e-15 && got != c.want {
			t.Errorf("relativeError(%v, %v) = %g, not %g", c.x, c.y, got, c.want)
		}
	}
}
