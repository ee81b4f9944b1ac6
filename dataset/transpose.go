package dataset

import (
	"math"
	"strconv"

	"bethe/spin"
)

// transpose exchanges the rows and columns of the pictures. Samples without a width and
// height must be squares. It returns the problem of samples that are not, "" if there is none.
func (s *Set) transpose() (problem, remedy string) {
	if s.Width == 0 {
		side := int(math.Round(math.Sqrt(float64(s.Visible()))))
		if side*side != s.Visible() {
			return "samples of " + strconv.Itoa(s.Visible()) + " spins without rows and columns are no squares, and cannot be transposed",
				"store them as (samples, height, width)"
		}
		s.Width, s.Height = side, side
	}
	order := make([]int, s.Visible()) // the spin that each one becomes the place of
	for i := range s.Height {
		for j := range s.Width {
			order[j*s.Height+i] = i*s.Width + j
		}
	}
	if s.Reals != nil {
		turned := s.Reals.Blank(s.Len())
		for k, i := range order {
			copy(turned.Row(k), s.Reals.Row(i))
		}
		s.Reals = turned
	}
	if s.Levels != nil {
		s.Levels.Turn(order)
	}
	for _, m := range []*spin.Matrix{s.Samples, s.Missing} {
		if m != nil {
			across, turned := spin.New(s.Len(), s.Visible()), spin.New(s.Len(), s.Visible())
			m.Transpose(across)
			across.Gather(turned, order)
			turned.Transpose(m)
		}
	}
	s.Width, s.Height = s.Height, s.Width
	return "", ""
}
