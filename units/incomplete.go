package units

import (
	"fmt"
	"math"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/spin"
)

// Filling is implemented by samples with missing values. A missing value stands for a distribution
// that does not depend on the synapses, its fill. With any fill the bound stays below the
// log-likelihood of the known values. A fill is found anew for each batch.
type Filling[T Real] interface {
	Samples[T]
	// Start sets the fill to units in the given fields alone, with their variance: without fields, to
	// 0, or to colours of equal probability.
	Start(field []float64)
	// Refill moves the fill towards its optimum where hidden features have the given E phi' - nu
	// and E phi”, hidden x samples: all the way at share 1.
	Refill(l *Link[T], field []float64, first, second []T, share float64)
}

// Incomplete are samples of visible units of any kind, some of whose values are missing. Units
// that are missing in a sample have features of mean E x and covariance Cov x, and then
//
//	mean = J lambda.(E x - mu),   variance = J² [ lambda.Cov(x).lambda + (1 - lambda²).E(x - mu)² ]
//
// of the field of a hidden feature. They are Data and Filling.
type Incomplete[T Real] struct {
	kind    Kind
	bits    *spin.Matrix // features x samples; of units that are missing anything
	reals   *Reals[T]    // of Gaussian units instead
	missing *spin.Matrix // units x samples: +1 where a unit is missing
	own     []float64

	columns, missingColumns *spin.Columns // once a batch was taken

	// What follows is made when it is first asked for.
	ready  bool
	holes  [][]int32 // for each unit, the samples that miss it
	square []T       // (E x)², features x samples, and below it
	mean   []T       // E x: the lower half of square's storage
	spread []T       // Cov(x) of a feature with itself
	cover  []T       // the sum of spread of each sample
}

// NewIncomplete returns samples of units of a kind of bits, features x M. A unit is missing
// if it is +1 in missing, units x M. Both must not change while the result is in use.
// It panics if shapes do not fit.
func NewIncomplete[T Real](samples *spin.Matrix, kind Kind, missing *spin.Matrix) *Incomplete[T] {
	if err := kind.Check(samples.Rows()); err != nil || !kind.Bits() || missing.Rows()*kind.Features() != samples.Rows() || missing.Cols() != samples.Cols() {
		panic(fmt.Sprintf("units: samples %d x %d of units of %s, and which are missing of %d x %d", samples.Rows(), samples.Cols(), kind, missing.Rows(), missing.Cols()))
	}
	return &Incomplete[T]{kind: kind, bits: samples, missing: missing}
}

// IncompleteGauss are Incomplete samples of Gaussian units.
type IncompleteGauss[T Real] struct{ *Incomplete[T] }

// Fieldless implements Fieldless.
func (IncompleteGauss[T]) Fieldless() {}

// Bound implements Bounding.
func (IncompleteGauss[T]) Bound(own []float64) { boundSigma(own) }

// Batch implements Data.
func (s IncompleteGauss[T]) Batch(last Samples[T], places []int) Samples[T] {
	old, _ := last.(IncompleteGauss[T])
	return IncompleteGauss[T]{s.batch(old.Incomplete, places)}
}

// NewIncompleteGauss is NewIncomplete of Gaussian units.
func NewIncompleteGauss[T Real](samples *Reals[T], missing *spin.Matrix) IncompleteGauss[T] {
	if missing.Rows() != samples.Units() || missing.Cols() != samples.Len() {
		panic(fmt.Sprintf("units: samples %d x %d, and which are missing of %d x %d", samples.Units(), samples.Len(), missing.Rows(), missing.Cols()))
	}
	return IncompleteGauss[T]{&Incomplete[T]{kind: Kind{Word: Gauss}, reals: samples, missing: missing, own: make([]float64, 2*samples.Units())}}
}

// Kind implements Samples.
func (s *Incomplete[T]) Kind() string { return s.kind.String() }

// Features implements Samples.
func (s *Incomplete[T]) Features() int { return s.missing.Rows() * s.kind.Features() }

// Len implements Samples.
func (s *Incomplete[T]) Len() int { return s.missing.Cols() }

// OffsetLimit implements Samples.
func (s *Incomplete[T]) OffsetLimit() float64 { return s.kind.OffsetLimit() }

// OwnSize implements Samples.
func (s *Incomplete[T]) OwnSize() int { return len(s.own) }

