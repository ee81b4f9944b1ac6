// Package units says what the kinds of units of a layer have in common: what an
// objective asks of samples of visible units (Samples) and of a kind of hidden
// unit (Hidden), a block of hidden units at a time, and what chains and checkpoints
// ask of states (States).
//
// A visible unit has features x, a hidden unit features y: one number for spins and
// Gaussian units, K numbers 0 or 1 for one of K colours. Synapses join features
// and enter the weight linearly,
//
//	ln w(x, y) = J sum (x_i - mu_i) xi_{i mu} (y_mu - nu_mu) + base(x) + b.x + c.y,
//
// so that given a sample the field J sum_i (x_i - mu_i) xi_{i mu} + c_mu of a hidden
// feature is a sum over independent synapses, with a mean and a variance. With
// phi(f) = ln sum_y exp(f y) the data term of the bound is E phi of Gaussian fields.
//
// Real matrices are row-major; features x samples, hidden x visible features.
package units

import (
	"bethe/spin"
	"bethe/stream"
)

// Real is a type of real number.
type Real = spin.Real

// The words of the kinds of units.
const (
	Spin  = "spin"  // ±1
	Gauss = "gauss" // a real number u = (v - mu)/sigma of base -u²/2 - ln sigma
)

// A Link is what an objective knows of the synapses between two layers.
type Link[T Real] struct {
	Mean, Theta []T // posterior means, or the synapses if they are known; and thetas
	Coupling    float64
	Offset      []T  // mu of the visible features
	Biased      bool // an offset is not 0
	Known       bool // synapses have no variance
	Second      bool // the data term has its terms of second order, those of a mean over ±1
	Coarse      bool // products with the samples may be rounded (spin.MulCoarse)
	Share       T    // of theta in the gradient, which takes away Share theta
}

// A Block is the work space of up to Rows hidden features Lo, Lo+1, ... in the
// cache of one processor.
type Block[T Real] struct {
	Lo, Rows       int
	First, Second  []T       // E phi', E phi'' of each row and sample: rows x samples. Before Averages: what Fields leaves for Field
	Mean, Variance []T       // of the fields of the rows of one hidden unit, in each sample
	Partition      []T       // derivatives of the partition term by the synapses of one row
	Extra          []T       // what Samples.Extra asks for
	Sums           []float64 // two numbers of each row
	SecondSum      []float64 // the sum of Second over samples, of each row
}

// Samples are samples of one layer of visible units of one kind, or a batch of them.
// A block calls Fields once, Field for each row, Correlate once, then Slopes and Own
// for each row. All but Prepare are called by several goroutines at once, each with a
// block of its own.
type Samples[T Real] interface {
	// Kind is the word of the kind of units.
	Kind() string
	// Features and Len return the numbers of features and of samples.
	Features() int
	Len() int
	// OffsetLimit is what |mu_i| does not exceed.
	OffsetLimit() float64
	// OwnSize is how many parameters the layer has besides fields and offsets.
	OwnSize() int
	// Extra is how many numbers of work space a block of so many rows needs.
	Extra(rows int) int

	// Prepare computes what depends on the layer's own parameters alone, and what makes
	// products fast. Coarse is that of the links that follow.
	Prepare(own []float64, coarse bool)
	// Fields does the products of the rows' synapses with the samples, for Field.
	Fields(w *Block[T], l *Link[T])
	// Field sets mean and variance (one element per sample) to those of J sum (x - mu)
	// xi + shift of row k of the block. If it returns true all samples have the
	// variance that stands in its first element, and so do the others.
	Field(w *Block[T], l *Link[T], k int, mean, variance []T, shift float64) (alike bool)
	// Correlate does the products of First and Second with the samples.
	Correlate(w *Block[T], l *Link[T])
	// Slopes sets out to the gradient of the objective, in nats per sample, by the
	// synapses of row k and returns its sum. w.Partition holds the derivatives of the
	// partition term; firstSum is the sum over samples of First - nu, secondSum that of
	// Second.
	Slopes(out []T, w *Block[T], l *Link[T], k int, firstSum, secondSum float64) (sum float64)
	// Own adds to own, of OwnSize, the part of row k in the sums over samples of the
	// derivatives of the data term by the layer's own parameters.
	Own(own []float64, w *Block[T], l *Link[T], k int, firstSum, secondSum float64)

	// Sums adds to dst the sum over samples of each feature: what the data term
	// grows by with the visible fields.
	Sums(dst []float64)
	// Base returns total plus the sum over samples of base(x) + b.x, and adds its
	// derivatives by the layer's own parameters to own, of OwnSize.
	Base(total float64, field, own []float64) float64
}

// Bounding is implemented by samples whose own parameters have bounds.
type Bounding interface {
	// Bound puts parameters that are out of bounds at them.
	Bound(own []float64)
}

// Blocked is implemented by samples whose products take so many rows of a block together at best.
type Blocked interface{ RowsTogether() int }

// Valued is implemented by samples that tell single features, at the own parameters of the
// last Prepare.
type Valued interface {
	Value(feature, sample int) float64
}

// Data are samples that batches are taken from.
type Data[T Real] interface {
	Samples[T]
	// Batch returns the samples at the given places. It may reuse the storage of last:
	// an earlier result of Batch that the caller no longer uses, or nil.
	Batch(last Samples[T], places []int) Samples[T]
	// MeanFields returns fields that give independent units the means of the
	// samples, at the own parameters of the last Prepare. Annealing starts from these units.
	MeanFields() []float64
}

// Hidden is a kind of hidden unit. Units of several features are groups of
// neighbouring rows, which blocks never part.
type Hidden[T Real] interface {
	// Kind is the word of the kind of units.
	Kind() string
	// Together is the number of features of a unit: 1, or K of a group.
	Together() int
	// OffsetLimit is the largest |nu|.
	OffsetLimit() float64
	// Averages sets first and second to E phi' and E phi'' of Gaussian fields, for m
	// samples: together x m, rows of one unit. Variances of length together, one per row, are
	// those of all samples. Results may overwrite arguments.
	Averages(first, second, mean, variance []T, m int)
	// Value returns the sum over samples of E phi of the fields of one unit. mean and
	// variance are together x m.
	Value(mean, variance []T, m int) float64
}

// Estimating hidden units can estimate averages at random and without bias, which costs less: for steps of learning.
type Estimating[T Real] interface {
	// Estimate sets first and second to numbers whose means over keys are those of Averages. All but the key is
	// together x m, and results do not overwrite arguments.
	Estimate(first, second, mean, variance []T, m int, key stream.Key)
}
