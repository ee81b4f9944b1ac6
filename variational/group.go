package variational

import (
	"math"
	"slices"
	"sync"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/units"
)

// Groups are the hidden groups of a one-hot kind: phi(f) = ln sum_k exp(f_k), with one
// state more if none need be on. Its average over independent Gaussian fields is
//
//	E ln sum_k exp(f_k) = E max_k (f_k + Gumbel_k) - gamma,
//
// an integral of one dimension over the distribution functions F_k(t) = E exp(-exp(f_k - t)),
// and so are T_k = E p_k and R_k = E p_k (1 - p_k), p the softmax. Features are held as spins:
// their fields are half of f, and averages are those of 2y - 1. In float32 distribution
// functions come from a table, and averages are off by less than 1e-4. Variances of f above 256 count as 256,
// which gives a lower bound: outliers among real numbers make such fields.
type Groups[T rbm.Real] struct {
	kind      units.Kind
	functions gumbelFunctions
	step      float64 // of the trapezoid rule over t
}

// NewGroups returns the hidden units of a kind, by tables.
func NewGroups[T rbm.Real](kind units.Kind) *Groups[T] {
	return &Groups[T]{kind, tabulatedGumbel(), float64(tableStep) / tableDensity}
}

// ExactGroups returns the same by quadrature to 1e-11 or better: the reference.
func ExactGroups[T rbm.Real](kind units.Kind) *Groups[T] {
	return &Groups[T]{kind, gumbelQuadrature{}, 0.35}
}

// Kind implements units.Hidden.
func (g *Groups[T]) Kind() string { return g.kind.String() }

// Together implements units.Hidden.
func (g *Groups[T]) Together() int { return g.kind.States }

// OffsetLimit implements units.Hidden.
func (g *Groups[T]) OffsetLimit() float64 { return 1 }

// Averages implements units.Hidden.
func (g *Groups[T]) Averages(first, second, mean, variance []T, m int) {
	w := g.space()
	for a := range m {
		take(w, mean, variance, m, a)
		w.average(true)
		for k := range g.kind.States {
			first[k*m+a], second[k*m+a] = T(2*w.first[k]-1), T(4*w.second[k])
		}
	}
}

// Value implements units.Hidden.
func (g *Groups[T]) Value(mean, variance []T, m int) float64 {
	w, total := g.space(), 0.0
	for a := range m {
		take(w, mean, variance, m, a)
		total += w.average(false)
		for k := range g.kind.States {
			total -= float64(mean[k*m+a])
		}
	}
	return total
}

// gumbelFunctions give ln F of the features of a group, and its derivatives by t.
type gumbelFunctions interface {
	// begin is for t = from, from + step, ...
	begin(w *groupSpace, from float64)
	// next sets w.lnF and w.slope at the next t.
	next(w *groupSpace, t float64)
}

// groupSpace is the work on one group in one sample.
type groupSpace struct {
	functions      gumbelFunctions
	none           bool
	step           float64
	mean, variance []float64 // of f
	first, second  []float64
	lnF, slope     []float64

	// Of tables: the place of each feature's mean and its row, how far it is on the way to
	// the next ones, and logarithms.
	cell, row []int
	u, v      []float32
	ln        []float32
}

func (g *Groups[T]) space() *groupSpace {
	k := g.kind.States
	x := make([]float64, 6*k)
	return &groupSpace{functions: g.functions, none: g.kind.None, step: g.step, mean: x[:k], variance: x[k : 2*k], first: x[2*k : 3*k], second: x[3*k : 4*k],
		lnF: x[4*k : 5*k], slope: x[5*k:], cell: make([]int, k), row: make([]int, k), u: make([]float32, k), v: make([]float32, k), ln: make([]float32, 2*k)}
}

// mostVariance is the greatest variance of a field that is counted whole: the work of average grows with
// it. A convex function's average grows with variance, so with less it is a lower bound.
const mostVariance = 16 * 16

// farMean is how far from 0 means may be before average counts them from the greatest.
const farMean = 1e6

