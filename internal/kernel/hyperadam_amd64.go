//go:build !purego

package kernel

// hyperAdamVector makes a kernel of one that takes the numbers as they lie in memory.
func hyperAdamVector(f func(theta, grad, size, agree, first, slow, fast, second []float32, by *float32)) func(theta, grad, size, agree, first, slow, fast, second []float32, by *HyperNumbers[float32]) {
	return func(theta, grad, size, agree, first, slow, fast, second []float32, by *HyperNumbers[float32]) {
		f(theta, grad, size, agree, first, slow, fast, second, &by.Base[0])
	}
}
