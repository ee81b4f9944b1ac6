// Package kernel holds the loops in which the program spends its time: products
// of packed ±1 matrices with real ones, elementwise functions and the drawing
// of spins. It is the one seam where vector code comes in. Portable Go is the
// specification; on amd64 assembly for AVX2, AVX-512 or matrix tiles (AMX) takes over where the
// machine has them (Tier), but for float64. Elementwise functions, draws, counts
// and coarse products give the same bits on every tier; other products differ
// by rounding. The build tag purego leaves the assembly out, and gen writes it.
//
// Shapes. A packed ±1 matrix of K rows and L lanes keeps WordBits rows to a
// 32-bit word, words stored [word][lane]: bit k%WordBits of
// bits[(k/WordBits)*stride+l] is 1 where element (k, l) is +1. The stride is a
// multiple of LaneAlign, and all bits outside the matrix are 0. Real matrices
// are row-major without padding.
package kernel

// Real is a type of real number that kernels compute with: float32 in
// training, float64 where results are held against exact ones.
type Real interface{ float32 | float64 }

const (
	// WordBits is the number of rows packed in a word: a multiple of 2, 3, 5
	// and 6, so that tables of 3, 5 or 6 bits all fit the same format.
	WordBits = 30
	// LaneAlign is what the stride of a packed matrix is a multiple of.
	LaneAlign = 64
	// DrawLanes is the number of lanes that share a random stream.
	DrawLanes = 32
)

// Words returns the number of words that hold rows bits.
func Words(rows int) int { return (rows + WordBits - 1) / WordBits }

// Stride returns the stride of a packed matrix of the given lanes.
func Stride(lanes int) int { return (lanes + LaneAlign - 1) / LaneAlign * LaneAlign }
