package dataset

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// spins writes samples as text, a line each.
func spins(s *Set) string {
	var lines []string
	for a := range s.Len() {
		var b strings.Builder
		for i := range s.Visible() {
			b.WriteByte("-.+"[s.Samples.At(i, a)+1])
		}
		lines = append(lines, b.String())
	}
	return strings.Join(lines, " ")
}

// picture returns a row of a label and 64 levels.
func picture(label, a, b string) string { return label + strings.Repeat(","+a+","+b, 32) + "\n" }

// The columns of text, and the decisions about them if no option is given.
func TestLayouts(t *testing.T) {
	for _, c := range []struct {
		name, text string
		opt        Options
		want       string // spins
		header     bool
		labels     []int
		classes    []string
		notes      []string
	}{
		{name: "no header", text: "1,0\n0,1\n", want: "+- -+"},
		{name: "names", text: "a,b\n1,0\n0,1\n", want: "+- -+", header: true, notes: []string{"line 1 is a header"}},
		{name: "names after comments and blanks", text: "# made by hand\n\na,b\n1,0\n", want: "+-", header: true, notes: []string{"line 3 is a header"}},
		{name: "a header of numbers from 0, as pandas writes it", text: "0,1,2\n1,0,1\n0,0,1\n", want: "+-+ --+", header: true, notes: []string{"line 1 is a header"}},
		{name: "from 1", text: "1,2,3\n1,0,1\n", want: "+-+", header: true, notes: []string{"line 1 is a header"}},
		{name: "over two columns of -1 and 1", text: "0,1\n1,-1\n-1,-1\n", want: "+- --", header: true, notes: []string{"line 1 is a header"}},
		{name: "over grey levels", text: "0,1,2\n7,80,90\n200,3,100\n", opt: Options{Threshold: level(50)}, want: "-++ +-+", header: true, notes: []string{"line 1 is a header"}},
		{name: "a name goes before a number", text: "0,1,2\n5,0,1\n6,1,0\n", opt: Options{LabelColumn: "0"}, want: "-+ +-", header: true, labels: []int{5, 6}, notes: []string{"line 1 is a header"}},
		{name: "and a number is one where no name is it", text: "0,1,2\n1,0,5\n1,1,6\n", opt: Options{LabelColumn: "3"}, want: "+- ++", header: true, labels: []int{5, 6}, notes: []string{"line 1 is a header"}},
		{name: "two numbers, told", text: "0,1\n1,1\n", opt: Options{Header: HeaderYes}, want: "++", header: true},
		{name: "two numbers, told otherwise", text: "0,1\n1,1\n", opt: Options{Header: HeaderNo}, want: "-+ ++"},
		{name: "one row is a sample", text: "0,1\n", want: "-+"},
		{name: "data that pandas took for names", text: "1,0,0.1,0.2,1.1\n1,0,0,1,1\n0,0,1,1,0\n", want: "+--++ --++-", header: true, notes: []string{"line 1 is a header"}},
		{name: "fractions that are data", text: "0.5,0.1,0.25\n0.75,0,1\n1,0.5,0\n", opt: Options{Threshold: level(0.4)}, want: "+-- +-+ ++-"},
		{name: "rows that all rise", text: "1,5,9\n0,1,2\n", opt: Options{Threshold: level(4)}, want: "-++ ---"},
		{name: "a picture and labels", text: picture("7", "200", "0"), opt: Options{Threshold: level(127), LabelColumn: "1"}, want: strings.Repeat("+-", 32), labels: []int{7}},
		{name: "bars", text: "a|b\n1|0\n", want: "+-", header: true, notes: []string{"line 1 is a header"}},
		{name: "True and False", text: "True,False\nFALSE,TRUE\ntrue,true\n", want: "+- -+ ++"},
		{name: "names in blanks", text: "a, b\n1, 0\n", opt: Options{LabelColumn: "b"}, want: "+", header: true, labels: []int{0}, notes: []string{"line 1 is a header"}},

		{name: "an index of pandas", text: ",a,b\n0,1,0\n1,0,1\n2,1,1\n", want: "+- -+ ++", header: true,
			notes: []string{"line 1 is a header", `column 1 ("") numbers or names the rows and is left out`}},
		{name: "one that was shuffled", text: ",a,b\n17,1,0\n3,0,1\n25,1,1\n", want: "+- -+ ++", header: true,
			notes: []string{"line 1 is a header", `column 1 ("") numbers or names the rows and is left out`}},
		{name: "one that was written twice", text: "Unnamed: 0,id,a\n0,s1,1\n1,s2,0\n", want: "+ -", header: true,
			notes: []string{"line 1 is a header", `column 1 ("Unnamed: 0") numbers or names the rows and is left out`, `column 2 ("id") numbers or names the rows and is left out`}},
		{name: "one without a header", text: "0,1,0\n1,0,1\n2,1,1\n", want: "+- -+ ++", notes: []string{"column 1 counts the rows and is left out"}},
		{name: "one under another name", text: "sample,a,b\n1,1,0\n2,0,1\n3,1,1\n", want: "+- -+ ++", header: true,
			notes: []string{"line 1 is a header", `column 1 ("sample") counts the rows and is left out`}},
		{name: "row names of R", text: "\"\",\"V1\",\"V2\"\n\"ant\",1,0\n\"bee\",0,1\n", want: "+- -+", header: true,
			notes: []string{"line 1 is a header", `column 1 ("") numbers or names the rows and is left out`}},
		{name: "row names that R does not name", text: "\"V1\" \"V2\"\n\"1\" 1 0\n\"2\" 0 1\n", want: "+- -+", header: true,
			notes: []string{"line 1 is a header", `column 1 ("") numbers or names the rows and is left out`}},
		{name: "a column of nothing", text: "a,b,\n1,0,\n0,1,\n", want: "+- -+", header: true, notes: []string{"line 1 is a header", `column 3 ("") is empty and is left out`}},

		{name: "labels by name", text: "label,a,b\n3,1,0\n4,0,1\n", want: "+- -+", header: true, labels: []int{3, 4},
			notes: []string{"line 1 is a header", `column 1 ("label") holds the labels`}},
		{name: "labels that are words", text: "a,b,Class\n1,0,bee\n0,1,ant\n1,1,bee\n", want: "+- -+ ++", header: true, labels: []int{1, 0, 1}, classes: []string{"ant", "bee"},
			notes: []string{"line 1 is a header", `column 3 ("Class") holds the labels`}},
		{name: "without a header", text: "1,0,bee\n0,1,ant\n1,1,bee\n", opt: Options{LabelColumn: "-1"}, want: "+- -+ ++", labels: []int{1, 0, 1}, classes: []string{"ant", "bee"}},
		{name: "labels written as fractions", text: "1,0,2.0\n1,1,0.0\n", opt: Options{LabelColumn: "3"}, want: "+- ++", labels: []int{2, 0}},
		{name: "asked for as spins", text: "label,a\n1,0\n1,1\n", opt: Options{Columns: []string{"all"}}, want: "+- ++", header: true, notes: []string{"line 1 is a header"}},
		{name: "another file has them", text: "label,a\n1,0\n1,1\n", opt: Options{LabelPath: "testdata/users/two.txt"}, want: "- +", header: true, labels: []int{8, 9},
			notes: []string{"line 1 is a header", `column 1 ("label") holds labels, which another file has and is left out`}},

		{name: "columns by name", text: "a,b,c\n1,0,7\n0,1,8\n", opt: Options{Columns: []string{"b", "a"}}, want: "-+ +-", header: true, notes: []string{"line 1 is a header"}},
		{name: "by ranges", text: "9,1,0,1\n8,0,0,1\n", opt: Options{Columns: []string{"2-3", "-1"}}, want: "+-+ --+"},
		{name: "left out", text: "9,1,0,x\n8,0,0,y\n", opt: Options{DropColumns: []string{"1", "-1"}}, want: "+- --"},
		{name: "left out by name, which tells of the header", text: "a,7\n1,0\n0,1\n", opt: Options{DropColumns: []string{"a"}}, want: "- +", header: true, notes: []string{"line 1 is a header"}},

		{name: "aligned by blanks", text: "  1   0 -1\n -1  1  1 \n", opt: Options{Threshold: level(0)}, want: "+-- -++"},
		{name: "with tabs and comments, as numpy.loadtxt", text: "# a b\n1 \t 0 # the first\n\n0\t 1\n", want: "+- -+"},
		{name: "names over blanks", text: "a b\n1 0\n", want: "+-", header: true, notes: []string{"line 1 is a header"}},
		{name: "blanks after commas", text: "\"a\", \"b\"\n 1, 0\n", want: "+-", header: true, notes: []string{"line 1 is a header"}},
		{name: "what Excel reads", text: "sep=;\r\na;b\r\n1;0\r\n", want: "+-", header: true, notes: []string{"line 2 is a header"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			set, err := decode("table", []byte(c.text), c.opt)
			if err != nil {
				t.Fatal(err)
			}
			if got := spins(set); got != c.want {
				t.Errorf("spins %s, not %s", got, c.want)
			}
			if set.Source.Header != c.header || !slices.Equal(set.Labels, c.labels) || !slices.Equal(set.Classes, c.classes) {
				t.Errorf("header %v, labels %v, classes %q", set.Source.Header, set.Labels, set.Classes)
			}
			if !slices.Equal(set.Source.Notes, c.notes) {
				t.Errorf("notes %q", set.Source.Notes)
			}
		})
	}
}

