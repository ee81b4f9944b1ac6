package dataset

import (
	"strconv"
	"strings"
)

// A FileError says what is wrong with an input file or with what was asked of
// it. Every error of this package is one, so anything else is a bug.
//
// Samples, elements, picture rows and columns, and bytes are counted from 0,
// as in numpy; lines and columns of text from 1, as in editors.
type FileError struct {
	Path    string // the file, as the caller named it
	Place   string // where in it, such as "byte 16" or "line 3, column 5"; may be empty
	Problem string // what is wrong
	Remedy  string // what to do about it
	Err     error  // the cause, nil if there is none
}

// Error returns "path: place: problem: cause; remedy".
func (e *FileError) Error() string {
	var b strings.Builder
	b.WriteString(e.Path)
	if e.Place != "" {
		b.WriteString(": " + e.Place)
	}
	b.WriteString(": " + e.Problem)
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	if e.Remedy != "" {
		b.WriteString("; " + e.Remedy)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Err }

// Remedies that several errors share.
const (
	remedyThreshold = "state a finite grey level with --threshold: levels above it become +1"
	remedyWhite     = "state the level of white with --white"
	remedyAgain     = "fetch or write the file again"
	remedyShape     = "store samples as an array of shape (samples, spins) or (samples, height, width)"
	remedyLabels    = "store labels as one list of integers, one a sample"
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

// quoteAll quotes a list of names, of which it shows the first few.
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
