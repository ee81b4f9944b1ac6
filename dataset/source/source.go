// Package source opens data by name: sets that a program carries inside, such
// as mnist:test, and files; and some of their samples, as in mnist:test:0-9,20.
// The program lists the sets that it carries; this package carries none.
package source

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"strings"
	"syscall"

	"bethe/dataset"
	"bethe/setting"
	"bethe/stream"
	"bethe/units"
)

// A Carried is data that a program carries inside, in parts: NAME:PART.
type Carried struct {
	Name      string
	Train     func() *dataset.Set // NAME:train, and what NAME alone means
	Test      func() *dataset.Set // NAME:test
	Threshold float64             // grey levels above it were made +1
}

// A Catalogue is all that a program carries. The zero value opens files alone.
type Catalogue []Carried

// A Reading says how the spins of a file are made, and where its labels are.
// The zero value reads values that are spins as they stand.
type Reading struct {
	Threshold   *float64     // grey levels above it are +1, others -1; nil: the values are spins
	Stochastic  bool         // instead, each grey level is the probability of +1
	Dynamic     bool         // with Stochastic: levels are kept, to be drawn of again (dataset.Draw.Keep)
	White       float64      // the level that is always +1 where spins are drawn; 0: 255 for bytes, else 1
	Transpose   bool         // exchange the rows and columns of the pictures
	SamplesAxis dataset.Axis // axis of an array that counts the samples
	Labels      string       // file of the labels, if they have one of their own
	LabelColumn string       // column of the labels in text or an array, by name or number
	Array       string       // array of the samples in an npz file
	LabelArray  string       // array of the labels in an npz file

	// Whether the first row of text holds names; the columns of spins in text or an
	// array, and those to leave out (dataset.Options).
	Header               dataset.Header
	Columns, DropColumns []string
	// What stands for missing values (dataset.Options), and whether data may have any: else it is
	// an error to say what does.
	Missing    []string
	Incomplete bool
	// Letters and gaps of alignments, and the least identity of sequences that share a weight
	// (dataset.Options).
	Alphabet, Gaps string
	Identity       float64

	Units units.Kind // of the numbers: spins, Gaussian units or colours

	Learned Learned // how a model's data were read, where the data are for a model
}

// Learned says how the data were read that a model learned from. The zero value says nothing.
type Learned struct {
	Columns    []string // names of the columns (dataset.Options)
	Threshold  *float64 // grey levels above it were +1; nil if that was not asked
	Transposed bool     // whether the rows and columns of pictures were exchanged
}

// differs tells a person how a set was read otherwise than the data that the model learned from.
func (l *Learned) differs(s *dataset.Source) (notes []string) {
	if l.Threshold != nil && s.Threshold != nil && *l.Threshold != *s.Threshold {
		notes = append(notes, fmt.Sprintf("grey levels above %v are +1 here; in what the model learned from those above %v", *s.Threshold, *l.Threshold))
	}
	if l.Transposed != s.Transposed && l.Transposed {
		notes = append(notes, "the model learned from pictures whose rows and columns were exchanged; these are not")
	}
	return notes
}

// binariseKey names the stream of stochastic binarisation: "grey". The draw is
// part of the data and not of a run: it does not follow a seed, so that models are
// compared on the same spins.
const binariseKey = 0x67726579

// A NameError says that there is no data of a name.
type NameError struct {
	Name    string
	Message string
}

func (e *NameError) Error() string { return e.Message }

// StandardInput is the name of data that come through a stream.
const StandardInput = "-"

// An Opener opens data by name, as a Reading says.
type Opener struct {
	Carried Catalogue
	Reading Reading
	// Input is the reader of the data named StandardInput. Other data do not read
	// from it. If it is nil, StandardInput is an error.
	Input io.Reader
	// Notes is told what was decided about data without being asked, such as "line 1
	// is a header" (dataset.Source). It may be nil.
	Notes func(name string, notes []string)
}

// Open returns the data of a name: a carried set (NAME or NAME:PART), else Input if
// the name is StandardInput, else the file at that path. NAME:LIST returns only the samples
// of the list (see List), in its order, unless a file has exactly that name. The error is a
// *NameError; a *setting.Error of a list, with called as its setting, or of Reading; or an
// error of dataset.Read.
func (o *Opener) Open(called, name string) (*dataset.Set, error) {
	if data, list, ok := cutList(name); ok && !exists(name) {
		set, err := o.Open(called, data)
		if err != nil {
			return nil, err
		}
		samples, err := List(called, list, "sample", set.Len())
		if err != nil {
			return nil, err
		}
		return set.Subset(samples), nil
	}
	return o.whole(name)
}

