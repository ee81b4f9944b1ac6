package kernel

import "math"

// Decay rates of the averages that Adam keeps of the gradient and of its square.
const (
	AdamFirst  = 0.9
	AdamSecond = 0.999
)

// Adam takes a step of Adam (Kingma and Ba 2015) uphill: it updates the
// averages first and second of the gradient and of its square and moves theta by
//
//	scale first / (sqrt(second) + epsilon),
//
// but not out of [-limit, limit]. All tiers give the same bits.
func Adam[T Real](theta, first, second, grad []T, scale, epsilon, limit T) {
	n := len(theta)
	first, second, grad = first[:n], second[:n], grad[:n]
	if theta, ok := any(theta).([]float32); ok {
		use().adam(theta, any(first).([]float32), any(second).([]float32), any(grad).([]float32), float32(scale), float32(epsilon), float32(limit))
		return
	}
	adam(theta, first, second, grad, scale, epsilon, limit)
}

func adam[T Real](theta, first, second, grad []T, scale, epsilon, limit T) {
	for k, g := range grad {
		m := T(AdamFirst*first[k]) + T((1-AdamFirst)*g)
		v := T(AdamSecond*second[k]) + T(T((1-AdamSecond)*g)*g)
		first[k], second[k] = m, v
		x := theta[k] + T(scale*m)/(T(math.Sqrt(float64(v)))+epsilon)
		if x > limit {
			x = limit
		} else if x < -limit {
			x = -limit
		}
		theta[k] = x
	}
}
