package main

import (
	"embed"
	"strings"

	"github.com/spf13/cobra"

	"bethe/internal/build"
	"bethe/internal/usage"
)

//go:embed help
var helpTexts embed.FS

// groupsOf returns the groups of a command's flags, in help/VERB.flags; "" if it has none.
func groupsOf(cmd *cobra.Command) string {
	text, _ := helpTexts.ReadFile("help/" + strings.TrimPrefix(usage.ManName(cmd), "bethe-") + ".flags")
	return string(text)
}

// explain gives a command and its subcommands the long text and the examples of help/VERB.txt, where the words of a
// subcommand are joined by -, and its groups of flags.
func explain(cmd *cobra.Command) {
	if text, err := helpTexts.ReadFile("help/" + strings.TrimPrefix(usage.ManName(cmd), "bethe-") + ".txt"); err == nil {
		cmd.Long, cmd.Example, _ = strings.Cut(strings.TrimSuffix(string(text), "\n"), "\n\nExamples:\n")
	}
	if err := usage.Group(cmd, groupsOf(cmd)); err != nil {
		panic(err) // a flag that is not there
	}
	for _, below := range cmd.Commands() {
		explain(below)
	}
}

func newManCommand(c *console) *cobra.Command {
	out := ""
	cmd := &cobra.Command{Use: "man", Short: "Write the manual pages", Args: noArguments}
	cmd.Flags().StringVarP(&out, "out", "o", "man1", "folder for the pages, one for each verb; made if it is not there")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		files, err := usage.WriteMan(cmd.Root(), out, program(), build.Day, groupsOf)
		if err != nil {
			return err
		}
		c.printf("%d manual pages in %s, for instance %s\n", len(files), out, files[0])
		return c.object(map[string][]string{"files": files})
	}
	return cmd
}
