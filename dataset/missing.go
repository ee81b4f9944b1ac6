package dataset

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"bethe/spin"
	"bethe/units"
)

// Words of Options.Missing that stand for no word.
const (
	missingEmpty = "empty" // nothing between two commas
	missingNaN   = "nan"   // a number that is none
)

// A missing says which fields of text and which numbers stand for missing values. A nil one
// says none.
type missing struct {
	empty, nan bool
	words      []string
	numbers    []float64
}

// hole is the number that takes the place of a field of text that is missing: a NaN that no
// file holds.
var hole = math.Float64frombits(0x7ff800b37e000001)

func newMissing(words []string) *missing {
	if len(words) == 0 {
		return nil
	}
	m := &missing{}
	for _, word := range words {
		word = strings.TrimSpace(word)
		switch {
		case word == missingEmpty || word == "":
			m.empty = true
		case strings.EqualFold(word, missingNaN):
			m.nan = true
		default:
			m.words = append(m.words, word)
			if v, ok := number(word); ok {
				m.numbers = append(m.numbers, v)
			}
		}
	}
	return m
}

// field reports whether a field of text is missing.
func (m *missing) field(field string) bool {
	if m == nil {
		return false
	}
	field = strings.TrimSpace(field)
	if field == "" {
		return m.empty
	}
	if slices.Contains(m.words, field) {
		return true
	}
	v, ok := number(field)
	return ok && m.number(v)
}

// number reports whether a number is.
func (m *missing) number(v float64) bool {
	if m == nil {
		return false
	}
	if math.IsNaN(v) {
		return m.nan || math.Float64bits(v) == math.Float64bits(hole)
	}
	return slices.Contains(m.numbers, v)
}

// finiteRemedy returns the remedy of a number that is not finite.
func finiteRemedy(v float64) string {
	if math.IsNaN(v) {
		return remedyFinite + ", or say {Missing} nan"
	}
	return remedyFinite
}

// observed returns how many samples have a unit.
func (s *Set) observed(unit int) (count int) {
	if s.Missing == nil {
		return s.Len()
	}
	for a := range s.Len() {
		if s.Missing.At(unit, a) < 0 {
			count++
		}
	}
	return count
}

// impute replaces missing values by usual ones: the sign of the mean of spins, the
// mean of numbers, the most frequent colour. Chains may start there; nothing is learned from them.
func (s *Set) impute(kind units.Kind) {
	if s.Missing == nil {
		return
	}
	for i := range s.Missing.Rows() {
		if s.observed(i) == s.Len() {
			continue
		}
		if s.Reals == nil {
			sum := 0
			s.each(i, false, func(a int) { sum += int(s.Samples.At(i, a)) })
			usual := int8(-1)
			if sum > 0 {
				usual = 1
			}
			s.each(i, true, func(a int) { s.Samples.Set(i, a, usual) })
			continue
		}
		row, sum, counts := s.Reals.Row(i), 0.0, map[float32]int{}
		s.each(i, false, func(a int) {
			sum += float64(row[a])
			counts[row[a]]++
		})
		usual := float32(sum / math.Max(1, float64(s.observed(i))))
		if kind.Word == units.Potts {
			usual = 0
			for v, n := range counts {
				if n > counts[usual] || n == counts[usual] && v < usual {
					usual = v
				}
			}
		}
		s.each(i, true, func(a int) {
			row[a] = usual
			above := int8(-1)
			if usual > 0 {
				above = 1
			}
			s.Samples.Set(i, a, above)
		})
	}
}

// decided says for a person what values are missing, and which spins a threshold leaves alike.
func (s *Set) decided(opt Options) (notes []string) {
	switch asked := len(opt.Missing) > 0 || opt.Gaps == GapsMissing; {
	case s.Missing != nil:
		empty, holes, bare := 0, 0, 0 // units, values, samples
		for i := range s.Missing.Rows() {
			seen := s.observed(i)
			if holes += s.Len() - seen; seen == 0 {
				empty++
			}
		}
		sums := make([]int, s.Len())
		s.Missing.ColSums(sums)
		for _, sum := range sums {
			if sum == s.Missing.Rows() {
				bare++
			}
		}
		note := fmt.Sprintf("%.3g %% of the values are missing", 100*float64(holes)/float64(s.Missing.Rows()*s.Len()))
		if empty+bare > 0 {
			note += fmt.Sprintf(", all of them in %d columns and %d samples", empty, bare)
		}
		notes = append(notes, note)
	case asked:
		notes = append(notes, "no value is missing: "+strings.Join(opt.Missing, ", ")+" does not occur")
	}
	if m, n := s.Len(), s.Units(); m >= 4 && n >= 20*m && s.Width == 0 && s.Source.Format != formatFASTA.String() {
		notes = append(notes, fmt.Sprintf("%d samples of %d values: if the columns are the samples, turn the table", m, n))
	}
	if _, square := squareSide(s.Visible()); opt.Threshold != nil && s.Source.Format == formatCSV.String() && s.Len() >= 20 && !square {
		if alike := s.Info().Constant; alike > 0 {
			notes = append(notes, fmt.Sprintf("above %v or not, %d of %d spins are the same in all samples", *opt.Threshold, alike, s.Visible()))
		}
	}
	return notes
}

// each calls do for the samples in which a unit is missing, or is not.
func (s *Set) each(unit int, missing bool, do func(a int)) {
	for a := range s.Len() {
		if (s.Missing.At(unit, a) > 0) == missing {
			do(a)
		}
	}
}

// gathered returns the given columns of a matrix that may be nil.
func gathered(m *spin.Matrix, columns []int) *spin.Matrix {
	if m == nil {
		return nil
	}
	out := spin.New(m.Rows(), len(columns))
	m.Gather(out, columns)
	return out
}
