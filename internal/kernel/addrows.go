package kernel

import "bethe/internal/parallel"

// rowsTogether is the number of rows whose sum in their own precision is then added in
// float64.
const rowsTogether = 8

// AddRows adds scale[mu] times row mu of x to sum. The workers keep the rows that they
// have in other loops: each piece of them has sums of its own, which are added in order.
func AddRows[T Real](sum []float64, x, scale []T) {
	n, grain := len(sum), (len(scale)/8+rowsTogether)/rowsTogether*rowsTogether
	x = x[:n*len(scale)]
	parts := make([]float64, parallel.Pieces(len(scale), grain)*n)
	parallel.For(len(scale), grain, func(lo, hi int) {
		part := parts[lo/grain*n:][:n]
		for mu := lo; mu < hi; mu += rowsTogether {
			end := min(mu+rowsTogether, hi)
			rows, scale := x[mu*n:end*n], scale[mu:end]
			if short, ok := any(rows).([]float32); ok {
				use().addRows(part, short, any(scale).([]float32))
			} else {
				addRows(part, rows, scale)
			}
		}
	})
	for ; len(parts) > 0; parts = parts[n:] {
		for i, v := range parts[:n] {
			sum[i] += v
		}
	}
}

// addRows adds the sum of a few rows, times scale, to sum.
func addRows[T Real](sum []float64, x, scale []T) {
	n := len(sum)
	for i := range sum {
		var s T
		for r, c := range scale {
			s += T(c * x[r*n+i])
		}
		sum[i] += float64(s)
	}
}
