package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestReference: docs/commands.md is what the help texts say; -update writes it.
func TestReference(t *testing.T) {
	var list, text strings.Builder
	commands(newRootCommand(&console{}), func(cmd *cobra.Command) {
		path := cmd.CommandPath()
		_, help, _ := bethe(t, t.Context(), append(strings.Fields(path)[1:], "--help")...)
		fmt.Fprintf(&list, "- [`%s`](#%s): %s\n", path, strings.ReplaceAll(path, " ", "-"), strings.ToLower(cmd.Short[:1])+cmd.Short[1:])
		fmt.Fprintf(&text, "\n## %s\n\n```text\n%s\n```\n", path, strings.TrimSpace(help))
	})
	golden(t, filepath.Join("..", "..", "..", "docs", "commands.md"), "# Commands\n\nWhat `--help` says, written by `go test ./cmd/bethe -run Reference -update`.\n\n"+list.String()+text.String())
}
