package dataset

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"bethe/internal/parallel"
	"bethe/spin"
	"bethe/units"
)

// Alphabets of alignments that have names.
const (
	Proteins = "ACDEFGHIKLMNPQRSTVWY"
	DNA      = "ACGT"
	RNA      = "ACGU"
)

// gap is the letter of the last colour.
const gap = "-"

// Words of Options.Gaps.
const (
	GapsColour  = "colour"
	GapsMissing = "missing"
)

// maxAlignment is the most letters of an alignment.
const maxAlignment = 1 << 31

// A record is a sequence of an alignment.
type record struct {
	name    string
	line    int    // of its name
	letters []byte // as they stand, blanks left out
	lines   []int  // where each line of letters begins: pairs of the first letter's place and the line's number
}

// at names the place of a letter.
func (r *record) at(place int) string {
	line, from := r.line, 0
	for k := 0; k < len(r.lines) && r.lines[k] <= place; k += 2 {
		from, line = r.lines[k], r.lines[k+1]
	}
	return "line " + strconv.Itoa(line) + ", letter " + strconv.Itoa(place-from+1) + " (sequence " + quote(r.name) + ")"
}

// readFASTA reads the records of a text.
func readFASTA(s *source) ([]record, error) {
	var list []record
	var part []byte
	number, total := 1, 0
	begun := false // a line of letters
	end := func() {
		number++
		begun = false
	}
	for {
		var err error
		part, err = s.r.ReadSlice('\n')
		s.n += int64(len(part))
		if s.n > s.limit {
			return nil, s.failed(errLimit, "the alignment")
		}
		whole := err == nil
		if err != nil && err != io.EOF && len(part) == 0 {
			return nil, s.failed(err, "the alignment")
		}
		line := part
		switch {
		case !begun && len(line) > 0 && line[0] == '>':
			name := strings.TrimSpace(string(line[1:]))
			for !whole && err != io.EOF { // the rest of a long name is left out
				part, err = s.r.ReadSlice('\n')
				s.n += int64(len(part))
				whole = err == nil
			}
			list = append(list, record{name: name, line: number})
		case !begun && len(line) > 0 && line[0] == ';': // a comment, as of old
			for !whole && err != io.EOF {
				part, err = s.r.ReadSlice('\n')
				s.n += int64(len(part))
				whole = err == nil
			}
		case len(list) == 0 && len(bytes.TrimSpace(line)) > 0:
			return nil, s.failAt("line "+strconv.Itoa(number), "letters before the first name", "begin each sequence with a line such as >name")
		case len(list) > 0:
			r := &list[len(list)-1]
			if !begun {
				r.lines = append(r.lines, len(r.letters), number)
				begun = true
			}
			for _, c := range line {
				if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
					r.letters = append(r.letters, c)
					total++
				}
			}
			if total > maxAlignment {
				return nil, s.whole("the alignment has more than "+strconv.Itoa(maxAlignment)+" letters", "take fewer sequences")
			}
		}
		if whole {
			end()
		}
		if err == io.EOF {
			return list, nil
		}
	}
}

// small reports whether letters are all in lower case. Then it makes them capitals.
func small(list []record) (are bool) {
	for _, r := range list {
		if bytes.ContainsFunc(r.letters, func(c rune) bool { return c >= 'A' && c <= 'Z' }) {
			return false
		}
		are = are || bytes.ContainsFunc(r.letters, func(c rune) bool { return c >= 'a' && c <= 'z' })
	}
	for k := range list {
		for j, c := range list[k].letters {
			if c >= 'a' && c <= 'z' {
				list[k].letters[j] = c - 'a' + 'A'
			}
		}
	}
	return are
}

// matched leaves insert columns out of sequences as HMMER and hh-suite write them: lower-case letters, and the dots
// beside them. Where no letter is in lower case a dot is a gap.
func matched(list []record) (dropped int) {
	lower := slices.ContainsFunc(list, func(r record) bool {
		return bytes.ContainsFunc(r.letters, func(c rune) bool { return c >= 'a' && c <= 'z' })
	})
	for k := range list {
		r := &list[k]
		if !lower {
			for j, c := range r.letters {
				if c == '.' {
					r.letters[j] = gap[0]
				}
			}
			continue
		}
		kept, at := r.letters[:0:0], 0
		for j, c := range r.letters {
			for at < len(r.lines) && r.lines[at] < j {
				at += 2
			}
			for at < len(r.lines) && r.lines[at] == j {
				r.lines[at] = len(kept)
				at += 2
			}
			if c == '.' || c >= 'a' && c <= 'z' {
				dropped++
				continue
			}
			kept = append(kept, c)
		}
		r.letters = kept
	}
	return dropped
}

