package dataset

import (
	"errors"
	"strconv"
	"strings"
)

// A kind is what a field of text can be read as.
type kind int

const (
	kindNumber  kind = iota // also infinities, NaN, and True and False
	kindMissing             // nothing, or a word for it
	kindComma               // a number with a decimal comma, or commas between thousands
	kindWord                // anything else
)

// kindOf returns the kind of a field, and the number that it is.
func kindOf(field string) (kind, float64) {
	if v, ok := number(field); ok {
		return kindNumber, v
	}
	field = strings.TrimSpace(field)
	switch strings.ToLower(field) {
	case "", "na", "n/a", "<na>", "#n/a", "null", "none", "?", "-", ".":
		return kindMissing, 0
	}
	if strings.Contains(field, ",") {
		if _, ok := number(strings.ReplaceAll(field, ",", "")); ok {
			return kindComma, 0
		}
	}
	return kindWord, 0
}

// number reads a field; infinities and NaN are numbers here, and True and
// False are 1 and 0.
func number(field string) (float64, bool) {
	switch field {
	case "0":
		return 0, true
	case "1":
		return 1, true
	case "-1":
		return -1, true
	}
	field = strings.TrimSpace(field)
	switch field {
	case "True", "TRUE", "true":
		return 1, true
	case "False", "FALSE", "false":
		return 0, true
	}
	if strings.ContainsAny(field, "_xX") { // Go's, not a table's
		return 0, false
	}
	v, err := strconv.ParseFloat(field, 64)
	return v, err == nil || errors.Is(err, strconv.ErrRange)
}

// whole returns the field as a whole number, if it is written as one.
func whole(field string) (int, bool) {
	n, err := strconv.Atoi(strings.TrimSpace(field))
	return n, err == nil
}

// notNumber says why a field is not a number.
func notNumber(field string) (problem, remedy string) {
	switch k, _ := kindOf(field); k {
	case kindMissing:
		if strings.TrimSpace(field) == "" {
			return "an empty field", remedyMissing + missingEmpty
		}
		return quote(field) + " is a missing value", remedyMissing + strings.TrimSpace(field)
	case kindComma:
		return quote(field) + " has a comma where numbers have a point, or nothing", "write numbers such as 1234.5"
	}
	return quote(field) + " is not a number", remedyWord
}
