package dataset

import (
	"archive/zip"
	"compress/flate"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"strconv"
	"strings"
)

// A FileError is a fault of an input file, or of a request that the file cannot
// meet. Every error of this package is one, so anything else is a bug.
//
// A remedy may name fields of [Options]; a caller with names of its own for them
// has them put in by Named.
//
// Samples, elements, picture rows and columns, and bytes are counted from 0,
// as in numpy; lines and columns of text from 1, as in editors.
type FileError struct {
	Path    string // the file, as the caller named it
	Place   string // where in it, such as "byte 16" or "line 3, column 5"; may be empty
	Problem string // what went wrong
	Remedy  string // says what to do about it; {Threshold} stands for the option of that name
	Err     error  // the cause, nil if there is none
}

// Error returns "path: place: problem: cause; remedy", with options called as in
// Options.Threshold.
func (e *FileError) Error() string {
	return e.Named(func(option string) string { return "Options." + option })
}

// options are the fields of Options that remedies name.
var options = []string{"Units", "Alphabet", "Gaps", "Identity", "Missing", "Threshold", "Draw.White", "SamplesAxis", "Header", "Columns", "DropColumns", "LabelPath", "LabelColumn", "LabelArray", "Array"}

// Named returns Error with other names of options.
func (e *FileError) Named(name func(option string) string) string {
	var b strings.Builder
	b.WriteString(e.Path)
	if e.Place != "" {
		b.WriteString(": " + e.Place)
	}
	b.WriteString(": " + e.Problem)
	if e.Err != nil {
		b.WriteString(": " + cause(e.Err))
	}
	if e.Remedy != "" {
		remedy := e.Remedy
		for _, option := range options {
			remedy = strings.ReplaceAll(remedy, "{"+option+"}", name(option))
		}
		b.WriteString("; " + remedy)
	}
	return b.String()
}

// cause says what an error of reading means.
func cause(err error) string {
	var damaged flate.CorruptInputError
	var path *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such file"
	case errors.Is(err, fs.ErrPermission):
		return "there is no right to read it"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "it ends too early"
	case errors.As(err, &damaged), errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.Is(err, zip.ErrChecksum), errors.Is(err, zip.ErrFormat):
		return "its compressed bytes are damaged"
	case errors.As(err, &path):
		return path.Err.Error()
	}
	return err.Error()
}

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Err }

// Remedies that several errors share.
const (
	remedyThreshold = "state a finite grey level with {Threshold}: levels above it become +1; or take the numbers as they are with {Units} gauss, whole numbers also with {Units} potts"
	remedyWhite     = "state the level of white with {Draw.White}"
	remedyAgain     = "fetch or write the file again"
	remedyShape     = "store samples as an array of shape (samples, spins) or (samples, height, width)"
	remedyLabels    = "store labels as one list of integers or words, one a sample"
	remedyHeader    = "say with {Header} whether the first row holds names: yes or no"
	remedyColumns   = "say which columns hold spins with {Columns}, which one labels with {LabelColumn}, or which to leave out with {DropColumns}"
	remedyWord      = "leave the column out with {DropColumns}, take it for labels with {LabelColumn}, or write numbers"
	remedyMissing   = "fill it in, drop the row or column, or say that it stands for a missing value with {Missing} "
	remedyNoLabel   = "fill it in, or drop the row"
	remedyFinite    = "drop or repair such samples"
)

// quote quotes a name out of a file for a message, shortened if it is long.
func quote(name string) string {
	const most = 40
	if r := []rune(name); len(r) > most {
		name = string(r[:most]) + "…"
	}
	return strconv.Quote(name)
}

// quoteAll quotes the first few names of a list.
func quoteAll(names []string) string {
	const most = 12
	var b strings.Builder
	for k, name := range names {
		if k == most {
			b.WriteString(" and " + strconv.Itoa(len(names)-most) + " more")
			break
		}
		if k > 0 {
			b.WriteString(", ")
		}
		b.WriteString(quote(name))
	}
	return b.String()
}
