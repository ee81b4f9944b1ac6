// Package setting has the error of a setting that is out of range. A library
// does not know how its callers name a setting: a flag, a key of a file, an
// argument. So the error holds the name apart from what is wrong, and a caller
// puts its own name in place.
package setting

import (
	"errors"
	"fmt"
	"strings"
)

// An Error says which setting cannot be used, and why.
type Error struct {
	Setting string // in lower case, with - between words, such as prior-scale
	Value   string // as it was given; empty where the message needs none
	Problem string // what is wrong with it, and what would be right
}

// Errorf returns an Error. The value is formatted by %v.
func Errorf(name string, value any, format string, args ...any) error {
	return &Error{Setting: name, Value: fmt.Sprint(value), Problem: fmt.Sprintf(format, args...)}
}

// Error returns "setting value: problem".
func (e *Error) Error() string {
	if e.Value == "" {
		return e.Setting + ": " + e.Problem
	}
	return e.Setting + " " + e.Value + ": " + e.Problem
}

// Renamed returns the text of err in which the setting of an Error that it wraps
// has another name, and whether there is one. rename gets the name of the
// setting, and returns that of the caller, such as a flag.
func Renamed(err error, rename func(setting string) string) (text string, found bool) {
	var e *Error
	if !errors.As(err, &e) {
		return err.Error(), false
	}
	other := *e
	other.Setting = rename(e.Setting)
	return strings.Replace(err.Error(), e.Error(), other.Error(), 1), true
}
