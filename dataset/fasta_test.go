package dataset

import (
	"math"
	"strings"
	"testing"

	"bethe/units"
)

var coloured = units.Kind{Word: units.Potts}

// colours returns those of a set as words, one per sample; a dot where a value is missing.
func colours(s *Set) string {
	var b strings.Builder
	c, n := s.Colours(), s.Units()
	for k, v := range c {
		if k > 0 && k%n == 0 {
			b.WriteByte(' ')
		}
		if s.Missing != nil && s.Missing.At(k%n, k/n) > 0 {
			b.WriteByte('.')
			continue
		}
		b.WriteByte(byte('a' + v))
	}
	return b.String()
}

func TestAlignments(t *testing.T) {
	for _, c := range []struct {
		name, text string
		opt        Options
		want       string
		alphabet   string
	}{
		{"DNA", ">one\nACGT\n>two\nA-\nGT\n", Options{}, "abcd aecd", "ACGT-"},
		{"RNA", ">one\r\nACGU\r\n", Options{}, "abcd", "ACGU-"},
		{"proteins", ">one\nACY-\n>two\nWACD\n", Options{}, "abtu sabc", Proteins + "-"},
		{"another alphabet", ">one\nHPP-\n", Options{Alphabet: "HP"}, "abbc", "HP-"},
		{"U is T", ">one\nACGU\n", Options{Alphabet: DNA}, "abcd", "ACGT-"},
		{"insert columns", "\n>one x\nAC.gT\n>two\nACaaT\n;a comment\n>three\nA-..C\n", Options{}, "abd abd aeb", "ACGT-"},
		{"dots are gaps", ">one\nAC.T\n", Options{}, "abed", "ACGT-"},
		{"gaps are missing", ">one\nAC-T\n>two\nACGT\n", Options{Gaps: GapsMissing}, "ab.d abcd", "ACGT"},
		{"a letter is missing", ">one\nACNT\n>two\nACGT\n", Options{Missing: []string{"N"}}, "ab.d abcd", "ACGT-"},
	} {
		c.opt.Units = coloured
		set, err := decode("a.fasta", []byte(c.text), c.opt)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := colours(set); got != c.want || set.Alphabet != c.alphabet || set.Kind.States != len(c.alphabet) || set.Info().Alphabet != c.alphabet {
			t.Errorf("%s: colours %s of %s (%v), not %s of %s", c.name, got, set.Alphabet, set.Kind, c.want, c.alphabet)
		}
	}
	// Colours of a machine are those of the alphabet, whichever occur.
	if set, err := decode("a.fasta", []byte(">one\nAAAA\n"), Options{Units: units.Kind{Word: units.Potts, States: 5}}); err != nil || set.Kind.States != 5 {
		t.Errorf("%v, %v", set, err)
	}
}

// What is written is read as what it was.
func TestWriteAlignment(t *testing.T) {
	const text = ">1\nAC-T\n>2\nTTGA\n"
	set, err := decode("a.fasta", []byte(text), Options{Units: coloured})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := WriteAlignment(&b, set.Alphabet, Colours(set.Samples, set.Kind), 4); err != nil || b.String() != text {
		t.Errorf("%q, %v", b.String(), err)
	}
	if err := WriteAlignment(&b, "AC", []int8{0, 2}, 2); err == nil {
		t.Error("a colour without a letter is written")
	}
}

func TestAlignmentsThatAreNone(t *testing.T) {
	for _, c := range []struct {
		name, text string
		opt        Options
		want       []string
	}{
		{"of spins", ">one\nACGT\n", Options{}, []string{"is an alignment", "Options.Units potts"}},
		{"of other lengths", ">one\nACGT\n>two\nACG\n", Options{Units: coloured}, []string{"line 3", `"two" has 3 columns`, "the first has 4", "align"}},
		{"a letter", ">one\nAC\n\nGNT\n>two\nACGNT\n", Options{Units: coloured}, []string{"line 4, letter 2", `"one"`, `"N"`, "Options.Missing N"}},
		{"letters first", "\n>one\nA\n", Options{Units: coloured, Alphabet: "A"}, []string{"one letter"}},
		{"no letters", ">one\n\n>two\n", Options{Units: coloured}, []string{"without letters", "lower-case"}},
		{"an alphabet", ">one\nACGT\n", Options{Units: coloured, Alphabet: "ACCT"}, []string{"C twice"}},
		{"colours", ">one\nACGT\n", Options{Units: units.Kind{Word: units.Potts, States: 21}}, []string{`"ACGT-" has 5 letters`, "21 colours", "Options.Alphabet"}},
		{"gaps", ">one\nACGT\n", Options{Units: coloured, Gaps: "none"}, []string{`"none"`, "Options.Gaps"}},
		{"identity", ">one\nACGT\n", Options{Units: coloured, Identity: 80}, []string{"80", "Options.Identity"}},
		{"a table", "0,1\n1,0\n", Options{Units: coloured, Alphabet: DNA}, []string{"no alignment", "Options.Alphabet"}},
	} {
		_, err := decode("a.fasta", []byte(c.text), c.opt)
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v does not say %q", c.name, err, want)
			}
		}
	}
}

