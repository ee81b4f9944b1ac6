package kernel

// Passes over rows of a matrix. All tiers give the same bits.

// shortSums are partial sums in the precision of the terms, for up to shortRow of them
// (64 per lane): what they add to the error of terms in float32 is of its size. To turn
// each term into a float64 would cost more than all else that these passes compute.
// Longer rows are summed by halves.
type shortSums[T Real] [16]T

const shortRow = 1 << 10

func (s *shortSums[T]) total() float64 {
	var sum laneSums
	for l, v := range s {
		sum[l%len(sum)] += float64(v)
	}
	return sum.total()
}

// Affine sets dst[j] = slope x[j] + shift. dst may be x.
func Affine[T Real](dst, x []T, slope, shift T) {
	dst = dst[:len(x)]
	if x, ok := any(x).([]float32); ok {
		use().affine(any(dst).([]float32), x, float32(slope), float32(shift))
		return
	}
	affine(dst, x, slope, shift)
}

func affine[T Real](dst, x []T, slope, shift T) {
	for j, v := range x {
		dst[j] = T(slope*v) + shift
	}
}

// AffineFloor sets dst[j] = max(0, slope x[j] + shift). dst may be x.
func AffineFloor[T Real](dst, x []T, slope, shift T) {
	dst = dst[:len(x)]
	if x, ok := any(x).([]float32); ok {
		use().affineFloor(any(dst).([]float32), x, float32(slope), float32(shift))
		return
	}
	affineFloor(dst, x, slope, shift)
}

func affineFloor[T Real](dst, x []T, slope, shift T) {
	for j, v := range x {
		y := T(slope*v) + shift
		if y < 0 {
			y = 0
		}
		dst[j] = y
	}
}

// Sum returns the sum of x. A sum of float32 numbers is finite where all of
// them are, and only there.
func Sum[T Real](x []T) float64 {
	if x, ok := any(x).([]float32); ok {
		return use().sum(x)
	}
	return sumRow(x)
}

func sumRow[T Real](x []T) float64 {
	var sum laneSums
	for j, v := range x {
		sum[j%len(sum)] += float64(v)
	}
	return sum.total()
}

// Biases sets bias[i] = (1 - lambda[i]^2) offset[i] and returns the sums of
// lambda offset and of (1 - lambda^2)(1 + offset^2): what the fields of a hidden
// unit under the posterior of its synapses, of means lambda, do not take from
// the data.
func Biases[T Real](bias, lambda, offset []T) (atOffset, free float64) {
	n := len(lambda)
	bias, offset = bias[:n], offset[:n]
	if h := n / 2; n > shortRow {
		a0, f0 := Biases(bias[:h], lambda[:h], offset[:h])
		a1, f1 := Biases(bias[h:], lambda[h:], offset[h:])
		return a0 + a1, f0 + f1
	}
	if lambda, ok := any(lambda).([]float32); ok {
		return use().biases(any(bias).([]float32), lambda, any(offset).([]float32))
	}
	return biases(bias, lambda, offset)
}

func biases[T Real](bias, lambda, offset []T) (atOffset, free float64) {
	var a, f shortSums[T]
	for i, l := range lambda {
		o := offset[i]
		v := T((1 - l) * (1 + l))
		bias[i] = T(v * o)
		a[i%len(a)] += T(l * o)
		f[i%len(f)] += T(v * (T(o*o) + 1))
	}
	return a.total(), f.total()
}

// Free returns the sum of 1 - lambda[i]^2: what Biases does where all offsets are 0.
func Free[T Real](lambda []T) float64 {
	if h := len(lambda) / 2; len(lambda) > shortRow {
		return Free(lambda[:h]) + Free(lambda[h:])
	}
	if lambda, ok := any(lambda).([]float32); ok {
		return use().free(lambda)
	}
	return free(lambda)
}

func free[T Real](lambda []T) float64 {
	var sum shortSums[T]
	for i, l := range lambda {
		sum[i%len(sum)] += T((1 - l) * (1 + l))
	}
	return sum.total()
}

