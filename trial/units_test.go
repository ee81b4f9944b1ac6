package trial

import (
	"errors"
	"math"
	"reflect"
	"runtime"
	"testing"

	"bethe/setting"
	"bethe/units"
)

// Learners of Gaussian units, colours and groups find planted synapses, far above what
// random ones reach (1/sqrt(N) = 0.22), and give the same numbers on one thread.
func TestUnitsExperiment(t *testing.T) {
	for _, c := range []struct {
		visible, hidden string
		alpha, beta     float64
		count           int
	}{{"gauss", "spin", 6, 1, 2}, {"potts:3", "spin", 20, 1.5, 1}, {"spin", "group:2", 8, 2, 1}} {
		e := &UnitsExperiment{Setup: Setup{Visible: 20, Hidden: c.count, Alpha: c.alpha, Beta: c.beta}, Instances: 1, Restarts: 2, Steps: 50, Rate: 0.3, Seed: 3}
		e.Visible, _ = units.ParseKind(c.visible)
		e.Hidden, _ = units.ParseKind(c.hidden)
		r, err := e.Run(t.Context(), quiet)
		if err != nil {
			t.Fatal(err)
		}
		if !(r.Overlap > 0.6 && r.OverlapReal > 0.4 && r.Overlap <= 1+1e-6) || math.IsNaN(r.Bound) {
			t.Errorf("%v: %+v", c, r)
		}
		if c.visible != units.Gauss {
			continue
		}
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
		if again, err := e.Run(t.Context(), quiet); err != nil || !reflect.DeepEqual(again.Overlaps, r.Overlaps) || again.Bound != r.Bound {
			t.Errorf("%v: one thread gives %+v, not %+v (%v)", c, again, r, err)
		}
	}
	for name, change := range map[string]func(*UnitsExperiment){
		"units": func(e *UnitsExperiment) { e.Visible = units.Kind{Word: units.Group, States: 3} }, "hidden_units": func(e *UnitsExperiment) { e.Hidden.Word = units.Gauss },
		"hidden": func(e *UnitsExperiment) { e.Setup.Hidden = 30 }, "rate": func(e *UnitsExperiment) { e.Rate = 0 }, "restarts": func(e *UnitsExperiment) { e.Restarts = 0 },
		"visible": func(e *UnitsExperiment) { e.Setup.Visible = 0 }, "correlation": func(e *UnitsExperiment) { e.Setup.Correlation = 0.5 },
	} {
		e := &UnitsExperiment{Setup: Setup{Visible: 20, Hidden: 2, Alpha: 4, Beta: 1}, Instances: 1, Restarts: 1, Steps: 1, Rate: 0.2, Visible: units.Kind{Word: units.Potts, States: 3}}
		change(e)
		var wrong *setting.Error
		if _, err := e.Run(t.Context(), quiet); !errors.As(err, &wrong) || wrong.Setting != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}
