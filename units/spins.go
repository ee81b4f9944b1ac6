package units

import (
	"fmt"
	"math"
	"sync"

	"bethe/internal/kernel"
	"bethe/spin"
)

// Spins are samples of spins, or of the features of one-hot units that are held as spins,
// packed along either side. They are Data.
type Spins[T Real] struct {
	kind    Kind
	samples *spin.Matrix  // visible x samples
	across  *spin.Matrix  // its transpose, once it was needed
	turn    sync.Once     // makes across
	columns *spin.Columns // of the samples, once a batch was taken
}

// NewSpins packs samples (visible x M), which must not change while the result
// is in use.
func NewSpins[T Real](samples *spin.Matrix) *Spins[T] {
	return &Spins[T]{samples: samples}
}

// NewFeatures is NewSpins of the features of units of a kind of bits. It panics if they are
// no whole units.
func NewFeatures[T Real](samples *spin.Matrix, kind Kind) *Spins[T] {
	if err := kind.Check(samples.Rows()); err != nil || !kind.Bits() {
		panic(fmt.Sprintf("units: samples of %d features for units of %s", samples.Rows(), kind))
	}
	return &Spins[T]{samples: samples, kind: kind}
}

// turned returns the samples x visible matrix.
func (s *Spins[T]) turned() *spin.Matrix {
	s.turn.Do(func() {
		if s.across == nil {
			s.across = spin.New(s.samples.Cols(), s.samples.Rows())
			s.samples.Transpose(s.across)
		}
	})
	return s.across
}

// Matrix returns the samples, visible x M, not to be changed.
func (s *Spins[T]) Matrix() *spin.Matrix { return s.samples }

// blank returns a batch to be filled, which is last if that is one of so many samples.
func (s *Spins[T]) blank(last Samples[T], count int) *Spins[T] {
	batch, ok := last.(*Spins[T])
	if !ok || batch.Len() != count {
		batch = &Spins[T]{kind: s.kind, samples: spin.New(s.Features(), count), across: spin.New(count, s.Features())}
	}
	return batch
}

// Batch implements Data.
func (s *Spins[T]) Batch(last Samples[T], places []int) Samples[T] {
	batch := s.blank(last, len(places))
	if s.columns == nil {
		s.columns = s.samples.Columns()
	}
	s.columns.Gather(batch.samples, places)
	batch.samples.Transpose(batch.across)
	return batch
}

// MeanFields implements Data, as the function FeatureFields does.
func (s *Spins[T]) MeanFields() []float64 { return FeatureFields(s.samples, s.kind) }

// FeatureFields is MeanFields of the features of units of a kind of bits. The probability of
// a choice of a one-hot unit is that of M samples and one more of each choice.
func FeatureFields(samples *spin.Matrix, kind Kind) []float64 {
	if !kind.OneHot() {
		return MeanFields(samples)
	}
	n, m, of := samples.Rows(), samples.Cols(), kind.States
	sums, fields := make([]int, n), make([]float64, n)
	samples.RowSums(sums)
	for first := 0; first < n; first += of {
		none, mean := float64(m+1), 0.0
		for k := range of {
			on := float64(sums[first+k]+m) / 2
			fields[first+k] = math.Log(on+1) / 2
			none -= on
			mean += fields[first+k] / float64(of)
		}
		if kind.None {
			mean = math.Log(none) / 2
		}
		for k := range of {
			fields[first+k] -= mean
		}
	}
	return fields
}

// MeanFields returns fields that give independent spins the means of
// samples (visible x M). Means are shrunk by M/(M+2), so that a spin that never changes
// gets a finite field.
func MeanFields(samples *spin.Matrix) []float64 {
	fields, sums := make([]float64, samples.Rows()), make([]int, samples.Rows())
	samples.RowSums(sums)
	for i, s := range sums {
		fields[i] = math.Atanh(float64(s) / float64(samples.Cols()+2))
	}
	return fields
}

// Kind implements Samples.
func (s *Spins[T]) Kind() string { return s.kind.String() }

// Value implements Valued.
func (s *Spins[T]) Value(feature, sample int) float64 { return float64(s.samples.At(feature, sample)) }

// Features implements Samples.
func (s *Spins[T]) Features() int { return s.samples.Rows() }

// Len implements Samples.
func (s *Spins[T]) Len() int { return s.samples.Cols() }

// OffsetLimit implements Samples.
func (s *Spins[T]) OffsetLimit() float64 { return 1 }

// OwnSize implements Samples.
func (s *Spins[T]) OwnSize() int { return 0 }

// Prepare implements Samples.
func (s *Spins[T]) Prepare(_ []float64, coarse bool) {
	if coarse {
		spin.Prepare[T](s.samples)
		spin.Prepare[T](s.turned())
	}
}

// Own implements Samples.
func (s *Spins[T]) Own([]float64, *Block[T], *Link[T], int, float64, float64) {}

