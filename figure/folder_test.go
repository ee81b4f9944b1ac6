package figure

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"bethe/rbm"
	"bethe/runs"
	"bethe/setting"
	"bethe/spin"
	"bethe/stream"
)

// TestSaveRun draws the figures that a folder has numbers for, and lists the others.
func TestSaveRun(t *testing.T) {
	folder := t.TempDir()
	if _, err := SaveRun(t.Context(), folder, folder, nil, func(float64, string) {}); !errors.Is(err, runs.ErrNotRun) {
		t.Errorf("no run: %v", err)
	}
	run := told("a", 1)
	if err := runs.WriteInfo(folder, run.Info); err != nil {
		t.Fatal(err)
	}
	log, _, err := runs.OpenLog(folder, -1, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range run.Records {
		if err := log.Append(r); err != nil {
			t.Fatal(err)
		}
	}
	log.Close()
	out := filepath.Join(folder, "out")
	var drawn []string
	saved, err := SaveRun(t.Context(), folder, out, []string{"units", "bound", "samples"}, func(_ float64, name string) { drawn = append(drawn, name) })
	if err != nil || !slices.Equal(saved.Files, []string{filepath.Join(out, "bound.png"), filepath.Join(out, "bound.svg")}) || !slices.Equal(saved.Without, []string{"units", "samples"}) || !slices.Equal(drawn, RunFigures) {
		t.Errorf("%+v, %v", saved, err)
	}
	q := rbm.NewPosterior[float32](9, 2)
	file := &rbm.File{Params: rbm.NewParams(9, 2, 1), Synapses: rbm.Learned(q.Sign(), q)}
	if err := file.Save(filepath.Join(folder, runs.ModelFile)); err != nil {
		t.Fatal(err)
	}
	if err := WritePNG(filepath.Join(folder, runs.SamplesFile), Samples(spin.Random(9, 4, stream.New(1).Rand()), 3, 3)); err != nil {
		t.Fatal(err)
	}
	if saved, err = SaveRun(t.Context(), folder, out, nil, func(float64, string) {}); err != nil || len(saved.Without) != 0 || len(saved.Files) != 2*len(RunFigures) {
		t.Errorf("%+v, %v", saved, err)
	}
	var wrong *setting.Error
	if _, err := SaveRun(t.Context(), folder, out, []string{"bond"}, func(float64, string) {}); !errors.As(err, &wrong) || wrong.Setting != "only" {
		t.Errorf("an unknown figure: %v", err)
	}
	if err := os.WriteFile(filepath.Join(folder, runs.SamplesFile), []byte("no picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := SaveRun(t.Context(), folder, out, []string{"samples"}, func(float64, string) {}); err == nil {
		t.Error("a broken picture is no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := SaveRun(ctx, folder, out, nil, func(float64, string) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}
