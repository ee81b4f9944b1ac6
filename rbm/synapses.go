package rbm

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"bethe/internal/npy"
	"bethe/spin"
)

// Synapses are the known synapses of a machine. What only some can do is an
// optional interface: Signed, Uncertain.
type Synapses interface {
	// Size returns the numbers of visible and hidden units.
	Size() (visible, hidden int)
	// Bits returns how many a synapse takes.
	Bits() int
	// Values writes the synapses, in units of the coupling, to dst, hidden x visible.
	Values(dst []float32)
	// Uncentre adds to the fields of the visible and hidden units what takes the
	// place of the offsets in params, -J sum_mu xi nu_mu and -J sum_i xi mu_i, and
	// returns the constant J sum mu_i xi nu_mu.
	Uncentre(visible, hidden []float64, params *Params) (constant float64)
	// Clone returns a deep copy.
	Clone() Synapses
}

// encoder is implemented by synapses that a model file can hold.
type encoder interface {
	// encode returns the arrays of the file and the kind that its meta.json names.
	// Errors name the array and the element.
	encode() (kind string, arrays []npy.Array, err error)
}

// Signed is implemented by synapses that are bits.
type Signed interface {
	Synapses
	// Signs returns the synapses, visible x hidden, not to be changed.
	Signs() *spin.Matrix
}

// Uncertain is implemented by binary synapses that know their posterior.
type Uncertain interface {
	Signed
	// Posterior returns that posterior, not to be changed.
	Posterior() *Posterior[float32]
}

// ErrNotBinary is the error of work that needs binary synapses.
var ErrNotBinary = errors.New("its synapses are real numbers, not bits")

// Values returns the synapses, in units of the coupling, hidden x visible.
func Values(s Synapses) []float32 {
	n, p := s.Size()
	x := make([]float32, n*p)
	s.Values(x)
	return x
}

// Expected returns the expected synapses, hidden x visible: the means of their
// posterior if they have one, else their values.
func Expected(s Synapses) []float32 {
	u, ok := s.(Uncertain)
	if !ok {
		return Values(s)
	}
	mean := make([]float32, len(u.Posterior().Theta))
	u.Posterior().Mean(mean)
	return mean
}

// Signs returns the synapses of a machine that has binary ones, visible x hidden.
// It panics with ErrNotBinary if they are not.
func (m *Machine) Signs() *spin.Matrix {
	s, ok := m.Synapses.(Signed)
	if !ok {
		panic(fmt.Errorf("rbm: Signs of a machine: %w", ErrNotBinary))
	}
	return s.Signs()
}

// binary are synapses ±1.
type binary struct{ signs *spin.Matrix } // visible x hidden

// Binary returns binary synapses (visible x hidden), which are not copied.
func Binary(signs *spin.Matrix) Signed { return binary{signs} }

func (b binary) Size() (visible, hidden int) { return b.signs.Rows(), b.signs.Cols() }
func (b binary) Bits() int                   { return 1 }
func (b binary) Signs() *spin.Matrix         { return b.signs }
func (b binary) Clone() Synapses             { return binary{b.signs.Clone()} }
func (b binary) Values(dst []float32)        { spin.Values(dst, transposed(b.signs)) }

func transposed(m *spin.Matrix) *spin.Matrix {
	t := spin.New(m.Cols(), m.Rows())
	m.Transpose(t)
	return t
}

func (b binary) Uncentre(visible, hidden []float64, params *Params) (constant float64) {
	if !params.Whole() {
		return uncentre(visible, hidden, params, Values(b))
	}
	n, p := b.Size()
	j := params.Coupling()
	row := make([]float64, n)
	spin.Mul(row, params.HiddenOffset, 1, transposed(b.signs)) // sum_mu nu_mu xi_{i mu}
	for i, v := range row {
		visible[i] -= j * v
		constant += j * v * params.VisibleOffset[i]
	}
	column := make([]float64, p)
	spin.Mul(column, params.VisibleOffset, 1, b.signs)
	for mu, v := range column {
		hidden[mu] -= j * v
	}
	return constant
}

