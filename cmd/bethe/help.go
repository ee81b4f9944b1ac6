package main

import (
	"embed"
	"strings"

	"github.com/spf13/cobra"

	"bethe/internal/usage"
)

//go:embed help
var helpTexts embed.FS

// explain gives a command and those below it what help/VERB.txt says of them, with - between
// the words of a verb below another: what is said at length, then examples; help/VERB.flags has its groups of flags.
func explain(cmd *cobra.Command) {
	name := strings.ReplaceAll(strings.TrimPrefix(cmd.CommandPath(), "bethe "), " ", "-")
	if text, err := helpTexts.ReadFile("help/" + name + ".txt"); err == nil {
		cmd.Long, cmd.Example, _ = strings.Cut(strings.TrimSuffix(string(text), "\n"), "\n\nExamples:\n")
	}
	if groups, err := helpTexts.ReadFile("help/" + name + ".flags"); err == nil {
		if err := usage.Group(cmd, string(groups)); err != nil {
			panic(err) // a flag that is not there
		}
	}
	for _, below := range cmd.Commands() {
		explain(below)
	}
}
