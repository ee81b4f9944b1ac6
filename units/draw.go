package units

import (
	"bethe/internal/parallel"
	"bethe/spin"
	"bethe/stream"
)

// Draw draws the features of units of a kind of bits in fields, features x columns.
func Draw[T Real](m *spin.Matrix, fields []T, kind Kind, key stream.Key) {
	if kind.OneHot() {
		spin.DrawOneHot(m, fields, kind.States, kind.None, key)
		return
	}
	spin.Draw(m, fields, key)
}

// NewBits returns states of a layer of bits. Each is a valid state of the kind.
func NewBits(features, columns int, kind Kind) *spin.Matrix {
	m := spin.New(features, columns)
	if kind.OneHot() && !kind.None {
		for i := 0; i < features; i += kind.States {
			for a := range columns {
				m.Set(i, a, 1)
			}
		}
	}
	return m
}

// RandomBits draws states of a layer of bits that are all as likely.
func RandomBits(features, columns int, kind Kind, key stream.Key) *spin.Matrix {
	if !kind.OneHot() {
		return spin.Random(features, columns, key.Rand())
	}
	m := spin.New(features, columns)
	Draw(m, make([]float32, features*columns), kind, key)
	return m
}

// DrawGauss draws Gaussian units in fields, their means, units x columns: numbers of
// standard deviation 1 around them.
func DrawGauss[T Real](r *Reals[T], fields []T, key stream.Key) {
	parallel.For(r.units, parallel.Grain(r.columns*16), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			rng := key.Sub(uint64(i)).Rand()
			for a, f := range fields[i*r.columns : (i+1)*r.columns] {
				r.values[i*r.columns+a] = f + T(rng.NormFloat64())
			}
		}
	})
}
