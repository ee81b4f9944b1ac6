package runs

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func steps(records []Record) (s []int) {
	for _, r := range records {
		s = append(s, r.Start*1000+r.Step)
	}
	return s
}

func full(step int) Record {
	return Record{Step: step, Epoch: 1.5, Seconds: 2, Fraction: 0.25, Rate: 0.02, Coupling: 0.1, Polarised: 0.5, KL: 0.3,
		Engine:         &Engine{Name: "tap", Iterations: 7, Residual: 1e-5, Converged: true},
		Bound:          &Bound{Value: -120, Data: 20, Partition: 139, KL: 1, By: "annealing"},
		LogLikelihood:  &LogLikelihood{Data: "mnist:test", Forward: &Estimate{-119, -120, -118}, Reverse: &Estimate{-122, -124, -121}},
		Magnetisations: []int{3, 0, 4}, SingularValues: []Number{5, 1}, Overlap: &Overlap{Mean: 0.1, Max: 0.5, Matrix: []Number{1, 0.1, 0.1, 1}},
		TeacherOverlaps: []Number{0.5}, Synapses: "synapses-0000001.png", Samples: "samples-0000001.png"}
}

func TestLog(t *testing.T) {
	folder := t.TempDir()
	log, kept, err := OpenLog(folder, -1, 0)
	if err != nil || len(kept) != 0 {
		t.Fatal(kept, err)
	}
	for step := range 4 {
		if err := log.Append(full(step)); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Append(Record{Start: 1, Step: 1, Coupling: Number(math.Inf(1))}); err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	records, err := ReadRecords(folder)
	if err != nil || !reflect.DeepEqual(records[2], full(2)) || !math.IsNaN(float64(records[4].Coupling)) {
		t.Fatalf("%+v, %v", records, err)
	}
	// A torn last line is not read, and is gone after a resume.
	path := filepath.Join(folder, MetricsFile)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, string(text)+`{"step":5,"cou`)
	if records, err = ReadRecords(folder); err != nil || len(records) != 5 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	for _, c := range []struct {
		start, step int
		want        []int
	}{{1, 7, []int{0, 1, 2, 3, 1001}}, {1, 0, []int{0, 1, 2, 3}}, {0, 2, []int{0, 1, 2}}, {-1, 0, nil}} {
		log, kept, err := OpenLog(folder, c.start, c.step)
		if err != nil || !reflect.DeepEqual(steps(kept), c.want) {
			t.Fatalf("up to %d %d: %v, %v", c.start, c.step, steps(kept), err)
		}
		log.Close()
		if records, err := ReadRecords(folder); err != nil || !reflect.DeepEqual(steps(records), c.want) {
			t.Fatalf("up to %d %d: %v, %v", c.start, c.step, steps(records), err)
		}
	}
	if log.Append(full(1)) == nil {
		t.Error("no error of a closed log")
	}
}

func TestTail(t *testing.T) {
	folder := t.TempDir()
	tail := NewTail(folder)
	next := func(wantAnew bool, want ...int) {
		t.Helper()
		records, anew, err := tail.Next()
		if err != nil || anew != wantAnew || !reflect.DeepEqual(steps(records), append([]int(nil), want...)) {
			t.Fatalf("%v, anew %v, %v", steps(records), anew, err)
		}
	}
	next(false)
	log, _, err := OpenLog(folder, -1, 0)
	if err != nil {
		t.Fatal(err)
	}
	add := func(s ...int) {
		for _, step := range s {
			if err := log.Append(Record{Step: step}); err != nil {
				t.Fatal(err)
			}
		}
	}
	next(false)
	add(1, 2)
	next(false, 1, 2)
	next(false)
	add(3)
	next(false, 3)
	if _, err := log.f.WriteString(`{"st`); err != nil {
		t.Fatal(err)
	}
	next(false)
	if _, err := log.f.WriteString("ep\":4}\n"); err != nil {
		t.Fatal(err)
	}
	next(false, 4)
	log.Close()
	if log, _, err = OpenLog(folder, 0, 2); err != nil { // a resume
		t.Fatal(err)
	}
	add(3, 4, 5, 6)
	log.Close()
	next(true, 1, 2, 3, 4, 5, 6)
	if err := os.Remove(filepath.Join(folder, MetricsFile)); err != nil {
		t.Fatal(err)
	}
	next(true)
	next(false)
}

