// Package bethe stands for the module: generative models whose weights are one bit
// each. The packages below have its parts; README.md and ARCHITECTURE.md say which.
package bethe
