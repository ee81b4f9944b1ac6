package kernel

// Passes over rows of a matrix, each of which would cost more to read than to
// compute with. Sums in float32 add terms up in float64; all tiers give the
// same bits.

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

// AddScaled adds scale x[j] to sum[j].
func AddScaled[T Real](sum []float64, x []T, scale float64) {
	sum = sum[:len(x)]
	if x, ok := any(x).([]float32); ok {
		use().addScaled(sum, x, scale)
		return
	}
	addScaled(sum, x, scale)
}

func addScaled[T Real](sum []float64, x []T, scale float64) {
	for j, v := range x {
		sum[j] += float64(scale * float64(v))
	}
}

// Biases sets bias[i] = (1 - lambda[i]^2) offset[i] and returns the sums of
// lambda offset and of (1 - lambda^2)(1 + offset^2): what the fields of a hidden
// unit under the posterior of its synapses, of means lambda, do not take from
// the data.
func Biases[T Real](bias, lambda, offset []T) (atOffset, free float64) {
	n := len(lambda)
	bias, offset = bias[:n], offset[:n]
	if lambda, ok := any(lambda).([]float32); ok {
		return use().biases(any(bias).([]float32), lambda, any(offset).([]float32))
	}
	return biases(bias, lambda, offset)
}

func biases[T Real](bias, lambda, offset []T) (atOffset, free float64) {
	var a, f laneSums
	for i, l := range lambda {
		o := offset[i]
		v := T((1 - l) * (1 + l))
		bias[i] = T(v * o)
		a[i%len(a)] += float64(T(l * o))
		f[i%len(f)] += float64(T(v * (T(o*o) + 1)))
	}
	return a.total(), f.total()
}

// FieldSums subtracts centre from tanh[a], the average of a hidden unit in a
// field of the given mean and variance, and returns the sums of tanh before
// that, of sech2 and of (tanh - centre)(mean - shift) + sech2 variance.
func FieldSums[T Real](tanh, sech2, mean, variance []T, centre, shift T) (tanhSum, sech2Sum, slope float64) {
	m := len(tanh)
	sech2, mean, variance = sech2[:m], mean[:m], variance[:m]
	if tanh, ok := any(tanh).([]float32); ok {
		return use().fieldSums(tanh, any(sech2).([]float32), any(mean).([]float32), any(variance).([]float32), float32(centre), float32(shift))
	}
	return fieldSums(tanh, sech2, mean, variance, centre, shift)
}

func fieldSums[T Real](tanh, sech2, mean, variance []T, centre, shift T) (tanhSum, sech2Sum, slope float64) {
	var sumT, sumR, sum laneSums
	for a, t := range tanh {
		r := sech2[a]
		sumT[a%len(sumT)] += float64(t)
		sumR[a%len(sumR)] += float64(r)
		t -= centre
		tanh[a] = t
		sum[a%len(sum)] += float64(T(t*(mean[a]-shift)) + T(r*variance[a]))
	}
	return sumT.total(), sumR.total(), sum.total()
}

// A SynapseRow holds what the gradient of the bound by the synapses of a hidden
// unit takes, one element a visible unit each.
type SynapseRow[T Real] struct {
	Mean, Offset        []T // lambda; mu
	TanhData, Sech2Data []T // sums over samples of (tanh - nu) s and of sech^2 s
	Partition, Theta    []T
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
// and returns the sum, which in float32 is finite where all of them are, and only there.
func SynapseGradient[T Real](grad []T, row SynapseRow[T], by SynapseScales[T]) float64 {
	n := len(grad)
	row = SynapseRow[T]{row.Mean[:n], row.Offset[:n], row.TanhData[:n], row.Sech2Data[:n], row.Partition[:n], row.Theta[:n]}
	if grad, ok := any(grad).([]float32); ok {
		row, by := any(row).(SynapseRow[float32]), any(by).(SynapseScales[float32])
		return use().synapseGradient(grad, row.Mean, row.Offset, row.TanhData, row.Sech2Data, row.Partition, row.Theta,
			by.First, by.Second, by.Excess, by.Sech2Sum, by.Share)
	}
	return synapseGradient(grad, row.Mean, row.Offset, row.TanhData, row.Sech2Data, row.Partition, row.Theta,
		by.First, by.Second, by.Excess, by.Sech2Sum, by.Share)
}

func synapseGradient[T Real](grad, mean, offset, tanhData, sech2Data, partition, theta []T, first, second, excess, sech2Sum, share T) float64 {
	var sum laneSums
	for i, l := range mean {
		o := offset[i]
		direct := T((tanhData[i] - T(o*excess)) * first)
		spread := T((T(o*o)+1)*sech2Sum) - T(T(o*2)*sech2Data[i])
		g := direct - T(T(l*second)*spread) - partition[i] - T(theta[i]*share)
		grad[i] = g
		sum[i%len(sum)] += float64(g)
	}
	return sum.total()
}
