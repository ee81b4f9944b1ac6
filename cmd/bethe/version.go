package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"bethe/internal/build"
)

// program returns the name and version that files carry.
func program() string { return build.Program() }

// describe returns the line of version.
func describe() string {
	r := build.Describe()
	return fmt.Sprintf("%s %s %s, %s kernels", program(), r.Go, r.Platform, r.Kernel)
}

func newVersionCommand(c *console) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Say which build this is", Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			r := build.Measure()
			c.printf("%s\nrounded products by %s\n", describe(), r.Products)
			if r.Revision != "" {
				c.printf("revision %s\n", r.Revision)
			}
			return c.object(r)
		},
	}
}
