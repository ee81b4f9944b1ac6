package variational

import (
	"math"
	"math/rand/v2"
	"sync"

	"bethe/internal/kernel"
	"bethe/rbm"
	"bethe/stream"
)

// drawnGroups are Groups that can estimate their averages (units.Estimating): the integral takes many
// times as long. An estimate is the mean over two fields on either side of their mean, so that the
// term linear in the noise is gone.
type drawnGroups[T rbm.Real] struct {
	*Groups[T]
	space *sync.Pool // of *drawnSpace
}

// drawnSpace is the work on one group.
type drawnSpace struct {
	noise  []float32
	fields [4][]float32 // of averages and fields in float64
}

func newDrawnGroups[T rbm.Real](g *Groups[T]) drawnGroups[T] {
	return drawnGroups[T]{g, &sync.Pool{New: func() any { return new(drawnSpace) }}}
}

// Estimate implements units.Estimating.
func (g drawnGroups[T]) Estimate(first, second, mean, variance []T, m int, key stream.Key) {
	w := g.space.Get().(*drawnSpace)
	defer g.space.Put(w)
	w.draw(g.Together(), m, key)
	if mean, ok := any(mean).([]float32); ok {
		kernel.OneHotMoments(any(first).([]float32), any(second).([]float32), mean, any(variance).([]float32), w.noise, g.Together(), g.kind.None)
		return
	}
	for k, x := range [][]T{first, second, mean, variance} {
		w.fields[k] = make([]float32, len(x))
		for j, v := range x {
			w.fields[k][j] = float32(v)
		}
	}
	kernel.OneHotMoments(w.fields[0], w.fields[1], w.fields[2], w.fields[3], w.noise, g.Together(), g.kind.None)
	for j := range first {
		first[j], second[j] = T(w.fields[0][j]), T(w.fields[1][j])
	}
}

// draw sets noise to standard normal numbers, rows x m. A row takes those of noiseTable from a random
// place on, and from another one for each noiseRun samples: in each sample the rows are independent.
func (w *drawnSpace) draw(rows, m int, key stream.Key) {
	if len(w.noise) != rows*m {
		w.noise = make([]float32, rows*m)
	}
	table, runs := noiseTable(), (m+noiseRun-1)/noiseRun
	places := make([]uint64, rows*runs)
	key.Fill(places)
	for k := range rows {
		row := w.noise[k*m : (k+1)*m]
		for r, place := range places[k*runs : (k+1)*runs] {
			copy(row[r*noiseRun:min(m, (r+1)*noiseRun)], table[place%noiseSize:])
		}
	}
}

const (
	noiseSize = 1 << 14 // numbers of the table, before the first come again
	noiseRun  = 1 << 10
)

// noiseTable has the quantiles of the normal distribution of as many equal shares in a random order, of variance 1.
var noiseTable = sync.OnceValue(func() []float32 {
	z, sum := make([]float64, noiseSize), 0.0
	for k := range z {
		z[k] = math.Sqrt2 * math.Erfinv(2*(float64(k)+0.5)/noiseSize-1)
		sum += z[k] * z[k]
	}
	table, scale := make([]float32, noiseSize+noiseRun), math.Sqrt(noiseSize/sum)
	for at, k := range rand.New(rand.NewPCG(1, 1)).Perm(noiseSize) {
		table[at] = float32(z[k] * scale)
	}
	copy(table[noiseSize:], table)
	return table
})