// Sequences that agree in at least this part of the columns have a weight of 1 together.
func TestIdentityWeights(t *testing.T) {
	const text = ">1\nACGTACGTAC\n>2\nACGTACGTAA\n>3\nACGTACGTTT\n>4\nTTTTTTTTTT\n"
	set, err := decode("a.fasta", []byte(text), Options{Units: coloured, Identity: 0.9})
	if err != nil {
		t.Fatal(err)
	}
	for a, want := range []float64{0.5, 0.5, 1, 1} {
		if math.Abs(set.Weights[a]-want) > 1e-12 {
			t.Errorf("weights %v", set.Weights)
		}
	}
	if set, err = decode("a.fasta", []byte(text), Options{Units: coloured, Identity: 0.8}); err != nil || math.Abs(set.Effective()-2) > 1e-12 || set.Info().Effective != 2 {
		t.Errorf("%v, %v", set.Weights, err)
	}
	if some := set.Subset([]int{3, 0}); some.Weights[0] != 1 || math.Abs(some.Weights[1]-1./3) > 1e-12 || some.Hash() == set.Hash() {
		t.Errorf("a subset has the weights %v", some.Weights)
	}
}

func FuzzFASTA(f *testing.F) {
	f.Add([]byte(">one\nACGT\n>two\nA-\nGT\n"))
	f.Add([]byte(">one\nAC.gT\n>two\nACaaT\n;a comment\n"))
	f.Add([]byte("\n\n>\nMKV-X\n>x\nMKVLX"))
	f.Fuzz(func(t *testing.T, content []byte) {
		content = append([]byte(">"), content...)
		for _, opt := range []Options{
			{MaxBytes: 1 << 20, Units: coloured}, {MaxBytes: 1 << 20, Units: coloured, Alphabet: "AB", Gaps: GapsMissing, Identity: 0.5},
			{MaxBytes: 1 << 20, Units: coloured, Missing: []string{"X", "N"}, Identity: 1}, {MaxBytes: 1 << 20},
		} {
			set, err := decode("fuzz", content, opt)
			if err != nil {
				wantFileError(t, err)
				continue
			}
			if set.Len() < 1 || set.Units() < 1 || set.Kind.States != len(set.Alphabet) || set.Weights != nil && len(set.Weights) != set.Len() ||
				set.Missing != nil && (set.Missing.Rows() != set.Units() || set.Missing.Cols() != set.Len()) || opt.Units != coloured {
				t.Fatalf("a set that does not hang together: %+v", set)
			}
			if unit, a, ok := set.Samples.OneHot(set.Kind.States, false); !ok {
				t.Fatalf("unit %d of sample %d has no one colour", unit, a)
			}
		}
	})
}

// FuzzMissing reads tables whose values may be missing.
func FuzzMissing(f *testing.F) {
	f.Add([]byte("a,b\n1,\n?,0\n"))
	f.Add([]byte("1,nan,9\n0,1,NA\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		words := []string{"empty", "nan", "?", "9"}
		for _, opt := range []Options{
			{MaxBytes: 1 << 20, Missing: words}, {MaxBytes: 1 << 20, Missing: words, Units: units.Kind{Word: units.Gauss}},
			{MaxBytes: 1 << 20, Missing: words, Units: coloured}, {MaxBytes: 1 << 20, Missing: words, Threshold: level(0.5), Transpose: true},
		} {
			set, err := decode("fuzz", content, opt)
			if err != nil {
				wantFileError(t, err)
				continue
			}
			if m := set.Missing; m != nil && (m.Rows() != set.Units() || m.Cols() != set.Len()) {
				t.Fatalf("missing %d x %d of %d x %d", m.Rows(), m.Cols(), set.Units(), set.Len())
			}
			if set.Reals != nil {
				for _, v := range set.Reals.Values() {
					if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
						t.Fatalf("a number is %v", v)
					}
				}
			}
		}
	})
}