// The error of a doubtful table asks for a flag. The error of a broken one names the place.
func TestLayoutErrors(t *testing.T) {
	for _, c := range []struct {
		name, text string
		opt        Options
		want       []string
	}{
		{"two columns named 0 and 1", "0,1\n1,1\n", Options{}, []string{"line 1", "not plain whether this is a header", `"0", "1"`, "Options.Header"}},
		{"0, 1, 2 twice", "0,1,2\n0,1,2\n0,5,9\n", Options{Threshold: level(1)}, []string{"not plain", "Options.Header"}},
		{"years", "1990,1991,1995\n1,0,1\n0,0,1\n", Options{Threshold: level(0.5)}, []string{"not plain", `"1990"`, "rises as names do, and no other does"}},
		{"wavelengths", "0,10,20,30,40,50,60,70\n5,90,3,0,4,5,1,70\n", Options{Threshold: level(25)}, []string{"not plain", "rises as names do"}},
		{"a column more than a picture", picture("7", "200", "0") + picture("3", "0", "200"), Options{Threshold: level(127)},
			[]string{"65 columns are those of a picture of 8 x 8 and one more: column 1 or column 65 may hold labels", "Options.LabelColumn"}},
		{"lines of an old Mac", "a,b\r1,0\r", Options{}, []string{"the lines end with CR alone"}},
		{"words over words", "ant\nbee\n", Options{Header: HeaderAuto}, []string{"not plain", "hold words"}},
		{"names of some, values of others", "a,ant\n1,ant\n0,bee\n", Options{}, []string{"not plain", "names of some columns and values of others"}},
		{"missing values are no names", "NA,NA\n0,1\n1,0\n", Options{}, []string{"line 1, column 1", `"NA" is a missing value`}},
		{"decimal commas under names", "a;b\n0,5;0,7\n", Options{}, []string{"line 2, column 1 (\"a\")", `"0,5" has a comma`}},
		{"missing beside a word", "NA,ant\n0,bee\n", Options{LabelColumn: "2"}, []string{"line 1, column 1", `"NA" is a missing value`}},
		{"nor are decimal commas", "0,5;0,7\n1;0\n", Options{}, []string{"line 1, column 1", `"0,5" has a comma`}},
		{"NaN", "nan,1\n1,0\n", Options{}, []string{"line 1, column 1", "NaN is not a finite number"}},
		{"a hole", "1,1\n,0\n", Options{}, []string{"line 2, column 1", "an empty field"}},
		{"an index that may hold spins", "id,a\n1,0\n1,1\n0,1\n", Options{}, []string{`column 1 ("id") is named as row numbers are`, "Options.Columns", "Options.DropColumns"}},
		{"a count that may be levels", "1,9\n2,7\n3,5\n", Options{Threshold: level(4)}, []string{"column 1 counts the rows, or holds spins", "Options.DropColumns"}},
		{"two labels", "label,class,a\n1,0,1\n0,1,1\n", Options{}, []string{`column 1 ("label") and column 2 ("class") are both named as labels are`, "Options.LabelColumn"}},
		{"a target of regression", "a,y\n1,0.5\n0,0.25\n", Options{}, []string{`column 2 ("y") is named as labels are, but may be none`}},
		{"x and y", "x,y\n1,0\n0,1\n", Options{}, []string{`column 2 ("y") is named as labels are, but may be none`}},
		{"a column of words", "a,b\n1,ant\n0,bee\n", Options{}, []string{`line 2, column 2 ("b")`, `"ant" is not a number`, "Options.DropColumns", "Options.LabelColumn"}},
		{"no such column", "a,b\n1,0\n", Options{Columns: []string{"c"}}, []string{`no column "c"`, `one of "a", "b"`}},
		{"no such range", "1,0\n0,0\n", Options{DropColumns: []string{"1-3"}}, []string{"no columns 1-3", "from 1 to 2"}},
		{"one twice", "a,b\n1,0\n", Options{Columns: []string{"a", "1"}}, []string{`column 1 ("a") is named twice`}},
		{"for two things", "a,b\n1,0\n", Options{Columns: []string{"a"}, LabelColumn: "a"}, []string{`column 1 ("a") is asked for as spins and as something else`}},
		{"labels left out", "a,b\n1,0\n", Options{DropColumns: []string{"a"}, LabelColumn: "a"}, []string{`column 1 ("a") holds the labels and is to be left out`}},
		{"nothing left", "a,b\n1,0\n", Options{DropColumns: []string{"all"}}, []string{"leave no column"}},
		{"a missing label", "1,3\n1,NA\n", Options{LabelColumn: "2"}, []string{"line 2, column 2", `"NA" is a missing value`}},
		{"an open quote among blanks", "1 \"0\n", Options{}, []string{"line 1", "quotes do not match"}},
		{"ragged blanks", "1 0\n1  0 1\n", Options{}, []string{"line 2", "3 columns, but line 1 has 2"}},
		{"a header that is told of nothing", "1,0\n", Options{Header: HeaderYes}, []string{"a header without rows"}},
		{"too many columns", strings.Repeat(",", maxColumns+70000), Options{}, []string{"more than 524288 columns", "npy"}},
		{"too many blanks", strings.Repeat("1 ", maxColumns+70000), Options{}, []string{"more than 524288 columns", "npy"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := decode("table", []byte(c.text), c.opt)
			wantError(t, err, "table", c.want...)
		})
	}
	_, err := decode("a", npyArray("|u1", "(1, 2)", 0, 1), Options{Header: HeaderYes})
	wantError(t, err, "a", "a header asked of an npy file")
}