// dense makes what computations need.
func (s *Incomplete[T]) dense() {
	if s.ready {
		return
	}
	n, m := s.Features(), s.Len()
	if len(s.spread) != n*m {
		both := make([]T, 2*n*m)
		s.square, s.mean, s.spread, s.cover = both, both[n*m:], make([]T, n*m), make([]T, m)
	}
	s.ready = true
	s.holes = make([][]int32, s.missing.Rows())
	counts := make([]int, len(s.holes))
	s.missing.RowSums(counts)
	parallel.For(len(s.holes), parallel.Grain(m), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			if counts[i] == -m { // none
				continue
			}
			for a := range m {
				if s.missing.At(i, a) > 0 {
					s.holes[i] = append(s.holes[i], int32(a))
				}
			}
		}
	})
	s.observe()
	s.start(nil)
}

// observe sets the known values.
func (s *Incomplete[T]) observe() {
	clear(s.spread)
	if s.bits != nil {
		spin.Values(s.mean, s.bits)
		for k := range s.square[:len(s.mean)] {
			s.square[k] = 1
		}
		return
	}
	n, m := s.Features(), s.Len()
	parallel.For(n, parallel.Grain(m*4), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			inverse, mean := T(math.Exp(-s.own[i])), T(s.own[n+i])
			for a, v := range s.reals.Row(i) {
				u := (v - mean) * inverse
				s.mean[i*m+a], s.square[i*m+a] = u, u*u
			}
		}
	})
}

// Prepare implements Samples. The fill becomes that without fields.
func (s *Incomplete[T]) Prepare(own []float64, _ bool) {
	copy(s.own, own)
	if !s.ready {
		s.dense()
		return
	}
	if s.bits == nil {
		s.observe()
	}
	s.start(nil)
}

// Batch implements Data.
func (s *Incomplete[T]) Batch(last Samples[T], places []int) Samples[T] {
	old, _ := last.(*Incomplete[T])
	return s.batch(old, places)
}

// batch copies the samples at places. It reuses the storage of an earlier batch if that has the same size.
func (s *Incomplete[T]) batch(batch *Incomplete[T], places []int) *Incomplete[T] {
	if batch == nil || batch.Len() != len(places) || batch.Features() != s.Features() {
		batch = &Incomplete[T]{kind: s.kind, missing: spin.New(s.missing.Rows(), len(places)), own: make([]float64, len(s.own))}
		if s.bits != nil {
			batch.bits = spin.New(s.bits.Rows(), len(places))
		} else {
			batch.reals = s.reals.Blank(len(places))
		}
	}
	if s.missingColumns == nil {
		s.missingColumns = s.missing.Columns()
		if s.bits != nil {
			s.columns = s.bits.Columns()
		}
	}
	s.missingColumns.Gather(batch.missing, places)
	if s.bits != nil {
		s.columns.Gather(batch.bits, places)
	} else {
		s.reals.Gather(batch.reals, places)
	}
	copy(batch.own, s.own)
	batch.ready = false
	batch.dense()
	return batch
}

// Value implements Valued: of a missing value the mean of its fill.
func (s *Incomplete[T]) Value(feature, sample int) float64 {
	s.dense()
	return float64(s.mean[feature*s.Len()+sample])
}

// Missing returns which units are missing, units x samples, not to be changed.
func (s *Incomplete[T]) Missing() *spin.Matrix { return s.missing }

// Extra implements Samples: two numbers of each synapse for what squares and means are multiplied by,
// what Correlate finds, and (1 - lambda²) mu.
func (s *Incomplete[T]) Extra(rows int) int { return 6 * rows * s.Features() }

// parts of the extra work space.
func (s *Incomplete[T]) parts(w *Block[T]) (weights, first, second, across []T) {
	size := len(w.Extra) / 6
	return w.Extra[:2*size], w.Extra[2*size : 3*size], w.Extra[3*size : 5*size], w.Extra[5*size:]
}

