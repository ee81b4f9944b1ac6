package evaluate

import (
	"context"
	"fmt"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/spin"
)

// Inputs are what a linear classifier sees of samples. Equal arguments must give
// equal results, whatever the number of threads. Errors are the context's; results are
// then not complete.
type Inputs interface {
	// Size returns the numbers of samples and of features.
	Size() (samples, features int)
	// Scores computes dst = w x, classes x samples, for weights classes x features.
	Scores(ctx context.Context, dst, w []float32, classes int) error
	// Gradient computes dst = r transpose(x), classes x features, for r classes x samples.
	Gradient(ctx context.Context, dst []float64, r []float32, classes int) error
	// Moments returns the means of the features and their mean products,
	// features x features.
	Moments(ctx context.Context) (means, products []float64, err error)
}

// realInputs are real numbers, samples x features.
type realInputs struct {
	x        []float32
	features int
}

// RealInputs returns inputs of real numbers, samples x features, such as
// Features gives.
func RealInputs(x []float32, features int) Inputs {
	if features < 1 || len(x)%features != 0 {
		panic(fmt.Sprintf("evaluate: inputs of %d numbers, %d features a sample", len(x), features))
	}
	return &realInputs{x, features}
}

func (in *realInputs) Size() (samples, features int) {
	return len(in.x) / in.features, in.features
}

// inputBlock is the number of samples that a piece of work takes.
const inputBlock = 1 << 10

// blocks calls body with each block of samples and its number. The error is the context's.
func (in *realInputs) blocks(ctx context.Context, body func(k, lo, hi int, x []float32)) error {
	m, p := in.Size()
	return parallel.ForContext(ctx, parallel.Pieces(m, inputBlock), 1, func(from, to int) {
		for k := from; k < to; k++ {
			lo, hi := k*inputBlock, min(m, (k+1)*inputBlock)
			body(k, lo, hi, in.x[lo*p:hi*p])
		}
	})
}

func (in *realInputs) Scores(ctx context.Context, dst, w []float32, classes int) error {
	m, p := in.Size()
	return in.blocks(ctx, func(_, lo, hi int, x []float32) {
		part := make([]float32, classes*(hi-lo))
		kernel.MulReal(part, w, x, classes, p, hi-lo, false, true)
		for c := range classes {
			copy(dst[c*m+lo:c*m+hi], part[c*(hi-lo):])
		}
	})
}

func (in *realInputs) Gradient(ctx context.Context, dst []float64, r []float32, classes int) error {
	m, p := in.Size()
	parts := make([][]float32, parallel.Pieces(m, inputBlock))
	err := in.blocks(ctx, func(k, lo, hi int, x []float32) {
		part := make([]float32, classes*(hi-lo))
		for c := range classes {
			copy(part[c*(hi-lo):(c+1)*(hi-lo)], r[c*m+lo:])
		}
		parts[k] = make([]float32, classes*p)
		kernel.MulReal(parts[k], part, x, classes, hi-lo, p, false, false)
	})
	if err == nil {
		addUp(dst, parts)
	}
	return err
}

// stripe is the number of features whose products with all are computed between two
// looks at the context.
const stripe = 256

func (in *realInputs) Moments(ctx context.Context) (means, products []float64, err error) {
	m, p := in.Size()
	parts := make([][]float32, parallel.Pieces(m, inputBlock))
	sums := make([][]float32, len(parts))
	products, means = make([]float64, p*p), make([]float64, p)
	const atOnce = 8 // so that parts take little memory
	for first := 0; first < len(parts); first += atOnce {
		last := min(len(parts), first+atOnce)
		if err := parallel.ForContext(ctx, last-first, 1, func(from, to int) {
			for k := first + from; k < first+to; k++ {
				lo, hi := k*inputBlock, min(m, (k+1)*inputBlock)
				x := in.x[lo*p : hi*p]
				parts[k], sums[k] = make([]float32, p*p), make([]float32, p)
				for at := 0; at < p && ctx.Err() == nil; at += stripe {
					width := min(stripe, p-at)
					some := make([]float32, width*(hi-lo)) // of the features, as columns
					for a := range hi - lo {
						copy(some[a*width:(a+1)*width], x[a*p+at:])
					}
					kernel.MulReal(parts[k][at*p:(at+width)*p], some, x, width, hi-lo, p, true, false)
				}
				for a := range hi - lo {
					for i, v := range x[a*p : (a+1)*p] {
						sums[k][i] += v
					}
				}
			}
		}); err != nil {
			return nil, nil, err
		}
		addTo(products, parts[first:last])
		clear(parts[first:last])
	}
	addTo(means, sums)
	scale(products, 1/float64(m))
	scale(means, 1/float64(m))
	return means, products, nil
}

// addUp sets dst to the sum of the parts, in their order.
func addUp(dst []float64, parts [][]float32) {
	clear(dst)
	addTo(dst, parts)
}

func addTo(dst []float64, parts [][]float32) {
	for _, part := range parts {
		for i, v := range part {
			dst[i] += float64(v)
		}
	}
}

func scale(x []float64, by float64) {
	for i := range x {
		x[i] *= by
	}
}

// spinInputs are the spins themselves.
type spinInputs struct{ x, across *spin.Matrix } // features x samples, samples x features

// SpinInputs returns the spins of samples (visible x M) as inputs: raw pixels.
func SpinInputs(samples *spin.Matrix) Inputs {
	across := spin.New(samples.Cols(), samples.Rows())
	samples.Transpose(across)
	return &spinInputs{samples, across}
}

func (in *spinInputs) Size() (samples, features int) { return in.x.Cols(), in.x.Rows() }

func (in *spinInputs) Scores(ctx context.Context, dst, w []float32, classes int) error {
	spin.Mul(dst, w, classes, in.x)
	return ctx.Err()
}

func (in *spinInputs) Gradient(ctx context.Context, dst []float64, r []float32, classes int) error {
	x := make([]float32, len(dst))
	spin.Mul(x, r, classes, in.across)
	for k, v := range x {
		dst[k] = float64(v)
	}
	return ctx.Err()
}

func (in *spinInputs) Moments(ctx context.Context) (means, products []float64, err error) {
	m, p := in.Size()
	dots := make([]int32, p*p)
	spin.Dot(dots, in.across, in.across)
	sums := make([]int, p)
	in.x.RowSums(sums)
	products, means = make([]float64, p*p), make([]float64, p)
	for k, v := range dots {
		products[k] = float64(v) / float64(m)
	}
	for k, v := range sums {
		means[k] = float64(v) / float64(m)
	}
	return means, products, ctx.Err()
}
