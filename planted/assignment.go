package planted

import "math"

// assign returns the permutation unit of n columns that maximises the sum over
// rows r of weight[r*n+unit[r]], by shortest augmenting paths with dual
// variables in O(n^3) (Kuhn 1955; Edmonds and Karp 1972; in the form of Jonker
// and Volgenant, Computing 38, 325 (1987), without their initialisation).
func assign(n int, weight []float64) (unit []int) {
	const free = -1
	unit = make([]int, n)   // the column of each row
	owner := make([]int, n) // the row of each column
	rowPrice, colPrice := make([]float64, n), make([]float64, n)
	distance := make([]float64, n) // of the shortest alternating path to each column
	from := make([]int, n)         // the row before the column on that path
	settled := make([]bool, n)
	for c := range owner {
		owner[c] = free
	}
	for start := range n {
		for c := range n {
			distance[c], settled[c] = math.Inf(1), false
		}
		row, reached, end := start, 0.0, free
		for end == free {
			next := free
			for c := range n {
				if settled[c] {
					continue
				}
				// Costs are negative weights; reduced costs are never negative.
				if d := reached - weight[row*n+c] - rowPrice[row] - colPrice[c]; d < distance[c] {
					distance[c], from[c] = d, row
				}
				if next == free || distance[c] < distance[next] {
					next = c
				}
			}
			settled[next], reached = true, distance[next]
			if row = owner[next]; row == free {
				end = next
			}
		}
		// Prices keep reduced costs non-negative and zero on matched edges.
		rowPrice[start] += reached
		for c := range n {
			if settled[c] && c != end {
				rowPrice[owner[c]] += reached - distance[c]
				colPrice[c] -= reached - distance[c]
			}
		}
		for c := end; ; {
			r := from[c]
			owner[c] = r
			c, unit[r] = unit[r], c
			if r == start {
				break
			}
		}
	}
	return unit
}
