package dataset

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// A labelling is the labels of samples, and the names of those that were stored
// as words.
type labelling struct {
	numbers []int
	classes []string
}

// A notLabels is the error of an array that is whole, but holds no labels.
type notLabels struct{ *FileError }

// labels reads the elements as labels: whole numbers or words in a list, a row or
// a column, or one-hot rows. An array that is whole but holds no labels is a notLabels.
func (a *array) labels() (labelling, error) {
	switch {
	case a.list() && a.element.text():
		return a.words()
	case a.list():
		return a.integers()
	case len(a.shape) == 2 && !a.element.text():
		return a.oneHot()
	}
	return labelling{}, notLabels{a.fail(0, "an array of shape "+a.dims()+" does not hold labels", remedyLabels)}
}

// inList says where the k-th label of a list is.
func (a *array) inList(k int64) string { return "sample " + strconv.FormatInt(k, 10) + a.byteOf(k) }

func (a *array) integers() (labelling, error) {
	var labels []int
	err := a.each(func(first int64, x []float64) error {
		for k, v := range x {
			n, ok := label(v)
			if !ok {
				return notLabels{a.failAt(a.inList(first+int64(k)), "the label "+value(v)+" is not an integer", remedyLabels)}
			}
			labels = append(labels, n)
		}
		return nil
	})
	return labelling{numbers: labels}, err
}

// oneHot reads rows of zeros and a single one, whose place is the label.
func (a *array) oneHot() (labelling, error) {
	samples, classes := a.shape[0], a.shape[1]
	var labels []int // -1 where no one has been seen
	err := a.each(func(first int64, x []float64) error {
		for j, v := range x {
			k := first + int64(j)
			sample, class := k/classes, k%classes
			if a.fortran {
				sample, class = k%samples, k/samples
			}
			if int64(len(labels)) == sample {
				labels = append(labels, -1)
			}
			switch {
			case v != 0 && v != 1:
				return notLabels{a.failAt(a.place(k), "an array of shape "+a.dims()+" does not hold labels: "+value(v)+" is no part of a one-hot row", remedyLabels)}
			case v == 1 && labels[sample] >= 0:
				return notLabels{a.failAt(a.place(k), "an array of shape "+a.dims()+" does not hold labels: a second 1 in a one-hot row", remedyLabels)}
			case v == 1:
				labels[sample] = int(class)
			}
		}
		return nil
	})
	if err != nil {
		return labelling{}, err
	}
	for k, n := range labels {
		if n < 0 {
			return labelling{}, notLabels{a.failAt("sample "+strconv.Itoa(k), "an array of shape "+a.dims()+" does not hold labels: a one-hot row without a 1", remedyLabels)}
		}
	}
	return labelling{numbers: labels}, nil
}

// words reads labels that are text: whole numbers if all of them are.
func (a *array) words() (labelling, error) {
	var list labelList
	integers := true
	var numbers []int
	err := a.raw(func(first int64, raw []byte) error {
		for k := 0; len(raw) > 0; k++ {
			text, ok := a.element.string(raw[:a.element.size])
			raw = raw[a.element.size:]
			if !ok {
				return a.failAt(a.inList(first+int64(k)), "the label is no text", remedyAgain)
			}
			if strings.TrimSpace(text) == "" {
				return notLabels{a.failAt(a.inList(first+int64(k)), "an empty label", remedyNoLabel)}
			}
			list.word(text)
			v, ok := number(text)
			n, isLabel := label(v)
			if integers = integers && ok && isLabel; integers {
				numbers = append(numbers, n)
			}
		}
		return nil
	})
	if err != nil {
		return labelling{}, err
	}
	if integers {
		return labelling{numbers: numbers}, nil
	}
	all, classes := list.all()
	return labelling{all, classes}, nil
}

// string returns the text of an element of numpy's types U and S, and whether it
// is one.
func (e element) string(raw []byte) (string, bool) {
	if e.kind == 'S' {
		text := strings.TrimRight(string(raw), "\x00")
		return text, utf8.ValidString(text)
	}
	var b strings.Builder
	for ; len(raw) >= 4; raw = raw[4:] {
		r := rune(raw[0]) | rune(raw[1])<<8 | rune(raw[2])<<16 | rune(raw[3])<<24
		if e.big {
			r = rune(raw[3]) | rune(raw[2])<<8 | rune(raw[1])<<16 | rune(raw[0])<<24
		}
		if !utf8.ValidRune(r) {
			return "", false
		}
		b.WriteRune(r)
	}
	return strings.TrimRight(b.String(), "\x00"), true
}
