package dataset

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// An array is an array of numbers whose header has been read; its elements
// follow in the source.
type array struct {
	*source
	element element
	stored  []int64 // shape as the header has it
	shape   []int64 // shape without the axis of the channel, if there is one channel
	fortran bool    // first index fastest, rather than last
	turned  bool    // whether shape has the columns of pictures before the rows
	start   int64   // byte of the first element
	count   int64   // elements
}

// newArray returns the array whose elements come next in s. It checks that a
// reader may hold as many as the shape promises, before any is read.
func newArray(s *source, e element, shape []int64, fortran bool) (*array, error) {
	a := &array{source: s, element: e, stored: shape, shape: oneChannel(shape), fortran: fortran, start: s.n, count: 1}
	for _, d := range shape {
		if d == 0 {
			return nil, s.fail(0, "an array of shape "+a.dims()+" is empty", "store at least one sample of at least one spin")
		}
		if d < 0 || a.count > math.MaxInt64/d {
			return nil, a.tooLarge()
		}
		a.count *= d
	}
	if room := (s.limit - s.n) / int64(e.size); a.count > room || a.count > math.MaxInt {
		return nil, a.tooLarge()
	}
	return a, nil
}

func (a *array) tooLarge() error {
	return a.fail(0, "the header promises "+a.dims()+" elements of "+strconv.Itoa(a.element.size)+" bytes, more than the limit of "+
		strconv.FormatInt(a.limit, 10)+" bytes", "raise the limit if the file can be trusted")
}

// oneChannel returns the shape of pictures of one channel, which may be the last
// axis or the one after the samples, without it.
func oneChannel(shape []int64) []int64 {
	switch {
	case len(shape) != 4:
	case shape[3] == 1:
		return shape[:3]
	case shape[1] == 1:
		return []int64{shape[0], shape[2], shape[3]}
	}
	return shape
}

// dims returns the shape as text, such as "(60000, 28, 28)".
func (a *array) dims() string {
	text := make([]string, len(a.stored))
	for k, d := range a.stored {
		text[k] = strconv.FormatInt(d, 10)
	}
	return "(" + strings.Join(text, ", ") + ")"
}

// hasSamples reports whether the shape and type are those of samples.
func (a *array) hasSamples() bool {
	return (len(a.shape) == 2 || len(a.shape) == 3) && !a.element.text()
}

// hasLabels reports whether the shape and type are those of labels.
func (a *array) hasLabels() bool { return a.list() && a.element.kind != 'f' }

// list reports whether the array is a list, or a row or column of a matrix.
func (a *array) list() bool {
	return len(a.shape) == 1 || len(a.shape) == 2 && (a.shape[0] == 1 || a.shape[1] == 1)
}

// samples reads the elements as samples of shape (samples, spins) or (samples,
// height, width). reread calls a function on the same array, to be read once more.
func (a *array) samples(f format, opt Options, reread func(func(a *array) error) error) (*Set, error) {
	a.orient(opt)
	if !a.hasSamples() {
		remedy := remedyShape
		switch {
		case a.element.text():
			return nil, a.fail(0, "an array of text does not hold samples", "convert numbers that are words with array.astype(float)")
		case len(a.shape) == 1:
			remedy += "; a list can only be labels"
		case len(a.shape) == 4:
			remedy += "; of several channels, store one or their mean"
		}
		return nil, a.fail(0, "an array of shape "+a.dims()+" does not hold samples", remedy)
	}
	note, err := a.doubtAxis(opt)
	switch {
	case err != nil:
		return nil, err
	case opt.asksColumns() && len(a.shape) == 3:
		return nil, a.fail(0, "columns asked of pictures, an array of shape "+a.dims(), "leave {Columns}, {DropColumns} and {LabelColumn} out, or store samples as an array of shape (samples, columns)")
	case opt.asksColumns() && a.shape[1] > maxColumns:
		return nil, a.fail(0, fmt.Sprintf("columns asked of an array of shape %s: they can be chosen among %d at most", a.dims(), maxColumns), "store the columns that hold spins alone")
	case len(a.shape) == 3 || a.shape[1] > maxColumns:
		set, err := a.pictures(f, opt)
		if err == nil && note != "" {
			set.Source.Notes = append(set.Source.Notes, note)
		}
		return set, err
	}
	set, again, err := a.matrix(f, opt, nil)
	if again != nil && err == nil {
		err = reread(func(a *array) (err error) {
			a.orient(opt)
			set, _, err = a.matrix(f, opt, again)
			return err
		})
	}
	return set, err
}