// whole opens data of a name without a list.
func (o *Opener) whole(name string) (*dataset.Set, error) {
	r := o.Reading
	if !(r.White >= 0) || math.IsInf(r.White, 0) {
		return nil, setting.Errorf("white", r.White, "it must be positive and finite")
	}
	if what := strings.Join(r.Missing, ","); !r.Incomplete && (what != "" || r.Gaps == dataset.GapsMissing) {
		return nil, setting.Errorf("missing", what, "data with missing values are for train, eval, complete, denoise, features and data info alone")
	}
	for _, carried := range o.Carried {
		if name == carried.Name || strings.HasPrefix(name, carried.Name+":") {
			set, err := carried.open(name, r)
			if err == nil && o.Notes != nil && r.choosy() {
				o.Notes(name, []string{"which columns and arrays to read is said of files, and changes nothing here"})
			}
			return set, err
		}
	}
	set, err := o.read(name, r.options())
	if err != nil {
		return nil, err
	}
	if notes := append(set.Source.Notes, r.Learned.differs(&set.Source)...); o.Notes != nil && len(notes) > 0 {
		o.Notes(name, notes)
	}
	return set, nil
}

// read reads a file, or the input.
func (o *Opener) read(name string, opt dataset.Options) (*dataset.Set, error) {
	switch {
	case name == StandardInput && o.Input != nil:
		return dataset.DecodeStream("standard input", o.Input, opt)
	case !exists(name):
		return nil, &NameError{name, fmt.Sprintf("there is no file %s; data is %sa path", name, o.Carried.names())}
	}
	return dataset.Read(name, opt)
}

// options returns those of a file.
func (r *Reading) options() dataset.Options {
	opt := dataset.Options{Threshold: r.Threshold, Transpose: r.Transpose, LabelPath: r.Labels, LabelColumn: r.LabelColumn, Array: r.Array, SamplesAxis: r.SamplesAxis,
		LabelArray: r.LabelArray, Units: r.Units, Header: r.Header, Columns: r.Columns, DropColumns: r.DropColumns, Learned: r.Learned.Columns, Missing: r.Missing,
		Alphabet: r.Alphabet, Gaps: r.Gaps, Identity: r.Identity}
	if r.Stochastic {
		opt.Draw = &dataset.Draw{Key: stream.New(binariseKey), White: r.White, Keep: r.Dynamic}
	}
	return opt
}

// choosy reports whether r chooses among the columns or arrays of a file.
func (r *Reading) choosy() bool {
	return len(r.Columns)+len(r.DropColumns) > 0 || r.Array != "" || r.SamplesAxis != dataset.AxisAuto
}

// TestOf returns the name of the test data for models of the given data: the test part
// if the data are carried. It reports whether there is one.
func (c Catalogue) TestOf(name string) (string, bool) {
	if data, _, ok := cutList(name); ok {
		name = data
	}
	for _, carried := range c {
		if name == carried.Name || name == carried.Name+":train" {
			return carried.Name + ":test", true
		}
	}
	return "", false
}

func (c *Carried) open(name string, r Reading) (*dataset.Set, error) {
	switch {
	case r.Units != units.Kind{}:
		return nil, setting.Errorf("units", r.Units, "the digits carried inside are spins; name the files of their grey levels")
	case r.Threshold != nil && *r.Threshold != c.Threshold:
		return nil, setting.Errorf("threshold", *r.Threshold, "the digits carried inside are already cut at %v; for another threshold name the file of grey levels", c.Threshold)
	case r.Stochastic:
		return nil, setting.Errorf("binarise", map[bool]string{false: "stochastic", true: "dynamic"}[r.Dynamic], "the digits carried inside are already cut at %v; name the files of their grey levels", c.Threshold)
	case r.Transpose:
		return nil, setting.Errorf("transpose", "", "the digits carried inside stand upright")
	}
	switch name {
	case c.Name, c.Name + ":train":
		return c.Train(), nil
	case c.Name + ":test":
		return c.Test(), nil
	}
	return nil, &NameError{name, fmt.Sprintf("there is no data %q: the parts of %s are %s:train and %s:test", name, c.Name, c.Name, c.Name)}
}

// names lists the carried sets, for errors.
func (c Catalogue) names() string {
	var text strings.Builder
	for _, carried := range c {
		fmt.Fprintf(&text, "%s, %s:train, %s:test or ", carried.Name, carried.Name, carried.Name)
	}
	return text.String()
}

// cutList cuts NAME:LIST.
func cutList(name string) (data, list string, ok bool) {
	cut := strings.LastIndexByte(name, ':')
	if cut <= 0 {
		return name, "", false
	}
	data, list = name[:cut], name[cut+1:]
	return data, list, list != "" && strings.Trim(list, "0123456789,-") == ""
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENAMETOOLONG) // a long list of samples
}