// Fields implements Samples: lambda.E x as First, the variance over J² as Second.
func (s *Incomplete[T]) Fields(w *Block[T], l *Link[T]) {
	n, m, rows := s.Features(), s.Len(), w.Rows
	means := l.Mean[w.Lo*n : (w.Lo+rows)*n]
	weights, _, _, _ := s.parts(w)
	kernel.MulReal(w.First[:rows*m], means, s.mean, rows, n, m, false, false)
	second := w.Second[:rows*m]
	for k := range rows {
		row := means[k*n : (k+1)*n]
		var atMu, free float64
		for i, v := range row {
			mu := l.Offset[i]
			atMu += float64(v * mu)
			if l.Known {
				weights[k*n+i] = v * v
				continue
			}
			f := (1 - v) * (1 + v)
			weights[k*2*n+i], weights[k*2*n+n+i] = f, -2*f*mu
			free += float64(f * mu * mu)
		}
		w.Sums[2*k], w.Sums[2*k+1] = atMu, free
	}
	if l.Known { // lambda² Cov x
		kernel.MulReal(second, weights[:rows*n], s.spread, rows, n, m, false, false)
	} else { // Cov x + (1 - lambda²)(E x - mu)²
		kernel.MulReal(second, weights[:rows*2*n], s.square, rows, 2*n, m, false, false)
		for k := range rows {
			free := T(w.Sums[2*k+1])
			for a, c := range s.cover {
				second[k*m+a] += c + free
			}
		}
	}
	s.crossed(func(unit int, a int32) {
		for k := range rows {
			var sum, square T
			for f := range s.kind.States {
				i := unit*s.kind.States + f
				x := s.probability(i, a) * means[k*n+i]
				sum += x
				square += x * x
			}
			second[k*m+int(a)] -= 4 * (sum*sum - square)
		}
	})
}

// probability is that of a feature of a one-hot unit.
func (s *Incomplete[T]) probability(feature int, a int32) T {
	return (1 + s.mean[feature*s.Len()+int(a)]) / 2
}

// crossed calls do for each missing unit of several features, whose covariances are not 0.
func (s *Incomplete[T]) crossed(do func(unit int, a int32)) {
	if !s.kind.OneHot() {
		return
	}
	for unit, samples := range s.holes {
		for _, a := range samples {
			do(unit, a)
		}
	}
}

// Field implements Samples.
func (s *Incomplete[T]) Field(w *Block[T], l *Link[T], k int, mean, variance []T, shift float64) bool {
	m, j := s.Len(), l.Coupling
	kernel.Affine(mean, w.First[k*m:(k+1)*m], T(j), T(shift-j*w.Sums[2*k]))
	kernel.AffineFloor(variance, w.Second[k*m:(k+1)*m], T(j*j), 0)
	return false
}

// Correlate implements Samples.
func (s *Incomplete[T]) Correlate(w *Block[T], l *Link[T]) {
	n, m, rows := s.Features(), s.Len(), w.Rows
	_, first, second, across := s.parts(w)
	kernel.MulReal(first[:rows*n], w.First[:rows*m], s.mean, rows, m, n, false, true)
	if l.Second {
		kernel.MulReal(second[:rows*2*n], w.Second[:rows*m], s.square, rows, m, 2*n, false, true)
	} else {
		kernel.MulReal(second[:rows*n], w.Second[:rows*m], s.spread, rows, m, n, false, true)
	}
	clear(across[:rows*n])
	s.crossed(func(unit int, a int32) {
		for k := range rows {
			row := l.Mean[(w.Lo+k)*n:][:n]
			r := 4 * w.Second[k*m+int(a)]
			var sum T
			for f := range s.kind.States {
				i := unit*s.kind.States + f
				sum += s.probability(i, a) * row[i]
			}
			for f := range s.kind.States {
				i := unit*s.kind.States + f
				p := s.probability(i, a)
				across[k*n+i] -= r * p * (sum - p*row[i])
			}
		}
	})
}

// Slopes implements Samples.
func (s *Incomplete[T]) Slopes(out []T, w *Block[T], l *Link[T], k int, firstSum, secondSum float64) float64 {
	n, perSample := s.Features(), 1/float64(s.Len())
	j, jj := T(l.Coupling*perSample), T(l.Coupling*l.Coupling*perSample)
	_, first, second, across := s.parts(w)
	first, across = first[k*n:(k+1)*n], across[k*n:(k+1)*n]
	row, theta := (w.Lo+k)*n, l.Theta[(w.Lo+k)*n:][:n]
	excess, total := T(firstSum), T(secondSum)
	for i, v := range l.Mean[row : row+n] {
		mu := l.Offset[i]
		var spread T
		if l.Second {
			spread = -(second[k*2*n+i] - 2*mu*second[k*2*n+n+i] + mu*mu*total)
		} else {
			spread = second[k*n+i]
		}
		out[i] = j*(first[i]-mu*excess) + jj*(v*spread+across[i]) - w.Partition[i] - l.Share*theta[i]
	}
	return kernel.Sum(out)
}

