package figure

import (
	"fmt"
	"image"

	"bethe/causes"
)

// Causes draws what each cause of a directed machine looks like: the means of the visible
// units given it.
func Causes(f *causes.File) *image.RGBA {
	machine := f.Machine()
	return rowsAsPictures(machine.CauseMeans(), machine.Causes(), f)
}

// Dictionary draws the states of the groups: picture k shows state k of each of them in its
// patch.
func Dictionary(f *causes.File) *image.RGBA {
	return rowsAsPictures(f.Machine().StateMeans(), f.Layer.States, f)
}

// rowsAsPictures draws the rows of count x visible means.
func rowsAsPictures(means []float64, count int, f *causes.File) *image.RGBA {
	n := f.Layer.Visible()
	return Means(n, count, func(i, k int) float64 { return means[k*n+i] }, f.Info.Width, f.Info.Height)
}

// CauseTiles draws the causes with their meaning, and of a tree its dictionary beside them.
func CauseTiles(f *causes.File) Chart {
	scale := Axis{Label: "mean of a visible unit", Min: -1, Max: 1}
	left := &Picture{Title: "Causes", Note: fmt.Sprintf("means given each of %d causes", len(f.LnWeight)), Image: Causes(f), Scale: scale, Shading: Ink}
	if f.Model == causes.MixtureModel {
		return left
	}
	return side(left, &Picture{Title: "Dictionary", Note: fmt.Sprintf("state k of all %d groups, each in its patch", len(f.Layer.Patches)), Image: Dictionary(f), Scale: scale, Shading: Ink})
}
