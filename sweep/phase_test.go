package sweep

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Means are over the cells that are done; places without any are missing.
func TestPhases(t *testing.T) {
	s := create(t, "visible = 10\nhidden = [1, 2]\nalpha = [2, 3]\nbeta = [0.5, 1, 2]\ninstances = 1\nrestarts = 1\nseed = [1, 2]")
	for k := range s.Cells {
		c := &s.Cells[k]
		if c.Hidden == 2 && c.Beta == 1 || c.Alpha == 3 && c.Seed == 2 {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(s.path(c)), 0o777); err != nil {
			t.Fatal(err)
		}
		overlap := 100*float64(c.Hidden) + 10*c.Alpha + c.Beta + 0.25*float64(c.Seed)
		if err := s.write(c, &Result{Samples: c.setup().Samples(), Overlap: overlap, Bound: -1}); err != nil {
			t.Fatal(err)
		}
	}
	phases, status, err := s.Phases("alpha", "beta", "hidden", "overlap")
	if err != nil || len(phases) != 2 || status.Done+status.Missing != 24 {
		t.Fatalf("%v %+v %v", phases, status, err)
	}
	for p, phase := range phases {
		if phase.Panel != float64(p+1) || len(phase.Values) != 3 || len(phase.Values[0]) != 2 {
			t.Fatalf("%+v", phase)
		}
		for y, beta := range []float64{0.5, 1, 2} {
			for x, alpha := range []float64{2, 3} {
				want := 100*phase.Panel + 10*alpha + beta + 0.375
				if alpha == 3 {
					want -= 0.125 // of the first seed alone
				}
				got := phase.Values[y][x]
				if missing := p == 1 && beta == 1; missing != math.IsNaN(got) || !missing && math.Abs(got-want) > 1e-12 {
					t.Errorf("hidden %v, alpha %v, beta %v: %v, not %v", phase.Panel, alpha, beta, got, want)
				}
			}
		}
	}
	if phases, _, err := s.Phases("beta", "alpha", "seed", "bayes_overlap"); err != nil || !math.IsNaN(phases[0].Values[0][0]) {
		t.Errorf("without oracle: %v, %v", phases, err)
	}
	for want, names := range map[string][4]string{
		`"colour"`: {"alpha", "colour", "hidden", "overlap"}, "must differ": {"alpha", "beta", "alpha", "overlap"}, `"time"`: {"alpha", "beta", "hidden", "time"},
	} {
		if _, _, err := s.Phases(names[0], names[1], names[2], names[3]); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", names, err)
		}
	}
}
