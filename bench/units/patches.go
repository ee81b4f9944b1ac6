package main

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"bethe/internal/npy"
)

// heldOut are the pictures whose patches are no training samples.
var heldOut = []uint8{2, 7}

// patches writes those of patches.npz, 12 x 12 grey levels with noise, as patches-train.npy and patches-test.npy, each less its
// mean and divided by its contrast. Whole pictures are held out, as patches of one picture overlap.
func patches(from, to string) error {
	path := filepath.Join(from, "patches.npz")
	const side = 12
	var arrays [2][]byte
	for k, name := range []string{"picture.npy", "x.npy"} {
		var err error
		if arrays[k], err = bytesOf(path, name); err != nil {
			return fmt.Errorf("%s: %s: %w", path, name, err)
		}
	}
	pictures, levels := arrays[0], arrays[1]
	if len(levels) != len(pictures)*side*side {
		return fmt.Errorf("%s: %d levels of %d patches", path, len(levels), len(pictures))
	}
	rng := rand.New(rand.NewPCG(5, 0))
	var parts [2][]float32
	for a, picture := range pictures {
		patch, mean, square := make([]float64, side*side), 0.0, 0.0
		for k := range patch {
			patch[k] = (float64(levels[a*len(patch)+k]) + rng.Float64()) / 256
			mean += patch[k] / float64(len(patch))
		}
		for _, v := range patch {
			square += (v - mean) * (v - mean) / float64(len(patch))
		}
		const least = 0.02 // of contrast: patches of sky stay faint
		part := 0
		if slices.Contains(heldOut, picture) {
			part = 1
		}
		for _, v := range patch {
			parts[part] = append(parts[part], float32((v-mean)/math.Sqrt(square+least*least)))
		}
	}
	for k, part := range []string{"train", "test"} {
		name := filepath.Join(to, "patches-"+part+".npy")
		f, err := os.Create(name)
		if err != nil {
			return err
		}
		if err := errors.Join(npy.Write(f, []int{len(parts[k]) / side / side, side, side}, parts[k]), f.Close()); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// bytesOf returns an array of bytes of an archive.
func bytesOf(path, name string) ([]byte, error) {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return nil, err
	}
	defer archive.Close()
	f, err := archive.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if _, err := npy.ReadHeader(f); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(f, 64<<20))
}