// FieldSums subtracts centre from tanh[a], the average of a hidden unit in a
// field of the given mean and variance, and returns the sums of tanh before
// that, of sech2 and of (tanh - centre)(mean - shift) + sech2 variance.
func FieldSums[T Real](tanh, sech2, mean, variance []T, centre, shift T) (tanhSum, sech2Sum, slope float64) {
	m := len(tanh)
	sech2, mean, variance = sech2[:m], mean[:m], variance[:m]
	if h := m / 2; m > shortRow {
		t0, r0, s0 := FieldSums(tanh[:h], sech2[:h], mean[:h], variance[:h], centre, shift)
		t1, r1, s1 := FieldSums(tanh[h:], sech2[h:], mean[h:], variance[h:], centre, shift)
		return t0 + t1, r0 + r1, s0 + s1
	}
	if tanh, ok := any(tanh).([]float32); ok {
		return use().fieldSums(tanh, any(sech2).([]float32), any(mean).([]float32), any(variance).([]float32), float32(centre), float32(shift))
	}
	return fieldSums(tanh, sech2, mean, variance, centre, shift)
}

func fieldSums[T Real](tanh, sech2, mean, variance []T, centre, shift T) (tanhSum, sech2Sum, slope float64) {
	var sumT, sumR, sum shortSums[T]
	for a, t := range tanh {
		r := sech2[a]
		sumT[a%len(sumT)] += t
		sumR[a%len(sumR)] += r
		t -= centre
		tanh[a] = t
		sum[a%len(sum)] += T(t*(mean[a]-shift)) + T(r*variance[a])
	}
	return sumT.total(), sumR.total(), sum.total()
}

// A SynapseRow holds what the gradient of the bound by the synapses of a hidden
// unit takes, one element per visible unit each.
type SynapseRow[T Real] struct {
	Mean, Offset        []T // lambda; mu
	TanhData, Sech2Data []T // sums over samples of (tanh - nu) s and of sech^2 s
	Partition, Theta    []T
}

// part returns elements lo to hi-1.
func (r SynapseRow[T]) part(lo, hi int) SynapseRow[T] {
	return SynapseRow[T]{r.Mean[lo:hi], r.Offset[lo:hi], r.TanhData[lo:hi], r.Sech2Data[lo:hi], r.Partition[lo:hi], r.Theta[lo:hi]}
}

// SynapseScales are the numbers that go with a SynapseRow.
type SynapseScales[T Real] struct {
	First, Second    T // factors of the terms in tanh and in sech^2
	Excess, Sech2Sum T // sums over samples of tanh - nu and of sech^2
	Share            T // of Theta
}

// SynapseGradient sets grad[i] to
//
//	First (TanhData - mu Excess) - Second lambda ((1 + mu^2) Sech2Sum - 2 mu Sech2Data)
//	- Partition - Share Theta
//
// and returns the sum, which is not finite where one of them is not.
func SynapseGradient[T Real](grad []T, row SynapseRow[T], by SynapseScales[T]) float64 {
	n := len(grad)
	if h := n / 2; n > shortRow {
		return SynapseGradient(grad[:h], row.part(0, h), by) + SynapseGradient(grad[h:], row.part(h, n), by)
	}
	row = row.part(0, n)
	if grad, ok := any(grad).([]float32); ok {
		row, by := any(row).(SynapseRow[float32]), any(by).(SynapseScales[float32])
		return use().synapseGradient(grad, row.Mean, row.Offset, row.TanhData, row.Sech2Data, row.Partition, row.Theta,
			by.First, by.Second, by.Excess, by.Sech2Sum, by.Share)
	}
	return synapseGradient(grad, row.Mean, row.Offset, row.TanhData, row.Sech2Data, row.Partition, row.Theta,
		by.First, by.Second, by.Excess, by.Sech2Sum, by.Share)
}

func synapseGradient[T Real](grad, mean, offset, tanhData, sech2Data, partition, theta []T, first, second, excess, sech2Sum, share T) float64 {
	var sum shortSums[T]
	for i, l := range mean {
		o := offset[i]
		direct := T((tanhData[i] - T(o*excess)) * first)
		spread := T((T(o*o)+1)*sech2Sum) - T(T(o*2)*sech2Data[i])
		g := direct - T(T(l*second)*spread) - partition[i] - T(theta[i]*share)
		grad[i] = g
		sum[i%len(sum)] += g
	}
	return sum.total()
}
