package variational

import (
	"math"
	"slices"
	"sync"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
)

// A rough is an upper that is good enough for batches: their choice makes far more noise than its errors. Products of states and
// means are products of whole numbers (kernel.MulWhole). Sums with squares of means take the average square of each unit instead, so
// they need no product. All samples have the same variance of the recognition's fields, the mean one. It goes through the units of a layer some at a time, while their rows are in cache. The same seed gives
// the same bits on every tier.
type rough[T rbm.Real] struct {
	samples  int
	data     int // units of the data's layer
	how      Recognition
	known    bool // synapses have no variance
	zeros    []T  // as many as samples
	odds     []roughOdd[T]
	evens    []roughEven[T]
	links    []roughLink[T]
	prepared rbm.Folding
	work     sync.Pool // of *roughWork
}

// A roughLayer is a hidden layer, with its means in the samples of a batch.
type roughLayer[T rbm.Real] struct {
	units          rbm.Range // among the odd or the even units
	links          []int     // above the first that it has, at most two
	nu             []T       // offsets
	states         *kernel.Right[T]
	centred        []T // means - nu, units x samples: of even layers where there is more than one round
	sums           kernel.SampleSums[T]
	parts          []T // of the sums, of each piece of units
	tanh, sech2    []float64
	square, spread []T // of each unit: the sums over samples of centred^2 and of sech^2, over their number
}

// A roughOdd is an odd layer.
type roughOdd[T rbm.Real] struct {
	roughLayer[T]
	below, belowVariance []T // what the data make of its fields
	drawn                []T // where they are drawn: z over their deviation
	rows                 *kernel.Left[T]
}

// A roughEven is an even hidden layer.
type roughEven[T rbm.Real] struct {
	roughLayer[T]
	across *kernel.Right[T] // its states, samples x units
	mean   []T              // of the fields, where there is more than one round
	free   []T              // sums of 1 + nu^2 - 2 nu rho over the units, one per sample
}

// A roughLink is a link above the first.
type roughLink[T rbm.Real] struct {
	odd, even     int // layers among those of their side
	j             float64
	ofOdd, ofEven []T // mean squares of lambda of each odd and each even unit, 1 where synapses are known
	parts         []T // of the sums of squares, of each piece of odd units
	byOdd, byEven *kernel.Left[T]
	from, width   int // first even unit among the visible ones of the folded machine, and their number
}

// roughRows is the number of units that are one piece of work.
const roughRows = kernel.WholeLanes

// A roughWork is work space for a piece.
type roughWork[T rbm.Real] struct {
	products        [2][]T // of each link of a layer: roughRows rows of samples
	tanh, sech2     []T    // the same
	mean, variance  []T    // of the samples: the field of a unit
	above           []T    // products of states over samples: of each even layer roughRows rows of its units
	first           []T    // rows of the first link
	partition       []T    // a row of the folded machine
	state, reaction []T    // of the samples
	lanes           kernel.Lanes
}

// rows returns row k of a matrix of samples.
func (s *roughWork[T]) rows(x []T, k int) []T {
	m := len(s.state)
	return x[k*m : (k+1)*m]
}

// prepare takes the model, whose posterior means are mean, and batches of so many samples.
func (u *rough[T]) prepare(model *rbm.Model[T], mean []T, how Recognition, known bool, rounds, samples int) {
	f := model.Layers()
	n := model.Visible()
	u.data, u.how, u.known = f.Data(), how, known
	if known && how == Drawn {
		u.how = Aware
	}
	if u.samples != samples || !slices.Equal(u.prepared, f) {
		u.samples, u.prepared = samples, slices.Clone(f)
		u.zeros = make([]T, samples)
		u.odds, u.evens, u.links = nil, nil, make([]roughLink[T], f.Depth()-1)
		for l := 1; l <= f.Depth(); l++ {
			layer := newRoughLayer[T](f[l], samples)
			layer.units = f.Place(l)
			if l%2 == 1 {
				layer.centred = make([]T, f[l]*samples)
				u.odds = append(u.odds, roughOdd[T]{roughLayer: layer, below: make([]T, f[l]*samples), belowVariance: make([]T, f[l]*samples), rows: kernel.NewLeft[T](f[l], samples)})
				continue
			}
			layer.units.From, layer.units.To = layer.units.From-u.data, layer.units.To-u.data
			u.evens = append(u.evens, roughEven[T]{roughLayer: layer, across: kernel.NewRight[T](samples, f[l]), free: make([]T, samples)})
		}
		for k := range u.links {
			l := &u.links[k]
			l.odd, l.even = (k+1)/2, k/2 // link k+1 joins the layers k+1 and k+2
			h, v := u.odds[l.odd].units.Len(), u.evens[l.even].units.Len()
			l.ofOdd, l.ofEven, l.parts = make([]T, h), make([]T, v), make([]T, 3*v*parallel.Pieces(h, roughRows))
			l.byOdd, l.byEven = kernel.NewNarrowLeft[T](h, v), kernel.NewNarrowLeftAcross[T](v, h)
			l.byOdd.Limit(1)
			l.byEven.Limit(1)
			l.from, l.width = u.data+u.evens[l.even].units.From, v
			u.odds[l.odd].links, u.evens[l.even].links = append(u.odds[l.odd].links, k), append(u.evens[l.even].links, k)
		}
		u.work = sync.Pool{}
	}
	for k := range u.odds {
		u.odds[k].offsets(model.HiddenOffset)
		if u.how == Drawn && k == 0 && u.odds[k].drawn == nil {
			u.odds[k].drawn = make([]T, len(u.odds[k].below))
		}
		u.odds[k].rows.Limit(u.odds[k].limit())
	}
	for k := range u.evens {
		e := &u.evens[k]
		e.offsets(model.VisibleOffset[u.data:])
		e.across.Limit(e.limit())
		if rounds > 1 && e.mean == nil {
			e.mean, e.centred = make([]T, e.units.Len()*samples), make([]T, e.units.Len()*samples)
		}
	}
	for k := range u.links {
		u.links[k].set(model.Links[k+1], mean, n, known)
	}
}

