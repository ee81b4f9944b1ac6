package learn

import "bethe/stream"

// EvaluationKey returns the key that a machine of a seed is evaluated with.
func EvaluationKey(seed uint64) stream.Key { return stream.New(seed).Sub(stream.RunLikelihood) }
