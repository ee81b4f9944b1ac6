package learn

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bethe/runs"
)

// The account of work changes no byte of the machine; where ln Z is known its totals add up, and no chain has dissipated less than nothing by
// more than its error.
func TestWork(t *testing.T) {
	edit := func(r *Recipe) { r.Synapses, r.Steps, r.Patience, r.Scouts = "binary", 300, 0, 4 }
	var models [2][]byte
	for k, work := range []bool{false, true} {
		folder := t.TempDir()
		r, job := patient(folder, edit)
		job.Work, job.Meter, job.MeasureEvery, job.Validation = work, false, 20, Data{}
		if _, _, err := learnt(t.Context(), t, r, job); err != nil {
			t.Fatal(err)
		}
		var err error
		if models[k], err = os.ReadFile(filepath.Join(folder, runs.ModelFile)); err != nil {
			t.Fatal(err)
		}
		records, err := runs.ReadRecords(folder)
		if err != nil {
			t.Fatal(err)
		}
		told, replaced := 0, 0
		for _, e := range records {
			if e.Work == nil {
				continue
			}
			told++
			w := e.Work
			if w.Chains < 36 || w.Chains > 40 || !(w.Dissipated >= 0) || w.Work.Low >= w.Work.High || w.By != "exact" || w.LnZ == nil || w.Since == 0 {
				t.Errorf("step %d: %+v", e.Step, w)
			}
			if d := float64(w.TotalWork + *w.LnZ - w.Total.Value); math.Abs(d) > 1e-9 {
				t.Errorf("step %d: off by %v", e.Step, d)
			}
			if e.Step == w.Since && (math.Abs(float64(w.TotalWork)) > 1e-6 || *w.LnZ != 0) {
				t.Errorf("step %d: an account that has begun here has %+v", e.Step, w)
			}
			if w.Total.High < 0 && w.Replaced == 0 {
				t.Errorf("step %d: dissipated %+v", e.Step, w.Total)
			}
			replaced = max(replaced, w.Replaced)
		}
		if work != (told > 10) || work != (replaced > 4) {
			t.Errorf("%d records of work, %d chains replaced", told, replaced)
		}
	}
	if !bytes.Equal(models[0], models[1]) {
		t.Error("the account changes the machine")
	}
}

// After learning with patience goes back, the account begins anew: what chains do then is not counted as work. With more hidden units than are
// enumerated ln Z is the meter's.
func TestWorkWithPatience(t *testing.T) {
	folder := t.TempDir()
	r, job := patient(folder, func(r *Recipe) { r.Synapses, r.Steps, r.Patience, r.Hidden = "binary", 1500, 1, 14 })
	job.Work, job.MeasureEvery = true, 10
	_, result, err := learnt(t.Context(), t, r, job)
	if err != nil {
		t.Fatal(err)
	}
	records, err := runs.ReadRecords(folder)
	if err != nil {
		t.Fatal(err)
	}
	meters := 0
	for _, e := range records {
		w := e.Work
		if w == nil || e.Step <= result.Patience.Stopped {
			continue
		}
		if w.Since < result.Patience.Stopped || e.Meter == nil && w.Total != nil && e.Fraction < 1 {
			t.Errorf("step %d: %+v", e.Step, w)
		}
		if w.By == "meter" {
			meters++
		}
	}
	if meters == 0 {
		t.Error("no ln Z of the meter")
	}
}

func TestWorkErrors(t *testing.T) {
	for text, edit := range map[string]func(r *Recipe){
		"add estep chains":       func(r *Recipe) { r.Estep = "exact" },
		"model mixture has none": func(r *Recipe) { r.Model, r.Synapses, r.Estep = "mixture", "binary", "auto" },
		"hidden 5,4 has more":    func(r *Recipe) { r.SetLayers([]int{5, 4}) },
	} {
		r, job := patient("", func(r *Recipe) { r.Patience, r.Synapses = 0, "binary"; edit(r) })
		job.Work, job.Meter = true, false
		if _, err := Start(r, job); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
