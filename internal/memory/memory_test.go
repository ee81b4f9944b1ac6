package memory

import (
	"errors"
	"math"
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	for bytes, want := range map[float64]string{0: "0 bytes", 999: "999 bytes", 1000: "1 kB", 7.64e9: "7.6 GB", 99.4e6: "99 MB", 99.6e6: "99.6 MB", 166e12: "166 TB", 999.6e3: "1 MB", 1e30: "1e+06 YB"} {
		if got := Text(bytes); got != want {
			t.Errorf("%v: %s, not %s", bytes, got, want)
		}
	}
}

func TestCheck(t *testing.T) {
	have := Available()
	if !(have > 1<<20) {
		t.Fatalf("only %v bytes can be had", have)
	}
	if err := Check("little", "chains", 1, 1000); err != nil {
		t.Error(err)
	}
	for _, bytes := range []float64{4 * unknown, 1e30, math.Inf(1), math.NaN()} {
		err := Check("much", "chains", 7, bytes)
		wrong, ok := errors.AsType[*Error](err)
		if !ok || wrong.Setting != "chains" || wrong.Value != 7 || !strings.HasPrefix(err.Error(), "much take ") || !strings.Contains(err.Error(), "can be had; ask for fewer chains") {
			t.Errorf("%v bytes: %v", bytes, err)
		}
	}
	if err := CheckChains(784, 500, 1e12, true, "samples", 1e12); err == nil || !strings.Contains(err.Error(), "1000000000000 chains of 784 x 500 units take 10 PB of memory") {
		t.Error(err)
	}
	if err := CheckChains(784, 500, 100, true, "samples", 100); err != nil {
		t.Error(err)
	}
	for setting, s := range map[string]Training{
		"hidden":  {Visible: 784, Hidden: 1e9, Samples: 60000, Batch: 500, Chains: 500},
		"chains":  {Visible: 15, Hidden: 3, Samples: 40, Batch: 40, Chains: 1e13},
		"hidden ": {Visible: 12, Hidden: 1e11, Samples: 200, Batch: 500, Chains: 500},
		"batch":   {Visible: 15, Hidden: 300, Samples: 40, Batch: 1e13, Chains: 3},
	} {
		if wrong, ok := errors.AsType[*Error](s.Check()); !ok || wrong.Setting != strings.TrimSpace(setting) {
			t.Errorf("%+v: %v", s, s.Check())
		}
	}
	if err := (Training{Visible: 784, Hidden: 500, Samples: 60000, Batch: 500, Chains: 500}).Check(); err != nil {
		t.Error(err)
	}
}