// packer returns the packer of vectors of the given length for the elements.
func (a *array) packer(opt Options, length int) *packer {
	return opt.packer(length, a.element == element{kind: 'u', size: 1, big: a.element.big})
}

// pictures reads the elements as samples. All their numbers become spins.
func (a *array) pictures(f format, opt Options) (*Set, error) {
	samples := int(a.shape[0])
	p := a.packer(opt, int(a.count)/samples)
	if a.fortran {
		p.length = samples
	}
	err := a.each(func(first int64, x []float64) error {
		if k, problem, remedy := p.add(x); k >= 0 {
			return a.failAt(a.place(first+int64(k)), problem, remedy)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	set, err := a.set(f, opt, p)
	if err != nil {
		return nil, err
	}
	if len(a.shape) == 3 {
		set.Height, set.Width = int(a.shape[1]), int(a.shape[2])
	}
	if a.fortran {
		// The stream held one spin of all samples after another, the row of a
		// picture running faster than the column.
		p.fill(set, func(k int) int { return int(a.spin(int64(k))) }, true)
	} else {
		p.fill(set, nil, false)
	}
	if a.turned {
		set.transpose()
	}
	if problem := p.alike(set); problem != "" {
		set.Source.Notes = append(set.Source.Notes, problem)
	}
	return set, nil
}

// set returns the set, as yet without samples, of elements that were packed. It returns an error
// if they are on another scale than opt says.
func (a *array) set(f format, opt Options, p *packer) (*Set, error) {
	if problem, remedy := p.verdict(); problem != "" {
		return nil, a.whole(problem, remedy)
	}
	set := &Set{Source: opt.source(f, p, a.source.array, a.element.String())}
	if a.element.kind == 'i' && a.element.size == 1 && p.low < -1 {
		set.Source.Notes = append(set.Source.Notes, "int8 numbers reach "+value(p.low)+": bytes above 127 that are stored as int8 are negative")
	}
	return set, nil
}

// spin returns the spin that the k-th stored element of a sample is.
func (a *array) spin(k int64) int64 {
	if !a.fortran || len(a.shape) < 3 {
		return k
	}
	height, width := a.shape[1], a.shape[2]
	return k%height*width + k/height
}

// each reads the elements in stored order and calls visit for one stretch of
// them after the other; first is the number of a stretch's first element.
// Nothing but the array may be left in the source.
func (a *array) each(visit func(first int64, x []float64) error) error {
	x := make([]float64, min(a.count, stretch))
	return a.raw(func(first int64, raw []byte) error {
		x = x[:len(raw)/a.element.size]
		a.element.decode(x, raw)
		return visit(first, x)
	})
}

// stretch is how many elements are read at a time, if they are numbers.
const stretch = 8192

// raw is each with the bytes of the elements.
func (a *array) raw(visit func(first int64, raw []byte) error) error {
	what := "an array of shape " + a.dims()
	size := int64(a.element.size)
	each := int64(stretch)
	if size > 8 {
		each = max(1, 8*stretch/size)
	}
	raw := make([]byte, min(a.count, each)*size)
	for first := int64(0); first < a.count; first += int64(len(raw)) / size {
		raw = raw[:min(int64(len(raw)), (a.count-first)*size)]
		if err := a.full(raw, what); err != nil {
			return err
		}
		if err := visit(first, raw); err != nil {
			return err
		}
	}
	return a.end(what)
}

// place says where the k-th stored element is.
func (a *array) place(k int64) string {
	var b strings.Builder
	number := func(what string, n int64) { b.WriteString(what + strconv.FormatInt(n, 10)) }
	rest := a.count / a.shape[0] // elements of a sample
	sample, of := k/rest, k%rest
	if a.fortran {
		sample, of = k%a.shape[0], k/a.shape[0]
	}
	number("sample ", sample)
	switch of = a.spin(of); {
	case len(a.shape) == 2:
		number(", element ", of)
	case a.turned:
		number(", row ", of%a.shape[2])
		number(", column ", of/a.shape[2])
	case len(a.shape) == 3:
		number(", row ", of/a.shape[2])
		number(", column ", of%a.shape[2])
	}
	return b.String() + a.byteOf(k)
}

// byteOf says at which byte the k-th stored element begins.
func (a *array) byteOf(k int64) string {
	return " (byte " + strconv.FormatInt(a.start+k*int64(a.element.size), 10) + a.decompressed() + ")"
}

// keep returns a copy of an optional number, so that a set shares nothing with
// the options it was read with.
func keep(x *float64) *float64 {
	if x == nil {
		return nil
	}
	v := *x
	return &v
}