// Extra implements Samples: (1 - lambda^2) mu, and the products of First and of
// Second with the samples, each rows x visible.
func (s *Spins[T]) Extra(rows int) int { return 3 * rows * s.Features() }

// parts of the extra work space.
func (s *Spins[T]) parts(w *Block[T]) (bias, firstData, secondData []T) {
	size := len(w.Extra) / 3
	return w.Extra[:size], w.Extra[size : 2*size], w.Extra[2*size:]
}

func multiply[T Real](l *Link[T]) func(dst, a []T, p int, m *spin.Matrix) {
	if l.Coarse {
		return spin.MulCoarse[T]
	}
	return spin.Mul[T]
}

// alike reports whether the fields of a hidden unit have the same variance in all samples.
func alike[T Real](l *Link[T]) bool { return !l.Biased || l.Known }

// Fields implements Samples: of each row the sums of lambda mu and of
// (1 - lambda^2)(1 + mu^2), and in each sample lambda.s, as First, and, unless all
// samples are alike there, sum (1 - lambda^2) mu s, as Second.
func (s *Spins[T]) Fields(w *Block[T], l *Link[T]) {
	n, m, rows := s.Features(), s.Len(), w.Rows
	means := l.Mean[w.Lo*n : (w.Lo+rows)*n]
	bias, _, _ := s.parts(w)
	for k := range rows {
		var atMu, free float64
		if row := means[k*n : (k+1)*n]; l.Biased {
			atMu, free = kernel.Biases(bias[k*n:(k+1)*n], row, l.Offset)
		} else {
			free = kernel.Free(row)
		}
		if l.Known { // without variance
			free = 0
		}
		w.Sums[2*k], w.Sums[2*k+1] = atMu, free
	}
	mul := multiply(l)
	mul(w.First[:rows*m], means, rows, s.samples)
	if !alike(l) {
		mul(w.Second[:rows*m], bias[:rows*n], rows, s.samples)
	}
}

// Field implements Samples: the means J lambda.(s - mu) + shift and the variances
// J^2 sum (1 - lambda^2)(s - mu)^2, where (s - mu)^2 = 1 + mu^2 - 2 mu s.
func (s *Spins[T]) Field(w *Block[T], l *Link[T], k int, mean, variance []T, shift float64) bool {
	m, j := s.Len(), l.Coupling
	kernel.Affine(mean, w.First[k*m:(k+1)*m], T(j), T(shift-j*w.Sums[2*k]))
	free := T(j * j * w.Sums[2*k+1])
	if alike(l) {
		kernel.AffineFloor(variance, mean, 0, free)
		return true
	}
	kernel.AffineFloor(variance, w.Second[k*m:(k+1)*m], T(-2*j*j), free)
	return false
}

// spread reports whether Second counts beside the offsets: the sum of E phi”
// (s - mu)^2 is that of E phi” (1 + mu^2 - 2 mu s).
func spread[T Real](l *Link[T]) bool { return l.Biased && l.Second }

// Correlate implements Samples.
func (s *Spins[T]) Correlate(w *Block[T], l *Link[T]) {
	n, m, rows, mul := s.Features(), s.Len(), w.Rows, multiply(l)
	_, firstData, secondData := s.parts(w)
	mul(firstData[:rows*n], w.First[:rows*m], rows, s.turned())
	if spread(l) {
		mul(secondData[:rows*n], w.Second[:rows*m], rows, s.turned())
	}
}

// Slopes implements Samples.
func (s *Spins[T]) Slopes(out []T, w *Block[T], l *Link[T], k int, firstSum, secondSum float64) float64 {
	n, j, perSample := s.Features(), l.Coupling, 1/float64(s.Len())
	_, firstData, secondData := s.parts(w)
	second := 0.0
	if l.Second {
		second = j * j * perSample
	}
	if !spread(l) {
		secondData = firstData // multiplied by 0
	}
	row := (w.Lo + k) * n
	return kernel.SynapseGradient(out, kernel.SynapseRow[T]{
		Mean: l.Mean[row:], Offset: l.Offset, TanhData: firstData[k*n:], Sech2Data: secondData[k*n:],
		Partition: w.Partition, Theta: l.Theta[row:],
	}, kernel.SynapseScales[T]{
		First: T(j * perSample), Second: T(second), Share: l.Share,
		Excess: T(firstSum), Sech2Sum: T(secondSum),
	})
}

// Sums implements Samples.
func (s *Spins[T]) Sums(dst []float64) {
	sums := make([]int, s.Features())
	s.turned().ColSums(sums)
	for i, v := range sums {
		dst[i] += float64(v)
	}
}

// Base implements Samples.
func (s *Spins[T]) Base(total float64, field, _ []float64) float64 {
	if len(field) != s.Features() {
		panic(fmt.Sprintf("units: %d fields for %d spins", len(field), s.Features()))
	}
	rows := make([]int, s.Features())
	s.samples.RowSums(rows)
	for i, v := range rows {
		total += field[i] * float64(v)
	}
	return total
}
