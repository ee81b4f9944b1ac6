package learn

import "bethe/stream"

// Labels of the random streams of a run: those of learning below the key of a
// start, the others below the seed's.
const (
	streamStart = iota
	streamChainStart
	streamChains
	streamBatches
	streamBound
	streamPictures
	streamEvaluate
	streamDraws
	streamSynapses
	streamRestarts
	streamScores
	streamDrawnSynapses
)

// EvaluationKey returns the key that a machine of a seed is evaluated with.
func EvaluationKey(seed uint64) stream.Key { return stream.New(seed).Sub(streamEvaluate) }
