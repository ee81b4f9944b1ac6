package evaluate

import (
	"io"

	"bethe/internal/npy"
	"bethe/spin"
)

// WriteDrawn writes what Samples.Write does, for samples (visible x M) and the means of the
// visible units (visible x M) that came without chains.
func WriteDrawn(w io.Writer, samples *spin.Matrix, means []float32) error {
	n, count := samples.Rows(), samples.Cols()
	byRow := make([]float32, len(means))
	for i := range n {
		for a, v := range means[i*count : (i+1)*count] {
			byRow[a*n+i] = v
		}
	}
	return npy.WriteArchive(w, []npy.Array{sampleArray("samples", samples), {Name: "visible_mean", Shape: []int{count, n}, Data: byRow}})
}

// Completed returns the completion of samples (visible x M) from the named units, with the
// means of all units (visible x M) and completions (so many columns for each sample) that
// came without chains.
func Completed(samples *spin.Matrix, units []int, means []float32, completions *spin.Matrix) *Completion {
	return completed(&SpinRestoration{Mean: means, States: completions}, samples, units)
}

// completed compares a restoration with the truth.
func completed(restored *SpinRestoration, samples *spin.Matrix, units []int) *Completion {
	c := &Completion{SpinRestoration: restored, Given: make([]int8, samples.Rows())}
	for _, i := range units {
		c.Given[i] = 1
	}
	for i, given := range c.Given {
		if given == 0 {
			c.Free = append(c.Free, i)
		}
	}
	c.Error = float64(Wrong(restored, samples, c.Free)) / float64(max(1, len(c.Free)*samples.Cols()))
	return c
}
