package kernel

import "math"

// Sizes of the net of HyperAdam.
const (
	HyperHidden   = 4 // hidden units
	HyperFeatures = 4 // features of a synapse; those of a row enter Base
	HyperOutputs  = 5
)

// Decay rates of the averages that HyperAdam keeps beside Adam's own.
const (
	HyperSlow = 0.98 // of a slow average of the gradient
	HyperFast = 0.95 // of a fast average of its square
)

// HyperNumbers are what HyperAdam takes that is the same for a row.
type HyperNumbers[T Real] struct {
	Base       [HyperHidden]T                // what the constant and the features of the row add to the hidden units
	In         [HyperHidden][HyperFeatures]T // weights of the synapse's features
	Out        [HyperOutputs][HyperHidden + 1]T
	Keep, Take T // of the average of the gradient: first <- Keep first + Take grad
	// What the averages are multiplied by, as they started at 0.
	First, Slow, Fast, Second T
	Rate, Limit               T
}

// HyperState are the averages that HyperAdam keeps of a row: of the gradient, First and Slow, and of its square,
// Fast and Second.
type HyperState[T Real] struct{ First, Slow, Fast, Second []T }

const (
	hyperEpsilon  = 1e-8
	hyperClip     = 2 // of features
	hyperThetaMax = 4 // of the feature |theta|
	log2E         = 1.44269504088896340735992468100189214
	hyperGain     = 3 * log2E // limit of the binary logarithm of the gain
)

// HyperAdam takes a step of the learned rule for a row of synapses. Its inputs u are averages of the gradient, divided by
// roots of averages of its square:
//
//	u0 = grad/sqrt(Second), u1 = First/sqrt(Second), u2 = Slow/sqrt(Second), u3 = First/sqrt(Fast),
//
// it moves theta by
//
//	Rate 2^o0 (u1 + o1 (u0 - u1) + o2 (u2 - u1) + o3 (u3 - u1) + o4 theta)
//
// but not out of [-Limit, Limit], where o = Out h and h = z/(1+|z|) with z = Base + In f of the features
//
//	f = min(|u1|, 2), u0 u2, theta u1 (both within ±2), min(|theta|, 4) - 1.
//
// The binary logarithm o0 stays within that of e^±3. size and agree get the first two features. All tiers give the
// same bits, and turning the signs of theta, grad and the averages of grad turns that of the move, to the bit.
func HyperAdam[T Real](theta, grad, size, agree []T, s HyperState[T], by *HyperNumbers[T]) {
	n := len(theta)
	grad, size, agree = grad[:n], size[:n], agree[:n]
	s = HyperState[T]{s.First[:n], s.Slow[:n], s.Fast[:n], s.Second[:n]}
	if theta, ok := any(theta).([]float32); ok {
		s := any(s).(HyperState[float32])
		use().hyperAdam(theta, any(grad).([]float32), any(size).([]float32), any(agree).([]float32), s.First, s.Slow, s.Fast, s.Second, any(by).(*HyperNumbers[float32]))
		return
	}
	hyperAdam(theta, grad, size, agree, s.First, s.Slow, s.Fast, s.Second, by)
}

func hyperAdam[T Real](theta, grad, size, agree, first, slow, fast, second []T, by *HyperNumbers[T]) {
	for k, g := range grad {
		m := T(by.Keep*first[k]) + T(by.Take*g)
		ms := T(HyperSlow*slow[k]) + T((1-HyperSlow)*g)
		vf := T(HyperFast*fast[k]) + T(T((1-HyperFast)*g)*g)
		v := T(AdamSecond*second[k]) + T(T((1-AdamSecond)*g)*g)
		first[k], slow[k], fast[k], second[k] = m, ms, vf, v
		root, rootFast := root(v*by.Second)+hyperEpsilon, root(vf*by.Fast)+hyperEpsilon
		both := 1 / (root * rootFast)
		by1, by3 := both*rootFast, both*root
		m *= by.First
		u0, u1, u2, u3 := T(g*by1), T(m*by1), T(T(ms*by.Slow)*by1), T(m*by3)
		t := theta[k]
		f0, f1, f2, f3 := keepWithin(magnitude(u1), hyperClip), keepWithin(u0*u2, hyperClip), keepWithin(t*u1, hyperClip), keepWithin(magnitude(t), hyperThetaMax)-1
		size[k], agree[k] = f0, f1
		var z, d [HyperHidden]T
		for q := range z {
			w := &by.In[q]
			z[q] = T(f0*w[0]) + by.Base[q] + T(f1*w[1]) + T(f2*w[2]) + T(f3*w[3])
			d[q] = magnitude(z[q]) + 1
		}
		low, high := T(d[0]*d[1]), T(d[2]*d[3]) // one division for four
		all := 1 / (low * high)
		byLow, byHigh := T(all*high), T(all*low)
		h := [HyperHidden]T{T(T(z[0]*d[1]) * byLow), T(T(z[1]*d[0]) * byLow), T(T(z[2]*d[3]) * byHigh), T(T(z[3]*d[2]) * byHigh)}
		out := func(j int) T {
			w := &by.Out[j]
			return T(h[0]*w[0]) + w[HyperHidden] + T(h[1]*w[1]) + T(h[2]*w[2]) + T(h[3]*w[3])
		}
		move := T(out(1)*(u0-u1)) + u1 + T(out(2)*(u2-u1)) + T(out(3)*(u3-u1)) + T(out(4)*t)
		move = T(T(move*powerOfTwo(keepWithin(out(0), hyperGain))) * by.Rate)
		theta[k] = keepWithin(t+move, by.Limit)
	}
}

func root[T Real](x T) T { return T(math.Sqrt(float64(x))) }

// magnitude is |x|.
func magnitude[T Real](x T) T { return T(math.Abs(float64(x))) }

// keepWithin is x kept in [-limit, limit].
func keepWithin[T Real](x, limit T) T {
	if x > limit {
		return limit
	}
	if x < -limit {
		return -limit
	}
	return x
}

// powerOfTwo is 2^y, |y| at most 126.
func powerOfTwo[T Real](y T) T {
	if y, ok := any(y).(float32); ok {
		return T(exp2(y))
	}
	return T(math.Exp2(float64(y)))
}