// take sets the fields to those of sample a. Their variances are one per row, or one per sample.
func take[T rbm.Real](w *groupSpace, mean, variance []T, m, a int) {
	alike := len(variance) == len(w.mean)
	for k := range w.mean {
		v := variance[k]
		if !alike {
			v = variance[k*m+a]
		}
		w.mean[k], w.variance[k] = 2*float64(mean[k*m+a]), min(4*float64(v), mostVariance)
	}
}

// average returns E ln sum exp f and, if asked, sets first and second.
//
// With s = ln sum exp(mean + variance/2) a single Gumbel variable around s has the same upper
// tail as the largest, and the mean s + gamma, so that only differences of distribution
// functions, and of densities, are integrated, which fall off fast on both sides.
func (w *groupSpace) average(slopes bool) float64 {
	if slices.Max(w.variance) == 0 {
		return w.softmax()
	}
	if m := slices.Max(w.mean); math.Abs(m) > farMean && !(w.none && m < 0) { // steps would be lost beside such numbers
		for k := range w.mean {
			w.mean[k] -= m
		}
		none := w.none
		w.none = false // it weighs nothing beside exp(m)
		value := w.average(slopes)
		w.none = none
		return value + m
	}
	far, deviations := 14.0, 7.0 // of the ends; the rest above falls as exp(2(mean + variance - t))
	if w.step > 0.5 {
		far, deviations = 4.5, 5
	}
	top, least, most := math.Inf(-1), math.Inf(-1), math.Inf(-1)
	if w.none {
		top, least, most = 0, 0, 0
	}
	for k, m := range w.mean {
		v := w.variance[k]
		top, most = max(top, m+v/2), max(most, m+v)
		least = max(least, m-deviations*math.Sqrt(v))
	}
	sum := 0.0
	if w.none {
		sum = math.Exp(-top)
	}
	for k, m := range w.mean {
		sum += math.Exp(m + w.variance[k]/2 - top)
	}
	centre := top + math.Log(sum)
	clear(w.first)
	clear(w.second)
	total, beside, from := 0.0, 0.0, math.Floor((least-4)/w.step)*w.step
	w.functions.begin(w, from)
	for t := from; t < max(centre, most)+far; t += w.step {
		ln, all := 0.0, 0.0 // ln of the product of all F, and the sum of slopes
		if w.none {
			all = math.Exp(-t)
			ln = -all
		}
		w.functions.next(w, t)
		for k, f := range w.lnF {
			ln += f
			all += w.slope[k]
		}
		beyond := math.Exp(centre - t)
		gumbel, product := math.Exp(-beyond), 0.0
		if ln >= -60 {
			product = math.Exp(ln)
		}
		total += gumbel - product
		beside += gumbel * beyond
		if slopes && product > 0 {
			for k, s := range w.slope {
				w.first[k] += s * product
				w.second[k] += s * (all - s) * product
			}
		}
	}
	for k, m := range w.mean {
		w.first[k] = math.Exp(m+w.variance[k]/2-centre)*(1-beside*w.step) + w.first[k]*w.step
		w.second[k] *= w.step
	}
	return centre + total*w.step
}

// softmax is average where the fields are known, as those of synapses that have settled.
func (w *groupSpace) softmax() float64 {
	top, sum := slices.Max(w.mean), 0.0
	if w.none {
		top = max(top, 0)
		sum = math.Exp(-top)
	}
	for k, m := range w.mean {
		w.first[k] = math.Exp(m - top)
		sum += w.first[k]
	}
	for k, p := range w.first {
		p /= sum
		w.first[k], w.second[k] = p, p*(1-p)
	}
	return top + math.Log(sum)
}

// gumbelQuadrature does the averages by the trapezoid rule.
type gumbelQuadrature struct{}

func (gumbelQuadrature) begin(*groupSpace, float64) {}

func (q gumbelQuadrature) next(w *groupSpace, t float64) {
	for k, m := range w.mean {
		w.lnF[k], w.slope[k] = q.at(m-t, w.variance[k])
	}
}

