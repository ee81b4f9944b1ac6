package main

import (
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"bethe/internal/kernel"
)

// version of the program; a release sets it when it links.
var version = "0.1.0-dev"

// program returns the name and version that files carry.
func program() string { return "bethe " + version }

type versionReport struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Kernel   string `json:"kernel"`  // tier of vector kernels in use
	Kernels  string `json:"kernels"` // that there are here, slowest first
}

func newVersionCommand(c *console) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Say which build this is", Args: noArguments,
		Example: "  bethe version --json",
		RunE: func(*cobra.Command, []string) error {
			r := versionReport{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Kernel: kernel.Tier(), Kernels: strings.Join(kernel.Tiers(), " ")}
			if info, ok := debug.ReadBuildInfo(); ok {
				for _, s := range info.Settings {
					switch s.Key {
					case "vcs.revision":
						r.Revision = s.Value
					case "vcs.modified":
						r.Modified = s.Value == "true"
					}
				}
			}
			c.printf("%s %s %s, %s kernels\n", program(), r.Go, r.Platform, r.Kernel)
			if r.Revision != "" {
				c.printf("revision %s\n", r.Revision)
			}
			return c.object(r)
		},
	}
}
