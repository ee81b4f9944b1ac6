package kernel

import "math"

// One-hot units of k features held as spins. Feature f has the weight exp(2 field). If none,
// the state without any feature is there too, with the weight 1. Matrices are k x n, of n samples. All tiers
// give the same bits.

const twoLog2E = 2 * math.Log2E

// ofNone returns how often the state without any feature counts, and the least top of weights.
func ofNone(none bool) (count, least float32) {
	if none {
		return 1, 0
	}
	return 0, float32(math.Inf(-1))
}

// OneHotMeans sets dst to the means 2p - 1 of the features of a unit. dst may be field.
func OneHotMeans(dst, field []float32, k int, none bool) {
	if n := len(field) / k; n > 0 {
		count, least := ofNone(none)
		use().oneHotMeans(dst[:k*n], field[:k*n], k, n, count, least)
	}
}

func oneHotMeans(dst, field []float32, k, n int, none, least float32) {
	for a := range n {
		top := least
		for j := a; j < k*n; j += n {
			top = highest(field[j], top)
		}
		sum := float32(exp2(float32((0-top)*twoLog2E)) * none)
		for j := a; j < k*n; j += n {
			dst[j] = exp2(float32((field[j] - top) * twoLog2E))
			sum += dst[j]
		}
		sum = 1 / sum
		for j := a; j < k*n; j += n {
			p := float32(dst[j] * sum)
			dst[j] = p + p - 1
		}
	}
}

// OneHotMoments estimates the means E(2p - 1) and E 4p(1 - p) of the features of a unit in
// independent Gaussian fields, from standard normal noise: means over the fields mean ± sqrt(variance) noise.
// Results may not overwrite arguments.
func OneHotMoments(first, second, mean, variance, noise []float32, k int, none bool) {
	if n := len(mean) / k; n > 0 {
		count, least := ofNone(none)
		use().oneHotMoments(first[:k*n], second[:k*n], mean[:k*n], variance[:k*n], noise[:k*n], k, n, count, least)
	}
}

func oneHotMoments(first, second, mean, variance, noise []float32, k, n int, none, least float32) {
	for a := range n {
		topU, topV := least, least
		for j := a; j < k*n; j += n {
			d := float32(float32(math.Sqrt(float64(variance[j]))) * noise[j])
			first[j], second[j] = mean[j]+d, mean[j]-d
			topU, topV = highest(first[j], topU), highest(second[j], topV)
		}
		sumU, sumV := float32(exp2(float32((0-topU)*twoLog2E))*none), float32(exp2(float32((0-topV)*twoLog2E))*none)
		for j := a; j < k*n; j += n {
			first[j], second[j] = exp2(float32((first[j]-topU)*twoLog2E)), exp2(float32((second[j]-topV)*twoLog2E))
			sumU += first[j]
			sumV += second[j]
		}
		sumU, sumV = 1/sumU, 1/sumV
		for j := a; j < k*n; j += n {
			p, q := float32(first[j]*sumU), float32(second[j]*sumV)
			s := p + q
			t := s - (float32(p*p) + float32(q*q))
			first[j], second[j] = s-1, t+t
		}
	}
}

// OneHotChoices draws a feature of a unit in each of n samples, k where it has passed all of them: the first whose
// weight, and those before it, are above uniform, in [0, 1), of all. weight holds fields, and weights after it.
func OneHotChoices(choice []int32, weight, uniform []float32, k int, none bool) {
	if n := len(choice); n > 0 {
		count, least := ofNone(none)
		use().oneHotChoices(choice, weight[:k*n], uniform[:n], k, n, count, least)
	}
}

func oneHotChoices(choice []int32, weight, uniform []float32, k, n int, none, least float32) {
	for a := range n {
		top := least
		for j := a; j < k*n; j += n {
			top = highest(weight[j], top)
		}
		sum := float32(exp2(float32((0-top)*twoLog2E)) * none)
		for j := a; j < k*n; j += n {
			weight[j] = exp2(float32((weight[j] - top) * twoLog2E))
			sum += weight[j]
		}
		left := float32(uniform[a] * sum)
		choice[a] = int32(k)
		for f := range k {
			w := weight[f*n+a]
			if left < w {
				choice[a] = int32(f)
				break
			}
			left -= w
		}
	}
}

// highest returns the larger of two, and x where it is NaN.
func highest(x, top float32) float32 {
	if x <= top {
		return top
	}
	return x
}