// uncentre is Synapses.Uncentre of synapses w that are numbers, hidden x visible.
func uncentre[T Real](visible, hidden []float64, params *Params, w []T) (constant float64) {
	n := params.Visible()
	for mu, nu := range params.HiddenOffset {
		var sum float64
		for _, l := range params.Links {
			if !l.Joins(mu) {
				continue
			}
			for i := l.Visible.From; i < l.Visible.To; i++ {
				x := l.Coupling * float64(w[mu*n+i])
				visible[i] -= x * nu
				sum += x * params.VisibleOffset[i]
			}
		}
		hidden[mu] -= sum
		constant += sum * nu
	}
	return constant
}

// encode implements encoder. Bits without a posterior have that of certainty.
func (b binary) encode() (string, []npy.Array, error) {
	n, p := b.Size()
	q := NewPosterior[float32](n, p)
	spin.Values(q.Theta, transposed(b.signs))
	for k := range q.Theta {
		q.Theta[k] *= certain
	}
	return learned{b, q}.encode()
}

// certain is the theta of a mean that is 1 but for the rounding of a float32.
var certain = float32(math.Atanh(1 - 1.0/(1<<25)))

// learned are binary synapses with the posterior they are of.
type learned struct {
	binary
	posterior *Posterior[float32]
}

// Learned returns binary synapses (visible x hidden) with the posterior they are
// of. Neither is copied. It panics if shapes differ.
func Learned(signs *spin.Matrix, q *Posterior[float32]) Uncertain {
	if signs.Rows() != q.Visible || signs.Cols() != q.Hidden {
		panic(fmt.Sprintf("rbm: %d x %d synapses of a posterior of %d x %d", signs.Rows(), signs.Cols(), q.Visible, q.Hidden))
	}
	return learned{binary{signs}, q}
}

func (l learned) Posterior() *Posterior[float32] { return l.posterior }
func (l learned) Clone() Synapses                { return learned{binary{l.signs.Clone()}, l.posterior.Clone()} }

// encode implements encoder.
func (l learned) encode() (string, []npy.Array, error) {
	n, p := l.Size()
	q := l.posterior
	for name, theta := range map[string][]float32{"posterior_mean": q.Theta, "prior_mean": q.PriorTheta} {
		if slices.ContainsFunc(theta, func(v float32) bool { return v != v }) {
			return "", nil, fmt.Errorf("%s is not a number somewhere", name)
		}
	}
	signs := make([]int8, n*p)
	spin.Values(signs, l.signs)
	arrays := []npy.Array{
		{Name: "synapses", Shape: []int{n, p}, Data: signs},
		{Name: "posterior_mean", Shape: []int{n, p}, Data: meansByVisible(q.Theta, n, p)},
	}
	if q.PriorTheta != nil {
		arrays = append(arrays, npy.Array{Name: "prior_mean", Shape: []int{n, p}, Data: meansByVisible(q.PriorTheta, n, p)})
	}
	return binarySynapses, arrays, nil
}

// realValued are synapses w that are real numbers, hidden x visible. They take the
// place of xi in every formula: the coupling of an edge is J w.
type realValued struct {
	visible, hidden int
	w               []float32
}

// RealValued returns real synapses w (hidden x visible), in units of the
// coupling, which are not copied. It panics if the length does not fit.
func RealValued(visible, hidden int, w []float32) Synapses {
	if len(w) != visible*hidden {
		panic(fmt.Sprintf("rbm: %d real synapses of %d x %d units", len(w), visible, hidden))
	}
	return realValued{visible, hidden, w}
}

func (r realValued) Size() (visible, hidden int) { return r.visible, r.hidden }
func (r realValued) Bits() int                   { return 32 }
func (r realValued) Values(dst []float32)        { copy(dst, r.w) }
func (r realValued) Clone() Synapses             { return realValued{r.visible, r.hidden, slices.Clone(r.w)} }

func (r realValued) Uncentre(visible, hidden []float64, params *Params) (constant float64) {
	return uncentre(visible, hidden, params, r.w)
}

