package source

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bethe/dataset"
	"bethe/setting"
	"bethe/spin"
)

// tiny is a catalogue of a set of 9 samples of 2 x 2, and of one of 3.
var tiny = Catalogue{{Name: "tiny", Train: func() *dataset.Set { return numbered(9) }, Test: func() *dataset.Set { return numbered(3) }, Threshold: 5}}

// numbered has samples whose spins are the bits of their number.
func numbered(n int) *dataset.Set {
	s := &dataset.Set{Samples: spin.New(4, n), Labels: make([]int, n), Width: 2, Height: 2}
	for a := range n {
		s.Labels[a] = a
		for i := range 4 {
			s.Samples.Set(i, a, int8(2*(a>>i&1)-1))
		}
	}
	return s
}

func ExampleOpener_Open() {
	data := Opener{Carried: Catalogue{{Name: "tiny", Train: func() *dataset.Set { return numbered(9) }, Test: func() *dataset.Set { return numbered(3) }}}}
	set, err := data.Open("data", "tiny:train:0-2,8")
	fmt.Println(set.Labels, err)
	_, err = data.Open("data", "tiny:validation")
	fmt.Println(err)
	// Output:
	// [0 1 2 8] <nil>
	// there is no data "tiny:validation": the parts of tiny are tiny:train and tiny:test
}

