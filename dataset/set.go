// Package dataset reads samples of spins, and their labels, from files: IDX,
// .npy, .npz and delimited text, the first two and the last also under gzip.
//
// The kind of a file is told by its content, never by its name. Values that
// are all 0/1 or all ±1 are spins as they stand; grey levels need a stated
// threshold. Whatever is wrong with a file comes back as a [*FileError] that
// names the file, the place in it and a remedy.
//
// Arrays have shape (samples, spins) or (samples, height, width), or that with
// an axis of one channel. Text has one sample a line, its columns separated by the
// first of tab, semicolon, comma, blanks and bar that the first line holds outside
// of quotes. The whole file decides whether the first line is a header, and which
// columns hold no spins ([Options.Columns]). [Source.Notes] has these decisions. A
// doubtful file is an error.
//
// Files are read as a stream, text twice, and packed to bits on the way, so a file of M
// samples of N float64 needs about M N / 8 bytes twice over rather than 8 M N.
// What a header promises is held against [Options.MaxBytes] before anything is
// read, and memory grows only with the data that are really there, so a short
// hostile file cannot ask for much.
package dataset

import (
	"fmt"

	"bethe/spin"
	"bethe/units"
)

// A Set is a set of samples, with their labels if it has any.
type Set struct {
	Name          string                // base name of the file, or a name such as mnist:train
	Samples       *spin.Matrix          // visible features x samples: column a is sample a. Of Gaussian units, which numbers are above 0
	Kind          units.Kind            // of the units
	Reals         *units.Reals[float32] // of Gaussian units: the numbers, visible x samples
	Levels        *units.Levels         // if Samples were drawn from grey levels and these are to be kept: the levels
	Missing       *spin.Matrix          // units x samples: +1 where a value is missing; Samples then have the unit's usual value. nil if none is
	Weights       []float64             // of samples while learning; nil: all are 1
	Alphabet      string                // letters that the colours of an alignment stand for; "" of others
	Labels        []int                 // label of each sample, nil if there are none
	Classes       []string              // names of the labels 0, 1, ... that were stored as words, nil if they were numbers
	Columns       []string              // names of the columns of text that the units stand in; nil if they have none
	Width, Height int                   // shape of the picture a sample is, spin i = row i/Width, column i%Width; 0 if none is known
	Source        Source                // how the samples were stored

	letters []byte // of an alignment while it is read, samples x columns
}

// A Source says how the samples of a set were stored.
type Source struct {
	Format     string   // "IDX", "npy", "npz", "CSV" or "FASTA"
	Gzip       bool     // whether the whole file was under gzip
	Array      string   // name of the array in an npz file
	Element    string   // type of an element, such as "uint8", or "text"
	White      float64  // level that is always +1 where spins were drawn; 0 if they were not
	Threshold  *float64 // grey levels above it are +1; nil if the values were spins as they stood
	Low, High  float64  // smallest and largest of the numbers; both 0 if they are not known
	Header     bool     // whether the first row of text was taken for names
	Transposed bool     // whether rows and columns of the pictures were exchanged
	Dropped    []string // columns of text that were left out without being asked, by name or number
	Labels     string   // column or array that the labels are from, "" if another file has them or there are none
	Notes      []string // what was decided about the file without being asked, such as "line 1 is a header"
}

// Relabel numbers the labels of s by the given names of classes, so that they
// are those of another set. It returns the name of a class of s that is not among
// them; then s stays as it is.
func (s *Set) Relabel(classes []string) (unknown string, ok bool) {
	code := map[string]int{}
	for k, name := range classes {
		code[name] = k
	}
	for _, name := range s.Classes {
		if _, known := code[name]; !known {
			return name, false
		}
	}
	for a, k := range s.Labels {
		s.Labels[a] = code[s.Classes[k]]
	}
	s.Classes = classes
	return "", true
}

// Len returns the number of samples.
func (s *Set) Len() int { return s.Samples.Cols() }

// Visible returns the number of features of a sample: spins, numbers, or colours of all units.
func (s *Set) Visible() int { return s.Samples.Rows() }

// Head returns the first n samples as a set of its own. It panics if there
// are fewer.
func (s *Set) Head(n int) *Set {
	if n < 0 || n > s.Len() {
		panic(fmt.Sprintf("dataset: Head of %d of %d samples", n, s.Len()))
	}
	first := make([]int, n)
	for a := range first {
		first[a] = a
	}
	return s.Subset(first)
}

// Subset returns the given samples, in the given order, as a set that shares
// no storage with s. It panics if there is no such sample.
func (s *Set) Subset(samples []int) *Set {
	out := *s
	out.Samples = spin.New(s.Visible(), len(samples))
	s.Samples.Gather(out.Samples, samples)
	if s.Reals != nil {
		out.Reals = s.Reals.Blank(len(samples))
		s.Reals.Gather(out.Reals, samples)
	}
	if s.Levels != nil {
		out.Levels = s.Levels.Choose(samples)
	}
	out.Missing = gathered(s.Missing, samples)
	if s.Weights != nil {
		out.Weights = make([]float64, len(samples))
		for k, a := range samples {
			out.Weights[k] = s.Weights[a]
		}
	}
	if s.Labels != nil {
		out.Labels = make([]int, len(samples))
		for k, a := range samples {
			out.Labels[k] = s.Labels[a]
		}
	}
	return &out
}
