package sample

import (
	"fmt"
	"math"

	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// A HopfieldSource is the path to a machine of visible units of bits and Gaussian hidden
// units y, with spins a Hopfield machine,
//
//	ln w_t = ((1-t) base + t b).s + t y (K s + c) - y²/2.
type HopfieldSource struct {
	*spinPath[float32]
	net       *rbm.Network[float32]
	couplingT *units.Reals[float32] // visible x hidden
}

// OnHopfield returns the path from independent units in the given fields to a network of
// Gaussian hidden units, which must not change.
func OnHopfield(net *rbm.Network[float32], base []float64) *HopfieldSource {
	return PathsToHopfield(net)(base)
}

// PathsToHopfield returns what makes paths to a network from independent units in given fields (OnHopfield). They share its
// transposed couplings, and may be made and used by several goroutines at a time.
func PathsToHopfield(net *rbm.Network[float32]) func(base []float64) *HopfieldSource {
	if net.HiddenKind.Bits() || !net.VisibleKind.Bits() {
		panic(fmt.Sprintf("sample: OnHopfield of %s and %s units", net.VisibleKind, net.HiddenKind))
	}
	couplingT := units.NewReals[float32](net.Visible(), net.Hidden())
	net.TransposeCoupling(couplingT.Values())
	return func(base []float64) *HopfieldSource {
		s := &HopfieldSource{newSpinPath(net.VisibleField, net.Hidden(), net.Constant, [2]units.Kind{net.VisibleKind, net.HiddenKind}), net, couplingT}
		s.from(base)
		return s
	}
}

// NewHidden implements Source.
func (s *HopfieldSource) NewHidden(count int) *units.Reals[float32] {
	return units.NewReals[float32](s.hidden, count)
}

// RandomHidden implements Source: standard normal numbers.
func (s *HopfieldSource) RandomHidden(count int, key stream.Key) *units.Reals[float32] {
	h := s.NewHidden(count)
	units.DrawGauss(h, make([]float32, s.hidden*count), key)
	return h
}

// LnZBase implements Source.
func (s *HopfieldSource) LnZBase() float64 {
	sum := []float64{s.constant + float64(s.hidden)*math.Log(2*math.Pi)/2}
	rbm.AddLogSums(sum, s.base, s.kinds[0], 1, 0, 1)
	return sum[0]
}

// LnZKnown implements Partial.
func (s *HopfieldSource) LnZKnown(dst []float64, v *spin.Matrix, missing *spin.Matrix) {
	s.spinPath.LnZKnown(dst, v, missing)
	more := s.LnZBase() - s.spinPath.LnZBase()
	for a := range dst {
		dst[a] += more
	}
}

// Conditionals implements Source.
func (s *HopfieldSource) Conditionals(count int) Conditionals[float32, *spin.Matrix, *units.Reals[float32]] {
	return &hopfieldConditionals{spinLayer: spinLayer[float32]{s.spinPath, count}, gains: gains[float32]{spinPath: s.spinPath}, source: s,
		fieldV: make([]float32, s.net.Visible()*count), fieldH: make([]float32, s.hidden*count), scaled: make([]float32, s.hidden*count)}
}

// hopfieldConditionals are those of Gaussian hidden units.
type hopfieldConditionals struct {
	spinLayer[float32]
	observation[float32]
	gains          gains[float32]
	source         *HopfieldSource
	fieldV, fieldH []float32
	scaled, shift  []float32 // hidden means at t, visible fields at t
}

func (c *hopfieldConditionals) DrawHidden(h *units.Reals[float32], s *spin.Matrix, t float32, key stream.Key) {
	c.source.net.HiddenFields(c.fieldH, s)
	for k, f := range c.fieldH {
		c.scaled[k] = t * f
	}
	units.DrawGauss(h, c.scaled, key)
}

func (c *hopfieldConditionals) HiddenFields() []float32 { return c.fieldH }

func (c *hopfieldConditionals) DrawVisible(s *spin.Matrix, h *units.Reals[float32], t float32, key stream.Key) {
	n, m := c.source.net.Visible(), h.Len()
	shift := c.source.at(t, &c.shift)
	units.MulAffine(c.fieldV, c.source.couplingT.Values(), n, h, nil)
	parallel.For(n, parallel.Grain(m), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			for a, f := range c.fieldV[i*m : (i+1)*m] {
				c.fieldV[i*m+a] = t*f + shift[i]
			}
		}
	})
	units.Draw(s, c.fieldV, c.source.net.VisibleKind, key)
	c.drawn = false
}

func (c *hopfieldConditionals) VisibleFields() []float32 {
	if c.drawn {
		return c.fields
	}
	return c.fieldV
}

func (c *hopfieldConditionals) DrawObserved(s *spin.Matrix, key stream.Key) {
	c.draw(s, c.fieldV, c.source.net.VisibleKind, key)
}

func (c *hopfieldConditionals) AddGains(sum []float64, s *spin.Matrix, from, to float32) {
	m := s.Cols()
	for l, v := range c.gains.along(c.gains.tilt, s) {
		sum[l] += float64(v) * float64(to-from)
	}
	half := (float64(to)*float64(to) - float64(from)*float64(from)) / 2
	for k, f := range c.fieldH {
		sum[k%m] += half * float64(f) * float64(f)
	}
}

func (c *hopfieldConditionals) LogWeights(dst []float64, s *spin.Matrix) {
	m := s.Cols()
	for l, v := range c.gains.along(c.gains.machine, s) {
		dst[l] = c.gains.constant + float64(v)
	}
	rbm.AddLogSums(dst, c.fieldH, c.source.net.HiddenKind, m, 0, 1)
}
