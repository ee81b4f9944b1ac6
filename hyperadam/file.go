package hyperadam

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"bethe/internal/durable"
	"bethe/internal/npy"
)

// A File is a rule file: weights, and how they were learned.
type File struct {
	Weights Weights
	Info    json.RawMessage // a JSON object, or none
	// More are arrays beside those of the weights, such as what learning goes on from. Their names are not in, out
	// and meta.json.
	More []npy.Array
}

// ErrNotRule is the error of reading a file that is no rule file.
var ErrNotRule = errors.New("not a rule file (bethe learn-rule makes one)")

// maxFileBytes limits the decoded size of a rule file.
const maxFileBytes = 16 << 20

// Save writes a rule file at path, an .npz archive that numpy.load opens: in (float32, 4 x 9), out (float32, 5 x 5),
// meta.json and the other arrays. The file is replaced as a whole or not at all; equal files give equal bytes.
func (f *File) Save(path string) error {
	info := f.Info
	if info == nil {
		info = json.RawMessage("{}")
	}
	flat := f.Weights.Vector()
	numbers := make([]float32, len(flat))
	for k, v := range flat {
		numbers[k] = float32(v)
	}
	arrays := append([]npy.Array{
		{Name: "meta.json", Data: []byte(info)},
		{Name: "in", Shape: []int{Hidden, Features}, Data: numbers[:Hidden*Features]},
		{Name: "out", Shape: []int{Outputs, Hidden + 1}, Data: numbers[Hidden*Features:]},
	}, f.More...)
	return durable.WriteFile(path, func(w io.Writer) error { return npy.WriteArchive(w, arrays) })
}

// Load reads a rule file. Errors name it and what does not fit; they wrap ErrNotRule where it is something else.
func Load(path string) (*File, error) {
	a, err := npy.ReadArchive(path, maxFileBytes)
	if err != nil {
		return nil, err
	}
	return decode(path, a)
}

func decode(path string, a *npy.Archive) (*File, error) {
	if !a.Has("in") || !a.Has("out") {
		return nil, fmt.Errorf("%s: %w", path, ErrNotRule)
	}
	var numbers []float64
	for _, x := range []struct {
		name  string
		shape []int
	}{{"in", []int{Hidden, Features}}, {"out", []int{Outputs, Hidden + 1}}} {
		part, err := npy.Get[float32](a, x.name, x.shape...)
		if err != nil {
			return nil, err
		}
		for _, v := range part {
			numbers = append(numbers, float64(v))
		}
	}
	f := &File{Weights: *OfVector(numbers)}
	if !f.Weights.finite() {
		return nil, fmt.Errorf("%s: weights that are not finite", path)
	}
	for _, name := range a.Names() {
		switch name {
		case "in", "out":
		case "meta.json":
			text, err := a.Bytes(name)
			if err != nil {
				return nil, err
			}
			if !json.Valid(text) {
				return nil, fmt.Errorf("%s: meta.json: not JSON", path)
			}
			f.Info = text
		default:
			f.More = append(f.More, a.Array(name))
		}
	}
	return f, nil
}

//go:embed rule.npz
var shipped []byte

// Shipped returns the weights of this build, learned by bethe learn-rule.
var Shipped = sync.OnceValue(func() *Weights {
	a, err := npy.ParseArchive("rule.npz", shipped, maxFileBytes)
	if err == nil {
		var f *File
		if f, err = decode("rule.npz", a); err == nil {
			return &f.Weights
		}
	}
	panic(err) // a test reads it
})
