package learn

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"testing"

	"bethe/dataset"
	"bethe/dataset/mnist"
	"bethe/runs"
	"bethe/stream"
)

// metered runs a recipe with a meter or none, and returns the model's bytes and the records.
func metered(t *testing.T, meter bool, edit func(r *Recipe)) ([]byte, []runs.Record) {
	t.Helper()
	r := Default()
	r.Hidden, r.Steps, r.Batch, r.Chains, r.Estep = 6, 750, 100, 50, "chains"
	edit(&r)
	digits := mnist.Test().Samples.Choose(800, stream.New(1).Rand())
	job := Job{Data: Data{Set: &dataset.Set{Samples: digits}, Name: "digits"}, Seed: 2, Folder: t.TempDir(), Meter: meter, MeasureEvery: 250}
	job.Validation = Data{Set: &dataset.Set{Samples: mnist.Test().Samples.Choose(100, stream.New(2).Rand())}, Name: "others"}
	run, err := Start(r, job)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := run.Close(); err != nil {
		t.Fatal(err)
	}
	model, err := os.ReadFile(filepath.Join(job.Folder, runs.ModelFile))
	if err != nil {
		t.Fatal(err)
	}
	records, err := runs.ReadRecords(job.Folder)
	if err != nil {
		t.Fatal(err)
	}
	return model, records
}

// The meter reads ln Z of learning digits within a nat or five errors after step 500, through settling, and the machine has the same bytes
// with it and without.
func TestMeter(t *testing.T) {
	for name, edit := range map[string]func(r *Recipe){"binary": func(*Recipe) {}, "real": func(r *Recipe) { r.Synapses, r.Steps = "real", 500; r.Suit() }} {
		if testing.Short() && name == "real" {
			continue // the meter is the same
		}
		with, records := metered(t, true, edit)
		if without, _ := metered(t, false, edit); !bytes.Equal(with, without) {
			t.Errorf("%s: the meter changes the model", name)
		}
		read, kinds := 0, map[string]bool{}
		for _, r := range records {
			m := r.Meter
			if m == nil {
				continue
			}
			read++
			kinds[m.Kind] = true
			off := math.Abs(float64(m.LnZ.Value - *m.Exact))
			t.Logf("%s: step %d: ln Z %.2f to %.2f, exactly %.2f; online %.2f, validation %.2f", name, r.Step, m.LnZ.Low, m.LnZ.High, *m.Exact, m.Online.Value, m.Validation.Value)
			if r.Step >= 500 && off > max(1, 5*float64(m.LnZ.High-m.LnZ.Low)/3.92) {
				t.Errorf("%s: step %d: ln Z is off by %.2f", name, r.Step, off)
			}
			if !(m.Online.Low <= m.Online.Value && m.Online.Value <= m.Online.High) || m.Validation == nil || m.Temperatures < 3 {
				t.Errorf("%s: step %d: %+v", name, r.Step, m)
			}
		}
		if want := map[string]int{"binary": 3, "real": 2}[name]; read != want || name == "binary" && !(kinds["binary"] && kinds["sign"]) {
			t.Errorf("%s: %d readings of %v", name, read, kinds)
		}
	}
}
