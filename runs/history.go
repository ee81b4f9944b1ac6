package runs

import (
	"reflect"
	"slices"
)

// A History keeps the records of a run within a limit of memory, however many
// there are. When they take more, every second one is left out, then three of
// four, and so on; those that name pictures or hold a log-likelihood or a reading of the meter stay as long
// as they fit. The zero value keeps nothing: see NewHistory.
type History struct {
	kept     []Record
	ordinals []int // of each in its class
	classes  [2]class
	limit    int // bytes
	light    bool
	all      int
	last     Record
	lastKept bool
}

// A class of records is thinned by itself.
type class struct {
	count  int // that there were
	stride int // one of so many is kept
	made   int // bytes of those that are kept
}

// thins reports whether a larger stride leaves more of the records out than the first.
func (c *class) thins() bool { return c.stride < c.count }

// NewHistory returns an empty history that keeps about so many bytes.
func NewHistory(limit int) *History {
	return &History{limit: limit, classes: [2]class{{stride: 1}, {stride: 1}}}
}

// Empty returns an empty history with the same limit.
func (h *History) Empty() *History { return NewHistory(h.limit) }

// Add adds records.
func (h *History) Add(records []Record) {
	for k := range records {
		r := records[k]
		h.all++
		h.last = r
		c := classOf(&r)
		of := &h.classes[c]
		h.lastKept = of.count%of.stride == 0
		if of.count++; !h.lastKept {
			continue
		}
		if h.light {
			r = lightened(r)
		}
		if r.made() > h.limit/4 { // one large record may not fill a small history
			r.Magnetisations, r.SingularValues, r.TeacherOverlaps = nil, nil, nil
			r = lightened(r)
		}
		h.kept, h.ordinals = append(h.kept, r), append(h.ordinals, of.count-1)
		if of.made += r.made(); h.made() > h.limit {
			h.thin()
		}
	}
}

// SetLimit changes the limit, in bytes.
func (h *History) SetLimit(limit int) {
	if h.limit = limit; h.made() > limit {
		h.thin()
	}
}

// Records returns the records that are kept, in order. They must not be changed,
// and stay as they are when others are added.
func (h *History) Records() []Record { return h.kept[:len(h.kept):len(h.kept)] }

// Last returns the record that was added last, if any was, and whether it is the
// last of those that are kept.
func (h *History) Last() (r Record, kept, any bool) { return h.last, h.lastKept, h.all > 0 }

// Len returns how many records were added.
func (h *History) Len() int { return h.all }

// WithLast returns the records that are kept, and the last one in any case.
func (h *History) WithLast() []Record {
	if !h.lastKept && h.all > 0 {
		return append(h.Records(), h.last)
	}
	return h.Records()
}

func (h *History) made() int { return h.classes[0].made + h.classes[1].made }

// thin leaves records out until there is room for half as many again.
func (h *History) thin() {
	for h.made() > 2*h.limit/3 && len(h.kept) > 1 {
		fewer := &h.classes[0]
		if other := &h.classes[1]; other.thins() && (!fewer.thins() || other.made >= fewer.made) {
			fewer = other
		}
		switch {
		case !h.light:
			h.light = true
		case fewer.thins():
			fewer.stride *= 2
		default: // the first of either class, too large together
			last := len(h.kept) - 1
			h.kept, h.ordinals = slices.Clone(h.kept[last:]), slices.Clone(h.ordinals[last:])
			h.classes[0].made, h.classes[1].made = 0, 0
			h.classes[classOf(&h.kept[0])].made = h.kept[0].made()
			return
		}
		kept, ordinals := make([]Record, 0, 3*len(h.kept)/4), make([]int, 0, 3*len(h.kept)/4) // others may hold the old ones
		h.classes[0].made, h.classes[1].made = 0, 0
		for k := range h.kept {
			of := &h.classes[classOf(&h.kept[k])]
			if h.ordinals[k]%of.stride == 0 {
				r := lightened(h.kept[k])
				kept, ordinals = append(kept, r), append(ordinals, h.ordinals[k])
				of.made += r.made()
			}
		}
		h.lastKept = h.lastKept && h.ordinals[len(h.ordinals)-1]%h.classes[classOf(&h.last)].stride == 0
		h.kept, h.ordinals = kept, ordinals
	}
}

// classOf returns 1 for records that curves or pictures would miss most.
func classOf(r *Record) int {
	if r.Synapses != "" || r.Samples != "" || r.LogLikelihood != nil || r.Meter != nil {
		return 1
	}
	return 0
}

// lightened returns a record without the matrix of overlaps, which no chart of a history draws.
func lightened(r Record) Record {
	if r.Overlap != nil && r.Overlap.Matrix != nil {
		r.Overlap = &Overlap{Mean: r.Overlap.Mean, Max: r.Overlap.Max}
	}
	return r
}

// Sizes in bytes of a record and of the structures that it points to.
var (
	recordBytes     = int(reflect.TypeFor[Record]().Size())
	engineBytes     = int(reflect.TypeFor[EngineReport]().Size())
	boundBytes      = int(reflect.TypeFor[Bound]().Size())
	likelihoodBytes = int(reflect.TypeFor[LogLikelihood]().Size())
	estimateBytes   = int(reflect.TypeFor[Estimate]().Size())
	meterBytes      = int(reflect.TypeFor[Meter]().Size()) + 2*estimateBytes + 8
	workBytes       = int(reflect.TypeFor[Work]().Size()) + estimateBytes + 8
	labelsBytes     = int(reflect.TypeFor[Labels]().Size())
	overlapBytes    = int(reflect.TypeFor[Overlap]().Size())
)

// made returns about how many bytes a record takes.
func (r *Record) made() int {
	const number = 8
	n := recordBytes + len(r.NoSingularValues) + len(r.Synapses) + len(r.Samples) + number*(cap(r.Magnetisations)+cap(r.SingularValues)+cap(r.TeacherOverlaps))
	if r.Engine != nil {
		n += engineBytes + len(r.Engine.Name)
	}
	if r.Bound != nil {
		n += boundBytes + len(r.Bound.By)
	}
	if l := r.LogLikelihood; l != nil {
		n += likelihoodBytes + len(l.Data)
		for _, e := range []*Estimate{l.Exact, l.Forward, l.Reverse} {
			if e != nil {
				n += estimateBytes
			}
		}
	}
	if r.Meter != nil {
		n += meterBytes
	}
	if r.Work != nil {
		n += workBytes
	}
	if r.Labels != nil {
		n += labelsBytes
	}
	if r.Overlap != nil {
		n += overlapBytes + number*cap(r.Overlap.Matrix)
	}
	return n
}