func TestBadRecords(t *testing.T) {
	for _, text := range []string{"x\n", "{}\n[]\n", "{\"step\":-1}\n", "{\"step\":1e99}\n", "{}\n\n{}\n", "{\"step\":\"1\"}\n", "{\"kl_per_synapse\":\"x\"}\n",
		"{\"x\":\"" + strings.Repeat("y", maxLineBytes) + "\"}\n"} {
		folder := t.TempDir()
		write(t, filepath.Join(folder, MetricsFile), text)
		_, err := ReadRecords(folder)
		if err == nil || !strings.Contains(err.Error(), MetricsFile+":") {
			t.Errorf("%.20q: %v", text, err)
		}
		if _, _, err := OpenLog(folder, 0, 0); err == nil {
			t.Errorf("%.20q: opened", text)
		}
	}
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, MetricsFile), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadRecords(folder); err == nil {
		t.Error("no error for a folder in place of the file")
	}
	if _, _, err := OpenLog(folder, 0, 0); err == nil {
		t.Error("no error for a folder in place of the file")
	}
}

func TestInfoAndFind(t *testing.T) {
	folder := t.TempDir()
	info := Info{Verb: "train", Program: "bethe", Data: "mnist", Samples: 60000, Visible: 784, Hidden: 100, Width: 28, Height: 28, Seed: 7,
		Settings: map[string]any{"rate": 0.02}, Began: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	for _, name := range []string{"b/two", "b/one", "a", "b/c/d", "b/c/d/e", ".hidden", "x"} {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
		if name != "x" {
			if err := WriteInfo(path, info); err != nil {
				t.Fatal(err)
			}
		}
	}
	write(t, filepath.Join(folder, "b/one", ResultFile), "{}")
	found, err := Find(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range found {
		names = append(names, r.Name)
		if r.Finished != (r.Name == "b/one") || !reflect.DeepEqual(r.Info, info) {
			t.Errorf("%+v", r)
		}
	}
	if strings.Join(names, " ") != "a b/c/d b/one b/two" {
		t.Errorf("found %v", names)
	}
	if found, err := Find(filepath.Join(folder, "a")); err != nil || len(found) != 1 || found[0].Name != "a" {
		t.Errorf("%v, %v", found, err)
	}
	if _, err := Find(filepath.Join(folder, "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	for _, text := range []string{"{", strings.Repeat(" ", maxInfoBytes+1)} {
		write(t, filepath.Join(folder, "x", InfoFile), text)
		if _, err := Find(folder); err == nil || !strings.Contains(err.Error(), InfoFile) {
			t.Errorf("%.5q: %v", text, err)
		}
	}
}

func FuzzRecords(f *testing.F) {
	f.Add([]byte("{\"step\":1,\"rate\":null}\n{\"step\":2}\n{\"st"))
	f.Add([]byte("{\"start\":1,\"step\":3,\"bound\":{\"value\":-3},\"overlap\":{\"matrix\":[1,null]}}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		records, err := parse("x", text)
		if err != nil {
			return
		}
		// What was read can be written and read again.
		folder := t.TempDir()
		log, _, err := OpenLog(folder, -1, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			if err := log.Append(r); err != nil {
				t.Fatal(err)
			}
		}
		log.Close()
		again, err := ReadRecords(folder)
		if err != nil || !reflect.DeepEqual(steps(again), steps(records)) {
			t.Fatalf("%v, not %v: %v", steps(again), steps(records), err)
		}
	})
}
