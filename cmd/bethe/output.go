package main

import (
	"slices"

	"github.com/spf13/cobra"

	"bethe/internal/durable"
)

// outputTaken reports whether a file that is asked for is standard output.
func outputTaken(cmd *cobra.Command) bool {
	const flag = "out"
	if one, err := cmd.Flags().GetString(flag); err == nil {
		return durable.StandardOutput(one)
	}
	several, err := cmd.Flags().GetStringArray(flag)
	return err == nil && slices.ContainsFunc(several, durable.StandardOutput)
}
