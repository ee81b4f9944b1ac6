package build

import (
	"slices"
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
