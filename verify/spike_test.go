package verify

import (
	"encoding/json"
	"os"
	"testing"
)

// spikeFile decodes the cases of an oracle of spikes, of the kinds that are asked for.
func spikeCases(t testing.TB, path string, kinds ...string) []map[string]any {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []map[string]any }
	if err := json.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	var some []map[string]any
	for _, c := range file.Cases {
		for _, k := range kinds {
			if c["kind"] == k {
				some = append(some, c)
			}
		}
	}
	return some
}

func TestX(t *testing.T) {
	for _, c := range spikeCases(t, "testdata/spike.json", "directed", "tree", "spiking", "wta spiking", "neuron", "synaptic") {
		r, err := compare(t, c)
		t.Log(r, err)
	}
}
