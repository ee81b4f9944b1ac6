package main

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
