// Package setting has the error of a setting that is out of range, or does not go
// with another one. A library does not know how its callers name a setting: a flag, a
// key of a file, an argument. So the error holds the names apart from the message,
// and a caller puts its own names in place.
package setting

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// An Error says which setting cannot be used, and why.
type Error struct {
	Setting string // its name; the one to change if several do not go together

	parts []part
}

// A part is plain text, or names a setting, with a value if the message tells it.
type part struct{ text, setting, value string }

// Errorf returns the Error "name value: problem". The value is formatted by %v; if
// that is empty the message is "name: problem".
func Errorf(name string, value any, format string, args ...any) error {
	return &Error{Setting: name, parts: []part{{setting: name, value: fmt.Sprint(value)}, {text: ": " + fmt.Sprintf(format, args...)}}}
}

// A Count is a setting that counts something.
type Count struct {
	Name  string
	Value int
}

// AtLeastOne returns an Error that tells all counts if one of them is below 1. Its
// setting is the first of these; problem is what must be, such as "each must be at
// least 1".
func AtLeastOne(problem string, counts ...Count) error {
	e := &Error{}
	for _, c := range counts {
		if c.Value < 1 && e.Setting == "" {
			e.Setting = c.Name
		}
		e.parts = append(e.parts, part{setting: c.Name, value: fmt.Sprint(c.Value)}, part{text: " "})
	}
	if e.Setting == "" {
		return nil
	}
	e.parts[len(e.parts)-1].text = ": " + problem
	return e
}

// placeholder marks the name of a setting, and a value, in a template.
var placeholder = regexp.MustCompile(`\{[^}]*\}`)

// verb is one that a template takes an argument for.
var verb = regexp.MustCompile(`%[vqsd]`)

// Phrase returns an Error about a setting, in any words. In the template {name} and
// {name value} stand for a setting; %v, %q, %s and %d are those of fmt.Sprintf.
func Phrase(name, template string, args ...any) *Error {
	e := &Error{Setting: name}
	fill := func(text string) string {
		n := len(verb.FindAllString(text, -1))
		text = fmt.Sprintf(text, args[:n]...)
		args = args[n:]
		return text
	}
	end := 0
	for _, at := range placeholder.FindAllStringIndex(template, -1) {
		e.parts = append(e.parts, part{text: fill(template[end:at[0]])})
		setting, value, _ := strings.Cut(template[at[0]+1:at[1]-1], " ")
		e.parts = append(e.parts, part{setting: setting, value: fill(value)})
		end = at[1]
	}
	e.parts = append(e.parts, part{text: fill(template[end:])})
	return e
}

// Error names settings by their names.
func (e *Error) Error() string {
	return e.Words(func(setting, value string) string { return strings.TrimSpace(setting + " " + value) })
}

// Words returns the message with settings in the caller's words, such as the
// flags of a command. name is called with the name of a setting and its value,
// which is empty if the message tells none.
func (e *Error) Words(name func(setting, value string) string) string {
	var text strings.Builder
	for _, p := range e.parts {
		if p.setting == "" {
			text.WriteString(p.text)
			continue
		}
		text.WriteString(name(p.setting, p.value))
	}
	return text.String()
}

// Reworded returns the text of err with the Error that it wraps in the caller's
// words (Error.Words), and whether there is one.
func Reworded(err error, name func(setting, value string) string) (text string, found bool) {
	var e *Error
	if !errors.As(err, &e) {
		return err.Error(), false
	}
	return strings.Replace(err.Error(), e.Error(), e.Words(name), 1), true
}
