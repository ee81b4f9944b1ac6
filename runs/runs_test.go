package runs

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
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
		Engine:         &EngineReport{Name: "tap", Iterations: 7, Residual: 1e-5, Converged: true},
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

// ReadRecords skips a line that is no record, and its error names the line. A run cannot
// go on from a file with such a line.
func TestBadRecords(t *testing.T) {
	for _, bad := range []string{"x", "[]", `{"step":-1}`, `{"step":1e99}`, "", `{"step":"1"}`, `{"kl_per_synapse":"x"}`, `{"start":-1}`, "\xff\x00", `{"step":` + strings.Repeat("9", 5000) + "}",
		`{"x":"` + strings.Repeat("y", maxLineBytes) + `"}`, strings.Repeat("[", 20000)} {
		folder := t.TempDir()
		write(t, filepath.Join(folder, MetricsFile), `{"step":1}`+"\n"+`{"step":2}`+"\n"+bad+"\n"+`{"step":4}`+"\n"+bad+"\n")
		records, err := ReadRecords(folder)
		var damage *DamageError
		if !errors.As(err, &damage) || damage.Line != 3 || damage.Lines != 2 || damage.Rest || !strings.Contains(err.Error(), filepath.Join(folder, MetricsFile)+":3: not a record: ") || len(err.Error()) > 600 {
			t.Errorf("%.20q: %v", bad, err)
		}
		if !reflect.DeepEqual(steps(records), []int{1, 2, 4}) {
			t.Errorf("%.20q: records %v", bad, steps(records))
		}
		if _, _, err := OpenLog(folder, 0, 5); err == nil || !strings.Contains(err.Error(), MetricsFile+":3:") {
			t.Errorf("%.20q: opened, %v", bad, err)
		}
		// A resume may drop damaged lines.
		log, kept, err := OpenLog(folder, 0, 1)
		if err != nil || !reflect.DeepEqual(steps(kept), []int{1}) {
			t.Fatalf("%.20q: %v, %v", bad, steps(kept), err)
		}
		log.Close()
		if records, err := ReadRecords(folder); err != nil || len(records) != 1 {
			t.Errorf("%.20q: after a resume %v, %v", bad, steps(records), err)
		}
	}
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, MetricsFile), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadRecords(folder); err == nil || !strings.Contains(err.Error(), "a folder") {
		t.Errorf("a folder in place of the file: %v", err)
	}
	if _, _, err := OpenLog(folder, 0, 0); err == nil {
		t.Error("no error for a folder in place of the file")
	}
}

// TestDamagedTail: a line that is no record is parsed once, what comes after it is
// read, and a file of nothing else is given up.
func TestDamagedTail(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, MetricsFile)
	long := `{"x":"` + strings.Repeat("y", 3*maxLineBytes)
	write(t, path, "{}\nx\n"+long)
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tail := NewTail(folder)
	for k, c := range []struct {
		add   string
		want  []int
		lines int
	}{
		{"", []int{0}, 1}, {"", nil, 1}, {strings.Repeat("z", maxLineBytes), nil, 1}, {`"}` + "\n" + `{"step":7}` + "\n" + `{"st`, []int{7}, 2}, {`ep":8}` + "\n", []int{8}, 2}, {"", nil, 2},
		{strings.Repeat("-\n", maxDamagedLines) + `{"step":9}` + "\n", nil, maxDamagedLines}, {`{"step":10}` + "\n", nil, maxDamagedLines},
	} {
		if _, err := f.WriteString(c.add); err != nil {
			t.Fatal(err)
		}
		var got []int
		for again := true; again; again = tail.Behind() {
			records, anew, err := tail.Next()
			got = append(got, steps(records)...)
			var damage *DamageError
			if done := !tail.Behind(); anew || done && (!errors.As(err, &damage) || damage.Line != 2 || damage.Lines != c.lines || damage.Rest != (c.lines == maxDamagedLines)) {
				t.Fatalf("%d: anew %v, %v", k, anew, err)
			}
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Fatalf("%d: %v, not %v", k, got, c.want)
		}
	}
	// Another file in its place is read from its beginning.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	write(t, path, `{"step":3}`+"\n")
	if records, anew, err := tail.Next(); err != nil || !anew || !reflect.DeepEqual(steps(records), []int{3}) {
		t.Errorf("%v, %v, %v", steps(records), anew, err)
	}
}

