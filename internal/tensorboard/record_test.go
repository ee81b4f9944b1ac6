package tensorboard

import (
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"bethe/learn"
	"bethe/runs"
)

// TestRecord: all that a record holds becomes values of its step; what was not
// measured, or is not a number, becomes none.
func TestRecord(t *testing.T) {
	folder, at := t.TempDir(), time.Unix(1700000000, 0)
	if err := os.Mkdir(filepath.Join(folder, runs.PicturesFolder), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(folder, runs.PicturesFolder, "s.png"))
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(f, image.NewRGBA(image.Rect(0, 0, 3, 2))); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	none := runs.Number(math.NaN())
	w, err := Create(folder, at, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []*runs.Record{
		{Step: 1, Rate: 0.5, Coupling: 0.25, Polarised: none, KL: none},
		{Step: 2, Rate: none, Coupling: 0.25, Polarised: 0.125, KL: 0.5, Engine: &runs.EngineReport{Iterations: 3, Residual: 0.5}, Labels: &runs.Labels{Loss: 2, Error: 0.5},
			Bound: &runs.Bound{Value: -4, Data: 8, Partition: 11, KL: 1}, LogLikelihood: &runs.LogLikelihood{Forward: &runs.Estimate{Value: -3}, Reverse: &runs.Estimate{Value: -5}},
			Overlap: &runs.Overlap{Mean: 0.5, Max: 1}, Magnetisations: []int{1, 2}, Samples: "s.png"},
		{Step: 3, Rate: none, Coupling: none, Polarised: none, KL: none, LogLikelihood: &runs.LogLikelihood{Exact: &runs.Estimate{Value: -3}}},
	} {
		if err := w.Record(folder, at, r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Record(folder, at, &runs.Record{Step: 4, Synapses: "missing.png"}); err == nil {
		t.Error("a picture that is not there")
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var tags [4][]string
	value := map[string]float32{}
	for _, e := range events(t, filepath.Join(folder, "events.out.tfevents.1700000000.bethe")) {
		if e.bytes[5] == nil || e.number[2] > 3 {
			continue
		}
		v := decode(t, decode(t, e.bytes[5]).bytes[1])
		step, tag := e.number[2], string(v.bytes[1])
		tags[step] = append(tags[step], tag)
		value[tag] = math.Float32frombits(uint32(v.number[2]))
	}
	want := [4][]string{nil, {"learning/rate", "learning/coupling"},
		{"learning/coupling", "synapses/polarised", "synapses/kl", "engine/iterations", "engine/residual", "labels/loss", "labels/error", "bound/bound", "bound/data", "bound/partition", "bound/kl",
			"log_likelihood/forward", "log_likelihood/reverse", "synapses/overlap_mean", "synapses/overlap_max", "synapses/magnetisation", "pictures/samples"},
		{"log_likelihood/exact"}}
	for k := range want {
		if !slices.Equal(tags[k], want[k]) {
			t.Errorf("step %d: %v, not %v", k, tags[k], want[k])
		}
	}
	for tag, v := range map[string]float32{"bound/bound": -4, "bound/partition": 11, "log_likelihood/exact": -3, "log_likelihood/reverse": -5, "labels/error": 0.5} {
		if value[tag] != v {
			t.Errorf("%s: %v, not %v", tag, value[tag], v)
		}
	}
}

// TestObserver: each start has a file, with its records.
func TestObserver(t *testing.T) {
	folder := t.TempDir()
	var watching learn.Observer = &Observer{Folder: folder}
	for start := range 2 {
		if err := watching.Began(learn.Beginning{Start: start, Step: 7}); err != nil {
			t.Fatal(err)
		}
		for range 1 + start {
			if err := watching.Recorded(&runs.Record{Step: 8, Coupling: 1}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := watching.(*Observer).Close(); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(folder, "events*"))
	if err != nil || len(names) != 2 {
		t.Fatalf("%v, %v", names, err)
	}
	for k, name := range names {
		if all := events(t, name); all[1].number[2] != 7 || len(all) != 2+4*(1+k) {
			t.Errorf("%s: %d events", name, len(all))
		}
	}
	if err := (&Observer{Folder: filepath.Join(folder, "missing")}).Began(learn.Beginning{}); err == nil {
		t.Error("no error for a missing folder")
	}
}