// Labels in a text of their own.
func TestLabelTexts(t *testing.T) {
	for _, c := range []struct {
		text    string
		opt     Options
		labels  []int
		classes []string
	}{
		{text: "3\n4\n", labels: []int{3, 4}},
		{text: "digit\n3\n4\n", labels: []int{3, 4}},
		{text: "ant\nbee\nant\n", labels: []int{0, 1, 0}, classes: []string{"ant", "bee"}},
		{text: "kind\nbee\nant\nbee\n", opt: Options{Header: HeaderYes}, labels: []int{1, 0, 1}, classes: []string{"ant", "bee"}},
		{text: "Id,Category\n0,7\n1,8\n2,7\n", labels: []int{7, 8, 7}},
		{text: ",x,label\n0,5,7\n1,5,8\n2,6,7\n", labels: []int{7, 8, 7}},
		{text: "True\nFalse\n", labels: []int{1, 0}},
	} {
		labels, classes, err := DecodeLabels("labels", strings.NewReader(c.text), int64(len(c.text)), c.opt)
		if err != nil || !slices.Equal(labels, c.labels) || !slices.Equal(classes, c.classes) {
			t.Errorf("%q: labels %v, classes %q, %v", c.text, labels, classes, err)
		}
	}
}

// Files that users of neighbouring programs reported, and the right reading of each.
func TestUsersFiles(t *testing.T) {
	grey := Options{Threshold: level(127)}
	with := func(o Options, change func(o *Options)) Options { change(&o); return o }
	for _, c := range []struct {
		file    string
		opt     Options
		visible int
		labels  []int // the first few
		classes []string
		dropped []string
		wrong   []string // parts of the error
	}{
		{file: "pd_noindex.csv", opt: grey, visible: 15},
		{file: "pd_noindex.csv", opt: with(grey, func(o *Options) { o.LabelColumn = "14" }), visible: 14, labels: []int{144, 152, 52, 77}},
		{file: "b2_noindex.csv", wrong: []string{"line 1", "not plain whether this is a header", "Options.Header"}},
		{file: "b2_noindex.csv", opt: Options{Header: HeaderYes}, visible: 2},
		{file: "kaggle.csv", opt: grey, visible: 15, labels: []int{0, 1, 2, 1}},
		{file: "pd_named_index.csv", opt: grey, visible: 15, dropped: []string{""}},
		{file: "firstbad.csv", wrong: []string{"line 1, column 1", `"0,5" has a comma`}},
		{file: "unit.npy", opt: grey, wrong: []string{"levels lie in 0.0", "none above the threshold 127: every spin would be -1", "Options.Threshold"}},
		{file: "x01.npy", opt: Options{Draw: &Draw{}}, wrong: []string{"levels lie in 0 to 1, so white may not be 255", "Options.Draw.White"}},
		{file: "x01.npy", opt: Options{Draw: &Draw{White: 1}}, visible: 15},
		{file: "i8wrap.npy", opt: Options{Threshold: level(0)}, wrong: []string{"levels lie in -1 to 0, none above the threshold 0", "store them as uint8"}},
		{file: "yfloat.npz", visible: 15, labels: []int{0, 1, 2, 1}},
		{file: "ystr.npz", visible: 15, labels: []int{0, 1, 2, 1}, classes: []string{"a", "b", "c"}},
		{file: "ycol.npz", visible: 15, labels: []int{0, 1, 2, 1}},
		{file: "onehot.npz", visible: 15, labels: []int{0, 1, 2, 1}},
		{file: "b_species.csv", opt: Options{LabelColumn: "species"}, visible: 15, labels: []int{0, 1, 2, 1}, classes: []string{"ant", "bee", "cow"}},
	} {
		path := filepath.Join("testdata", "users", c.file)
		set, err := Read(path, c.opt)
		if c.wrong != nil {
			wantError(t, err, path, c.wrong...)
			continue
		}
		if err != nil {
			t.Error(err)
			continue
		}
		if set.Len() != 40 || set.Visible() != c.visible || !slices.Equal(set.Source.Dropped, c.dropped) {
			t.Errorf("%s: %d samples of %d spins without %q", c.file, set.Len(), set.Visible(), set.Source.Dropped)
		}
		if !slices.Equal(set.Labels[:min(4, len(set.Labels))], c.labels) || !slices.Equal(set.Classes, c.classes) {
			t.Errorf("%s: labels %v, classes %q", c.file, set.Labels, set.Classes)
		}
	}
}