// TestHistory: the records left out are spread over the run. Records that name pictures
// or hold a log-likelihood stay. Slices of records returned earlier do not change.
// Two records that are too large together, the first of either class, leave the last.
func TestHistoryOfLargeRecords(t *testing.T) {
	name := strings.Repeat("x", 9*recordBytes)
	h := NewHistory(16 * recordBytes)
	for step, synapses := range []string{"", "a.png", "", "b.png"} {
		h.Add([]Record{{Step: step, Synapses: synapses, Engine: &EngineReport{Name: name}}})
		if kept := h.WithLast(); h.made() > 16*recordBytes || len(kept) == 0 || kept[len(kept)-1].Step != step {
			t.Errorf("step %d: %d bytes of %v", step, h.made(), steps(kept))
		}
	}
}

func TestHistory(t *testing.T) {
	h := NewHistory(100 * recordBytes)
	const n = 20000
	var held []Record
	for step := range n {
		r := Record{Step: step}
		if step%2000 == 7 {
			r.Synapses, r.Samples = "a.png", "b.png"
		}
		if step%2000 == 9 {
			r.LogLikelihood = &LogLikelihood{}
		}
		r.Overlap = &Overlap{Mean: 1, Matrix: make([]Number, 16)}
		h.Add([]Record{r})
		if step == 50 {
			held = h.Records()
		}
		if h.made() > 100*recordBytes {
			t.Fatalf("%d bytes after step %d", h.made(), step)
		}
	}
	kept := h.WithLast()
	if h.Len() != n || len(kept) < 40 || kept[0].Step != 0 || kept[len(kept)-1].Step != n-1 {
		t.Errorf("%d records, %d to %d", len(kept), kept[0].Step, kept[len(kept)-1].Step)
	}
	special, gap := 0, 0
	for k := range kept {
		if classOf(&kept[k]) == 1 {
			special++
		}
		if k > 0 {
			gap = max(gap, kept[k].Step-kept[k-1].Step)
			if kept[k].Step <= kept[k-1].Step {
				t.Errorf("record %d is of step %d, after %d", k, kept[k].Step, kept[k-1].Step)
			}
		}
		if kept[k].Overlap.Mean != 1 {
			t.Error("the mean overlap is gone")
		}
	}
	if special != 20 || gap > 600 {
		t.Errorf("%d of 20 special records, a gap of %d steps", special, gap)
	}
	for k := range held {
		if held[k].Step != k || held[k].Overlap.Matrix == nil {
			t.Fatalf("record %d that was held is now %+v", k, held[k])
		}
	}
	h.SetLimit(10 * recordBytes)
	if h.made() > 10*recordBytes || len(h.Records()) < 2 {
		t.Errorf("%d bytes of %d records", h.made(), len(h.Records()))
	}
	// Only records that would have to stay, each larger than its share.
	h = NewHistory(10 * recordBytes)
	for step := range 1000 {
		h.Add([]Record{{Step: step, Synapses: "a.png", SingularValues: make([]Number, 1000), Magnetisations: make([]int, 1000)}})
		if h.made() > 10*recordBytes {
			t.Fatalf("%d bytes", h.made())
		}
	}
	if last, _, ok := h.Last(); !ok || last.Step != 999 || len(last.SingularValues) != 1000 {
		t.Errorf("%+v", last)
	}
}

