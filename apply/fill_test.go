package apply

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bethe/dataset"
	"bethe/internal/npy"
	"bethe/rbm"
	"bethe/spin"
	"bethe/units"
)

// table writes a table of the pairs, whose values with (row + 2 column) % 7 == 0 are missing if asked.
func table(t *testing.T, holes bool) string {
	t.Helper()
	set := pairs(32)
	var b strings.Builder
	for a := range set.Len() {
		for i := range set.Visible() {
			if i > 0 {
				b.WriteByte(',')
			}
			switch {
			case holes && (a+2*i)%7 == 0:
			case set.Samples.At(i, a) > 0:
				b.WriteByte('1')
			default:
				b.WriteByte('0')
			}
		}
		b.WriteByte('\n')
	}
	path := filepath.Join(t.TempDir(), "table.csv")
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// What is missing follows from its partner, and is scored against the truth.
func TestFillMissingValues(t *testing.T) {
	j := job(t)
	j.Data.Reading.Missing, j.Data.Reading.Header = []string{"empty"}, dataset.HeaderNo
	c := &Completing{Job: j, From: table(t, true), Truth: table(t, false), Count: 3, Sweeps: 50, Files: files(t)}
	r, err := c.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	f := r.Filled
	if f == nil || !f.Exact || f.Values != 27 || f.Known != 27 || *f.Wrong != 0 || *f.Nats > 0.3 || *f.Independent < 0.5 || !strings.Contains(r.Text(), "exactly") {
		t.Errorf("%+v: %s", f, r.Text())
	}
	archive, err := npy.ReadArchive(c.Out, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	filled, err := npy.Get[int8](archive, "filled", 32, 6)
	if err != nil {
		t.Fatal(err)
	}
	set := pairs(32)
	for k, v := range filled {
		if v != set.Samples.At(k%6, k/6) {
			t.Errorf("spin %d of sample %d is filled with %d", k%6, k/6, v)
		}
	}
	// Without their truth nothing is scored; features are means given what was observed.
	c.Truth = ""
	if r, err = c.Run(context.Background()); err != nil || r.Filled.Known != 0 || r.Filled.Nats != nil {
		t.Errorf("%+v, %v", r, err)
	}
	out := filepath.Join(t.TempDir(), "features.npy")
	report, err := (&Featuring{Job: j, Name: c.From, Gain: 1, Layer: 1, Out: out}).Run(context.Background())
	if err != nil || report.Features != 3 || report.Samples != 32 {
		t.Errorf("features: %+v, %v", report, err)
	}
	if _, err := (&Featuring{Job: j, Name: c.From, Gain: 0.5, Layer: 1, Out: out}).Run(context.Background()); err == nil {
		t.Error("features of samples with missing values at a gain of 0.5")
	}
	mend := &Mending{Job: j, Name: c.From, Flip: 0.1, Chains: 2, Sweeps: 60, Files: files(t)}
	if r, err := mend.Run(context.Background()); err != nil || !(*r.Before > 0) || !(*r.After < 0.2) || !strings.Contains(r.Text(), "spins were wrong") {
		t.Errorf("denoise: %+v, %v", r, err)
	}
	mend.holds(t, "mean missing restored seen")
}

// Units that are not given are filled in, of colours and of numbers.
func TestCompleteOtherUnits(t *testing.T) {
	for _, kind := range []units.Kind{{Word: units.Potts, States: 3}, {Word: units.Gauss}} {
		of := kind.Features()
		file := &rbm.File{Params: rbm.NewParams(2*of, 2, 1), Synapses: rbm.Binary(spin.FromSigns(2*of, 2, make([]int8, 4*of)))}
		file.VisibleKind = kind
		text := "0,0\n2,2\n1,1\n"
		if !kind.Bits() {
			file.VisibleOwn = make([]float64, 4)
			file.Scale = rbm.Scale{Mean: []float64{0, 0}, Deviation: []float64{1, 1}}
			file.SetCoupling(1)
			text = "1.5,1.5\n-1.5,-1.5\n"
		}
		folder := t.TempDir()
		model, data := filepath.Join(folder, "m.npz"), filepath.Join(folder, "d.csv")
		if err := file.Save(model); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(data, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		j := job(t)
		j.Model, j.Data.Reading.Header = model, dataset.HeaderNo
		c := &Completing{Job: j, From: data, Clamp: "0", Count: 3, Sweeps: 50, Files: files(t)}
		r, err := c.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if f := r.Filled; f.Known != f.Values || f.Values < 2 || r.Clamped != 1 || kind.Bits() == (f.RMSE != nil) || f.RMSE != nil && *f.RMSE > 1 {
			t.Errorf("%v: %+v", kind, f)
		}
		for to, fits := range map[string]bool{"safetensors": true, "c": false, "rbm01": false} {
			_, err := (&Exporting{Model: model, To: to, Out: filepath.Join(folder, to), Name: "model"}).Run()
			if fits != (err == nil) || !fits && !strings.Contains(err.Error(), "which is exported to safetensors") {
				t.Errorf("%v to %s: %v", kind, to, err)
			}
		}
		if r, err := (&Featuring{Job: j, Name: data, Gain: 1, Layer: 1, Out: filepath.Join(folder, "f.npy")}).Run(context.Background()); err != nil || r.Features != 2 {
			t.Errorf("%v: features %+v, %v", kind, r, err)
		}
		held := &Sampling{Job: j, Count: 4, Sweeps: 5, Clamp: "1", From: data + ":1", Tempered: true, Files: files(t)}
		if r, err := held.Run(context.Background()); err != nil || r.Clamped != 1 || r.Rungs < 2 {
			t.Errorf("%v: sample %+v, %v", kind, r, err)
		} else if archive, err := npy.ReadArchive(held.Out, 1<<20); err != nil {
			t.Error(err)
		} else if kind.Bits() {
			if colours, err := npy.Get[int8](archive, "samples", 4, 2); err != nil || colours[1] != 2 || colours[7] != 2 {
				t.Errorf("samples with a colour held are %v, %v", colours, err)
			}
		} else if numbers, err := npy.Get[float32](archive, "samples", 4, 2); err != nil || numbers[1] != -1.5 || numbers[7] != -1.5 {
			t.Errorf("samples with a number held are %v, %v", numbers, err)
		}
		mend := &Mending{Job: j, Name: data, Flip: 0.2, Noise: 0.5, Chains: 20, Sweeps: 60, Files: files(t)}
		m, err := mend.Run(context.Background())
		if err != nil || kind.Bits() == (m.RMSEAfter != nil) || kind.Bits() == (m.After == nil) || m.RMSEAfter != nil && !(*m.RMSEAfter < *m.RMSEBefore) || !strings.Contains(m.Text(), " after") {
			t.Errorf("%v: denoise %+v, %v", kind, m, err)
		}
		mend.Noisy = true
		if m, err := mend.Run(context.Background()); err != nil || m.After != nil || m.RMSEAfter != nil || m.Changed == 0 && !kind.Bits() || !strings.Contains(m.Text(), "restored") {
			t.Errorf("%v: denoise %+v, %v", kind, m, err)
		}
		if mend.Noise = 0; !kind.Bits() {
			if _, err := mend.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "noise") {
				t.Errorf("noise of 0: %v", err)
			}
		}
	}
}

// Samples and completions of a machine of an alignment are sequences where their file is named so, and no other machine's are.
func TestSequences(t *testing.T) {
	file := &rbm.File{Params: rbm.NewParams(9, 1, 1), Synapses: rbm.Binary(spin.FromSigns(9, 1, make([]int8, 9)))}
	file.VisibleKind = units.Kind{Word: units.Potts, States: 3}
	file.Info.Alphabet = "HP-"
	folder := t.TempDir()
	model, data, out := filepath.Join(folder, "m.npz"), filepath.Join(folder, "d.fasta"), filepath.Join(folder, "out.fasta")
	if err := file.Save(model); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(data, []byte(">a\nHP-\n>b\nP?H\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	j := job(t)
	other := &Sampling{Job: j, Count: 2, Sweeps: 1, Files: Files{Out: out}}
	if _, err := other.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "alignment") {
		t.Errorf("spins as sequences: %v", err)
	}
	j.Model, j.Data.Reading.Missing, j.Data.Reading.Alphabet = model, []string{"?"}, "HP"
	if _, err := (&Sampling{Job: j, Count: 4, Sweeps: 2, Files: Files{Out: out}}).Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if set, err := dataset.Read(out, dataset.Options{Units: file.VisibleKind, Alphabet: "HP"}); err != nil || set.Len() != 4 || set.Units() != 3 {
		t.Errorf("samples: %v, %v", set, err)
	}
	if _, err := (&Completing{Job: j, From: data, Count: 3, Sweeps: 5, Files: Files{Out: out}}).Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(out); err != nil || !strings.HasPrefix(string(text), ">1\nHP-\n>2\nP") || !strings.HasSuffix(string(text), "H\n") {
		t.Errorf("completions: %q, %v", text, err)
	}
	if _, err := (&Featuring{Job: j, Name: data, Gain: 1, Layer: 1, Out: out}).Run(context.Background()); err == nil {
		t.Error("features as sequences")
	}
}
