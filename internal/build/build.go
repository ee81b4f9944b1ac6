// Package build says which build of the program this is.
package build

import (
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"

	"bethe/internal/kernel"
)

// development is the version of a program that was not built from a release's tag.
const development = "0.2.0-dev"

// Day is that of the texts of this version, such as manual pages.
const Day = "2026-11-27"

// Version is that of the program: of a release's tag, or of the one that is being made.
var Version = func() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return development
	}
	return released(info.Main.Version)
}()

// released returns the version of a release's tag, as the go command stamps
// it. Builds between releases share a name: files that carry it then differ
// only where the program does.
func released(stamped string) string {
	if tag.MatchString(stamped) && !between.MatchString(stamped) {
		return stamped[1:]
	}
	return development
}

var (
	tag     = regexp.MustCompile(`^v\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?$`)
	between = regexp.MustCompile(`\d{14}-[0-9a-f]{12}$`)
)

// Program returns the name and version that files carry.
func Program() string { return "bethe " + Version }

// A Report says what a build is of and where it runs.
type Report struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Kernel   string `json:"kernel"`  // tier of vector kernels in use
	Kernels  string `json:"kernels"` // that there are here, slowest first
}

// A Measured report also has measurements on this machine.
type Measured struct {
	Report
	Products string `json:"products"` // form of rounded products that is quickest here (kernel.QuickestForm)
}

// Measure returns the report of this build on this machine. It takes a few milliseconds.
func Measure() Measured { return Measured{Describe(), kernel.QuickestForm()} }

// Describe returns the report of this build.
func Describe() Report {
	r := Report{Version: Version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Kernel: kernel.Tier(), Kernels: strings.Join(kernel.Tiers(), " ")}
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
	return r
}
