package sweep

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const smallGrid = `
visible = 20
hidden = [1, 2]
alpha = [2, 3.5]
beta = [0.75, 1]
instances = 2
restarts = 2
seed = [1, 2, 3]
`

func grid(t testing.TB, text string) []Cell {
	t.Helper()
	cells, err := ReadGrid(strings.NewReader(text), "grid.toml")
	if err != nil {
		t.Fatal(err)
	}
	return cells
}

func create(t testing.TB, text string) *Sweep {
	t.Helper()
	s, _, err := Create(filepath.Join(t.TempDir(), "sweep"), grid(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func run(t *testing.T, s *Sweep, shard Shard) *Report {
	t.Helper()
	report, err := s.Run(t.Context(), shard, nil)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// tables returns both tables of a sweep all of whose cells must be done.
func tables(t *testing.T, s *Sweep) string {
	t.Helper()
	table, status, err := s.Collect()
	if err != nil || status.Missing > 0 {
		t.Fatalf("%d cells are missing, error %v", status.Missing, err)
	}
	var csv, pq bytes.Buffer
	if err := errors.Join(table.WriteCSV(&csv), table.WriteParquet(&pq)); err != nil {
		t.Fatal(err)
	}
	return csv.String() + pq.String()
}

// serial is the table of smallGrid computed by one run on one thread.
var serial = sync.OnceValue(func() string {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	t := &testing.T{}
	folder, err := os.MkdirTemp("", "serial")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	s, _, err := Create(folder, grid(t, smallGrid))
	if err == nil {
		_, err = s.Run(context.Background(), All, nil)
	}
	if err != nil {
		panic(err)
	}
	return tables(t, s)
})

// The names of cells keep their meaning as long as folders of sweeps are to be
// gone on with; each differs from all others.
func TestNames(t *testing.T) {
	c := Cell{Visible: 100, Hidden: 3, Alpha: 2.5, Beta: 1, Instances: 10, Restarts: 12, Seed: 7}
	if id := c.ID(); id != "9b06adef5ac86728" {
		t.Errorf("ID %s", id)
	}
	zero := c
	zero.Correlation = math.Copysign(0, -1)
	if zero.ID() != c.ID() {
		t.Error("a negative zero has a name of its own")
	}
	seen := map[string]Cell{}
	for _, other := range grid(t, "visible=[10,11,100]\nhidden=[1,2,10]\nalpha=[1,1.5,11]\nbeta=[1,1e-3]\ncorrelation=[0,0.5]\ninstances=[1,2]\nrestarts=[1,12]\nseed=[0,1,2,12]") {
		if old, ok := seen[other.ID()]; ok {
			t.Fatalf("%v and %v have the same name", old, other)
		}
		seen[other.ID()] = other
	}
	if len(seen) != 3*3*3*2*2*2*2*4 {
		t.Errorf("%d cells", len(seen))
	}
}

// Shards are disjoint, together all cells, and of equal size.
func TestShards(t *testing.T) {
	s := create(t, smallGrid)
	for _, n := range []int{1, 2, 5, 24, 40} {
		seen := map[int]bool{}
		for i := range n {
			members := s.members(Shard{i, n})
			if least := len(s.Cells) / n; len(members) < least || len(members) > least+1 {
				t.Errorf("shard %d of %d has %d cells", i, n, len(members))
			}
			for _, k := range members {
				if seen[k] {
					t.Errorf("%d shards: cell %d twice", n, k)
				}
				seen[k] = true
			}
		}
		if len(seen) != len(s.Cells) {
			t.Errorf("%d shards hold %d cells", n, len(seen))
		}
	}
}

// The union of shards, computed in any order on several threads, some at the
// same time and one of them twice, has the bytes of a serial run.
func TestShardsGiveTheSerialTable(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	s := create(t, smallGrid)
	var wg sync.WaitGroup
	for _, i := range []int{4, 1, 3, 1, 0} {
		wg.Go(func() {
			if _, err := s.Run(t.Context(), Shard{i, 5}, nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	status, err := s.Status()
	if err != nil || status.Done == len(s.Cells) || status.Missing == 0 {
		t.Errorf("four of five shards: %+v, %v", status, err)
	}
	last := run(t, s, Shard{2, 5})
	if again := run(t, s, All); again.Computed != 0 || again.Before != len(s.Cells) || last.Computed == 0 {
		t.Errorf("the last shard %+v, all again %+v", last, again)
	}
	if tables(t, s) != serial() {
		t.Error("shards give another table than a serial run")
	}
}

// A run that is stopped drops cells under way, keeps the others and goes on.
func TestInterruptAndGoOn(t *testing.T) {
	s := create(t, smallGrid)
	for stops := 0; ; stops++ {
		ctx, cancel := context.WithCancel(t.Context())
		report, err := s.Run(ctx, All, func(p Progress) {
			if p.Fraction <= 0 || p.Fraction > 1+1e-9 || p.Done > p.Cells || p.Left < 0 {
				t.Errorf("progress %+v", p)
			}
			if p.Done == 5 {
				cancel()
			}
		})
		cancel()
		if err == nil {
			if stops < 3 || report.Before+report.Computed != len(s.Cells) {
				t.Errorf("after %d stops: %+v", stops, report)
			}
			break
		}
		if !errors.Is(err, context.Canceled) || report.Computed < 5 {
			t.Fatalf("%+v, %v", report, err)
		}
	}
	if tables(t, s) != serial() {
		t.Error("stopped runs give another table than a serial run")
	}
}

// TestKilled kills processes at work with -9, some of them two at a time in the
// folder, and lets the last one finish.
func TestKilled(t *testing.T) {
	if folder := os.Getenv("SWEEP_TEST_FOLDER"); folder != "" { // the process to be killed
		s, err := Open(folder)
		if err == nil {
			_, err = s.Run(t.Context(), All, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	if runtime.GOOS == "windows" {
		t.Skip("signals are those of Unix")
	}
	s := create(t, smallGrid)
	kills := 0
	for done := 0; done < len(s.Cells); {
		var processes []*exec.Cmd
		for range 1 + kills%2 {
			p := exec.Command(os.Args[0], "-test.run=^TestKilled$")
			p.Env = append(os.Environ(), "SWEEP_TEST_FOLDER="+s.Folder)
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
			processes = append(processes, p)
		}
		// Let each round do a few more cells, then kill it at whatever it is doing.
		for before := done; done < len(s.Cells) && done < before+4; time.Sleep(time.Millisecond) {
			status, err := s.Status()
			if err != nil || len(status.Broken) > 0 {
				t.Fatal(err, status.Broken)
			}
			done = status.Done
		}
		for _, p := range processes {
			_ = p.Process.Kill() // it may be over
			_ = p.Wait()
		}
		kills++
	}
	if kills < 3 {
		t.Errorf("only %d rounds", kills)
	}
	if tables(t, s) != serial() {
		t.Error("killed runs give another table than a serial run")
	}
	// What killed writers left is removed in time.
	left := filepath.Join(filepath.Dir(s.path(&s.Cells[0])), ".x.json.tmp123")
	if err := os.WriteFile(left, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	run(t, s, All)
	if _, err := os.Stat(left); err != nil {
		t.Error("the file of a writer that may be alive is gone")
	}
	if err := s.removeStale(time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if files, _ := filepath.Glob(filepath.Join(s.Folder, cellsFolder, "*", ".*")); len(files) > 0 {
		t.Errorf("left over: %v", files)
	}
}

// Files that are torn, changed by a bit, of another cell or not finite are
// reported, missing in the table, and computed again.
func TestBrokenFiles(t *testing.T) {
	s := create(t, smallGrid)
	run(t, s, All)
	want := tables(t, s)
	whole, err := os.ReadFile(s.path(&s.Cells[0]))
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile(s.path(&s.Cells[1]))
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := encode(&s.Cells[0], &Result{Samples: 3})
	if err != nil {
		t.Fatal(err)
	}
	broken := [][]byte{nil, other, wrong, append(bytes.Clone(whole), 'x'), bytes.Repeat([]byte("x"), 2*maxRecord)}
	for n := 0; n < len(whole); n += 37 {
		broken = append(broken, whole[:n])
	}
	for bit := 0; bit < 8*len(whole); bit += 97 {
		flipped := bytes.Clone(whole)
		flipped[bit/8] ^= 1 << (bit % 8)
		broken = append(broken, flipped)
	}
	for _, text := range broken {
		if err := os.WriteFile(s.path(&s.Cells[0]), text, 0o666); err != nil {
			t.Fatal(err)
		}
		status, err := s.Status()
		if err != nil || status.Missing != 1 || len(status.Broken) != 1 || !strings.Contains(status.Broken[0].Error(), s.path(&s.Cells[0])) {
			t.Errorf("%q: %+v, %v", text, status, err)
		}
	}
	if report := run(t, s, All); report.Computed != 1 || len(report.Broken) != 1 {
		t.Errorf("%+v", report)
	}
	if tables(t, s) != want {
		t.Error("the cell that was computed again differs")
	}
}

// A folder that cannot be written is reported before anything is computed.
func TestUnwritable(t *testing.T) {
	s := create(t, smallGrid)
	cells := filepath.Join(s.Folder, cellsFolder)
	if err := os.Remove(cells); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cells, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	report, err := s.Run(t.Context(), All, func(Progress) { t.Error("a cell was computed") })
	if err == nil || !strings.Contains(err.Error(), cells) || report.Computed != 0 {
		t.Errorf("%+v, %v", report, err)
	}
}

// A folder takes a larger grid and keeps what it has; it refuses another one.
func TestGrow(t *testing.T) {
	s := create(t, smallGrid)
	run(t, s, Shard{0, 4})
	larger := grid(t, strings.Replace(smallGrid, "seed = [1, 2, 3]", "seed = [1, 2, 3, 4]\noracle = false", 1))
	grown, added, err := Create(s.Folder, larger)
	if err != nil || added != 8 || len(grown.Cells) != 32 {
		t.Fatalf("%d added to %d: %v", added, len(grown.Cells), err)
	}
	if status, err := grown.Status(); err != nil || status.Done != 6 {
		t.Errorf("%+v, %v", status, err)
	}
	if _, added, err := Create(s.Folder, larger); err != nil || added != 0 {
		t.Errorf("the same grid again: %d added, %v", added, err)
	}
	if _, _, err := Create(s.Folder, grid(t, smallGrid)); !errors.Is(err, ErrOther) {
		t.Errorf("a smaller grid: %v", err)
	}
	opened, err := Open(s.Folder)
	if err != nil || len(opened.Cells) != 32 {
		t.Errorf("%v", err)
	}
}

func TestBrokenManifest(t *testing.T) {
	s := create(t, smallGrid)
	path := filepath.Join(s.Folder, manifestFile)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(whole), "\n")
	for name, text := range map[string]string{
		"empty":           "",
		"another format":  strings.Replace(string(whole), "sweep 1", "sweep 2", 1),
		"no cells":        lines[0],
		"torn":            string(whole[:len(whole)-20]),
		"another id":      strings.Replace(string(whole), `"visible":20`, `"visible":21`, 1),
		"another order":   lines[0] + lines[2] + lines[1],
		"a cell twice":    lines[0] + lines[1] + lines[1],
		"an unknown key":  lines[0] + strings.Replace(lines[1], "{", `{"colour":1,`, 1),
		"a line too long": lines[0] + strings.Repeat(" ", 5000) + lines[1],
	} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(s.Folder); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// made returns a sweep with invented results. So its numbers are the same on every kernel tier.
func made(t *testing.T) *Sweep {
	s := create(t, "visible = 10\nhidden = [1, 2]\nalpha = [2, 0.5, 1e-1]\nbeta = 1\ninstances = 1\nrestarts = 3\nseed = [5, 9223372036854775807]\noracle = true")
	for k := range s.Cells {
		if k == 3 {
			continue // missing
		}
		c, x := &s.Cells[k], float64(k)
		bayes, random := 1/(x+3), 1e-7*x
		if err := os.MkdirAll(filepath.Dir(s.path(c)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := s.write(c, &Result{c.setup().Samples(), 1 / (x + 2), 0, x / 16, 0.1 * x, -123456.789 * x, &bayes, &random, nil}); err != nil {
			t.Fatal(err)
		}
	}
	// Without oracle there is nothing in the last two columns.
	s.Cells[0].Oracle = false
	if err := os.MkdirAll(filepath.Dir(s.path(&s.Cells[0])), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := s.write(&s.Cells[0], &Result{Samples: s.Cells[0].setup().Samples(), Overlap: 0.25, Bound: -1}); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTables(t *testing.T) {
	table, status, err := made(t).Collect()
	if err != nil || status.Done != 11 || status.Missing != 1 || table.Len() != 11 {
		t.Fatalf("%+v, %v", status, err)
	}
	var csv, pq bytes.Buffer
	if err := errors.Join(table.WriteCSV(&csv), table.WriteParquet(&pq)); err != nil {
		t.Fatal(err)
	}
	// .ci/run holds both files of testdata against each other with Apache Arrow's reader.
	for name, got := range map[string][]byte{"table.csv": csv.Bytes(), "table.parquet": pq.Bytes()} {
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs:\n%q\nwant:\n%q", path, got, want)
		}
	}
	back, err := parquet.Read[Row](bytes.NewReader(pq.Bytes()), int64(pq.Len()))
	if err != nil || len(back) != table.Len() {
		t.Fatalf("%d rows come back, %v", len(back), err)
	}
	var again bytes.Buffer
	if err := Rows(back).WriteCSV(&again); err != nil || again.String() != csv.String() {
		t.Errorf("the Parquet file holds\n%s, not\n%s", again.String(), csv.String())
	}
	if head, _, _ := strings.Cut(csv.String(), "\n"); head != strings.Join(Columns, ",") || bytes.Contains(csv.Bytes(), []byte("NaN")) {
		t.Error(csv.String())
	}
}

// A cell whose learning fails is reported, and the others are computed.
func TestFailedCell(t *testing.T) {
	s := create(t, "visible = 10\nhidden = 1\nalpha = 2\nbeta = [1, 1e200]\ninstances = 1\nrestarts = 1\nseed = 1")
	report := run(t, s, All)
	if report.Computed != 1 || len(report.Failed) != 1 || !strings.Contains(report.Failed[0].Error(), "beta 1e+200") {
		t.Errorf("%+v", report)
	}
	if status, err := s.Status(); err != nil || status.Missing != 1 {
		t.Errorf("%+v, %v", status, err)
	}
}
