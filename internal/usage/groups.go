package usage

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// others is the title of flags that no group has.
const others = "Other flags"

// flagsTemplate is where cobra's template of usage lists the flags of a command.
const flagsTemplate = "Flags:\n{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}"

// Group makes the help of a command list its flags in groups. Text has a line for each group: its title, a colon
// and the names of its flags; the order of groups is kept, and in a group that of the names. Flags that no group has follow. Without text the help stays as it is. The
// error names a flag that the command does not have, or that stands twice.
func Group(cmd *cobra.Command, text string) error {
	if text == "" {
		return nil
	}
	cmd.InitDefaultHelpFlag()
	var list strings.Builder
	var done []string
	add := func(title string, names []string) error {
		set := pflag.NewFlagSet("", pflag.ContinueOnError)
		set.SortFlags = false
		for _, name := range names {
			flag := cmd.LocalFlags().Lookup(name)
			if flag == nil || slices.Contains(done, name) {
				return fmt.Errorf("usage: flag %s of group %q is not there, or stands twice", name, title)
			}
			set.AddFlag(flag)
			done = append(done, name)
		}
		if len(names) > 0 {
			fmt.Fprintf(&list, "%s:\n%s\n", title, strings.TrimRight(set.FlagUsages(), "\n")+"\n")
		}
		return nil
	}
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		title, names, _ := strings.Cut(line, ":")
		if err := add(title, strings.Fields(names)); err != nil {
			return err
		}
	}
	var rest []string
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if !slices.Contains(done, f.Name) {
			rest = append(rest, f.Name)
		}
	})
	if err := add(others, rest); err != nil {
		return err
	}
	of := cmd.UsageTemplate()
	if !strings.Contains(of, flagsTemplate) {
		return fmt.Errorf("usage: the template of usage lists no flags")
	}
	cmd.SetUsageTemplate(strings.Replace(of, flagsTemplate, strings.TrimRight(list.String(), "\n"), 1))
	return nil
}
