package sweep

import (
	"bytes"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestReadGrid(t *testing.T) {
	cells := grid(t, "hidden = [2, 1]\nvisible = 10\nalpha = [2, 1.5]\nbeta = 1\ncorrelation = 0.25\ninstances = 3\nrestarts = 4\nseed = 5\noracle = true")
	want := []Cell{
		{10, 1, 1.5, 1, 0.25, 3, 4, 5, true, Sets{}}, {10, 1, 2, 1, 0.25, 3, 4, 5, true, Sets{}},
		{10, 2, 1.5, 1, 0.25, 3, 4, 5, true, Sets{}}, {10, 2, 2, 1, 0.25, 3, 4, 5, true, Sets{}},
	}
	if !reflect.DeepEqual(cells, want) {
		t.Errorf("%+v", cells)
	}
	if c := grid(t, "visible=2\nhidden=1\nalpha=1\nbeta=1\ninstances=1\nrestarts=1\nseed=0"); c[0].Correlation != 0 || c[0].Oracle {
		t.Errorf("defaults: %+v", c)
	}
}

// Errors name the file, the key and the value.
func TestGridErrors(t *testing.T) {
	good := []string{"visible = 10", "hidden = 3", "alpha = 2", "beta = 1", "instances = 3", "restarts = 4", "seed = 5"}
	for _, c := range []struct{ line, want string }{
		{"alhpa = 3", `unknown key "alhpa"; the keys are visible, hidden, alpha`},
		{"hidden = []", "hidden = []"},
		{"hidden = 2.5", "hidden: 2.5, where a whole number"},
		{"hidden = [1, 0]", "hidden: 0: it must be between 1 and"},
		{"visible = 10000000", "visible: 10000000: it must be between"},
		{`alpha = "2"`, `alpha: "2", where a number`},
		{"alpha = [2, [3]]", "alpha: a list within a list"},
		{"alpha = {from = 1}", "alpha: a table"},
		{"alpha = -1", "alpha -1:"},
		{"alpha = nan", "alpha NaN:"},
		{"alpha = 1e300", "alpha 1e+300:"},
		{"alpha = [1, 2, 1]", "a value stands twice in a list: two cells with visible 10, hidden 3, alpha 1,"},
		{"beta = inf", "beta +Inf:"},
		{"beta = 1979-05-27", "where a number is needed"},
		{"correlation = -0.5", "correlation -0.5 of 3 hidden units"},
		{"seed = -1", "seed: -1: it must not be negative"},
		{"seed = true", "seed: true, where a whole number"},
		{"oracle = 1", "oracle: 1, where true or false"},
		{"restarts = 0", "restarts: 0: it must be between"},
		{"hidden = 20\noracle = true", "oracle with hidden 20"},
		{"seed", "not TOML"},
		{"alpha = 1\nalpha = 2", "not TOML"},
		{"seed = [" + strings.Repeat("1,", 2000) + "]\nalpha = [" + strings.Repeat("1,", 2000) + "]", "more than 1000000 cells"},
		{"# " + strings.Repeat("x", maxGrid), "a grid of more than"},
	} {
		var lines []string
		for _, g := range good {
			key, _, _ := strings.Cut(g, " ")
			if !strings.HasPrefix(c.line, key) && !strings.Contains(c.line, "\n"+key) {
				lines = append(lines, g)
			}
		}
		_, err := ReadGrid(strings.NewReader(strings.Join(append(lines, c.line), "\n")), "g.toml")
		if err == nil || !strings.HasPrefix(err.Error(), "g.toml: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.40q: %v, not %q", c.line, err, c.want)
		}
	}
	for k, g := range good {
		key, _, _ := strings.Cut(g, " ")
		_, err := ReadGrid(strings.NewReader(strings.Join(slices.Delete(slices.Clone(good), k, k+1), "\n")), "g.toml")
		if err == nil || err.Error() != `g.toml: the key "`+key+`" is missing` {
			t.Errorf("without %s: %v", key, err)
		}
	}
}