// Own implements Samples. It is that of GaussSamples for the known values.
func (s *Incomplete[T]) Own(own []float64, w *Block[T], l *Link[T], k int, firstSum, _ float64) {
	if s.kind.Bits() {
		return
	}
	if !l.Known && !l.Second {
		panic("units: synapses that are not known and have no second order")
	}
	n, m, j := s.Features(), s.Len(), l.Coupling
	_, firstData, secondData, _ := s.parts(w)
	t, r := w.First[k*m:(k+1)*m], w.Second[k*m:(k+1)*m]
	for i, v := range l.Mean[(w.Lo+k)*n:][:n] {
		first, sum := float64(firstData[k*n+i]), firstSum
		var square, mean float64
		if !l.Known {
			square, mean = float64(secondData[k*2*n+i]), float64(secondData[k*2*n+n+i])
		}
		for _, a := range s.holes[i] {
			x := s.mean[i*m+int(a)]
			first -= float64(t[a] * x)
			sum -= float64(t[a])
			if !l.Known {
				square -= float64(r[a] * x * x)
				mean -= float64(r[a] * x)
			}
		}
		free := 0.0
		if !l.Known {
			free = j * j * float64((1-v)*(1+v))
		}
		own[i] -= j*float64(v)*first + free*square
		own[n+i] -= (j*float64(v)*sum + free*mean) * math.Exp(-s.own[i])
	}
}

// Sums implements Samples: of missing values the means.
func (s *Incomplete[T]) Sums(dst []float64) {
	s.dense()
	m := s.Len()
	for i := range dst {
		dst[i] += kernel.Sum(s.mean[i*m : (i+1)*m])
	}
}

// Base implements Samples: of missing values the mean of base(x) + b.x, and the entropy.
func (s *Incomplete[T]) Base(total float64, field, own []float64) float64 {
	n, m := s.Features(), s.Len()
	if len(field) != n {
		panic(fmt.Sprintf("units: %d fields for %d features of %s units", len(field), n, s.kind))
	}
	s.dense()
	for i, b := range field {
		mean := s.mean[i*m : (i+1)*m]
		first := kernel.Sum(mean)
		total += b * first
		if s.bits != nil {
			continue
		}
		second, seen := kernel.Sum(s.square[i*m:(i+1)*m]), float64(m-len(s.holes[i]))
		for _, a := range s.holes[i] {
			x, spread := float64(mean[a]), float64(s.spread[i*m+int(a)])
			first -= x
			second -= float64(s.square[i*m+int(a)])
			total += (1+math.Log(spread)-x*x-spread)/2 + halfLn2Pi
		}
		total -= second/2 + seen*s.own[i]
		if len(own) > 0 {
			own[i] += second - b*first - seen
			own[n+i] += (first - seen*b) * math.Exp(-s.own[i])
		}
	}
	if s.bits == nil {
		return total
	}
	for unit, samples := range s.holes {
		for _, a := range samples {
			total += s.entropy(unit, a)
		}
	}
	return total
}

// entropy is that of a missing unit of bits.
func (s *Incomplete[T]) entropy(unit int, a int32) (h float64) {
	if !s.kind.OneHot() {
		p := float64(s.probability(unit, a))
		return plogp(p) + plogp(1-p)
	}
	none := 1.0
	for f := range s.kind.States {
		p := float64(s.probability(unit*s.kind.States+f, a))
		h += plogp(p)
		none -= p
	}
	if s.kind.None {
		h += plogp(none)
	}
	return h
}

func plogp(p float64) float64 {
	if p <= 0 {
		return 0
	}
	return -p * math.Log(p)
}

// MeanFields implements Data, from the known values.
func (s *Incomplete[T]) MeanFields() []float64 {
	s.dense()
	of, m := s.kind.Features(), s.Len()
	fields := make([]float64, s.Features())
	for i := range fields {
		seen := m - len(s.holes[i/of])
		sum := kernel.Sum(s.mean[i*m : (i+1)*m])
		for _, a := range s.holes[i/of] {
			sum -= float64(s.mean[i*m+int(a)])
		}
		switch {
		case s.bits == nil:
			fields[i] = sum / float64(max(1, seen))
		case of == 1 && !s.kind.OneHot():
			fields[i] = math.Atanh(sum / float64(seen+2))
		default: // as often as this feature was on, and once more
			fields[i] = math.Log((sum+float64(seen))/2+1) / 2
		}
	}
	for first := 0; of > 1 && first < len(fields); first += of {
		mean := 0.0
		for _, f := range fields[first : first+of] {
			mean += f / float64(of)
		}
		for k := range of {
			fields[first+k] -= mean
		}
	}
	return fields
}