// samplesFASTA reads an alignment: sequences of equally many columns, whose letters are colours in the order of
// the alphabet, and the gap the last one.
func (c *content) samplesFASTA(opt Options) (*Set, error) {
	if opt.Units.Word != units.Potts {
		return nil, c.source.whole("is an alignment, whose letters are colours", "ask for units of them, {Units} potts")
	}
	list, err := readFASTA(c.source)
	if err != nil {
		return nil, err
	}
	var notes []string
	if small(list) {
		notes = append(notes, "no letter is a capital, so none is an insert column")
	}
	dropped := matched(list)
	if len(list) == 0 || len(list[0].letters) == 0 {
		return nil, c.source.whole("an alignment without letters", "store sequences of capital letters, each below a line with its name; lower-case ones are insert columns, which are left out")
	}
	for k := range list {
		if got, want := len(list[k].letters), len(list[0].letters); got != want {
			return nil, c.source.failAt("line "+strconv.Itoa(list[k].line), "sequence "+quote(list[k].name)+" has "+columns(got)+" but for insert columns, and the first has "+strconv.Itoa(want),
				"align them: all sequences take as many columns")
		}
	}
	alphabet := opt.Alphabet
	if alphabet == "" {
		alphabet = Proteins
		if name := nucleotides(list); name != "" {
			alphabet = name
			notes = append(notes, "letters are "+alphabet+"; for others say which")
		}
	}
	if dropped > 0 {
		notes = append(notes, strconv.Itoa(dropped)+" letters of insert columns are left out")
	}
	set, err := c.colour(list, alphabet, opt)
	if err != nil {
		return nil, err
	}
	set.Source = Source{Format: formatFASTA.String(), Element: "letter", Notes: notes}
	set.Alphabet = alphabet
	if opt.Gaps != GapsMissing {
		set.Alphabet += gap
	}
	if k := opt.Units.States; k > 0 && k != len(set.Alphabet) {
		return nil, c.source.whole("the alphabet "+quote(set.Alphabet)+" has "+strconv.Itoa(len(set.Alphabet))+" letters, and units have "+strconv.Itoa(k)+" colours", "name the letters with {Alphabet}")
	}
	if opt.Identity > 0 {
		set.Weights = identityWeights(set.letters, set.Reals.Units(), opt.Identity)
	}
	return set, nil
}

// nucleotides returns the alphabet of DNA or RNA if no other letter occurs, else "".
func nucleotides(list []record) string {
	var seen [256]bool
	for k := range list {
		for _, c := range list[k].letters {
			seen[c] = true
		}
	}
	for c, s := range seen {
		if s && !strings.ContainsRune("ACGTUN-", rune(c)) {
			return ""
		}
	}
	if seen['U'] && !seen['T'] {
		return RNA
	}
	return DNA
}

// colour makes numbers of the letters.
func (c *content) colour(list []record, alphabet string, opt Options) (*Set, error) {
	var code [256]int
	for k := range code {
		code[k] = -1
	}
	for k, letter := range []byte(alphabet) {
		code[letter] = k
	}
	if code['U'] < 0 {
		code['U'] = code['T']
	}
	if code['T'] < 0 {
		code['T'] = code['U']
	}
	const hole, unknown = -2, -1
	code[gap[0]] = len(alphabet)
	if opt.Gaps == GapsMissing {
		code[gap[0]] = hole
	}
	for _, word := range opt.Missing {
		if len(word) == 1 {
			code[word[0]] = hole
		}
	}
	n, m := len(list[0].letters), len(list)
	set := &Set{Reals: units.NewReals[float32](n, m), Samples: spin.New(n, m), letters: make([]byte, n*m)}
	for a := range list {
		for i, letter := range list[a].letters {
			set.letters[a*n+i] = letter
			switch k := code[letter]; k {
			case unknown:
				return nil, c.source.failAt(list[a].at(i), "the letter "+strconv.QuoteToASCII(string(rune(letter)))+" is none of "+quote(alphabet)+" and the gap",
					"name the letters with {Alphabet}, or say that it stands for a missing value with {Missing} "+string(rune(letter)))
			case hole:
				if set.Missing == nil {
					set.Missing = spin.New(n, m)
				}
				set.Missing.Set(i, a, 1)
			default:
				set.Reals.Row(i)[a] = float32(k)
			}
		}
		list[a].letters, list[a].lines = nil, nil
	}
	return set, nil
}

// identityWeights returns the weights of sequences of n letters: one over how many, itself among them, agree with it in at
// least the given share of the columns.
func identityWeights(letters []byte, n int, identity float64) []float64 {
	m := len(letters) / n
	words := (n + 7) / 8
	packed := make([]uint64, m*words)
	for a := range m {
		row := append(slices.Clone(letters[a*n:(a+1)*n]), make([]byte, 8*words-n)...)
		for w := range words {
			packed[a*words+w] = binary.LittleEndian.Uint64(row[8*w:])
		}
	}
	most := int(math.Floor(float64(n)*(1-identity) + 1e-9)) // columns that may differ
	weights := make([]float64, m)
	parallel.For(m, parallel.Grain(m*words*3), func(lo, hi int) {
		for a := lo; a < hi; a++ {
			x, alike := packed[a*words:(a+1)*words], 0
			for b := range m {
				differ := 0
				for w, v := range packed[b*words : (b+1)*words] {
					if d := x[w] ^ v; d != 0 {
						const low, high = 0x7f7f7f7f7f7f7f7f, 0x8080808080808080
						differ += bits.OnesCount64((d&low + low | d) & high) // bytes that are not 0
						if differ > most {
							break
						}
					}
				}
				if differ <= most {
					alike++
				}
			}
			weights[a] = 1 / float64(alike)
		}
	})
	return weights
}

// Effective returns how many samples the weights stand for: their sum, or the number of samples.
func (s *Set) Effective() float64 {
	if s.Weights == nil {
		return float64(s.Len())
	}
	sum := 0.0
	for _, w := range s.Weights {
		sum += w
	}
	return sum
}

// WriteAlignment writes sequences of colours, samples x units, in FASTA, in the letters that they stand for. Names are
// the numbers of the samples, from 1. Errors are those of w, and of a colour without a letter.
func WriteAlignment(w io.Writer, alphabet string, colours []int8, units int) error {
	out := bufio.NewWriter(w)
	for a := 0; a < len(colours); a += units {
		out.WriteString(">" + strconv.Itoa(a/units+1) + "\n")
		for _, c := range colours[a : a+units] {
			if c < 0 || int(c) >= len(alphabet) {
				return fmt.Errorf("colour %d has no letter in the alphabet %s", c, alphabet)
			}
			out.WriteByte(alphabet[c])
		}
		out.WriteByte('\n')
	}
	return out.Flush()
}
