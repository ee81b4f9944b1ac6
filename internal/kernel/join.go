package kernel

// Passes over rows of the layers of a deep machine above its data. All tiers give the same bits.

// joinFunctions are what tiers have of them.
type joinFunctions struct {
	dot          func(x, y []float32) float64
	centre       func(dst, tanh, sech2, sech2Sums, squareSums, shiftSums []float32, offset float32) (tanhSum, sech2Sum, squareSum float64)
	mix          func(dst, from, x, y []float32, byX, byY float32)
	joinFields   func(mean, variance, fromMean, fromVariance, product, state, by, spread, square []float32, coupling, reaction, free, taken float32)
	joinGradient func(grad, product, mean, first, second, partition, theta []float32, slope, byFirst, bySecond, share float32) (sum, direct, curved float64)
}

var portableJoin = joinFunctions{dot[float32], centre[float32], mix[float32], joinFields[float32], joinGradient[float32]}

// Dot returns the sum of x[a] y[a].
func Dot[T Real](x, y []T) float64 {
	n := len(x)
	y = y[:n]
	if h := n / 2; n > shortRow {
		return Dot(x[:h], y[:h]) + Dot(x[h:], y[h:])
	}
	if x, ok := any(x).([]float32); ok {
		return use().dot(x, any(y).([]float32))
	}
	return dot(x, y)
}

func dot[T Real](x, y []T) float64 {
	var sum shortSums[T]
	for a, v := range x {
		sum[a%len(sum)] += T(v * y[a])
	}
	return sum.total()
}

// SampleSums are sums over the units of a layer, one for each sample: of sech^2, (tanh - offset)^2 and
// offset tanh, as Centre has them.
type SampleSums[T Real] struct{ Sech2, Square, Shift []T }

func (s SampleSums[T]) part(lo, hi int) SampleSums[T] {
	return SampleSums[T]{s.Sech2[lo:hi], s.Square[lo:hi], s.Shift[lo:hi]}
}

// Centre sets dst[a] = tanh[a] - offset, adds the unit to the sums over units, and returns the
// sums of tanh, of sech2 and of dst^2 over the samples. dst may be tanh.
func Centre[T Real](dst, tanh, sech2 []T, sums SampleSums[T], offset T) (tanhSum, sech2Sum, squareSum float64) {
	n := len(dst)
	tanh, sech2, sums = tanh[:n], sech2[:n], sums.part(0, n)
	if h := n / 2; n > shortRow {
		t0, r0, s0 := Centre(dst[:h], tanh[:h], sech2[:h], sums.part(0, h), offset)
		t1, r1, s1 := Centre(dst[h:], tanh[h:], sech2[h:], sums.part(h, n), offset)
		return t0 + t1, r0 + r1, s0 + s1
	}
	if dst, ok := any(dst).([]float32); ok {
		sums := any(sums).(SampleSums[float32])
		return use().centre(dst, any(tanh).([]float32), any(sech2).([]float32), sums.Sech2, sums.Square, sums.Shift, float32(offset))
	}
	return centre(dst, tanh, sech2, sums.Sech2, sums.Square, sums.Shift, offset)
}

func centre[T Real](dst, tanh, sech2, sech2Sums, squareSums, shiftSums []T, offset T) (tanhSum, sech2Sum, squareSum float64) {
	var sumT, sumR, sum shortSums[T]
	for a, t := range tanh {
		r, u := sech2[a], t-offset
		dst[a] = u
		square := T(u * u)
		sumT[a%len(sumT)] += t
		sumR[a%len(sumR)] += r
		sum[a%len(sum)] += square
		sech2Sums[a] += r
		squareSums[a] += square
		shiftSums[a] += T(t * offset)
	}
	return sumT.total(), sumR.total(), sum.total()
}

// Mix sets dst[a] = from[a] + byX x[a] + byY y[a]. dst may be any of them.
func Mix[T Real](dst, from, x, y []T, byX, byY T) {
	n := len(dst)
	from, x, y = from[:n], x[:n], y[:n]
	if dst, ok := any(dst).([]float32); ok {
		use().mix(dst, any(from).([]float32), any(x).([]float32), any(y).([]float32), float32(byX), float32(byY))
		return
	}
	mix(dst, from, x, y, byX, byY)
}

func mix[T Real](dst, from, x, y []T, byX, byY T) {
	for a, f := range from {
		dst[a] = (f + T(x[a]*byX)) + T(y[a]*byY)
	}
}

