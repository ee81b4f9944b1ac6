package dataset

import (
	"math"
	"strconv"
	"strings"

	"bethe/stream"
	"bethe/units"
)

// DefaultMaxBytes is the limit on decoded bytes where none is stated: 4 GiB,
// ten times the MNIST training set in float64.
const DefaultMaxBytes = 4 << 30

// Options say how a file is to be read. The zero value reads values that are
// spins as they stand, and the labels an npz file keeps beside its samples.
type Options struct {
	// Threshold makes spins of grey levels: a level above it is +1, any other
	// -1. With nil, the values must be all 0 and 1 or all -1 and +1.
	Threshold *float64

	// Draw, where not nil, draws spins of grey levels instead: each level is the
	// probability of +1, as a share of white. Threshold must then be nil.
	Draw *Draw

	// Units is the kind of the units that the numbers are of: spins, Gaussian units, whose numbers
	// are kept as they are (Set.Reals), or colours, whole numbers from 0 on, below
	// Units.States or, if that is 0, as many as there are. Others than spins have no Threshold and no Draw.
	Units units.Kind

	// Missing are what stands for a missing value: "empty" for a field of text without anything in it, "nan", else a
	// word as it stands in text, or a number. Without any, missing values are errors. See Set.Missing.
	Missing []string

	// Alphabet are the letters of an alignment, whose colours have their order; the gap is one more. "" stands for
	// DNA or RNA if no other letters occur, else Proteins.
	Alphabet string
	// Gaps says what gaps of an alignment are: GapsColour, or "", or GapsMissing.
	Gaps string
	// Identity, if positive, weighs the sequences of an alignment (Set.Weights): those that agree in at least so large a
	// share of the columns share a weight of 1.
	Identity float64

	// Transpose exchanges the rows and columns of the pictures, as files of EMNIST
	// and of MATLAB need it. Samples without rows and columns must be squares.
	Transpose bool

	// SamplesAxis says which axis of an array counts the samples. By default it is the
	// first; pictures that may stand in the last are an error or a note.
	SamplesAxis Axis

	// Header says whether the first row of text holds the names of its columns.
	Header Header
	// Columns are the columns of text, or of an array of shape (samples, columns),
	// that hold spins, in that order, and DropColumns those that do not: names in the
	// header, else numbers counted from 1, or from the end if negative, or ranges of
	// numbers such as 2-785; "all" are all columns. Without Columns, columns that number or name the rows by their
	// name or values, and empty ones, are left out, and a column named label,
	// class, target, category, species, digit, outcome or y holds the labels; where
	// that is open, it is an error.
	Columns, DropColumns []string
	// Learned are the names of the columns that a model learned from, in its order. Text whose
	// columns have names is read in that order, and other columns are left out; if a
	// name is not there, it is an error. With Columns, Learned is not looked at.
	Learned []string

	// LabelPath is a file that holds the labels: IDX, .npy or .npz with an array of
	// labels, or text with a column of them.
	LabelPath string
	// LabelColumn is the column that holds the labels, of the same: its name in the
	// header, else its number counted from 1, or from the end if negative. Where
	// LabelPath is set it chooses in that file.
	LabelColumn string

	// Array is the array of an npz file that holds the samples. With "", it is
	// the only array of two to four dimensions, or else the only one of these
	// named x_train, X_train, train_images, samples, data, images, X or x.
	Array string
	// LabelArray is the array of an npz file that holds the labels. With "", it
	// is y_train for x_train, train_labels for train_images, y for x and so on, or
	// else labels, label, targets, target or y, if there are labels in it: whole
	// numbers or words, in one dimension or as a column, or one-hot rows; there may
	// be none. Where LabelPath is set it chooses in that file, and "" is the only
	// list of labels, or else the only one named y_train, train_labels, labels,
	// label, targets, target or y.
	LabelArray string

	// MaxBytes is the most bytes that a file, or an array of an npz file, may
	// have once decompressed; 0 means DefaultMaxBytes. An npz file that comes
	// through a pipe is held in memory and may have no more bytes itself.
	MaxBytes int64
}

// A Draw says how spins are drawn of grey levels (stochastic binarisation, as
// in Salakhutdinov and Murray 2008). One element takes one number of the
// stream, in the order of the file: equal files and keys give equal spins.
type Draw struct {
	Key stream.Key
	// White is the level at which a spin is always +1. With 0 it is 255 for
	// arrays of uint8, and 1 for any other numbers.
	White float64
	// Keep has the levels kept too (Set.Levels), in 255ths of white, to be drawn of again.
	Keep bool
}

// packer returns the packer of vectors of the given length that o asks for;
// bytes says that the numbers are of type uint8.
func (o Options) packer(length int, bytes bool) *packer {
	p := &packer{length: length, threshold: o.Threshold, real: o.Units != units.Kind{}, missing: newMissing(o.Missing)}
	if o.Draw == nil {
		return p
	}
	p.rng, p.white, p.keep = o.Draw.Key.Rand(), o.Draw.White, o.Draw.Keep
	if p.white == 0 {
		p.white = 1
		if bytes {
			p.white, p.ask = 255, true
		}
	}
	return p
}

