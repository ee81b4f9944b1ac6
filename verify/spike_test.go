package verify

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestSpikeOracles: all cases of three seeds agree, every quantity of them within its limit.
func TestSpikeOracles(t *testing.T) {
	paths, err := filepath.Glob("testdata/spike*.json")
	if err != nil || len(paths) != 3 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		results, err := Read(t.Context(), path, exact)
		if err != nil {
			t.Fatal(err)
		}
		if len(results) != 14 {
			t.Errorf("%s: %d cases", path, len(results))
		}
		for _, r := range results {
			if len(r.Errors) == 0 {
				t.Errorf("%s: %s: nothing was compared", path, r.Case)
			}
			for q, e := range r.Errors {
				if !(e <= Limit(q)) {
					t.Errorf("%s: %s: %s is off by %v", path, r.Case, q, e)
				}
			}
		}
		if report := NewReport(path, "exact", results); !report.Passed || !slices.Contains(report.Quantities(), "autocorrelation") {
			t.Errorf("%s: %v", path, report.Quantities())
		}
	}
}

// spikeCases decodes the cases of an oracle of spikes as they are.
func spikeCases(t testing.TB) []map[string]any {
	t.Helper()
	content, err := os.ReadFile("testdata/spike.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []map[string]any }
	if err := json.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	return file.Cases
}

// notCompared are the numbers of groups over all synapses, which this build has no sums for.
var notCompared = []string{"data_upper", "data_exact", "winner_mean", "evidence", "ln_mean_z_brute"}

// TestSpikeNumbersCount: numbers of a case of each kind, drawn at random, are not wrong by 0.001
// unnoticed.
func TestSpikeNumbersCount(t *testing.T) {
	rng, seen := rand.New(rand.NewPCG(1, 2)), map[any]bool{}
	for _, c := range spikeCases(t) {
		if seen[c["kind"]] {
			continue
		}
		seen[c["kind"]] = true
		type number struct {
			path string
			v    float64
			set  func(any)
		}
		var all []number
		eachNumber("", c, nil, func(path string, v float64, set func(any)) {
			key, _, _ := strings.Cut(strings.TrimPrefix(path, "."), "[")
			if c["kind"] != "wta" || !slices.Contains(notCompared, key) {
				all = append(all, number{path, v, set})
			}
		})
		rng.Shuffle(len(all), func(a, b int) { all[a], all[b] = all[b], all[a] })
		for _, n := range all[:min(len(all), 12)] {
			n.set(n.v + 0.001)
			results, err := compare(t, c)
			n.set(n.v)
			wrong := err != nil
			for _, r := range results {
				for q, e := range r.Errors {
					wrong = wrong || !(e <= Limit(q))
				}
			}
			if !wrong {
				t.Errorf("%v: %s may be wrong by 0.001", c["name"], n.path)
			}
		}
	}
	if len(seen) != 7 {
		t.Errorf("%d kinds of cases", len(seen))
	}
}

// TestSpikeHostile: a case without one of its keys, or with another kind of value there, is an
// error or agrees no more; it is no panic.
func TestSpikeHostile(t *testing.T) {
	seen := map[any]bool{}
	for _, c := range spikeCases(t) {
		if seen[c["kind"]] {
			continue
		}
		seen[c["kind"]] = true
		for key, was := range c {
			for _, other := range []any{nil, 1e300, []any{}, []any{[]any{1.0}}} {
				c[key] = other
				if results, err := compare(t, c); err == nil && key == "samples" {
					t.Errorf("%v with %s = %v: %v", c["name"], key, other, results)
				}
			}
			c[key] = was
		}
		for _, size := range []string{"visible", "hidden", "states", "top_states", "refractory"} {
			if was, there := c[size]; there {
				for _, v := range []float64{0, 1, 7, 21, 1e6} {
					c[size] = v
					if _, err := compare(t, c); err == nil && v != was && size != "refractory" {
						t.Errorf("%v with %s = %v is no error", c["name"], size, v)
					}
				}
				c[size] = was
			}
		}
		if _, err := compare(t, c); err != nil {
			t.Fatalf("%v, put together again: %v", c["name"], err)
		}
	}
	if _, err := compare(t, map[string]any{"kind": "other", "name": "x"}); err == nil || !strings.Contains(fmt.Sprint(err), `"other"`) {
		t.Errorf("another kind: %v", err)
	}
}