// Grids that would take far more memory than they have bytes are refused, and
// long lists are not.
func TestHostileGrids(t *testing.T) {
	rest := "\nvisible=9\nhidden=2\nalpha=1\nbeta=1\ninstances=1\nrestarts=1\n"
	seeds := func(n int) string {
		var b strings.Builder
		for k := range n {
			fmt.Fprintf(&b, "%d,", k)
		}
		return "seed=[" + b.String() + "]"
	}
	dotted := strings.Repeat("a.", 10000) + "b=1"
	for name, c := range map[string]struct{ text, want string }{
		"dotted keys":           {dotted, "line 1: a key of more than 4 dots"},
		"quoted ones":           {rest + strings.Repeat(`"#\"" . `, 10000) + "b=1", "line 8: a key of more than 4 dots"},
		"in a table's name":     {"[" + strings.Repeat("a.", 10000) + "b]", "more than 4 dots"},
		"in a table of a list":  {"seed=[1,{" + dotted + "}]", "more than 4 dots"},
		"behind a text":         {"seed=[\"\"\"\n# \"\"\", {" + dotted + "}]", "a text of several lines"},
		"behind a literal text": {"seed=['''\n# ''', {" + dotted + "}]", "a text of several lines"},
		"behind an open string": {"seed=['\n" + dotted, "line 2: a key of more than 4 dots"},
		"lists in lists":        {"seed=" + strings.Repeat("[", 100000), "more than 4 lists"},
		"lists of tables":       {strings.Repeat("[[a]]\n", 100000), "more than 1000 lists or keys"},
		"keys":                  {strings.Repeat("a=1\n", 100000), "more than 1000 lists or keys"},
		"a comment of dots":     {"# ......... [[[[[[[\nseed=1" + rest, ""},
		"a long list":           {seeds(100_000) + rest, ""},
		"too many cells":        {seeds(140_000) + strings.Replace(rest, "alpha=1", "alpha=[1,2,3,4,5,6,7,8]", 1), "more than 1000000 cells"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		cells, err := ReadGrid(strings.NewReader(c.text), "g.toml")
		runtime.ReadMemStats(&after)
		switch {
		case c.want == "" && (err != nil || len(cells) == 0):
			t.Errorf("%s: %d cells, %v", name, len(cells), err)
		case c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), "g.toml: ") || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %.200v", name, err)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 200_000_000 {
			t.Errorf("%s: %d bytes of memory", name, used)
		}
	}
}

// FuzzReadGrid: cells of whatever is taken are valid, sorted, distinct, and
// come back from their manifest.
func FuzzReadGrid(f *testing.F) {
	f.Add(smallGrid)
	f.Add("visible=2\nhidden=[1]\nalpha=1e0\nbeta=0x1\ninstances=1\nrestarts=1\nseed=0\noracle=false\ncorrelation=[-1, 1.0]")
	f.Add("alpha = [[1]]\n[beta]\nx = 1979-05-27T07:32:00Z")
	f.Fuzz(func(t *testing.T, text string) {
		cells, err := ReadGrid(strings.NewReader(text), "grid.toml")
		if err != nil || len(cells) > 1000 {
			return
		}
		for k := range cells {
			if err := cells[k].validate(); err != nil {
				t.Error(err)
			}
			if k > 0 && compare(&cells[k-1], &cells[k]) >= 0 {
				t.Errorf("cells %d and %d are not in order", k-1, k)
			}
		}
		s, added, err := Create(t.TempDir(), cells)
		if err != nil || added != len(cells) {
			t.Fatal(err)
		}
		back, err := Open(s.Folder)
		if err != nil || !slices.Equal(back.Cells, cells) {
			t.Errorf("%v: cells are not what they were", err)
		}
	})
}

// FuzzManifest: text that is accepted as a manifest is one.
func FuzzManifest(f *testing.F) {
	s := create(f, "visible=2\nhidden=1\nalpha=[1, 2]\nbeta=1\ninstances=1\nrestarts=1\nseed=0")
	whole, err := os.ReadFile(s.Folder + "/" + manifestFile)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add([]byte(manifestFormat + "\n{}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		cells, err := readManifest(bytes.NewReader(text))
		if err == nil && (len(cells) == 0 || !slices.IsSortedFunc(cells, func(a, b Cell) int { return compare(&a, &b) })) {
			t.Errorf("%d cells, not sorted", len(cells))
		}
	})
}

// FuzzCell: only the file that encode wrote is taken, whatever the bytes.
func FuzzCell(f *testing.F) {
	cell := grid(f, smallGrid)[3]
	whole, err := encode(&cell, &Result{Samples: cell.setup().Samples(), Overlap: 0.5, Bound: -3})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:40])
	line, _, _ := bytes.Cut(whole, []byte("\n"))
	f.Add(line)
	f.Fuzz(func(t *testing.T, text []byte) {
		// With its checksum made right, the line itself is looked at as well.
		for _, text := range [][]byte{text, append(append(bytes.Clone(text), '\n'), checksum(text)...)} {
			r, err := decode(text, &cell)
			if err == nil && r.check(&cell) != nil {
				t.Errorf("%q is taken", text)
			}
		}
	})
}
