package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"bethe/runs"
)

func newRunsCommand(c *console) *cobra.Command {
	by := ""
	cmd := &cobra.Command{
		Use: "runs DIR", Short: "List and compare runs", Args: oneArgument("a folder of runs"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.listRuns(args[0], by) },
	}
	cmd.Flags().StringVar(&by, "sort", "", "sort by a column: run, "+strings.Join(runs.SortKeys(), ", ")+"; best first (default: run)")
	return cmd
}

func (c *console) listRuns(folder, by string) error {
	found, err := runs.Compare(folder)
	if err != nil {
		return err
	}
	if err := found.Sort(by); err != nil {
		return inFlags(err)
	}
	if len(found.Runs) == 0 {
		return fmt.Errorf("%s: no run in this folder, nor up to three levels below it; bethe train makes one", folder)
	}
	if c.json {
		return c.object(found)
	}
	if err := found.Table(c.stdout); err != nil {
		return err
	}
	for _, s := range found.Runs {
		if s.Problem != "" {
			c.logf("%s\n", s.Problem)
		}
	}
	return nil
}
