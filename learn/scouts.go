package learn

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"bethe/dual"
	"bethe/internal/durable"
	"bethe/internal/npy"
	"bethe/runs"
	"bethe/spin"
)

// scoutsArray is the array of runs.ScoutsFile, which reads as data as well.
const scoutsArray = "samples"

// maxScoutsBytes limits a file of states that scouts met.
const maxScoutsBytes = 1 << 28

// met returns the states that the scouts of a learner have met, nil if there are none.
func (l *learner) met() *spin.Matrix {
	if s, ok := l.engine.(dual.Scouting); ok {
		return s.Met()
	}
	return nil
}

// saveScouts writes states that scouts met, a row each, or removes the file of an earlier
// machine if there are none.
func saveScouts(path string, met *spin.Matrix) error {
	if met == nil {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	across, values := spin.New(met.Cols(), met.Rows()), make([]int8, met.Cols()*met.Rows())
	met.Transpose(across)
	spin.Values(values, across)
	arrays := []npy.Array{{Name: scoutsArray, Shape: []int{met.Cols(), met.Rows()}, Data: values}}
	return durable.WriteFile(path, func(w io.Writer) error { return npy.WriteArchive(w, arrays) })
}

// Scouted returns the heavy states that scouts met while the machine of a model file was learned,
// a column each, and their file, which stands beside the model. They are nil if there is none.
// The error names a file that does not fit.
func Scouted(model string, visible int) (states *spin.Matrix, path string, err error) {
	path = filepath.Join(filepath.Dir(model), runs.ScoutsFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, "", nil
	}
	a, err := npy.ReadArchive(path, maxScoutsBytes)
	if err != nil {
		return nil, "", err
	}
	values, err := npy.Get[int8](a, scoutsArray, -1, visible)
	if err != nil {
		return nil, "", fmt.Errorf("%w: not states that scouts of this model met; move the file away", err)
	}
	count := a.Shape(scoutsArray)[0]
	across := spin.New(count, visible)
	if err := across.Load(npy.Array{Shape: []int{count, visible}, Data: values}); err != nil {
		return nil, "", fmt.Errorf("%s: %w", path, err)
	}
	states = spin.New(visible, count)
	across.Transpose(states)
	return states, path, nil
}
