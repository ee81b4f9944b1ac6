package dataset

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"bethe/units"
)

// Info says what a set holds.
type Info struct {
	Format    string         `json:"format"`
	Samples   int            `json:"samples"`
	Visible   int            `json:"visible"`
	Width     int            `json:"width,omitempty"`
	Height    int            `json:"height,omitempty"`
	White     float64        `json:"white,omitempty"` // where spins were drawn of grey levels
	Threshold *float64       `json:"threshold,omitempty"`
	Header    *bool          `json:"header,omitempty"`          // of text: whether the first row holds names
	Dropped   []string       `json:"dropped_columns,omitempty"` // columns of text that were left out without being asked
	LabelsIn  string         `json:"labels_in,omitempty"`       // column or array of the labels
	Range     *[2]float64    `json:"range,omitempty"`           // smallest and largest number in the file
	UpShare   float64        `json:"up_share"`                  // share of the spins that are +1, to six digits
	Constant  int            `json:"constant_spins"`            // spins that are the same in all samples
	Alphabet  string         `json:"alphabet,omitempty"`        // of an alignment: letters of the colours
	Effective float64        `json:"effective,omitempty"`       // how many samples the weights stand for, if there are any
	Missing   float64        `json:"missing_share,omitempty"`   // share of the values that are missing, to six digits
	Labels    map[string]int `json:"labels,omitempty"`          // samples of each
	Units     string         `json:"units,omitempty"`           // kind of the units if they are no spins; up_share and visible are then of features
}

// Info counts what the set holds. The set must have samples.
func (s *Set) Info() Info {
	r := Info{Format: s.Source.Format, Samples: s.Len(), Visible: s.Visible(),
		Width: s.Width, Height: s.Height, Threshold: s.Source.Threshold, White: s.Source.White}
	r.Dropped, r.LabelsIn = s.Source.Dropped, s.Source.Labels
	if s.Source.Element == "text" {
		header := s.Source.Header
		r.Header = &header
	}
	if low, high := s.Source.Low, s.Source.High; low != 0 || high != 0 {
		r.Range = &[2]float64{low, high}
	}
	sums := make([]int, s.Visible())
	s.Samples.RowSums(sums)
	for _, sum := range sums {
		r.UpShare += (1 + float64(sum)/float64(s.Len())) / 2 / float64(s.Visible())
		if sum == s.Len() || sum == -s.Len() {
			r.Constant++
		}
	}
	if s.Kind != (units.Kind{}) {
		r.Units = s.Kind.String()
	}
	if s.Reals != nil {
		r.Constant = s.constantNumbers()
	}
	if r.Alphabet = s.Alphabet; s.Weights != nil {
		r.Effective = math.Round(10*s.Effective()) / 10
	}
	if s.Missing != nil { // only values that are there count
		seen, up, of := 0, 0, s.Kind.Features()
		for i := range s.Missing.Rows() {
			s.each(i, false, func(a int) {
				seen++
				for k := range of {
					up += int(s.Samples.At(i*of+k, a)+1) / 2
				}
			})
		}
		r.UpShare = float64(up) / float64(max(1, seen*of))
		r.Missing = math.Round(1e6-1e6*float64(seen)/float64(s.Missing.Rows()*s.Len())) / 1e6
	}
	r.UpShare = math.Round(1e6*r.UpShare) / 1e6
	if s.Labels != nil {
		r.Labels = map[string]int{}
		for _, l := range s.Labels {
			name := strconv.Itoa(l)
			if s.Classes != nil {
				name = s.Classes[l]
			}
			r.Labels[name]++
		}
	}
	return r
}

// constantNumbers counts the units whose numbers are the same in all samples.
func (s *Set) constantNumbers() (count int) {
	for i := range s.Reals.Units() {
		if row := s.Reals.Row(i); slices.Min(row) == slices.Max(row) {
			count++
		}
	}
	return count
}

// Text says for a person what the data of a name hold.
func (r *Info) Text(name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", name, r.Format)
	things := "spins"
	switch kind, err := units.ParseVisible(r.Units); {
	case err == nil && kind.Word == units.Gauss:
		things = "numbers"
	case err == nil && kind.OneHot():
		things = fmt.Sprintf("spins, which are %d units of %d colours", r.Visible/kind.States, kind.States)
	}
	fmt.Fprintf(&b, "  %d samples of %d %s", r.Samples, r.Visible, things)
	if r.Width > 0 {
		fmt.Fprintf(&b, ", pictures of %d x %d", r.Width, r.Height)
	}
	if things == "numbers" {
		fmt.Fprintf(&b, "\n  %d of the numbers never change\n", r.Constant)
	} else {
		fmt.Fprintf(&b, "\n  %.1f %% of the spins are +1; %d spins never change\n", 100*r.UpShare, r.Constant)
	}
	if r.Alphabet != "" {
		fmt.Fprintf(&b, "  an alignment of the letters %s\n", r.Alphabet)
	}
	if r.Effective > 0 {
		fmt.Fprintf(&b, "  alike ones share a weight: %.1f effective samples\n", r.Effective)
	}
	if r.Missing > 0 {
		fmt.Fprintf(&b, "  %.2f %% of the values are missing\n", 100*r.Missing)
	}
	if r.Range != nil {
		fmt.Fprintf(&b, "  numbers from %v to %v\n", r.Range[0], r.Range[1])
	}
	if r.Threshold != nil {
		fmt.Fprintf(&b, "  grey levels above %v are +1\n", *r.Threshold)
	}
	if r.White > 0 {
		fmt.Fprintf(&b, "  spins were drawn of grey levels, as shares of %v\n", r.White)
	}
	if r.Labels != nil {
		fmt.Fprintf(&b, "  labels of %d classes\n", len(r.Labels))
	}
	return b.String()
}