// at returns ln F of x = f - t that is normal with the given mean and variance, and its
// logarithmic derivative by t.
func (gumbelQuadrature) at(mean, variance float64) (lnF, slope float64) {
	if variance == 0 {
		e := math.Exp(mean)
		return -e, e
	}
	const far = 8.5
	deviation := math.Sqrt(variance)
	step := min(0.5, 0.36/deviation) // errors fall as exp(-pi²/(step deviation))
	var weight, f, d float64
	for z := -far; z <= far; z += step {
		w := math.Exp(-z * z / 2)
		x := mean + deviation*z
		e := math.Exp(x)
		p := w * math.Exp(-e)
		weight += w
		f += p
		d += p * e
	}
	if f == 0 || d == 0 {
		return math.Inf(-1), 0
	}
	return math.Log(f / weight), d / f
}

// gumbelTable holds ln of -ln F and of its slope, for means from tableLow to tableHigh and
// standard deviations up to tableWide, and interpolates linearly in both. Beyond, it is the
// quadrature.
type gumbelTable struct{ values [][2]float32 } // [deviation][mean]

const (
	tableLow, tableHigh = -24, 14
	tableDensity        = 32 // means in an interval of 1
	tableStep           = 28 // of t, in means
	tableMeans          = (tableHigh-tableLow)*tableDensity + 1
	tableWide           = 4
	tableDeviations     = tableWide*16 + 1
)

var tabulatedGumbel = sync.OnceValue(func() gumbelFunctions {
	t := gumbelTable{make([][2]float32, tableMeans*tableDeviations)}
	parallel.For(tableDeviations, 1, func(lo, hi int) {
		for d := lo; d < hi; d++ {
			deviation := float64(d) / 16
			for k := range tableMeans {
				f, s := gumbelQuadrature{}.at(tableLow+float64(k)/tableDensity, deviation*deviation)
				// both are close to exp(mean + variance/2) on the left: their logarithms are smooth
				ln := [2]float32{80, -80}
				if !math.IsInf(f, 0) && s > 0 {
					ln = [2]float32{float32(math.Log(-f)), float32(math.Log(s))}
				}
				t.values[d*tableMeans+k] = ln
			}
		}
	})
	return t
})

func (t gumbelTable) begin(w *groupSpace, from float64) {
	for k, m := range w.mean {
		deviation := math.Sqrt(w.variance[k])
		if deviation >= tableWide {
			w.row[k] = -1
			continue
		}
		x, y := math.Min(1e6, (m-from-tableLow)*tableDensity), deviation*16
		w.cell[k], w.row[k] = int(math.Floor(x)), int(y)
		w.u[k], w.v[k] = float32(x-math.Floor(x)), float32(y-math.Floor(y))
	}
}

func (t gumbelTable) next(w *groupSpace, at float64) {
	for k, row := range w.row {
		cell := w.cell[k]
		w.cell[k] = cell - tableStep
		switch {
		case row < 0 || cell < 0: // F is 1
			w.ln[2*k], w.ln[2*k+1] = -80, -80
		case cell >= tableMeans-1: // F is 0
			w.ln[2*k], w.ln[2*k+1] = 80, -80
		default:
			u, v := w.u[k], w.v[k]
			low, high := t.values[row*tableMeans+cell:][:2], t.values[(row+1)*tableMeans+cell:][:2]
			a, b, c, d := (1-v)*(1-u), (1-v)*u, v*(1-u), v*u
			w.ln[2*k] = a*low[0][0] + b*low[1][0] + c*high[0][0] + d*high[1][0]
			w.ln[2*k+1] = a*low[0][1] + b*low[1][1] + c*high[0][1] + d*high[1][1]
		}
	}
	kernel.Exp(w.ln, w.ln)
	for k, row := range w.row {
		w.lnF[k], w.slope[k] = -float64(w.ln[2*k]), float64(w.ln[2*k+1])
		if row < 0 {
			w.lnF[k], w.slope[k] = gumbelQuadrature{}.at(w.mean[k]-at, w.variance[k])
		}
	}
}
