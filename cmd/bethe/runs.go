package main

import (
	"strings"

	"github.com/spf13/cobra"

	"bethe/runs"
)

func newRunsCommand(c *console) *cobra.Command {
	by, commands := "", false
	cmd := &cobra.Command{
		Use: "runs DIR", Short: "List and compare runs", Args: oneArgument("a folder of runs"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.listRuns(args[0], by, commands) },
	}
	cmd.Flags().StringVar(&by, "sort", "", "sort by a column: run, "+strings.Join(runs.SortKeys(), ", ")+"; best first (default: run)")
	cmd.Flags().BoolVar(&commands, "command", false, "print the command that makes each run again, instead of the table")
	return cmd
}

func (c *console) listRuns(folder, by string, commands bool) error {
	found, err := runs.Compare(folder)
	if err != nil {
		return err
	}
	if err := found.Sort(by); err != nil {
		return inFlags(err)
	}
	if len(found.Runs) == 0 {
		return usagef("%s: no run in this folder, nor up to three levels below it; bethe train makes one", folder)
	}
	if c.json {
		return c.object(found)
	}
	show := found.Table
	if commands {
		show = found.Commands
	}
	if err := show(c.stdout); err != nil {
		return err
	}
	c.logf("%s", found.Problems())
	return nil
}
