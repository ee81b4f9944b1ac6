package dataset

import (
	"slices"
	"strings"
	"testing"

	"bethe/units"
)

// Text whose columns have names is read in the order of a model, by name; what the model did not learn from is left out.
func TestLearnedColumns(t *testing.T) {
	learned := []string{"b", "y", "a"}
	for _, c := range []struct {
		name, text, want string
		opt              Options
		labels, dropped  int
		notes            []string
	}{
		{name: "in its order", text: "b,y,a\n1,0,0\n1,1,0\n", want: "+-- ++-", notes: []string{"line 1 is a header"}},
		{name: "in another", text: "a,b,y\n0,1,0\n0,1,1\n", want: "+-- ++-", notes: []string{"line 1 is a header", "the columns stand in another order, and are read in that of the model"}},
		{name: "with others", text: "id,b,y,a,class\n7,1,0,0,3\n8,1,1,0,4\n", want: "+-- ++-", labels: 2, dropped: 1,
			notes: []string{"line 1 is a header", `column 5 ("class") holds the labels`, `column 1 ("id"): not what the model learned from, and left out`}},
		{name: "without names", text: "0,1,0\n0,1,1\n", want: "-+- -++"},
		{name: "as it stands", text: "a,b,y\n0,1,0\n0,1,1\n", opt: Options{Columns: []string{"all"}}, want: "-+- -++", notes: []string{"line 1 is a header"}},
	} {
		c.opt.Learned = learned
		set, err := decode("table", []byte(c.text), c.opt)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := spins(set); got != c.want || len(set.Labels) != c.labels || len(set.Source.Dropped) != c.dropped || !slices.Equal(set.Source.Notes, c.notes) {
			t.Errorf("%s: spins %s, labels %v, left out %q, notes %q", c.name, got, set.Labels, set.Source.Dropped, set.Source.Notes)
		}
		if c.name == "in another" && !slices.Equal(set.Columns, learned) {
			t.Errorf("its columns are %q", set.Columns)
		}
	}
	for text, want := range map[string]string{"b,a\n1,0\n": `no column "y", from which the model learned`, "b,a,y,a\n1,0,1,0\n": `two columns are named "a"`} {
		if _, err := decode("table", []byte(text), Options{Learned: learned}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for text, want := range map[string]int{"a,b\n1,0\n": 2, "a,a\n1,0\n": 0, "1,0\n0,1\n": 0} {
		if set, err := decode("table", []byte(text), Options{}); err != nil || len(set.Columns) != want {
			t.Errorf("%q: columns %q, %v", text, set.Columns, err)
		}
	}
}

// What was decided without being asked is told: missing values, or none; spins that a threshold leaves alike; tables
// that may lie on their side; colours that are counted from 1.
func TestDecided(t *testing.T) {
	twenty := strings.Repeat("9,1,5\n9,7,5\n", 10)
	wide := strings.Repeat(strings.Repeat("1,0,", 40)+"1\n", 3) + strings.Repeat("0,", 80) + "1\n"
	for _, c := range []struct {
		name, text string
		opt        Options
		want       string
	}{
		{"missing", "1,?,0\n?,?,?\n1,?,1\n", Options{Missing: []string{"?"}}, "55.6 % of the values are missing, all of them in 1 columns and 1 samples"},
		{"none missing", "1,0\n0,1\n", Options{Missing: []string{"9", "nan"}}, "no value is missing: 9, nan does not occur"},
		{"alike", twenty, Options{Threshold: level(4)}, "above 4 or not, 2 of 3 spins are the same in all samples"},
		{"on its side", wide, Options{}, "4 samples of 81 values: if the columns are the samples, turn the table"},
		{"from one", "1,2\n3,1\n2,2\n", Options{Units: coloured, Header: HeaderNo}, "no value is below 1, so colours below it are of no use: count them from 0"},
		{"small letters", ">a\nacg-\n>b\nacgt\n", Options{Units: coloured}, "no letter is a capital, so none is an insert column"},
	} {
		set, err := decode("table", []byte(c.text), c.opt)
		if err != nil || !slices.Contains(set.Source.Notes, c.want) {
			t.Errorf("%s: %v, %+v", c.name, err, set)
		}
	}
	_, err := decode("table", []byte("0,130\n1,2\n"), Options{Units: coloured})
	if err == nil || !strings.Contains(err.Error(), "130 is not a whole number from 0 to 126") {
		t.Error(err)
	}
}

// Files of other programs are named, comments and blanks before their first word too.
func TestForeignKinds(t *testing.T) {
	tar := append([]byte("train.csv"), make([]byte, 503)...)
	copy(tar[tarMagic:], "ustar\x0000")
	for text, want := range map[string]string{
		"% made by\n%\n@relation iris\n@data\n1\n": "ARFF", "# x\n1 1:1 3:1\n0 2:1\n": "svmlight", "+1 qid:1 1:0.5\n": "svmlight", "\n  <table><tr>": "a web page", "<?xml version": "XML",
		"<stata_dta><header>": "Stata", "r\x02\x01\x00ab": "Stata", string(tar): "an archive of tar",
	} {
		if _, err := decode("file", []byte(text), Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v does not say %s", text[:min(20, len(text))], err, want)
		}
	}
}

// Of numbers and colours Info tells what they are.
func TestInfoOfKinds(t *testing.T) {
	numbers, err := decode("table", []byte("1.5,3,2\n0.5,3,1\n"), Options{Units: units.Kind{Word: units.Gauss}})
	if err != nil {
		t.Fatal(err)
	}
	r := numbers.Info()
	if r.Units != units.Gauss || r.Constant != 1 || !strings.Contains(r.Text("table"), "2 samples of 3 numbers\n  1 of the numbers never change\n") {
		t.Errorf("%+v\n%s", r, r.Text("table"))
	}
	colours, err := decode("table", []byte("0,2\n1,0\n"), Options{Units: coloured})
	if err != nil {
		t.Fatal(err)
	}
	if r = colours.Info(); !strings.Contains(r.Text("table"), "2 samples of 6 spins, which are 2 units of 3 colours\n") {
		t.Errorf("%+v\n%s", r, r.Text("table"))
	}
}
