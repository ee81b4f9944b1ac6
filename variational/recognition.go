package variational

import (
	"fmt"
	"slices"
)

// A Recognition says how the even hidden layers of a deep machine are known given a
// sample, while the odd ones are summed out. Its units are independent given the synapses,
// unit k in the field
//
//	phi_k = g_k + sum_j w_jk xi_jk
//
// over its neighbours j in odd layers. Any g and w give a lower bound on the data term
// (docs/deep.md); they differ in how tight it is and in the work.
type Recognition int

// The ways.
const (
	// Aware fields follow the synapses to first order: w = J (T - nu), with T the means of
	// the neighbours. What it costs is a few products of real matrices a batch.
	Aware Recognition = iota
	// Stationary fields are those of the greatest bound. w is a matrix a sample, so this is
	// for small machines.
	Stationary
	// Mean is ordinary mean field, w = 0. It charges the upper synapses for being undecided,
	// and so silences upper layers.
	Mean
	// Drawn is Aware where the fields of the first layer are drawn, one draw a unit and
	// sample, before the upper layers are recognised: the bound is tighter, and its estimate
	// noisier.
	Drawn
)

var recognitions = []string{Aware: "aware", Stationary: "stationary", Mean: "mean", Drawn: "drawn"}

// String returns the word.
func (r Recognition) String() string { return recognitions[r] }

// RecognitionOf returns the recognition of a word.
func RecognitionOf(word string) (Recognition, error) {
	k := slices.Index(recognitions, word)
	if k < 0 {
		return 0, fmt.Errorf("a recognition %q is not known: it is aware, stationary, mean or drawn", word)
	}
	return Recognition(k), nil
}
