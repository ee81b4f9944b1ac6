package kernel

import (
	"fmt"
	"os"
	"strings"
)

// functions are the kernels that have vector versions. Each does what the
// portable function of its name does.
type functions struct {
	mulBits       func(dst, a []float32, p, k int, bits []uint32, stride, lanes int)
	rounded       roundedProducts // set by chooseForms unless it is by tiles
	tables        byTables        // rounded products by tables of 16-bit sums; nil if there are none
	largest       func(x []float32) uint32
	wholeRow      func(dst, x []float32, scale float32)
	mulReal       func(dst, a, b []float32, m, k, n int, transA, transB bool)
	drawBlock     func(bits []uint32, stride int, field []float32, ld, rows, lanes int, g []Generator)
	skip          func(g *Generator, steps int)
	transposeBits func(dst, bits []uint32, stride, cols int)
	countDiff     func(counts []uint16, ld int, a []uint32, strideA, p int, b []uint32, strideB, k, lanes int)
	drawCounts    func(dst []uint32, stride int, counts []uint16, ld, rows, lanes int, slope float32, shift []float32, g []Generator)
	transpose     func(dst []float32, ldDst int, x []float32, ldX, rows, cols int)
	adam          func(theta, first, second, grad []float32, keep, take, stay, scale, epsilon, limit float32)
	hyperAdam     func(theta, grad, size, agree, first, slow, fast, second []float32, by *HyperNumbers[float32])
	rmsProp       func(theta, second, grad []float32, stay, scale, epsilon, limit float32)

	edges           [2]edgeFunctions // of the ranges of couplings
	plainEdgeSlopes func(byLambda, lambda, sh []float32, t float32) float64

	affine, affineFloor func(dst, x []float32, slope, shift float32)
	sum                 func(x []float32) float64
	addRows             func(sum []float64, x, scale []float32)
	biases              func(bias, lambda, offset []float32) (atOffset, free float64)
	free                func(lambda []float32) float64
	fieldSums           func(tanh, sech2, mean, variance []float32, centre, shift float32) (tanhSum, sech2Sum, slope float64)
	synapseGradient     func(grad, mean, offset, tanhData, sech2Data, partition, theta []float32, first, second, excess, sech2Sum, share float32) float64

	wholeFunctions
	narrow narrowProducts // set by chooseForms unless it is by bytes
	joinFunctions

	tanh            func(dst, x []float32)
	addLog2Cosh     func(sum []float64, x []float32)
	addLog2CoshStep func(sum []float64, x []float32, before, t float32)
	gaussMoments    func(tanh, sech2, mean, variance []float32)
	gaussLog2Cosh   func(mean, variance []float32) float64

	gaussMomentsAlike func(tanh, sech2, mean []float32, variance float32)

	oneHotMeans   func(dst, field []float32, k, n int, none, least float32)
	oneHotMoments func(first, second, mean, variance, noise []float32, k, n int, none, least float32)
	oneHotChoices func(choice []int32, weight, uniform []float32, k, n int, none, least float32)
}

// A tier is a set of kernels for some instruction set.
type tier struct {
	name string
	sums string // the tier that adds float32 products up in the same order: itself, or the one it has these kernels of
	functions
}

var portable = tier{"portable", "portable", functions{
	mulBits:       mulBits[float32],
	largest:       largest,
	wholeRow:      wholeRow,
	mulReal:       mulReal,
	drawBlock:     drawBlock[float32],
	skip:          skip,
	transposeBits: transposeBits,
	countDiff:     countDiff,
	drawCounts:    drawCounts,
	transpose:     transpose[float32],
	adam:          adam[float32],
	hyperAdam:     hyperAdam[float32],
	rmsProp:       rmsProp[float32],

	edges:           [2]edgeFunctions{portableEdges(&edgeRanges[0]), portableEdges(&edgeRanges[1])},
	plainEdgeSlopes: plainEdgeSlopes,

	affine:          affine[float32],
	affineFloor:     affineFloor[float32],
	sum:             sumRow[float32],
	addRows:         addRows[float32],
	biases:          biases[float32],
	free:            free[float32],
	fieldSums:       fieldSums[float32],
	synapseGradient: synapseGradient[float32],

	wholeFunctions: portableWhole,
	joinFunctions:  portableJoin,

	tanh:            tanh,
	addLog2Cosh:     addLog2Cosh,
	addLog2CoshStep: addLog2CoshStep,
	gaussMoments:    gaussMoments,
	gaussLog2Cosh:   gaussLog2Cosh,

	gaussMomentsAlike: gaussMomentsAlike,

	oneHotMeans:   oneHotMeans,
	oneHotMoments: oneHotMoments,
	oneHotChoices: oneHotChoices,
}}

