package kernel

import "math"

// AdamSecond is the share that Adam's average of the squared gradient keeps a step.
const AdamSecond = 0.999

// Adam takes a step of Adam (Kingma and Ba 2015) uphill: it updates the averages of the gradient,
//
//	first <- keep first + take grad,
//
// and of its square, second, and moves theta to
//
//	stay theta + scale first / (sqrt(second) + epsilon),
//
// but not out of [-limit, limit]. All tiers give the same bits.
func Adam[T Real](theta, first, second, grad []T, keep, take, stay, scale, epsilon, limit T) {
	n := len(theta)
	first, second, grad = first[:n], second[:n], grad[:n]
	if theta, ok := any(theta).([]float32); ok {
		use().adam(theta, any(first).([]float32), any(second).([]float32), any(grad).([]float32), float32(keep), float32(take), float32(stay), float32(scale), float32(epsilon), float32(limit))
		return
	}
	adam(theta, first, second, grad, keep, take, stay, scale, epsilon, limit)
}

// RMSProp is Adam's step where first is the gradient itself: one array less.
func RMSProp[T Real](theta, second, grad []T, stay, scale, epsilon, limit T) {
	n := len(theta)
	second, grad = second[:n], grad[:n]
	if theta, ok := any(theta).([]float32); ok {
		use().rmsProp(theta, any(second).([]float32), any(grad).([]float32), float32(stay), float32(scale), float32(epsilon), float32(limit))
		return
	}
	rmsProp(theta, second, grad, stay, scale, epsilon, limit)
}

func adam[T Real](theta, first, second, grad []T, keep, take, stay, scale, epsilon, limit T) {
	for k, g := range grad {
		first[k] = T(keep*first[k]) + T(take*g)
		theta[k] = adamMove(T(stay*theta[k]), first[k], g, &second[k], scale, epsilon, limit)
	}
}

func rmsProp[T Real](theta, second, grad []T, stay, scale, epsilon, limit T) {
	for k, g := range grad {
		theta[k] = adamMove(T(stay*theta[k]), g, g, &second[k], scale, epsilon, limit)
	}
}

// adamMove updates the average of the squared gradient and returns theta, moved along m.
func adamMove[T Real](theta, m, g T, second *T, scale, epsilon, limit T) T {
	v := T(AdamSecond**second) + T(T((1-AdamSecond)*g)*g)
	*second = v
	x := theta + T(scale*m)/(T(math.Sqrt(float64(v)))+epsilon)
	if x > limit {
		x = limit
	} else if x < -limit {
		x = -limit
	}
	return x
}
