package kernel

import (
	"slices"
	"sync/atomic"
	"time"
)

// Rounded products have several forms on a tier: by matrix tiles, by tables of 16-bit sums, by whole numbers in float32. All
// sums are of whole numbers, so each form gives the same bits, and a measurement may choose among them: which is quickest depends on
// the processor, on the sizes and on the number of threads (docs/performance.md).

// A form is one of them.
type form struct {
	name     string
	multiply byTables // by packed bits
	expands  bool     // whether it multiplies by expanded bits, where there are some
}

// formTaken is the number of the form that products take if they may, for all goroutines: it is about speed alone.
var formTaken atomic.Int32

// forms are rounded products whose form is chosen.
type forms struct {
	roundedProducts // the first form: its expanded matrices, and how many rows it takes together
	list            []form
}

// taken returns the form that products take now.
func (f *forms) taken() *form { return &f.list[min(int(formTaken.Load()), len(f.list)-1)] }

// expands implements roundedProducts.
func (f *forms) expands() bool { return f.taken().expands }

// mulBitsCoarse implements roundedProducts. Expanded bits are used if there are any.
func (f *forms) mulBitsCoarse(dst, a []float32, p, k int, bits []uint32, stride, lanes int, expanded []int8, slope float32, shift []float32) {
	if by := f.taken(); len(expanded) == 0 && by.multiply != nil {
		by.multiply(dst, a, p, k, bits, stride, lanes, slope, shift)
		return
	}
	f.roundedProducts.mulBitsCoarse(dst, a, p, k, bits, stride, lanes, expanded, slope, shift)
}

// Forms names the forms of rounded products of the tier in use, the usually quickest first. One form has no choice.
func Forms() []string { return use().rounded.names() }

// names implements roundedProducts.
func (f *forms) names() (names []string) {
	for _, by := range f.list {
		names = append(names, by.name)
	}
	return names
}

// names implements roundedProducts: a tier that has no other form has no tables of 16-bit sums.
func (byTables) names() []string { return []string{floatForm} }

// names implements roundedProducts.
func (t *byTiles) names() []string { return []string{tileForm} }

const (
	tileForm  = "tiles"
	tableForm = "tables"
	floatForm = "floats"
)

// contestTurns is how often each form is tried, and contestMargin by how much of the time another one than the first must be quicker.
const (
	contestTurns  = 4
	contestMargin = 0.04
)

// A Contest finds the quickest form of rounded products for work that is done again and again, by doing it in each form in turn.
// No result depends on the form. The zero value is ready; a Contest is for one goroutine.
type Contest struct {
	done  int             // pieces of work
	least []time.Duration // of each form
	taken int
	over  bool
}

// Do does a piece of work in the form that is tried next, or that was quickest.
func (c *Contest) Do(work func()) {
	if c.least == nil {
		c.least = slices.Repeat([]time.Duration{1 << 62}, len(Forms()))
		c.over = len(c.least) == 1
	}
	if c.over {
		formTaken.Store(int32(c.taken))
		work()
		return
	}
	k := c.done % len(c.least)
	formTaken.Store(int32(k))
	began := time.Now()
	work()
	if c.done >= len(c.least) { // the first turn warms up
		c.least[k] = min(c.least[k], time.Since(began))
	}
	if c.done++; c.done == len(c.least)*(1+contestTurns) {
		c.over, c.taken = true, quickest(c.least)
		formTaken.Store(int32(c.taken))
	}
}

// quickest returns the number of the least time, the first where it is about as short.
func quickest(times []time.Duration) (k int) {
	for j, t := range times {
		if t < times[k] {
			k = j
		}
	}
	if float64(times[k]) > (1-contestMargin)*float64(times[0]) {
		return 0
	}
	return k
}

// Taken returns the form that was quickest, once every one has had its turns.
func (c *Contest) Taken() (name string, ok bool) {
	if !c.over {
		return "", false
	}
	return Forms()[c.taken], true
}

// QuickestForm names the only form of rounded products, or measures, in a few milliseconds, which form of rounded products is quickest on one thread, on a product of 32 rows.
func QuickestForm() string {
	if names := Forms(); len(names) == 1 {
		return names[0]
	}
	const rows, k, lanes = 32, 784, 512
	a, dst, bits := make([]float32, rows*k), make([]float32, rows*lanes), make([]uint32, Words(k)*Stride(lanes))
	for i := range a {
		a[i] = float32(i%31) - 15
	}
	for i := range bits {
		bits[i] = uint32(i*2654435761) >> 2
	}
	before := formTaken.Load()
	defer formTaken.Store(before)
	var c Contest
	for {
		if name, ok := c.Taken(); ok {
			return name
		}
		c.Do(func() { MulBitsCoarse(dst, a, rows, k, bits, Stride(lanes), lanes, 1, nil) })
	}
}