// A Join is the effect of a neighbouring layer on the field of a unit. Each slice has one element for each sample.
type Join[T Real] struct {
	Mean, Variance []T // of the field so far
	Product        []T // of the synapses' means with the neighbours' states
	State, By      []T // their product is the reaction
	Spread, Square []T
}

// JoinScales are the numbers that go with a Join.
type JoinScales[T Real] struct{ Coupling, Reaction, Free, Taken T }

// JoinFields sets the means to Mean + Coupling Product + Reaction State By, and the variances to
// Variance + Free Spread - Taken Square, or to 0 where that is below.
func JoinFields[T Real](mean, variance []T, j Join[T], by JoinScales[T]) {
	n := len(mean)
	variance = variance[:n]
	j = Join[T]{j.Mean[:n], j.Variance[:n], j.Product[:n], j.State[:n], j.By[:n], j.Spread[:n], j.Square[:n]}
	if mean, ok := any(mean).([]float32); ok {
		j, by := any(j).(Join[float32]), any(by).(JoinScales[float32])
		use().joinFields(mean, any(variance).([]float32), j.Mean, j.Variance, j.Product, j.State, j.By, j.Spread, j.Square, by.Coupling, by.Reaction, by.Free, by.Taken)
		return
	}
	joinFields(mean, variance, j.Mean, j.Variance, j.Product, j.State, j.By, j.Spread, j.Square, by.Coupling, by.Reaction, by.Free, by.Taken)
}

func joinFields[T Real](mean, variance, fromMean, fromVariance, product, state, by, spread, square []T, coupling, reaction, free, taken T) {
	for a, f := range fromMean {
		mean[a] = (f + T(product[a]*coupling)) + T(T(state[a]*by[a])*reaction)
		v := fromVariance[a] + (T(spread[a]*free) - T(square[a]*taken))
		if v < 0 {
			v = 0
		}
		variance[a] = v
	}
}

// A JoinRow is the input of JoinGradient for the synapses between one unit and a layer above the data. Each slice
// has one element for each unit of that layer.
type JoinRow[T Real] struct {
	Product, Mean    []T // sums over samples of products of states; lambda, the posterior means of the synapses
	First, Second    []T // factors of lambda in two terms
	Partition, Theta []T
}

func (r JoinRow[T]) part(lo, hi int) JoinRow[T] {
	return JoinRow[T]{r.Product[lo:hi], r.Mean[lo:hi], r.First[lo:hi], r.Second[lo:hi], r.Partition[lo:hi], r.Theta[lo:hi]}
}

// JoinSlopes are the numbers that go with a JoinRow.
type JoinSlopes[T Real] struct{ Slope, First, Second, Share T }

// JoinGradient sets grad[k] to
//
//	Slope Product - lambda q - Partition - Share Theta,   q = by.First First + by.Second Second
//
// where lambda is Mean. It returns the sums over k of grad, of lambda Product and of lambda q.
func JoinGradient[T Real](grad []T, row JoinRow[T], by JoinSlopes[T]) (sum, direct, curved float64) {
	n := len(grad)
	if h := n / 2; n > shortRow {
		s0, d0, c0 := JoinGradient(grad[:h], row.part(0, h), by)
		s1, d1, c1 := JoinGradient(grad[h:], row.part(h, n), by)
		return s0 + s1, d0 + d1, c0 + c1
	}
	row = row.part(0, n)
	if grad, ok := any(grad).([]float32); ok {
		row, by := any(row).(JoinRow[float32]), any(by).(JoinSlopes[float32])
		return use().joinGradient(grad, row.Product, row.Mean, row.First, row.Second, row.Partition, row.Theta, by.Slope, by.First, by.Second, by.Share)
	}
	return joinGradient(grad, row.Product, row.Mean, row.First, row.Second, row.Partition, row.Theta, by.Slope, by.First, by.Second, by.Share)
}

func joinGradient[T Real](grad, product, mean, first, second, partition, theta []T, slope, byFirst, bySecond, share T) (sum, direct, curved float64) {
	var sums, directs, curves shortSums[T]
	for k, l := range mean {
		p := product[k]
		q := T((T(first[k]*byFirst) + T(second[k]*bySecond)) * l)
		directs[k%len(directs)] += T(l * p)
		curves[k%len(curves)] += T(q * l)
		g := T(p*slope) - q - partition[k] - T(theta[k]*share)
		grad[k] = g
		sums[k%len(sums)] += g
	}
	return sums.total(), directs.total(), curves.total()
}
