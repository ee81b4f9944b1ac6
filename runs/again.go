package runs

import (
	"fmt"
	"path/filepath"
	"strings"
)

// plainLetters need no quotes in a shell.
const plainLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:,=+@%"

// Quoted returns a word as a shell reads it.
func Quoted(word string) string {
	if word != "" && strings.Trim(word, plainLetters) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// Again returns the command that makes a run again, in a folder of its own that holds nothing yet. Pasted into a shell it makes
// the same machine, if it finds the same files and the limit is not one of time. A run that was over and went on takes a line for each
// of its calls. Of runs whose folder does not say their command it is made from the settings; what the folder does not keep of the
// command, such as how data are read, is then missing. It is empty if the folder says too little.
func (r *Run) Again() string {
	commands := r.Info.Command
	if commands == "" {
		commands = r.bySettings()
	}
	if commands == "" {
		return ""
	}
	lines := strings.Split(commands, "\n")
	for k := range lines {
		lines[k] = Printable(lines[k]) + " --out " + Printable(Quoted(Unused(strings.TrimSuffix(filepath.ToSlash(r.Folder), "-again")+"-again")))
		if k > 0 {
			lines[k] += " --resume"
		}
	}
	return strings.Join(lines, " &&\n")
}

// bySettings returns the command that the settings of a run make.
func (r *Run) bySettings() string {
	i := &r.Info
	words := []string{"bethe", i.Verb}
	switch i.Verb {
	case Train:
		words = append(words, "--recipe", filepath.ToSlash(filepath.Join(r.Folder, InfoFile)), "--data", i.Data)
	case Planted:
		words = append(words, "--visible", fmt.Sprint(i.Visible), "--hidden", fmt.Sprint(i.Hidden))
		for _, name := range []string{"alpha", "beta", "correlation", "rate", "steps"} {
			if v, ok := i.Settings[name]; ok {
				words = append(words, "--"+name, fmt.Sprint(v))
			}
		}
	default:
		return ""
	}
	words = append(words, "--seed", fmt.Sprint(i.Seed))
	for k, word := range words {
		words[k] = Quoted(word)
	}
	return strings.Join(words, " ")
}
