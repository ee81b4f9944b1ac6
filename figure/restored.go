package figure

import (
	"image"
	"image/color"
	"slices"

	"bethe/spin"
)

// What pictures of restored samples show at most.
const (
	mostRows        = 40
	mostCompletions = 20
)

// Completions draws a row for each of the first samples (visible x M): the sample,
// what was given of it, the posterior mean (visible x M), and completions, the
// states (visible x M chains) of the chains of each sample one after another. given is 1 for each
// unit that was given. A width or height of 0 stands for the nearest square.
func Completions(samples *spin.Matrix, given []int8, mean []float32, states *spin.Matrix, width, height int) image.Image {
	return columns(completions(samples, given, mean, states, width, height), 3+min(states.Cols()/samples.Cols(), mostCompletions), "Completions", "sample", "given", "mean", "draws").picture(Swatch{Unknown, "not given"})
}

func completions(samples *spin.Matrix, given []int8, mean []float32, states *spin.Matrix, width, height int) image.Image {
	m := samples.Cols()
	chains := states.Cols() / m
	return Compare(min(m, mostRows), 3+min(chains, mostCompletions), samples.Rows(), width, height, func(row, column, i int) color.RGBA {
		switch {
		case column == 0 || column == 1 && given[i] == 1:
			return Grey(float64(samples.At(i, row)))
		case column == 1:
			return Unknown
		case column == 2:
			return Grey(float64(mean[i*m+row]))
		}
		return Grey(float64(states.At(i, row*chains+column-3)))
	})
}

// A Column is a set of samples in a picture of several: the word above them, and a function that returns the value of unit i of
// sample a, from -1 to 1, and whether it is known.
type Column struct {
	Word string
	At   func(i, a int) (value float64, known bool)
}

// Mended draws a row for each of the first of m samples of n units that were noisy, a picture from each column. key tells
// the meaning of its shades. A width or height of 0 stands for the nearest square.
func Mended(n, m, width, height int, key []Swatch, sets ...Column) image.Image {
	var words []string
	for _, set := range sets {
		words = append(words, set.Word)
	}
	p := columns(mended(n, m, width, height, sets), len(sets), mendedTitle, words...)
	return headed(p.img, p.title, p.heads, key)
}

func mended(n, m, width, height int, sets []Column) image.Image {
	return Compare(min(m, mostRows), len(sets), n, width, height, func(row, column, i int) color.RGBA {
		if v, known := sets[column].At(i, row); known {
			return Grey(v)
		}
		return Unknown
	})
}

// mendedTitle is the title of pictures of noisy samples and what became of them.
const mendedTitle = "Noisy samples restored"

// Restorations draws a row for each of the first samples (visible x M): the truth,
// unless it is nil, what was seen of it, the posterior mean (visible x M), its sign.
// A width or height of 0 stands for the nearest square.
func Restorations(truth, seen *spin.Matrix, mean []float32, restored *spin.Matrix, width, height int) image.Image {
	heads := []string{"truth", "noisy", "mean", "restored"}
	if truth == nil {
		heads = heads[1:]
	}
	return columns(restorations(truth, seen, mean, restored, width, height), len(heads), mendedTitle, heads...).picture()
}

// A restoredPicture has columns with words above them.
type restoredPicture struct {
	img   image.Image
	title string
	heads []head
}

// columns puts words above the first columns of a picture of so many, which is enlarged so that they fit.
func columns(img image.Image, count int, title string, words ...string) restoredPicture {
	cell := img.Bounds().Dx() / count
	k := max(enough(img), (leastColumn+cell-1)/cell)
	p := restoredPicture{img: larger(img, k), title: title}
	for column, word := range words {
		p.heads = append(p.heads, head{column * cell * k, word})
	}
	return p
}

// picture draws it, with the meaning of its colours: those of spins, and others.
func (p restoredPicture) picture(others ...Swatch) image.Image {
	return headed(p.img, p.title, p.heads, slices.Concat(SpinKey, others))
}

func restorations(truth, seen *spin.Matrix, mean []float32, restored *spin.Matrix, width, height int) image.Image {
	m := seen.Cols()
	shown := []func(i, a int) float64{
		func(i, a int) float64 { return float64(seen.At(i, a)) },
		func(i, a int) float64 { return float64(mean[i*m+a]) },
		func(i, a int) float64 { return float64(restored.At(i, a)) },
	}
	if truth != nil {
		shown = append([]func(i, a int) float64{func(i, a int) float64 { return float64(truth.At(i, a)) }}, shown...)
	}
	return Compare(min(m, mostRows), len(shown), seen.Rows(), width, height, func(row, column, i int) color.RGBA {
		return Grey(shown[column](i, row))
	})
}