// source returns the source of samples in the given format and type.
func (o Options) source(f format, p *packer, array, element string) Source {
	return Source{Format: f.String(), Array: array, Element: element, Threshold: keep(o.Threshold), White: p.white, Low: p.low, High: p.high}
}

func (o Options) limit() int64 {
	if o.MaxBytes == 0 {
		return DefaultMaxBytes
	}
	return o.MaxBytes
}

// check reports options that no file could satisfy.
func (o Options) check(path string) error {
	if t := o.Threshold; t != nil && !finite(*t) {
		return &FileError{Path: path, Problem: "the threshold is not a finite number", Remedy: remedyThreshold}
	}
	if o.Units != (units.Kind{}) && (o.Threshold != nil || o.Draw != nil) {
		return &FileError{Path: path, Problem: "a threshold, or a draw, is of spins, and units of " + o.Units.Word + " are asked for", Remedy: "leave them out"}
	}
	if d := o.Draw; d != nil {
		if o.Threshold != nil {
			return &FileError{Path: path, Problem: "a threshold is given, and spins are to be drawn", Remedy: "leave one of them out"}
		}
		if !(d.White >= 0) || !finite(d.White) {
			return &FileError{Path: path, Problem: "the level of white is not a positive finite number", Remedy: "leave it 0 for the default"}
		}
	}
	switch {
	case o.Gaps != "" && o.Gaps != GapsColour && o.Gaps != GapsMissing:
		return &FileError{Path: path, Problem: "gaps are asked for as " + quote(o.Gaps), Remedy: "say " + GapsColour + " or " + GapsMissing + " with {Gaps}"}
	case !(o.Identity >= 0 && o.Identity <= 1):
		return &FileError{Path: path, Problem: "an identity of " + value(o.Identity) + " is no share", Remedy: "say a number from 0 to 1 with {Identity}, such as 0.8"}
	}
	if problem := checkAlphabet(o.Alphabet); problem != "" {
		return &FileError{Path: path, Problem: problem, Remedy: "name each letter once with {Alphabet}, such as " + DNA}
	}
	if o.MaxBytes < 0 {
		return &FileError{Path: path, Problem: "the limit on decoded bytes is negative", Remedy: "leave it 0 for the default"}
	}
	return nil
}

// samples checks that o asks nothing of the samples that a file of format f
// does not have.
func (o Options) samples(path string, f format) error {
	switch {
	case (o.Alphabet != "" || o.Gaps != "" || o.Identity > 0) && f != formatFASTA:
		return &FileError{Path: path, Problem: "letters, gaps or identities asked of " + f.article() + ", which is no alignment", Remedy: "leave {Alphabet}, {Gaps} and {Identity} out"}
	case o.Array != "" && f != formatNPZ:
		return &FileError{Path: path, Problem: "array " + quote(o.Array) + " asked of " + f.article() + ", which has no named arrays",
			Remedy: "leave the array's name out"}
	case o.SamplesAxis == AxisLast && f == formatCSV:
		return &FileError{Path: path, Problem: "samples along the last axis asked of text, which has one in each line", Remedy: "transpose the table, such as with numpy.loadtxt(path).T"}
	case o.LabelPath != "":
		return nil
	case o.Header != HeaderAuto && f != formatCSV:
		return &FileError{Path: path, Problem: "a header asked of " + f.article() + ", which has none", Remedy: "leave {Header} out"}
	case o.LabelColumn != "" && o.LabelArray != "":
		return &FileError{Path: path, Problem: "labels asked of a column and of an array", Remedy: "leave {LabelColumn} or {LabelArray} out"}
	}
	if f == formatNPY || f == formatNPZ || f == formatIDX {
		o.LabelColumn = "" // a column of the samples
	}
	return o.labels(path, f)
}

// labels checks the same of the labels.
func (o Options) labels(path string, f format) error {
	switch {
	case o.LabelColumn != "" && f != formatCSV:
		return &FileError{Path: path, Problem: "label column " + quote(o.LabelColumn) + " asked of " + f.article() + ", which has no such columns",
			Remedy: "name a file of labels instead"}
	case o.LabelArray != "" && f != formatNPZ:
		return &FileError{Path: path, Problem: "label array " + quote(o.LabelArray) + " asked of " + f.article() + ", which has no named arrays",
			Remedy: "name a file of labels instead"}
	}
	return nil
}

// checkAlphabet returns the fault of an alphabet, "" if it has none.
func checkAlphabet(alphabet string) string {
	for k, c := range alphabet {
		switch {
		case c < 'A' || c > 'Z':
			return "the alphabet " + quote(alphabet) + " has " + strconv.QuoteToASCII(string(c)) + ", which is no capital letter"
		case strings.ContainsRune(alphabet[:k], c):
			return "the alphabet " + quote(alphabet) + " has " + string(c) + " twice"
		}
	}
	if len(alphabet) == 1 {
		return "the alphabet " + quote(alphabet) + " has one letter"
	}
	return ""
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
