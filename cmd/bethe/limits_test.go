package main

import (
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bethe/dataset"
	"bethe/internal/npy"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// Work that no machine has memory for is an error before it begins. The error names the
// flag, the bytes that the work needs, and the bytes that there are.
func TestMemory(t *testing.T) {
	model, data := trained(t)
	out := filepath.Join(t.TempDir(), "o.npz")
	for args, want := range map[string]string{
		"sample MODEL -n 1000000000000 --out OUT":                                      "bethe: -n 1000000000000: 1000000000000 chains of 12 x 5 units take 148 TB of memory, and ",
		"sample MODEL -n 1000000000000 --integers --out OUT":                           "bethe: -n 1000000000000: ",
		"complete MODEL --from DATA:0-9 --clamp 0-3 -n 1000000000000000000 --out OUT":  "bethe: -n 1000000000000000000: 10000000000000000000 chains of 12 x 5 units take ",
		"denoise MODEL --data DATA --chains 1000000000000 --out OUT":                   "bethe: --chains 1000000000000: 100000000000000 chains of 12 x 5 units take ",
		"train --data DATA --hidden 100000000000 --out OUT":                            "bethe: --hidden 100000000000: 12 x 100000000000 synapses, ",
		"train --data DATA --chains 1000000000000 --out OUT":                           "bethe: --chains 1000000000000: 12 x 100 synapses, 1000000000000 chains ",
		"train --data DATA --steps 9 --evaluate --ais-chains 10000000000000 --out OUT": "bethe: --ais-chains 10000000000000: ",
		"eval MODEL --data DATA --ais-chains 1000000000000000":                         "bethe: --ais-chains 1000000000000000: ",
	} {
		args := strings.NewReplacer("MODEL", model, "DATA", data, "OUT", out).Replace(args)
		status, _, stderr := bethe(t, t.Context(), strings.Fields(args)...)
		if status != exitUsage || !strings.HasPrefix(stderr, want) || !strings.Contains(stderr, " can be had; ask for fewer ") || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: status %d, %s", args, status, stderr)
		}
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("something was written")
	}
}

// Parameters at the ends of float64 are an error of every verb that reads a model,
// never a number that is none.
func TestParametersAtTheEnds(t *testing.T) {
	model, data := trained(t)
	folder := t.TempDir()
	for name, change := range map[string]func(p *rbm.Params){
		"coupling.npz":      func(p *rbm.Params) { p.SetCoupling(1e308) },
		"visible_field.npz": func(p *rbm.Params) { p.VisibleField[0] = 1e308 },
		"hidden_field.npz":  func(p *rbm.Params) { p.HiddenField[0] = 1e30 },
	} {
		file, err := rbm.Load(model)
		if err != nil {
			t.Fatal(err)
		}
		arrays, err := file.Arrays()
		if err != nil {
			t.Fatal(err)
		}
		change(&file.Params)
		arrays[len(arrays)-1].Data = []float64{file.Coupling()} // a copy; the fields are those of the file
		path := filepath.Join(folder, name)
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := npy.WriteArchive(f, arrays); err != nil {
			t.Fatal(err)
		}
		f.Close()
		out := filepath.Join(folder, "out.npz")
		for _, args := range []string{
			"eval MODEL --data DATA", "export MODEL --to rbm01 -o OUT", "export MODEL --to ising -o OUT", "complete MODEL --from DATA:0-1 --clamp 0-5 -n 2 --sweeps 5 --out OUT",
			"sample MODEL -n 3 --sweeps 5 --out OUT", "denoise MODEL --data DATA --sweeps 5 --out OUT", "features MODEL --data DATA -o OUT.npy",
		} {
			words := strings.Fields(strings.NewReplacer("MODEL", path, "DATA", data, "OUT", out).Replace(args))
			status, stdout, stderr := bethe(t, t.Context(), words...)
			if status != exitFailed || stdout != "" || !strings.HasPrefix(stderr, "bethe: "+path+": energies reach ") {
				t.Errorf("%s of %s: status %d, %s%s", args, name, status, stdout, stderr)
			}
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%s: something was written", name)
		}
	}
	// A likelihood that is no number is an error, wherever it comes from.
	c := &console{stdout: io.Discard, stderr: io.Discard, quiet: true}
	machine := &rbm.Machine{Params: rbm.NewParams(2, 2, math.MaxFloat64), Synapses: rbm.Binary(spin.New(2, 2))}
	if l, err := c.likelihood(t.Context(), &rbm.File{Params: machine.Params, Synapses: machine.Synapses}, &dataset.Set{Samples: spin.New(2, 3)}, nil, &aisFlags{10, 2, 100}, stream.New(1)); err == nil || !strings.Contains(err.Error(), "the log-likelihood comes out as") {
		t.Errorf("%v, %v", l.Mean, err)
	}
}
