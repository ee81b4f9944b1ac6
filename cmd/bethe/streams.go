package main

// Labels of random streams below the seed's key, besides those of package learn.
const (
	streamHeldOut     = 12
	streamUncertainty = 13
)
