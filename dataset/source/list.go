package source

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"bethe/dataset"
	"bethe/setting"
	"bethe/spin"
)

// List reads numbers and ranges, such as 0-9,20, of things counted from 0. There are
// count of them; the order is the one given. The error is a *setting.Error of the
// named setting, and uses thing as the word for one of them.
func List(name, list, thing string, count int) ([]int, error) {
	var numbers []int
	for _, part := range strings.Split(list, ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			last = first
		}
		lo, errLo := strconv.Atoi(first)
		hi, errHi := strconv.Atoi(last)
		if errLo != nil || errHi != nil || lo < 0 || hi < lo || hi >= count {
			return nil, setting.Errorf(name, strconv.Quote(list), "%q is not a %s or a range of them between 0 and %d", part, thing, count-1)
		}
		for i := lo; i <= hi; i++ {
			numbers = append(numbers, i)
		}
	}
	return numbers, nil
}

// Units reads a list of visible units, and returns each once, rising. The error
// is a *setting.Error of the setting that the list came in.
func Units(name, list string, visible int) ([]int, error) {
	units, err := List(name, list, "unit", visible)
	slices.Sort(units)
	return slices.Compact(units), err
}

// Region reads visible units: as Units does, or a half of a picture of width x
// height (top, bottom, left, right; the middle line belongs to either half), or a
// rectangle of columns x rows, such as 0-13x0-27. A width or height of 0 stands
// for a shape that is not known. The error is a *setting.Error of the setting that the
// text came in.
func Region(name, text string, visible, width, height int) ([]int, error) {
	half := slices.Contains([]string{"top", "bottom", "left", "right"}, text)
	columns, lines, rectangle := strings.Cut(text, "x")
	if !half && !rectangle && text != "" && !strings.ContainsAny(text, "0123456789") {
		return nil, setting.Errorf(name, text, "it is top, bottom, left or right, units such as 0-9,20, or a rectangle such as 0-13x0-27")
	}
	if !half && !rectangle {
		units, err := Units(name, text, visible)
		if err != nil && !strings.ContainsAny(text, "0123456789") {
			err = setting.Errorf(name, strconv.Quote(text), "it is top, bottom, left or right, units such as 0-9,20, or a rectangle such as 0-13x0-27")
		}
		return units, err
	}
	if width < 1 || height < 1 || width*height != visible {
		return nil, setting.Errorf(name, text, "the %d units are not known to be a picture, as those of a table are not; name units, such as 0-%d, or learn from an array of samples x rows x columns (npy)", visible, (visible-1)/2)
	}
	switch text {
	case "top":
		columns, lines = span(0, width), span(0, (height+1)/2)
	case "bottom":
		columns, lines = span(0, width), span(height/2, height)
	case "left":
		columns, lines = span(0, (width+1)/2), span(0, height)
	case "right":
		columns, lines = span(width/2, width), span(0, height)
	}
	xs, err := List(name, columns, "column", width)
	if err != nil {
		return nil, err
	}
	ys, err := List(name, lines, "row", height)
	if err != nil {
		return nil, err
	}
	var units []int
	for _, y := range ys {
		for _, x := range xs {
			units = append(units, y*width+x)
		}
	}
	return units, nil
}

// span is the range from lo up to hi as text.
func span(lo, hi int) string { return strconv.Itoa(lo) + "-" + strconv.Itoa(hi-1) }

// A Pick is some samples of data, named by DATA:LIST.
type Pick struct {
	From          string
	Numbers       []int        // of the samples, in the data
	Samples       *spin.Matrix // visible x picked
	Width, Height int          // shape of the picture a sample is; 0 if none is known
}

// Pick opens the data of DATA:LIST and takes the samples of the list. Each must have
// as many spins as there are visible units. The error is a *setting.Error of the
// setting that the words came in, or that of Open.
func (o *Opener) Pick(name, from string, visible int) (*Pick, error) {
	cut := strings.LastIndexByte(from, ':')
	if cut < 0 {
		return nil, setting.Errorf(name, strconv.Quote(from), "it must be DATA:K, the K-th sample of DATA counted from 0, such as mnist:test:3")
	}
	set, err := o.Open(name, from[:cut])
	if err != nil {
		return nil, err
	}
	if err := Fits(set, visible); err != nil {
		return nil, setting.Errorf(name, from, "%v", err)
	}
	numbers, err := List(name, from[cut+1:], "sample", set.Len())
	if err != nil {
		return nil, err
	}
	some := set.Subset(numbers)
	return &Pick{from, numbers, some.Samples, set.Width, set.Height}, nil
}

// Fits returns an error unless samples have as many spins as a model has visible units.
func Fits(set *dataset.Set, visible int) error {
	if set.Visible() != visible {
		return fmt.Errorf("samples of %d spins for a model of %d visible units; name data like those that it learned from", set.Visible(), visible)
	}
	return nil
}
