package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"bethe/figure"
	"bethe/learn"
	"bethe/runs"
)

func records(t *testing.T, folder string) []runs.Record {
	t.Helper()
	r, err := runs.ReadRecords(folder)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestMeasuring: records tell of the run, and writing them at every step, and
// for TensorBoard, leaves the learned bytes as they are.
func TestMeasuring(t *testing.T) {
	data, folder := small(t), t.TempDir()
	train := func(name string, more ...string) []runs.Record {
		out := filepath.Join(folder, name)
		object(t, append([]string{"train", "--data", data, "--hidden", "4", "--steps", "40", "--batch", "50", "--out", out}, more...)...)
		return records(t, out)
	}
	now, all := train("now and then", "--evaluate"), train("all", "--measure-every", "1", "--tensorboard")
	if !bytes.Equal(read(t, filepath.Join(folder, "all", runs.ModelFile)), read(t, filepath.Join(folder, "now and then", runs.ModelFile))) {
		t.Error("measuring changes what is learned")
	}
	if len(all) != 41 || len(now) < 3 || now[len(now)-1].LogLikelihood == nil || now[len(now)-1].LogLikelihood.Exact == nil {
		t.Errorf("%d and %d records", len(all), len(now))
	}
	for k, r := range all {
		if r.Step != k || r.Epoch != float64(k)/4 || !(r.Coupling > 0) || r.KL < 0 || len(r.Magnetisations) != learn.MagnetisationBins || len(r.Overlap.Matrix) != 16 ||
			k > 0 && (r.Bound == nil || r.Bound.By != "exact" || r.Engine.Name != "exact" || r.Seconds < all[k-1].Seconds) {
			t.Errorf("record %d: %+v", k, r)
		}
		if spectrum := k == 10 || k == 20 || k == 30 || k == 40; spectrum != (len(r.SingularValues) == 4) {
			t.Errorf("record %d has singular values %v", k, r.SingularValues)
		}
	}
	end := all[40]
	if end.Fraction != 1 || end.Synapses == "" || !reflect.DeepEqual(now[len(now)-2].Bound, end.Bound) {
		t.Errorf("the end: %+v", end)
	}
	for _, name := range []string{end.Synapses, end.Samples} {
		if b := read(t, filepath.Join(folder, "all", runs.PicturesFolder, name)); !bytes.HasPrefix(b, []byte("\x89PNG")) {
			t.Errorf("%s is no picture", name)
		}
	}
	events, err := filepath.Glob(filepath.Join(folder, "all", "events.out.tfevents.*"))
	if err != nil || len(events) != 1 || len(read(t, events[0])) < 10000 {
		t.Errorf("events %v, %v", events, err)
	}

	object(t, "train", "--data", data, "--hidden", "3", "--steps", "7", "--rate", "0.5", "--restarts", "2", "--out", filepath.Join(folder, "two"))
	if two := records(t, filepath.Join(folder, "two")); two[0].Start != 0 || two[len(two)-1].Start != 1 || two[len(two)-1].Step != 7 {
		t.Errorf("records of two starts: %+v", two)
	}
	status, stdout, stderr := bethe(t, t.Context(), "runs", folder)
	if status != exitDone || stderr != "" {
		t.Fatalf("status %d, %s", status, stderr)
	}
	stdout = regexp.MustCompile(`-?\d+\.\d+`).ReplaceAllString(strings.ReplaceAll(stdout, data, "small.csv"), "0.0")
	golden(t, "runs.txt", regexp.MustCompile(` +`).ReplaceAllString(stdout, " "))
	v := object(t, "runs", folder)["runs"].([]any)
	if len(v) != 3 || v[0].(map[string]any)["finished"] != true || v[1].(map[string]any)["forward"] == nil {
		t.Errorf("%v", v)
	}
	if status, _, stderr := bethe(t, t.Context(), "runs", filepath.Join(folder, "all", runs.PicturesFolder)); status != exitUsage || !strings.Contains(stderr, "no run") {
		t.Errorf("no run: status %d, %s", status, stderr)
	}
}

// TestRecordsAfterInterruption: a resumed run has the records of one that was
// not stopped, but for times; a torn line is gone.
func TestRecordsAfterInterruption(t *testing.T) {
	data := small(t)
	args := func(out string, more ...string) []string {
		return append([]string{"train", "--data", data, "--hidden", "4", "--steps", "30", "--batch", "50", "--estep", "chains", "--chains", "20", "--measure-every", "1",
			"--tensorboard", "--out", out, "--resume"}, more...)
	}
	whole, parts := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "parts")
	object(t, args(whole)...)
	for range 3 {
		ctx := &countdown{Context: t.Context()}
		ctx.left.Store(1500)
		status, _, stderr := bethe(t, ctx, args(parts)...)
		if status != exitInterrupted {
			t.Fatalf("status %d, %s", status, stderr)
		}
		// As after a kill: the checkpoint is older than the records, and the last record is cut short.
		f, err := os.OpenFile(filepath.Join(parts, runs.MetricsFile), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString("{\"step\":29,\"coupling\":1}\n{\"step\":30,\"coup"); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	object(t, args(parts)...)
	want, got := records(t, whole), records(t, parts)
	if len(got) != len(want) {
		t.Fatalf("%d records, not %d", len(got), len(want))
	}
	without := 0
	for k := range want {
		got[k].Seconds, want[k].Seconds = 0, 0
		got[k].Synapses, got[k].Samples, want[k].Synapses, want[k].Samples = "", "", "", "" // drawn by time
		if got[k].Bound == nil && want[k].Bound != nil {                                    // it was at the bound when the interruption came
			without++
			want[k].Bound = nil
		}
		if !reflect.DeepEqual(got[k], want[k]) {
			t.Errorf("record %d after interruptions: %+v, not %+v", k, got[k], want[k])
		}
	}
	if without > 3 {
		t.Errorf("%d records without a bound after 3 interruptions", without)
	}
}

// TestPlot draws every figure that a small run has numbers for, and those asked for.
func TestPlot(t *testing.T) {
	data, folder := small(t), t.TempDir()
	out := filepath.Join(folder, "run")
	object(t, "train", "--data", data, "--hidden", "4", "--steps", "20", "--batch", "50", "--estep", "tap", "--chains", "5", "--measure-every", "2", "--out", out)
	v := object(t, "plot", out)
	files := v["files"].([]any)
	if without := v["without"].([]any); fmt.Sprint(without) != "[label-error validation online ln-z work teacher]" || len(files) != 2*(len(figure.RunFigures)-len(without)) {
		t.Errorf("%v", v)
	}
	for _, name := range files {
		if len(read(t, name.(string))) < 1000 {
			t.Errorf("%s is hardly a picture", name)
		}
	}
	figs := filepath.Join(folder, "figs")
	if v := object(t, "plot", out, "--only", "bound,synapses", "-o", figs); len(v["files"].([]any)) != 4 {
		t.Errorf("%v", v)
	}
	if same := read(t, filepath.Join(figs, "bound.svg")); !bytes.Equal(same, read(t, filepath.Join(out, "figures", "bound.svg"))) {
		t.Error("the same figure has other bytes")
	}
	// A run that still learns has no model yet.
	if err := os.Remove(filepath.Join(out, runs.ModelFile)); err != nil {
		t.Fatal(err)
	}
	if without := object(t, "plot", out, "--only", "bound,units,synapses")["without"].([]any); len(without) != 2 {
		t.Errorf("without a model: %v", without)
	}
	if status, _, stderr := bethe(t, t.Context(), "plot", out, "--only", "teacher"); status != exitFailed || !strings.Contains(stderr, "nothing to draw") {
		t.Errorf("nothing: status %d, %s", status, stderr)
	}
	if status, _, stderr := bethe(t, t.Context(), "plot", out, "--only", "bond"); status != exitUsage || !strings.Contains(stderr, "bond") {
		t.Errorf("no such figure: status %d, %s", status, stderr)
	}
	if status, _, stderr := bethe(t, t.Context(), "plot", folder); status != exitUsage || !strings.Contains(stderr, runs.InfoFile) {
		t.Errorf("no run: status %d, %s", status, stderr)
	}
	if err := os.WriteFile(filepath.Join(out, runs.SamplesFile), []byte("no picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	if status, _, stderr := bethe(t, t.Context(), "plot", out, "--only", "samples"); status != exitFailed || !strings.Contains(stderr, runs.SamplesFile) {
		t.Errorf("a broken picture: status %d, %s", status, stderr)
	}
}

// TestFollow: a planted run is a run folder, which shows the overlap with the teacher.
func TestFollow(t *testing.T) {
	out := filepath.Join(t.TempDir(), "planted")
	args := []string{"planted", "--visible", "30", "--hidden", "2", "--instances", "1", "--restarts", "1", "--steps", "30", "--out", out}
	object(t, args...)
	r := records(t, out)
	if last := r[len(r)-1]; last.Step != 30 || last.Fraction != 1 || len(last.TeacherOverlaps) != 2 || last.Bound == nil || len(last.SingularValues) != 2 || len(r) < 20 {
		t.Errorf("%d records, the last %+v", len(r), last)
	}
	v := object(t, "plot", out, "--only", "teacher,overlap,units,synapses")
	if len(v["files"].([]any)) != 8 {
		t.Errorf("%v", v)
	}
	if status, _, stderr := bethe(t, t.Context(), args...); status != exitUsage || !strings.Contains(stderr, "holds a run already") {
		t.Errorf("the same folder again: status %d, %s", status, stderr)
	}
}

// TestOldFolder: runs and plot read a run folder that 0.2.0 left.
func TestOldFolder(t *testing.T) {
	out := t.TempDir()
	for _, name := range []string{runs.InfoFile, runs.MetricsFile} {
		if err := os.WriteFile(filepath.Join(out, name), read(t, filepath.Join("testdata", "frozen", "centred", name)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if v := object(t, "runs", out)["runs"].([]any); len(v) != 1 || v[0].(map[string]any)["finished"] != false {
		t.Errorf("runs: %v", v)
	}
	if files := object(t, "plot", out, "--only", "coupling,polarised")["files"].([]any); len(files) != 4 {
		t.Errorf("plot: %v", files)
	}
	// Its settings are a recipe of today.
	if r, _, err := learn.ReadRecipe(filepath.Join(out, runs.InfoFile)); err != nil || r.Check() != nil || r.Hidden != 13 {
		t.Errorf("recipe %+v, %v", r, err)
	}
}