func TestOpen(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "data:0-1") // a file of that very name is that file
	if err := os.WriteFile(path, []byte("1,-1\n-1,1\n1,1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	five, six := 5., 6.
	for _, c := range []struct {
		name string
		r    Reading
		want []int // labels, or as many
	}{
		{"tiny", Reading{}, []int{0, 1, 2, 3, 4, 5, 6, 7, 8}}, {"tiny:test", Reading{Threshold: &five}, []int{0, 1, 2}}, {"tiny:2", Reading{}, []int{2}}, {"tiny:test:1,0", Reading{}, []int{1, 0}},
		{path, Reading{}, make([]int, 3)}, {path + ":2", Reading{}, make([]int, 1)}, {path, Reading{Stochastic: true, White: 2}, nil},
	} {
		set, err := (&Opener{Carried: tiny, Reading: c.r}).Open("data", c.name)
		if c.want == nil {
			if err == nil {
				t.Errorf("%s: levels below 0 are taken as shares of white", c.name)
			}
			continue
		}
		if err != nil || set.Len() != len(c.want) || set.Labels != nil && !slices.Equal(set.Labels, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	var name *NameError
	var wrong *setting.Error
	for _, c := range []struct {
		name string
		r    Reading
		as   any
		want string
	}{
		{"tiny:both", Reading{}, &name, "tiny:train and tiny:test"}, {"nowhere.csv", Reading{}, &name, "data is tiny, tiny:train, tiny:test or a path"}, {"nowhere.csv:3", Reading{}, &name, "no file nowhere.csv"},
		{"tiny:9", Reading{}, &wrong, `data "9": "9" is not a sample or a range of them between 0 and 8`}, {"tiny:3-1", Reading{}, &wrong, "3-1"},
		{"tiny", Reading{Threshold: &six}, &wrong, "threshold 6: "}, {"tiny", Reading{Stochastic: true}, &wrong, "binarise stochastic: "}, {"tiny", Reading{Transpose: true}, &wrong, "transpose: "}, {"-", Reading{}, &name, "no file -"}, {path, Reading{White: -1}, &wrong, "white -1: "},
	} {
		if _, err := (&Opener{Carried: tiny, Reading: c.r}).Open("data", c.name); !errors.As(err, c.as) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, not %s", c.name, err, c.want)
		}
	}
	for name, want := range map[string]string{"tiny": "tiny:test", "tiny:train": "tiny:test", "tiny:train:0-3": "tiny:test", "tiny:test": "", "x.csv": ""} {
		if test, there := tiny.TestOf(name); test != want || there != (want != "") {
			t.Errorf("%s is tested on %q", name, test)
		}
	}
}

// What comes through a stream is read as a file is, and what was decided about it told.
func TestInput(t *testing.T) {
	const text = "id,a,b,kind\n1,0,9,ant\n2,9,0,bee\n3,9,9,ant\n4,0,0,ant\n"
	five := 5.
	var said []string
	open := func(name, text string, r Reading) (*dataset.Set, error) {
		said = nil
		o := &Opener{tiny, r, strings.NewReader(text), func(name string, notes []string) { said = append([]string{name}, notes...) }}
		return o.Open("data", name)
	}
	set, err := open("-:1,2", text, Reading{Threshold: &five, LabelColumn: "kind"})
	if err != nil || set.Len() != 2 || set.Visible() != 2 || !slices.Equal(set.Labels, []int{1, 0}) || !slices.Equal(set.Classes, []string{"ant", "bee"}) || set.Source.Labels != "kind" {
		t.Errorf("%+v, %v", set, err)
	}
	if len(said) < 2 || said[0] != "-" || said[1] != "line 1 is a header" {
		t.Errorf("said %q", said)
	}
	set, err = open("-", text, Reading{Threshold: &five, Header: dataset.HeaderYes, Columns: []string{"b"}, LabelColumn: "id"})
	if err != nil || set.Visible() != 1 || !slices.Equal(set.Labels, []int{1, 2, 3, 4}) {
		t.Errorf("%+v, %v", set, err)
	}
	if set, err = open("-", "1,0,1\n1,1,0\n0,0,0\n", Reading{Header: dataset.HeaderNo, DropColumns: []string{"2"}}); err != nil || set.Visible() != 2 || set.Len() != 3 || len(said) != 0 {
		t.Errorf("%+v, %v, %q", set, err, said)
	}
	if set, err = open("-", "1,0,0,0\n0,1,0,0\n1,1,1,0\n", Reading{Header: dataset.HeaderNo, Transpose: true}); err != nil || set.Samples.At(1, 1) != -1 || set.Samples.At(2, 1) != 1 {
		t.Errorf("%+v, %v", set, err)
	}
	if _, err = open("-", "9,1\n2,3\n8,7\n", Reading{Threshold: &five, Learned: Learned{Threshold: new(3.), Transposed: true}}); err != nil || len(said) != 3 ||
		!strings.Contains(said[1], "above 5 are +1 here; in what the model learned from those above 3") || !strings.Contains(said[2], "rows and columns were exchanged") {
		t.Errorf("%q, %v", said, err)
	}
	var wrong *dataset.FileError
	if _, err = open("-", "", Reading{}); !errors.As(err, &wrong) || !strings.HasPrefix(err.Error(), "standard input: ") {
		t.Errorf("an empty one: %v", err)
	}
	long := "tiny:" + strings.Repeat("0,", 5000) + "1" // longer than the name of a file can be
	if set, err = open(long, "", Reading{}); err != nil || set.Len() != 5001 {
		t.Errorf("a long list: %v", err)
	}
}

func TestPick(t *testing.T) {
	data := &Opener{Carried: tiny}
	p, err := data.Pick("from", "tiny:test:2,0", 4)
	if err != nil || !slices.Equal(p.Numbers, []int{2, 0}) || p.Samples.Cols() != 2 || p.Samples.At(1, 0) != 1 || p.Width != 2 {
		t.Errorf("%+v, %v", p, err)
	}
	var wrong *setting.Error
	for from, want := range map[string]string{"tiny": `"tiny": it must be DATA:K`, "tiny:x": `"x": "x" is not a sample`, "tiny:9": `"9": "9" is not a sample`} {
		if _, err := data.Pick("from", from, 4); !errors.As(err, &wrong) || !strings.HasPrefix(err.Error(), "from "+want) {
			t.Errorf("%s: %v", from, err)
		}
	}
	if _, err := data.Pick("from", "tiny:0", 5); !errors.As(err, &wrong) || err.Error() != "from tiny:0: samples of 4 spins for a model of 5 visible units; name data like those that it learned from" {
		t.Errorf("another size: %v", err)
	}
}

func TestRegion(t *testing.T) {
	for text, want := range map[string][]int{
		"top": {0, 1, 2, 3, 4, 5}, "bottom": {3, 4, 5, 6, 7, 8}, "left": {0, 1, 3, 4, 6, 7}, "right": {1, 2, 4, 5, 7, 8},
		"1-2x0": {1, 2}, "0x0-2": {0, 3, 6}, "2,0-1": {0, 1, 2}, "1x1": {4},
	} {
		if got, err := Region("clamp", text, 9, 3, 3); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "middle", "0-3x0", "x", "1x3", "9"} {
		if got, err := Region("clamp", text, 9, 3, 3); err == nil {
			t.Errorf("%q is taken as %v", text, got)
		}
	}
	if _, err := Region("clamp", "top", 9, 0, 0); err == nil {
		t.Error("half of what is no picture")
	}
}

// Standard input may be opened more than once.
func TestReplay(t *testing.T) {
	again := Opener{Input: Replay(strings.NewReader("1,0\n1,1\n0,1\n"))}
	for range 3 {
		if set, err := again.Open("data", StandardInput); err != nil || set.Len() != 3 {
			t.Errorf("%+v, %v", set, err)
		}
	}
}
