// Package memory tells what work will take before anything is allocated for it.
// Without it a count with a few zeros too many ends a program with a trace.
package memory

import (
	"fmt"
	"math"
)

// An Error says that work takes more memory than there is.
type Error struct {
	What      string  // the work, such as "1000000 chains of 784 x 500 units"
	Setting   string  // what lowers it: "samples", "chains", "hidden", ...
	Value     float64 // what it is set to
	Bytes     float64 // that it takes
	Available float64 // bytes that can be had
}

// Error returns what takes how much, how much there is, and what lowers it.
func (e *Error) Error() string {
	less := "fewer " + e.Setting
	switch e.Setting {
	case "hidden":
		less = "fewer hidden units"
	case "batch":
		less = "a smaller batch"
	}
	return fmt.Sprintf("%s take %s of memory, and %s can be had; ask for %s", e.What, Text(e.Bytes), Text(e.Available), less)
}

// Text writes bytes for a person, such as "7.6 GB".
func Text(bytes float64) string {
	unit := 0
	for ; bytes >= 999.5 && unit < 8; unit++ {
		bytes /= 1000
	}
	digits := 3
	if bytes < 99.5 {
		digits = 2
	}
	return fmt.Sprintf("%.*g %s", digits, bytes, [...]string{"bytes", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"}[unit])
}

// unknown is what can be had where the system does not tell: 1 TiB, so that only
// what no machine has is refused.
const unknown = 1 << 40

// Available returns the bytes that this process can still have: what the system
// has, within the limits of the control group and of the process.
func Available() float64 {
	if bytes, ok := available(); ok {
		return bytes
	}
	return unknown
}

// Check returns an *Error if bytes are more than can be had.
func Check(what, setting string, value int, bytes float64) error {
	if have := Available(); !(bytes <= have) {
		return &Error{what, setting, float64(value), bytes, have}
	}
	return nil
}

// Chains returns the bytes that Gibbs chains take, and at least that many: the
// field of each unit as a float32, and spins and counts as bits.
func Chains(visible, hidden int, chains float64) float64 {
	return 4.5 * (float64(visible) + float64(hidden)) * chains
}

// Samples returns the bytes that samples take on their way into a file: a mean as
// a float32, a spin as a byte, and bits.
func Samples(visible int, samples float64) float64 { return 6 * float64(visible) * samples }

// CheckChains is Check of chains whose states are written, or of chains alone. The
// setting is the name of their number.
func CheckChains(visible, hidden int, chains float64, written bool, setting string, value int) error {
	bytes := Chains(visible, hidden, chains)
	if written {
		bytes += Samples(visible, chains)
	}
	return Check(fmt.Sprintf("%.0f chains of %d x %d units", chains, visible, hidden), setting, value, bytes)
}

// A Training is the sizes of learning.
type Training struct{ Visible, Hidden, Samples, Batch, Chains int }

// synapseBytes is what learning holds for each synapse: the posterior, its
// gradient, the optimiser's averages, the dual network and its moments, the mean
// over the last steps. Measured: 118 bytes with what waits to be collected.
const synapseBytes = 80

// Bytes returns what learning takes, and at least that many.
func (t Training) Bytes() float64 {
	n, p := float64(t.Visible), float64(t.Hidden)
	return synapseBytes*n*p + n*float64(t.Samples)/8 + 8*p*float64(t.Batch) + Chains(t.Visible, t.Hidden, float64(t.Chains))
}

// Check returns an *Error if learning takes more than can be had. It names what takes
// most, of the hidden units, and the chains or the batch if those are more than the
// hidden units.
func (t Training) Check() error {
	bytes := t.Bytes()
	setting, value, most := "hidden", t.Hidden, synapseBytes*float64(t.Visible)*float64(t.Hidden)
	if c := Chains(t.Visible, t.Hidden, float64(t.Chains)); c > most && t.Chains > t.Hidden {
		setting, value, most = "chains", t.Chains, c
	}
	if b := 8 * float64(t.Hidden) * float64(t.Batch); b > most && t.Batch > t.Hidden {
		setting, value = "batch", t.Batch
	}
	what := fmt.Sprintf("%d x %d synapses, %d chains and batches of %d", t.Visible, t.Hidden, t.Chains, t.Batch)
	return Check(what, setting, value, bytes)
}

// least returns the smaller of two amounts, or the one that is known.
func least(a float64, okA bool, b float64, okB bool) (float64, bool) {
	switch {
	case !okA:
		return b, okB
	case !okB:
		return a, okA
	}
	return math.Min(a, b), true
}
