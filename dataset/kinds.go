package dataset

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// FromNumbers returns the set of numbers, visible x samples, as units of a kind: of Gaussian ones the numbers, which it
// keeps, of Potts ones their features, of as many colours as there are if the kind has none. The error
// names a number that is no colour, and one that is not finite.
func FromNumbers(name string, numbers *units.Reals[float32], kind units.Kind) (*Set, error) {
	if kind.Word != units.Gauss && kind.Word != units.Potts {
		return nil, fmt.Errorf("%s: numbers are no %s units", name, kind)
	}
	if k := slices.IndexFunc(numbers.Values(), func(v float32) bool { return !(math.Abs(float64(v)) <= math.MaxFloat32) }); k >= 0 {
		return nil, fmt.Errorf("%s: sample %d, unit %d: %v is no finite number", name, k%numbers.Len(), k/numbers.Len(), numbers.Values()[k])
	}
	s := &Set{Name: name, Samples: spin.New(numbers.Units(), numbers.Len()), Reals: numbers}
	if problem := s.become(kind); problem != "" {
		return nil, fmt.Errorf("%s: %s", name, problem)
	}
	if s.Reals != nil {
		for i := range numbers.Units() {
			for a, v := range numbers.Row(i) {
				if v > 0 {
					s.Samples.Set(i, a, 1)
				}
			}
		}
	}
	return s, nil
}

// become makes units of a kind of the numbers that were read. It returns the problem of
// numbers that are no colours, "" if there is none.
func (s *Set) become(kind units.Kind) (problem string) {
	s.Kind = kind
	if kind.Word != units.Potts {
		return ""
	}
	n, m := s.Reals.Units(), s.Reals.Len()
	most := 0
	for k, v := range s.Reals.Values() {
		c := int(v)
		if float32(c) != v || c < 0 || c >= units.MaxColours || kind.States > 0 && c >= kind.States {
			limit := "a whole number from 0 to " + strconv.Itoa(units.MaxColours-1)
			if kind.States > 0 {
				limit = "one of the colours 0 to " + strconv.Itoa(kind.States-1)
			}
			return "sample " + strconv.Itoa(k%m) + ", unit " + strconv.Itoa(k/m) + ": " + value(float64(v)) + " is not " + limit
		}
		most = max(most, c)
	}
	if least := slices.Min(s.Reals.Values()); least >= 1 && kind.States == 0 && s.Alphabet == "" && s.Missing == nil {
		s.Source.Notes = append(s.Source.Notes, "no value is below "+value(float64(least))+", so colours below it are of no use: count them from 0")
	}
	if kind.States == 0 {
		kind.States = max(2, most+1, len(s.Alphabet))
		s.Kind = kind
	}
	if n*kind.States > math.MaxInt32 {
		return "there are " + strconv.Itoa(kind.States) + " colours of " + strconv.Itoa(n) + " units: too many"
	}
	features := spin.New(n*kind.States, m)
	for i := range n {
		for a, v := range s.Reals.Row(i) {
			features.Set(i*kind.States+int(v), a, 1)
		}
	}
	s.Samples, s.Reals = features, nil
	return ""
}

// Colours returns the colours of the units of samples, samples x units.
func (s *Set) Colours() []int8 { return Colours(s.Samples, s.Kind) }

// Colours returns the colours of one-hot units, samples x units; -1 where none is on.
func Colours(samples *spin.Matrix, kind units.Kind) []int8 {
	of := kind.States
	n, m := samples.Rows()/of, samples.Cols()
	out := make([]int8, n*m)
	for k := range out {
		out[k] = -1
	}
	for i := range samples.Rows() {
		for a := range m {
			if samples.At(i, a) == 1 {
				out[a*n+i/of] = int8(i % of)
			}
		}
	}
	return out
}

// Units returns the number of units of a sample, of one or more features each.
func (s *Set) Units() int { return s.Visible() / s.Kind.Features() }

// Hash returns a number that equal samples share and others hardly ever.
func (s *Set) Hash() uint64 {
	h := s.Samples.Hash()
	if s.Reals != nil {
		h = s.Reals.Hash()
	}
	for _, w := range s.Weights {
		h = uint64(stream.New(h).Sub(math.Float64bits(w)))
	}
	if s.Missing != nil {
		h = uint64(stream.New(h).Sub(s.Missing.Hash()))
	}
	return h
}
