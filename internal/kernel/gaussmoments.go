package kernel

import "math"

// Gaussian averages in float32. At s = gaussPad + variance, E tanh is a smooth
// function of y = gaussWidth |mean| / sqrt(s) and w = 2 gaussPad / s - 1. A table
// (fitted by gen/gausstable) has a polynomial of both for each of 16 cells of y,
// within 2.5e-6 of E tanh, and within 3.5e-6 of E sech^2 by its derivative: one root,
// one division and no exponential.
const (
	gaussPad   = 0.69
	gaussWidth = 1.875

	// Nodes are the floats of three significant bits, less the first.
	gaussNode     = 1.5
	gaussNodeBits = 21
	gaussLast     = 20 - gaussNode // the last node, from where on tanh is 1
)

// gaussCoefficients are columns of coefficients, one for each cell, named by the
// last four bits of its node: first those of (y-node)^0, from the highest power
// of w to the lowest, and so on, of degree 7, 7, 6, 5, 3 and 1 in w.
type gaussCoefficients [35][16]float32

// gaussTableAligned is gaussTable where the allocator puts it: in its size class,
// at the start of a cache line, so that no row is in two.
var gaussTableAligned = func() *gaussCoefficients {
	t := new(gaussCoefficients)
	*t = gaussTable
	return t
}()

// gaussScale returns w and dy/dx for a variance.
func gaussScale(variance float32) (w, perMean float32) {
	perMean = gaussWidth / float32(math.Sqrt(float64(gaussPad+variance)))
	return mulAdd(float32(perMean*perMean), 2*gaussPad/(gaussWidth*gaussWidth), -1), perMean
}

// gaussCell returns the coefficients of powers of y-node in a cell.
func gaussCell(cell uint32, w float32) (c [6]float32) {
	t, w2 := gaussTableAligned, float32(w*w)
	cell %= 16 // which spares the checks of bounds
	odd := mulAdd(mulAdd(mulAdd(t[0][cell], w2, t[2][cell]), w2, t[4][cell]), w2, t[6][cell])
	even := mulAdd(mulAdd(mulAdd(t[1][cell], w2, t[3][cell]), w2, t[5][cell]), w2, t[7][cell])
	c[0] = mulAdd(odd, w, even)
	odd = mulAdd(mulAdd(mulAdd(t[8][cell], w2, t[10][cell]), w2, t[12][cell]), w2, t[14][cell])
	even = mulAdd(mulAdd(mulAdd(t[9][cell], w2, t[11][cell]), w2, t[13][cell]), w2, t[15][cell])
	c[1] = mulAdd(odd, w, even)
	even = mulAdd(mulAdd(mulAdd(t[16][cell], w2, t[18][cell]), w2, t[20][cell]), w2, t[22][cell])
	odd = mulAdd(mulAdd(t[17][cell], w2, t[19][cell]), w2, t[21][cell])
	c[2] = mulAdd(odd, w, even)
	odd = mulAdd(mulAdd(t[23][cell], w2, t[25][cell]), w2, t[27][cell])
	even = mulAdd(mulAdd(t[24][cell], w2, t[26][cell]), w2, t[28][cell])
	c[3] = mulAdd(odd, w, even)
	c[4] = mulAdd(mulAdd(t[29][cell], w2, t[31][cell]), w, mulAdd(t[30][cell], w2, t[32][cell]))
	c[5] = mulAdd(t[33][cell], w, t[34][cell])
	return c
}

// gaussPlace returns the cell of a mean and y-node.
func gaussPlace(mean, perMean float32) (cell uint32, l float32) {
	y := float32(abs32(mean) * perMean)
	if y > gaussLast {
		y = gaussLast
	}
	node := (math.Float32bits(y+gaussNode) + 1<<(gaussNodeBits-1)) &^ (1<<gaussNodeBits - 1)
	return node >> gaussNodeBits % 16, y - (math.Float32frombits(node) - gaussNode)
}

// gaussPolynomial returns E tanh and E sech^2 for the coefficients of a cell.
func gaussPolynomial(c *[6]float32, l, mean, perMean float32) (tanh, sech2 float32) {
	t := mulAdd(c[5], l, c[4])
	r := mulAdd(c[5], l, t)
	for j := 3; j > 0; j-- {
		t = mulAdd(t, l, c[j])
		r = mulAdd(r, l, t)
	}
	t = mulAdd(t, l, c[0])
	r = float32(r * perMean)
	if t > 1 {
		t = 1
	}
	if r < 0 {
		r = 0
	}
	return math.Float32frombits(math.Float32bits(t) ^ math.Float32bits(mean)&(1<<31)), r
}

func gaussMoments(tanh, sech2, mean, variance []float32) {
	for j, m := range mean {
		w, perMean := gaussScale(variance[j])
		cell, l := gaussPlace(m, perMean)
		c := gaussCell(cell, w)
		tanh[j], sech2[j] = gaussPolynomial(&c, l, m, perMean)
	}
}

func gaussMomentsAlike(tanh, sech2, mean []float32, variance float32) {
	w, perMean := gaussScale(variance)
	var cells [16][6]float32
	for cell := range cells {
		cells[cell] = gaussCell(uint32(cell), w)
	}
	for j, m := range mean {
		cell, l := gaussPlace(m, perMean)
		tanh[j], sech2[j] = gaussPolynomial(&cells[cell], l, m, perMean)
	}
}