// An absentTier is one that this machine or build cannot run.
type absentTier struct{ name, why string }

// tiers are those that this machine can run, slowest first, and absent the others.
var tiers, absent = func() ([]tier, []absentTier) {
	list, absent := vectorTiers()
	return append([]tier{portable}, list...), absent
}()

// slowTiles multiplies by matrix tiles in Go, so that code for the tier amx can be tested on any machine. It is chosen by
// name alone.
var slowTiles = tier{"tiles", portable.name, func() functions {
	f := portable.functions
	f.rounded = &byTiles{tilesInGo}
	return f
}()}

func init() {
	for i := range tiers {
		tiers[i].functions.chooseForms()
	}
	slowTiles.functions.chooseForms()
}

// chooseForms sets the rounded products of a tier.
func (f *functions) chooseForms() {
	if f.narrow == nil {
		f.narrow = byPairs{&f.wholeFunctions}
	}
	var list []form
	if f.rounded != nil {
		list = append(list, form{tileForm, nil, true})
	}
	if f.tables != nil {
		list = append(list, form{tableForm, f.tables, false})
	}
	list = append(list, form{floatForm, f.mulBitsCoarseByFloats, false})
	if f.rounded == nil {
		f.rounded = list[0].multiply
	}
	if len(list) > 1 {
		f.rounded = &forms{f.rounded, list}
	}
}

// current is the tier in use, nil if the environment asks for another than
// there is; then tierErr says so.
var current, tierErr = pick(os.Getenv(tierVariable))

// tierVariable names the environment variable that forces a tier, for tests
// and support.
const tierVariable = "BETHE_KERNEL"

// pick returns the tier of the given name, the fastest one for no name.
func pick(name string) (*tier, error) {
	if name == "" {
		return &tiers[len(tiers)-1], nil
	}
	var names []string
	for i := range tiers {
		if tiers[i].name == name {
			return &tiers[i], nil
		}
		names = append(names, tiers[i].name)
	}
	if name == slowTiles.name {
		return &slowTiles, nil
	}
	for _, t := range absent {
		if t.name == name {
			return nil, fmt.Errorf("%s=%s: %s; kernels that there are: %s", tierVariable, name, t.why, strings.Join(names, ", "))
		}
	}
	return nil, fmt.Errorf("%s=%s: this build on this machine has the kernels %s", tierVariable, name, strings.Join(names, ", "))
}

// use returns the kernels in use. It panics if there are none.
func use() *functions {
	if current == nil {
		panic(tierErr)
	}
	return &current.functions
}

// Check returns an error if the environment variable BETHE_KERNEL asks for
// kernels that there are not. Any use of a float32 kernel panics with it then,
// so a command calls Check first.
func Check() error { return tierErr }

// Tier names the kernels in use: "amx", "avx512", "avx2" or "portable", the first of
// these that the machine can run, or what the environment variable
// BETHE_KERNEL says.
//
// BETHE_KERNEL=tiles takes slow products by tiles in Go, to test code for amx on any machine.
func Tier() string {
	use()
	return current.name
}

// Sums names the tier whose sums of float32 products (MulBits, MulReal) those of the kernels in use are, to the bit: "avx512",
// "avx2" or "portable". What they enter has the same bits on tiers of the same sums.
func Sums() string {
	use()
	return current.sums
}

// Tiers names the kernels that this build has on this machine, slowest first.
func Tiers() []string {
	names := make([]string, len(tiers))
	for i := range tiers {
		names[i] = tiers[i].name
	}
	return names
}
