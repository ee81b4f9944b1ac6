package main

import "bethe/trial"

// What the plots in the notebook of the lab's own code show (N = 100, beta = 1,
// Adam on the means with clipping), read off by eye, ±0.02: one script's plots, not
// tables of the paper (H. Huang, Phys. Rev. E 102, 030301; arXiv 1911.07662).

// readOff says so in a figure.
const readOff = "Published: plots of the lab's notebook, read off by eye, ±0.02."

// A publishedCase is a setup of the paper with its published values.
type publishedCase struct {
	name   string
	setup  trial.Setup
	alpha  []float64 // mean overlap of the signs at alpha = 1, ..., 5; ten runs
	runs   []float64 // overlaps of the means in single runs at alpha = 5
	kl     float64   // where the divergence ends, nats; 0: not known
	bound  float64   // where the bound ends, nats; 0: not known
	remark string
}

var publishedCases = []publishedCase{
	{"P = 2, q = 0", trial.Setup{Visible: 100, Hidden: 2, Beta: 1}, []float64{0.30, 0.47, 0.62, 0.67, 0.74}, []float64{0.88, 0.82, 0.70, 0.62}, 138, -34590, ""},
	{"P = 2, q = 0.3", trial.Setup{Visible: 100, Hidden: 2, Beta: 1, Correlation: 0.3}, []float64{0.44, 0.58, 0.67, 0.73, 0.71}, nil, 138, -34570, ""},
	{"P = 3, q = 0", trial.Setup{Visible: 100, Hidden: 3, Beta: 1}, []float64{0.32, 0.52, 0.63, 0.74, 0.71}, []float64{0.90, 0.78, 0.36}, 0, 0, "The lab's script resets P to 2 after the first alpha."},
}

// Of 2,000 digits and 4 hidden units; the lab's digits have grey levels, ours are
// cut at one, so that only the divergence compares.
const (
	publishedDigitsBound = -1.0695e6
	publishedDigitsKL    = 910
)