// TestModel: a folder stands for the model in it, and all else for itself.
func TestModel(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{filepath.Join(folder, "a.npz"), "none"} {
		if got := Model(name); got != name {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := Model(folder); got != filepath.Join(folder, ModelFile) {
		t.Errorf("a folder: %s", got)
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
	// A broken info file is that run's own error.
	for _, text := range []string{"{", strings.Repeat(" ", maxInfoBytes+1), `{"settings":{"a":[` + strings.Repeat("{},", maxInfoValues) + `{}]}}`,
		`{"settings":{"a":` + strings.Repeat("[", maxInfoDepth) + strings.Repeat("]", maxInfoDepth) + "}}"} {
		write(t, filepath.Join(folder, "x", InfoFile), text)
		found, err := Find(folder)
		if err != nil || len(found) != 5 || found[4].Name != "x" || found[4].Err == nil || !strings.Contains(found[4].Err.Error(), filepath.Join(folder, "x", InfoFile)) {
			t.Errorf("%.5q: %v, %+v", text, err, found)
		}
		for _, r := range found[:4] {
			if r.Err != nil || !reflect.DeepEqual(r.Info, info) {
				t.Errorf("%.5q: %+v", text, r)
			}
		}
	}
	write(t, filepath.Join(folder, "x", InfoFile), `{"settings":{"a":"`+strings.Repeat(`[,\"`, maxInfoValues)+`"}}`) // all in one text
	if found, err := Find(folder); err != nil || found[4].Err != nil {
		t.Errorf("%v, %v", err, found[4].Err)
	}
	if _, err := Find(filepath.Join(folder, "x", InfoFile)); err == nil || !strings.Contains(err.Error(), "not a folder") {
		t.Errorf("a file: %v", err)
	}
}

func FuzzInfo(f *testing.F) {
	f.Add([]byte(`{"verb":"train","visible":784,"settings":{"rate":0.02,"a":[1,{"b":null}]},"began":"2026-01-02T03:04:05Z"}`))
	f.Add([]byte(`{"settings":{"a":[[[[{},{}]]]]}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		info, err := parseInfo("x/run.json", text)
		if err != nil {
			if !strings.Contains(err.Error(), "x/run.json") {
				t.Fatalf("an error that does not name the file: %v", err)
			}
			return
		}
		text, err = json.Marshal(info)
		if err != nil {
			return // a moment that JSON cannot tell
		}
		again, err := parseInfo("x", text)
		if err != nil {
			if len(text) > maxInfoBytes { // written at greater length
				return
			}
			t.Fatal(err)
		}
		if same, err := json.Marshal(again); err != nil || string(same) != string(text) {
			t.Fatalf("%s, not %s: %v", same, text, err)
		}
	})
}

// Names stay different, and are valid and without control characters.
func FuzzPrintable(f *testing.F) {
	f.Add("a\xff", `a\xff`)
	f.Add("\x1b", "\u009b\u202e")
	f.Fuzz(func(t *testing.T, a, b string) {
		p, q := Printable(a), Printable(b)
		if (p == q) != (a == b) || !utf8.ValidString(p) || strings.ContainsFunc(p, unicode.IsControl) {
			t.Fatalf("%q is %q, %q is %q", a, p, b, q)
		}
	})
}

func FuzzRecords(f *testing.F) {
	f.Add([]byte("{\"step\":1,\"rate\":null}\n{\"step\":2}\n{\"st"))
	f.Add([]byte("{\"start\":1,\"step\":3,\"bound\":{\"value\":-3},\"overlap\":{\"matrix\":[1,null]}}\nx\n{\"synapses\":\"a\"}\n"))
	read := func(t *testing.T, text []byte) (all []Record, damage *DamageError) {
		tail := NewTail("x")
		for begin := int64(-1); tail.offset > begin && !tail.ended(); {
			begin = tail.offset
			records, err := tail.readOn(bytes.NewReader(text[tail.offset:]))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, records...)
		}
		return all, tail.damage
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		records, damage := read(t, text)
		if lines := bytes.Count(text, []byte("\n")); damage == nil && len(records) != lines || damage != nil && !damage.Rest && len(records)+damage.Lines != lines {
			t.Fatalf("%d records of %d lines, %v", len(records), lines, damage)
		}
		// What was read can be written and read again, and kept in little memory.
		var written []byte
		h := NewHistory(4 * recordBytes)
		for _, r := range records {
			line, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			written = append(append(written, line...), '\n')
			h.Add([]Record{r})
			if n := h.made(); n > 4*recordBytes && len(h.Records()) > 1 {
				t.Fatalf("%d bytes of %d records", n, len(h.Records()))
			}
		}
		again, damage := read(t, written)
		if damage != nil || !reflect.DeepEqual(steps(again), steps(records)) {
			t.Fatalf("%v, not %v: %v", steps(again), steps(records), damage)
		}
		if kept := h.WithLast(); len(records) > 0 && (len(kept) == 0 || kept[len(kept)-1].Step != records[len(records)-1].Step) {
			t.Fatalf("the last record is not kept: %v", steps(kept))
		}
	})
}