// encode implements encoder.
func (r realValued) encode() (string, []npy.Array, error) {
	n, p := r.Size()
	if k := slices.IndexFunc(r.w, notFinite); k >= 0 {
		return "", nil, fmt.Errorf("weights[%d, %d] is %v: it must be finite", k%n, k/n, r.w[k])
	}
	byVisible := make([]float32, n*p)
	transpose(byVisible, r.w, p, n)
	return realSynapses, []npy.Array{{Name: "weights", Shape: []int{n, p}, Data: byVisible}}, nil
}

func notFinite(v float32) bool { return math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) }

// meansByVisible returns tanh theta, visible x hidden.
func meansByVisible(theta []float32, n, p int) []float32 {
	mean, byVisible := make([]float32, n*p), make([]float32, n*p)
	for k, v := range theta {
		mean[k] = float32(math.Tanh(float64(v)))
	}
	transpose(byVisible, mean, p, n)
	return byVisible
}

// decoders read the synapses of n visible and p hidden units of each kind that
// meta.json names, and name the array that tells their shape and those that
// belong to other kinds.
var decoders = map[string]decoder{
	binarySynapses: {"synapses", []string{"weights"}, decodeBinary},
	realSynapses:   {"weights", []string{"synapses", "posterior_mean", "prior_mean"}, decodeReal},
}

type decoder struct {
	shape  string
	others []string
	decode func(a *npy.Archive, path string, n, p int) (Synapses, error)
}

// What meta.json says of the kinds of synapses.
const (
	binarySynapses = ""
	realSynapses   = "real"
)

func decodeReal(a *npy.Archive, path string, n, p int) (Synapses, error) {
	w, err := npy.Get[float32](a, "weights", n, p)
	if err != nil {
		return nil, err
	}
	if k := slices.IndexFunc(w, notFinite); k >= 0 {
		return nil, fmt.Errorf("%s: weights[%d, %d] is %v: it must be finite", path, k/p, k%p, w[k])
	}
	byHidden := make([]float32, n*p)
	transpose(byHidden, w, n, p)
	return RealValued(n, p, byHidden), nil
}

func decodeBinary(a *npy.Archive, path string, n, p int) (Synapses, error) {
	q := NewPosterior[float32](n, p)
	var err error
	if q.Theta, err = readMeans(a, path, "posterior_mean", n, p); err != nil {
		return nil, err
	}
	if a.Has("prior_mean") {
		if q.PriorTheta, err = readMeans(a, path, "prior_mean", n, p); err != nil {
			return nil, err
		}
	}
	signs, err := npy.Get[int8](a, "synapses", n, p)
	if err != nil {
		return nil, err
	}
	for k, s := range signs {
		mean := math.Tanh(float64(q.Theta[k%p*n+k/p]))
		switch {
		case s != 1 && s != -1:
			return nil, fmt.Errorf("%s: synapses[%d, %d] is %d: it must be 1 or -1", path, k/p, k%p, s)
		case float64(s)*mean < -Decided-1e-6:
			return nil, fmt.Errorf("%s: synapses[%d, %d] is %d where posterior_mean is %v: it must be its sign where that is beyond ±%v", path, k/p, k%p, s, float32(mean), Decided)
		}
	}
	return Learned(spin.FromSigns(n, p, signs), q), nil
}

// readMeans reads posterior means, visible x hidden, as thetas, hidden x visible.
func readMeans(a *npy.Archive, path, name string, n, p int) ([]float32, error) {
	const limit = 1 - 1.0/(1<<25)
	mean, err := npy.Get[float32](a, name, n, p)
	if err != nil {
		return nil, err
	}
	theta := make([]float32, n*p)
	for k, v := range mean {
		m := float64(v)
		if !(math.Abs(m) <= 1) {
			return nil, fmt.Errorf("%s: %s[%d, %d] is %v: it must lie between -1 and 1", path, name, k/p, k%p, m)
		}
		theta[k%p*n+k/p] = float32(math.Atanh(max(-limit, min(limit, m))))
	}
	return theta, nil
}
