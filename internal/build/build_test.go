package build

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"bethe/internal/kernel"
)

func TestReleased(t *testing.T) {
	for stamped, want := range map[string]string{
		"v0.2.0": "0.2.0", "v1.0.0-rc.1": "1.0.0-rc.1", "": development, "(devel)": development, "v0.2.0+dirty": development,
		"v0.2.1-0.20261124160000-0123456789ab": development, "v0.0.0-20261124160000-0123456789ab": development, "v0.2.1-rc.1.0.20261124160000-0123456789ab": development,
	} {
		if got := released(stamped); got != want {
			t.Errorf("%q: version %q, not %q", stamped, got, want)
		}
	}
}

func TestDescribe(t *testing.T) {
	if r := Describe(); r.Version != Version || r.Go == "" || r.Platform == "" || r.Kernel == "" || Program() != "bethe "+Version {
		t.Errorf("%+v", r)
	}
}

// TestMeasure: what is measured is said beside the rest.
func TestMeasure(t *testing.T) {
	if m := Measure(); m.Report != Describe() || !slices.Contains(kernel.Forms(), m.Products) {
		t.Errorf("%+v", m)
	}
}

// TestCitation: CITATION.cff and the README cite the version of this program.
func TestCitation(t *testing.T) {
	for file, line := range map[string]string{"CITATION.cff": "\nversion: %s\n", "README.md": "version = {%s}"} {
		text, err := os.ReadFile("../../" + file)
		if want := fmt.Sprintf(line, development); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s, %v: it has no %q", file, err, want)
		}
	}
}
