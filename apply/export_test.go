package apply

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bethe/causes"
	"bethe/exchange"
)

// TestExporting: every format is written of the models that it is for, and others are refused by name.
func TestExporting(t *testing.T) {
	models := map[string]string{"rbm": job(t).Model, "mixture": directedJob(t, causes.MixtureModel).Model, "tree": directedJob(t, causes.TreeModel).Model}
	for _, f := range exchange.Formats {
		about := f.About()
		for family, model := range models {
			e := &Exporting{Model: model, To: about.Name, Out: filepath.Join(t.TempDir(), "x"), Name: "model"}
			r, err := e.Run()
			of, causal := false, family != "rbm"
			if causal {
				_, of = f.(exchange.OfCauses)
			} else {
				_, of = f.(exchange.OfMachines)
			}
			switch {
			case !of:
				wrong(t, "to", err)
			case causal && about.Name == "stdp-c": // which another rule learned
				if err == nil {
					t.Errorf("%s of a %s that rule em learned", about.Name, family)
				}
			case err == nil && (r.Constants > 0) != (about.Name == "c"), err == nil && (r.Chain > 0) != strings.Contains(r.Text(), "on a device"):
				t.Errorf("%s of a %s has a size on a device: %+v", about.Name, family, r)
			case err != nil || r.Bytes == 0 || r.Visible == 0 || about.Folder != (len(r.Files) > 0):
				t.Errorf("%s of a %s: %+v, %v", about.Name, family, r, err)
			default:
				if info, err := os.Stat(e.Out); err != nil || info.IsDir() != about.Folder {
					t.Errorf("%s of a %s: %v", about.Name, family, err)
				}
			}
		}
	}
	good := Exporting{Model: models["rbm"], To: "c", Out: filepath.Join(t.TempDir(), "x"), Name: "model"}
	for name, change := range map[string]func(e *Exporting){
		"to": func(e *Exporting) { e.To = "onnx" }, "out": func(e *Exporting) { e.Out = "" }, "name": func(e *Exporting) { e.Name = "func" },
		"tau": func(e *Exporting) { e.Tau = 3 }, "tau ": func(e *Exporting) { e.To, e.Tau = "spikes-c", 1<<16 },
	} {
		e := good
		change(&e)
		_, err := e.Run()
		wrong(t, strings.TrimSpace(name), err)
	}
}
