package sample

import (
	"fmt"
	"math"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// SpinSource, SpinChains and SpinTempered are those of two layers of spins.
type (
	SpinSource[T rbm.Real]   = Source[T, *spin.Matrix, *spin.Matrix]
	SpinChains[T rbm.Real]   = Chains[T, *spin.Matrix, *spin.Matrix]
	SpinTempered[T rbm.Real] = Tempered[T, *spin.Matrix, *spin.Matrix]
)

// spinConditionals are conditionals of two layers of spins.
type spinConditionals[T rbm.Real] = Conditionals[T, *spin.Matrix, *spin.Matrix]

// A spinPath is what sources of spins have in common: the shapes, and the visible
// fields from the base (t = 0) to the machine (t = 1). The hidden units are summed
// over, but for their part in drawing.
type spinPath[T rbm.Real] struct {
	hidden   int
	kinds    [2]units.Kind // of the visible and the hidden units
	constant float64       // of the machine's log-weights
	fields   []float64     // of the base
	base     []T           // the same in the precision of the path
	machine  []T           // visible fields at t = 1
	tilt     []T           // machine - base: of the visible weight a unit of t
}

// newSpinPath returns the path from fair spins to visible fields.
func newSpinPath[T rbm.Real](machine []T, hidden int, constant float64, kinds [2]units.Kind) *spinPath[T] {
	w := &spinPath[T]{hidden: hidden, kinds: kinds, base: make([]T, len(machine)), tilt: make([]T, len(machine))}
	w.from(make([]float64, len(machine)))
	w.set(machine, constant)
	return w
}

// from changes the base.
func (w *spinPath[T]) from(fields []float64) {
	if len(fields) != len(w.base) {
		panic(fmt.Sprintf("sample: %d base fields for %d visible units", len(fields), len(w.base)))
	}
	w.fields = fields
	for i, b := range fields {
		w.base[i] = T(b)
	}
	w.set(w.machine, w.constant)
}

// set changes the fields at t = 1 and the constant.
func (w *spinPath[T]) set(machine []T, constant float64) {
	w.machine, w.constant = machine, constant
	for i, b := range machine {
		w.tilt[i] = b - w.base[i]
	}
}

// at returns the visible fields at t, in scratch if need be.
func (w *spinPath[T]) at(t T, scratch *[]T) []T {
	if t == 1 { // without rounding
		return w.machine
	}
	*scratch = append((*scratch)[:0], w.base...)
	for i, d := range w.tilt {
		(*scratch)[i] += t * d
	}
	return *scratch
}

// Units implements Source.
func (w *spinPath[T]) Units() (visible, hidden int) { return len(w.base), w.hidden }

// NewVisible implements Source.
func (w *spinPath[T]) NewVisible(count int) *spin.Matrix {
	return units.NewBits(len(w.base), count, w.kinds[0])
}

// NewHidden implements Source.
func (w *spinPath[T]) NewHidden(count int) *spin.Matrix {
	return units.NewBits(w.hidden, count, w.kinds[1])
}

// RandomHidden implements Source: all states are as likely.
func (w *spinPath[T]) RandomHidden(count int, key stream.Key) *spin.Matrix {
	return units.RandomBits(w.hidden, count, w.kinds[1], key)
}

// Base implements Source: independent spins in the fields of the base.
func (w *spinPath[T]) Base(count int, key stream.Key) *spin.Matrix {
	fields := make([]T, len(w.base)*count)
	for i, b := range w.base {
		for l := range count {
			fields[i*count+l] = b
		}
	}
	s := w.NewVisible(count)
	units.Draw(s, fields, w.kinds[0], key)
	return s
}

// LnZBase implements Source.
func (w *spinPath[T]) LnZBase() float64 {
	if w.kinds[0].OneHot() || w.kinds[1].OneHot() {
		sum := []float64{w.kinds[1].LnStates(w.hidden)}
		rbm.AddLogSums(sum, w.base, w.kinds[0], 1, 0, 1)
		return w.constant + sum[0]
	}
	sum := float64(w.hidden) * math.Ln2
	for _, b := range w.base {
		sum += kernel.Log2Cosh(float64(b))
	}
	return w.constant + sum
}

// LnZKnown implements Partial.
func (w *spinPath[T]) LnZKnown(dst []float64, v *spin.Matrix, missing *spin.Matrix) {
	kind := w.kinds[0]
	of, all := kind.Features(), w.LnZBase()
	for a := range dst {
		dst[a] = all
	}
	f := make([]float64, of)
	for unit := range missing.Rows() {
		for k := range f {
			f[k] = float64(w.base[unit*of+k])
		}
		free := kind.LogSum(f)
		for a := range dst {
			if missing.At(unit, a) > 0 {
				continue
			}
			dst[a] -= free
			for k, b := range f {
				dst[a] += b * float64(v.At(unit*of+k, a))
			}
		}
	}
}

// Scattered implements Scattering, with the base as the means of the data.
func (w *spinPath[T]) Scattered(count int, key stream.Key) *spin.Matrix {
	if w.kinds[0].OneHot() {
		return scatteredUnits(w.fields, count, w.kinds[0], key)
	}
	return Scattered(w.fields, count, key)
}

// gains computes log-weights of visible spins from their hidden fields.
type gains[T rbm.Real] struct {
	*spinPath[T]
	products []T // scratch of a number per chain
}

// lanes is what the number of chains in a piece of work is a multiple of.
const lanes = kernel.DrawLanes

// along multiplies the columns of s by fields.
func (g *gains[T]) along(fields []T, s *spin.Matrix) []T {
	if len(g.products) != s.Cols() {
		g.products = make([]T, s.Cols())
	}
	spin.Mul(g.products, fields, 1, s)
	return g.products
}

func (g *gains[T]) add(sum []float64, s *spin.Matrix, hiddenFields []T, from, to T) {
	chains, p := s.Cols(), g.hidden
	visible := g.along(g.tilt, s)
	grain := max(1, parallel.Grain(10*p)/lanes) * lanes
	parallel.For(chains, grain, func(lo, hi int) {
		for l := lo; l < hi; l++ {
			sum[l] += float64(visible[l]) * float64(to-from)
		}
		if g.kinds[1].OneHot() {
			minus := make([]float64, hi-lo)
			rbm.AddLogSums(sum[lo:hi], hiddenFields, g.kinds[1], chains, lo, to)
			rbm.AddLogSums(minus, hiddenFields, g.kinds[1], chains, lo, from)
			for l, v := range minus {
				sum[lo+l] -= v
			}
			return
		}
		for mu := range p {
			kernel.AddLog2CoshStep(sum[lo:hi], hiddenFields[mu*chains+lo:mu*chains+hi], from, to)
		}
	})
}

func (g *gains[T]) logWeights(dst []float64, s *spin.Matrix, hiddenFields []T) {
	chains := s.Cols()
	for l, v := range g.along(g.machine, s) {
		dst[l] = g.constant + float64(v)
	}
	if g.kinds[1].OneHot() {
		rbm.AddLogSums(dst[:chains], hiddenFields, g.kinds[1], chains, 0, 1)
		return
	}
	for k := 0; k < len(hiddenFields); k += chains {
		kernel.AddLog2Cosh(dst[:chains], hiddenFields[k:k+chains])
	}
}

// An observation is what a channel made of visible spins: a field along them.
type observation[T rbm.Real] struct {
	along  []T
	fields []T // of the last draw, with the observation
	drawn  bool
}

// Observe implements Observing.
func (o *observation[T]) Observe(y, missing *spin.Matrix, strength float64) {
	o.along = make([]T, y.Rows()*y.Cols())
	spin.Values(o.along, y)
	kernel.Affine(o.along, o.along, T(strength), 0)
	if missing == nil {
		return
	}
	for i := range y.Rows() {
		for l := range y.Cols() {
			if missing.At(i*missing.Rows()/y.Rows(), l) > 0 {
				o.along[i*y.Cols()+l] = 0
			}
		}
	}
}

// draw draws spins in the fields of a draw and those of the observation.
func (o *observation[T]) draw(s *spin.Matrix, fields []T, kind units.Kind, key stream.Key) {
	o.fields = append(o.fields[:0], fields...)
	for k, f := range o.along {
		o.fields[k] += f
	}
	units.Draw(s, o.fields, kind, key)
	o.drawn = true
}

// A spinLayer is what conditionals tell of a visible layer of spins.
type spinLayer[T rbm.Real] struct {
	path   *spinPath[T]
	chains int
}

// VisibleMeans implements Conditionals.
func (y spinLayer[T]) VisibleMeans(dst, fields []T) {
	if kind := y.path.kinds[0]; kind.OneHot() {
		rbm.SetMeans(dst, fields, kind, y.chains)
		return
	}
	parallel.For(len(fields), elementGrain, func(lo, hi int) { kernel.Tanh(dst[lo:hi], fields[lo:hi]) })
}

// elementGrain is how many elements are a piece of work in simple functions of each.
const elementGrain = 1 << 14

// heldField is the size of the field that holds a spin: its tanh is 1.
const heldField = 100

// HoldFields implements Conditionals.
func (spinLayer[T]) HoldFields(fields []T, v *spin.Matrix, units []int) {
	chains := v.Cols()
	for _, i := range units {
		for a := range chains {
			fields[i*chains+a] = T(v.At(i, a)) * heldField
		}
	}
}

// Scattered returns n visible states of independent spins, len(base) x n, to start
// chains at that should find states far from any data. base holds the fields in
// which independent spins have the means of the data. In every other state all
// spins have one mean, in the others the fields are those of the data at inverse
// temperatures from -1 to 1, so that there are states with all unlikely spins
// turned. Means and temperatures are spread evenly, in any run of neighbouring
// columns too: multiples of the golden ratio.
func Scattered(base []float64, n int, key stream.Key) *spin.Matrix {
	fields := make([]float64, len(base)*n)
	for k := range n {
		_, share := math.Modf((float64(k/2) + 0.5) / math.Phi)
		for i, b := range base {
			if at := 2*share - 1; k%2 == 0 {
				fields[i*n+k] = math.Atanh(at)
			} else {
				fields[i*n+k] = at * b
			}
		}
	}
	s := spin.New(len(base), n)
	spin.Draw(s, fields, key)
	return s
}

// scatteredUnits is Scattered of one-hot units: in every other state all choices are as
// likely, in the others the fields are those of the data at inverse temperatures from -1 to 1.
func scatteredUnits(base []float64, n int, kind units.Kind, key stream.Key) *spin.Matrix {
	fields := make([]float64, len(base)*n)
	for k := range n {
		_, share := math.Modf((float64(k/2) + 0.5) / math.Phi)
		for i, b := range base {
			if k%2 == 1 {
				fields[i*n+k] = (2*share - 1) * b
			}
		}
	}
	s := spin.New(len(base), n)
	units.Draw(s, fields, kind, key)
	return s
}
