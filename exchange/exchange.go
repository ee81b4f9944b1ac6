// Package exchange writes machines in the formats of other programs, and reads
// what they write.
//
//   - safetensors: the arrays of the model file, as deep-learning libraries load them;
//   - zero-one: W and two biases for units 0 and 1, the convention of
//     scikit-learn's BernoulliRBM and of PyTorch's rbms (Hinton 2012), read too;
//   - Ising: the energy as a list of biases in dimod's COO text;
//   - C and Go source: packed bits and a sampler in integers (Packed), which has
//     the same samples, bit for bit, wherever it runs.
package exchange
