package main

import (
	"github.com/spf13/cobra"

	"bethe/internal/build"
)

// program returns the name and version that files carry.
func program() string { return build.Program() }

func newVersionCommand(c *console) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Say which build this is", Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			r := build.Describe()
			c.printf("%s %s %s, %s kernels\n", program(), r.Go, r.Platform, r.Kernel)
			if r.Revision != "" {
				c.printf("revision %s\n", r.Revision)
			}
			return c.object(r)
		},
	}
}
