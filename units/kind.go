package units

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A Kind is a kind of units of a layer. The zero value is that of spins. Kinds can be
// compared with ==.
//
// A unit of a one-hot kind has States features, 0 or 1. One of them is 1, or at most
// one if None. A feature x with offset p is held as the spin 2x - 1 with offset 2p - 1,
// at half the coupling: fields and synapses then are those of spins.
type Kind struct {
	Word   string // Gauss, Potts or Group; Spin or nothing
	States int    // features of a one-hot unit; 0 of others
	None   bool   // no feature of a one-hot unit need be 1
}

// Words of one-hot kinds: a visible unit of K colours, and a hidden group of K units.
const (
	Potts = "potts"
	Group = "group"
)

// MaxColours is the largest number of colours of a visible unit.
const MaxColours = 127

// MaxStates is the largest number of features of a one-hot unit.
const MaxStates = 1 << 12

// ParseKind reads the word of a kind: spin, gauss, potts:K, group:K or group?:K.
func ParseKind(text string) (Kind, error) {
	word, states, several := strings.Cut(text, ":")
	k := Kind{Word: word}
	k.Word, k.None = strings.CutSuffix(word, "?")
	switch {
	case !several && !k.None && (word == Gauss || word == Spin || word == ""):
		if word == Spin {
			k.Word = ""
		}
		return k, nil
	case k.Word != Group && (k.Word != Potts || k.None):
		return Kind{}, fmt.Errorf("units of the kind %q are not known: kinds are spin, gauss, potts:K, group:K (one of K is on) and group?:K (at most one)", text)
	}
	n, err := strconv.Atoi(states)
	if err != nil || n < 1 || n > MaxStates || k.Word == Potts && n > MaxColours || n == 1 && !k.None {
		return Kind{}, fmt.Errorf("units of the kind %q: the number after the colon must lie between 2 and %d, such as %s:3", text, MaxStates, word)
	}
	k.States = n
	return k, nil
}

// String returns the word that ParseKind reads.
func (k Kind) String() string {
	switch {
	case k.Word == "":
		return Spin
	case k.States == 0:
		return k.Word
	case k.None:
		return k.Word + "?:" + strconv.Itoa(k.States)
	}
	return k.Word + ":" + strconv.Itoa(k.States)
}

// OneHot reports whether a unit is several features, at most one of them on.
func (k Kind) OneHot() bool { return k.States > 0 }

// Bits reports whether features are held as spins: all kinds but Gaussian ones.
func (k Kind) Bits() bool { return k.Word != Gauss }

// Features returns the number of features of a unit.
func (k Kind) Features() int { return max(1, k.States) }

// Scale returns what a feature x is divided by to make the spin that holds it, but for
// a constant: 2 of one-hot kinds, else 1. Couplings and fields are divided by it.
func (k Kind) Scale() float64 {
	if k.OneHot() {
		return 2
	}
	return 1
}

// OffsetLimit is the largest |offset| of a feature as it is held.
func (k Kind) OffsetLimit() float64 {
	if k.Bits() {
		return 1
	}
	return 0 // the own mean of a Gaussian unit is its offset
}

// Choices returns the number of states of a unit of bits.
func (k Kind) Choices() int {
	switch {
	case !k.OneHot():
		return 2
	case k.None:
		return k.States + 1
	}
	return k.States
}

// LnStates returns the logarithm of the number of states of so many features of bits.
func (k Kind) LnStates(features int) float64 {
	return float64(features/k.Features()) * math.Log(float64(k.Choices()))
}

// Check returns an error unless so many features are whole units.
func (k Kind) Check(features int) error {
	if features%k.Features() != 0 {
		return fmt.Errorf("%d features are no whole units of %s", features, k)
	}
	return nil
}

// LogSum returns ln of the sum over the states of a unit of exp(fields.features), for
// features that are held as spins; of a Gaussian unit the integral with its base -u²/2.
func (k Kind) LogSum(fields []float64) float64 {
	switch {
	case !k.Bits():
		return fields[0]*fields[0]/2 + halfLn2Pi
	case !k.OneHot():
		f := math.Abs(fields[0])
		return f + math.Log1p(math.Exp(-2*f))
	}
	top, sum, total := 0.0, 0.0, 0.0
	if !k.None {
		top = math.Inf(-1)
	}
	for _, f := range fields {
		top = max(top, 2*f)
		total += f
	}
	if k.None {
		sum = math.Exp(-top)
	}
	for _, f := range fields {
		sum += math.Exp(2*f - top)
	}
	return top + math.Log(sum) - total
}

// Means writes the means of the features of a unit in the given fields to dst.
func (k Kind) Means(dst, fields []float64) {
	switch {
	case !k.Bits():
		dst[0] = fields[0]
	case !k.OneHot():
		dst[0] = math.Tanh(fields[0])
	default:
		total := k.LogSum(fields)
		for _, f := range fields {
			total += f
		}
		for j, f := range fields {
			dst[j] = 2*math.Exp(2*f-total) - 1
		}
	}
}

// halfLn2Pi is the logarithm of the integral of exp(-u²/2).
const halfLn2Pi = 0.918938533204672741780329736405617639861397473637783412817

// A Fieldless kind of units has parameters of its own, or a symmetry, in the place of
// fields and offsets: learning leaves those at 0.
type Fieldless interface{ Fieldless() }

// ErrGaussPair is the error of two Gaussian layers: with binary synapses that are not
// known, their partition function is infinite, and with known ones for many sets of them.
var ErrGaussPair = errors.New("two Gaussian layers: Gaussian visible units with Gaussian hidden units have no normalisable machine on one-bit synapses (E Z is infinite): use spin, potts:K, group:K or group?:K units in one of the layers")

// CheckPair returns an error unless a machine can have units of these kinds.
func CheckPair(visible, hidden Kind) error {
	switch {
	case visible.Word == Gauss && hidden.Word == Gauss:
		return ErrGaussPair
	case visible.Word == Group:
		return fmt.Errorf("%s is a kind of hidden units: visible units are spin, gauss or potts:K", visible)
	case hidden.Word == Potts:
		return fmt.Errorf("%s is a kind of visible units: hidden units are spin, gauss, group:K or group?:K", hidden)
	}
	return nil
}

// ParseVisible is ParseKind of visible units, where potts alone stands for as many colours as
// the data have: 0.
func ParseVisible(text string) (Kind, error) {
	if text == Potts {
		return Kind{Word: Potts}, nil
	}
	return ParseKind(text)
}
