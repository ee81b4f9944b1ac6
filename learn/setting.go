package learn

import (
	"fmt"
	"regexp"
	"strings"
)

// A SettingError says which setting of a recipe or a job is wrong, why, and what
// helps.
type SettingError struct {
	Setting string // its JSON name; the one to change where several do not go together

	parts []part
}

// A part is plain text, or names a setting.
type part struct{ text, setting, value string }

// placeholder marks the name of a setting, and a value, in a template.
var placeholder = regexp.MustCompile(`\{[^}]*\}`)

// verb is one that a template takes an argument for.
var verb = regexp.MustCompile(`%[vqsd]`)

// settingf returns an error about a setting. In the template {name} and
// {name value} stand for a setting with that JSON name; verbs are those of
// fmt.Sprintf.
func settingf(setting, template string, args ...any) *SettingError {
	e := &SettingError{Setting: setting}
	fill := func(text string) string {
		n := len(verb.FindAllString(text, -1))
		text = fmt.Sprintf(text, args[:n]...)
		args = args[n:]
		return text
	}
	end := 0
	for _, at := range placeholder.FindAllStringIndex(template, -1) {
		e.parts = append(e.parts, part{text: fill(template[end:at[0]])})
		name, value, _ := strings.Cut(template[at[0]+1:at[1]-1], " ")
		e.parts = append(e.parts, part{setting: name, value: fill(value)})
		end = at[1]
	}
	e.parts = append(e.parts, part{text: fill(template[end:])})
	return e
}

// Error names settings by their JSON names.
func (e *SettingError) Error() string {
	return e.Words(func(setting, value string) string { return strings.TrimSpace(setting + " " + value) })
}

// Words returns the message with settings in the caller's words, such as the
// flags of a command. name is called with the JSON name of a setting and its
// value, which is empty if the message tells none.
func (e *SettingError) Words(name func(setting, value string) string) string {
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