func newRoughLayer[T rbm.Real](units, samples int) roughLayer[T] {
	vector := func() []T { return make([]T, samples) }
	return roughLayer[T]{
		nu: make([]T, units), states: kernel.NewNarrowRight[T](units, samples),
		sums:  kernel.SampleSums[T]{Sech2: vector(), Square: vector(), Shift: vector()},
		parts: make([]T, 3*samples*parallel.Pieces(units, roughRows)), tanh: make([]float64, units), sech2: make([]float64, units),
		square: make([]T, units), spread: make([]T, units),
	}
}

// offsets takes those of the side of the layer.
func (l *roughLayer[T]) offsets(side []float64) {
	for k, v := range side[l.units.From:l.units.To] {
		l.nu[k] = T(v)
	}
	l.states.Limit(l.limit())
}

// limit is what |tanh - nu| does not exceed.
func (l *roughLayer[T]) limit() float64 {
	largest := 0.0
	for _, v := range l.nu {
		largest = max(largest, math.Abs(float64(v)))
	}
	return 1 + largest
}

// row returns a row of states.
func (l *roughLayer[T]) row(x []T, k int) []T {
	m := len(l.sums.Sech2)
	return x[k*m : (k+1)*m]
}

// part returns the sums of the piece of units that begins at lo, cleared.
func (l *roughLayer[T]) part(lo int) kernel.SampleSums[T] {
	m := len(l.sums.Sech2)
	x := l.parts[lo/roughRows*3*m:][:3*m]
	clear(x)
	return kernel.SampleSums[T]{Sech2: x[:m], Square: x[m : 2*m], Shift: x[2*m:]}
}

// total adds the sums of the pieces up.
func (l *roughLayer[T]) total() {
	m := len(l.sums.Sech2)
	for k, dst := range [][]T{l.sums.Sech2, l.sums.Square, l.sums.Shift} {
		copy(dst, l.parts[k*m:])
		for at := 3 * m; at < len(l.parts); at += 3 * m {
			for a, v := range l.parts[at+k*m : at+(k+1)*m] {
				dst[a] += v
			}
		}
	}
}

// take centres the averages of unit k.
func (l *roughLayer[T]) take(k int, dst, tanh, sech2 []T, sums kernel.SampleSums[T]) {
	t, r, square := kernel.Centre(dst, tanh, sech2, sums, l.nu[k])
	m := float64(len(tanh))
	l.tanh[k], l.sech2[k], l.square[k], l.spread[k] = t, r, T(square/m), T(r/m)
}

// fourRows returns rows from k on, those below hi.
func fourRows[T rbm.Real](k, hi int, row func(k int) []T) (x [4][]T) {
	for j := range min(4, hi-k) {
		x[j] = row(k + j)
	}
	return x
}

// pairs hands the states of units lo to hi-1, rows of x, on to products over units.
func (l *roughLayer[T]) pairs(x []T, lo, hi int) {
	for k := lo; k < hi; k += 4 {
		l.states.SetFour(k/4, fourRows(k, hi, func(k int) []T { return l.row(x, k-lo) }))
	}
}

// set takes a link, whose means are in a matrix of n columns.
func (l *roughLink[T]) set(link rbm.Link, mean []T, n int, known bool) {
	h, v := link.Hidden.Len(), link.Visible.Len()
	l.j = link.Coupling
	row := func(j int) []T { return mean[(link.Hidden.From+j)*n+link.Visible.From:][:v] }
	parallel.For(h, roughRows, func(lo, hi int) {
		part := l.parts[lo/roughRows*3*v:][:3*v]
		clear(part)
		sums, centred := kernel.SampleSums[T]{Sech2: part[:v], Square: part[v : 2*v], Shift: part[2*v:]}, make([]T, v)
		for j := lo; j < hi; j++ {
			l.byOdd.SetRow(j, row(j))
			_, _, square := kernel.Centre(centred, row(j), row(j), sums, 0)
			l.ofOdd[j] = T(square / float64(v))
			if known {
				l.ofOdd[j] = 1
			}
		}
		for j := lo; j < hi; j += 4 {
			l.byEven.SetFour(j/4, fourRows(j, hi, row))
		}
	})
	for k := range l.ofEven {
		var sum T
		for at := v + k; at < len(l.parts); at += 3 * v {
			sum += l.parts[at]
		}
		if l.ofEven[k] = sum / T(h); known {
			l.ofEven[k] = 1
		}
	}
}

// space returns work space, to be put back into work.
func (u *rough[T]) space() *roughWork[T] {
	if w, ok := u.work.Get().(*roughWork[T]); ok {
		return w
	}
	even := u.evens[len(u.evens)-1].units.To
	rows := func() []T { return make([]T, roughRows*u.samples) }
	w := &roughWork[T]{tanh: rows(), sech2: rows(), above: make([]T, roughRows*even), partition: make([]T, u.data+even)}
	for n := range min(len(w.products), len(u.links)) {
		w.products[n] = rows()
	}
	for _, x := range []*[]T{&w.mean, &w.variance, &w.state, &w.reaction} {
		*x = make([]T, u.samples)
	}
	return w
}
