// Package mnist carries the MNIST database of handwritten digits: 70,000
// pictures of 28 x 28 pixels, each +1 where its grey level, 0 to 255, is above
// 127. See README.md for its authors, licence and the files it was made from.
package mnist

import (
	_ "embed"
	"sync"

	"bethe/dataset"
	"bethe/dataset/mnist/internal/tiles"
)

// Threshold is the grey level above which a pixel is +1.
const Threshold = tiles.Threshold

var (
	//go:embed train.tiles
	trainTiles []byte
	//go:embed test.tiles
	testTiles []byte

	train = sync.OnceValue(func() *dataset.Set { return load("mnist:train", trainTiles, 60000) })
	test  = sync.OnceValue(func() *dataset.Set { return load("mnist:test", testTiles, 10000) })
)

// Train returns the 60,000 training samples and their labels 0 to 9, in the
// order of the database. They are unpacked by the first call, and all calls
// return the same set: the caller must not modify it or what it refers to.
// [dataset.Set.Subset] and [dataset.Set.Head] give copies.
func Train() *dataset.Set { return train() }

// Test returns the 10,000 test samples as Train does the others.
func Test() *dataset.Set { return test() }

func load(name string, packed []byte, samples int) *dataset.Set {
	pictures, labels, err := tiles.Decode(packed, samples)
	if err != nil {
		panic("mnist: the embedded " + name + " is damaged: " + err.Error())
	}
	threshold := float64(Threshold)
	return &dataset.Set{
		Name:    name,
		Samples: pictures,
		Labels:  labels,
		Width:   tiles.Side,
		Height:  tiles.Side,
		Source:  dataset.Source{Format: "IDX", Gzip: true, Element: "uint8", Threshold: &threshold},
	}
}
