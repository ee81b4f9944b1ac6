package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// samplerData goes to a folder of the test that holds data of 37 units.
func samplerData(t *testing.T) {
	t.Helper()
	data := read(t, filepath.Join("testdata", "frozen", frozenData))
	t.Chdir(t.TempDir())
	if err := os.WriteFile("data.csv", data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// The p-bits of docs/samplers/pbit.c sample an exported header, and both thermometers read 1 within five errors. Samples of another
// temperature are told, and files that hold none are named.
func TestThermometer(t *testing.T) {
	pbit, err := filepath.Abs(filepath.Join("..", "..", "docs", "samplers", "pbit.c"))
	if err != nil {
		t.Fatal(err)
	}
	samplerData(t)
	must(t, "train --data data.csv --label-column 38 --hidden 5 --steps 20 --out run --quiet")
	if err := os.WriteFile("bad.txt", []byte("1 1 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _, stderr := bethe(t, t.Context(), "thermometer", "run/model.npz", "--samples", "bad.txt"); status != exitFailed || !strings.Contains(stderr, "bad.txt: line 1: 3 numbers, and the machine has") {
		t.Errorf("status %d: %s", status, stderr)
	}
	if status, _, stderr := bethe(t, t.Context(), "thermometer", "run/model.npz"); status != exitUsage || !strings.Contains(stderr, "--samples") {
		t.Errorf("status %d: %s", status, stderr)
	}
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("NOT TESTED: there is no gcc")
	}
	must(t, "export run/model.npz --to c -o model.h")
	if out, err := exec.Command("gcc", "-O2", "-I.", "-o", "pbit", pbit).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	samples, err := exec.Command("./pbit", "400", "1").Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("samples.txt", samples, 0o600); err != nil {
		t.Fatal(err)
	}
	type reading struct{ Beta, Error float64 }
	var r struct {
		Local, Global reading
		Equilibrium   bool `json:"in_equilibrium"`
	}
	if err := json.Unmarshal([]byte(must(t, "thermometer run/model.npz --samples samples.txt --json")), &r); err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]reading{"local": r.Local, "global": r.Global} {
		if x.Error <= 0 || x.Error > 0.1 || x.Beta < 1-5*x.Error || x.Beta > 1+5*x.Error {
			t.Errorf("%s: %.3f ± %.3f", name, x.Beta, x.Error)
		}
	}
	if !r.Equilibrium {
		t.Error("p-bits are not in equilibrium")
	}
}

// A run learns through a program, whose reads it asks for, and says what the sampler's temperature is; the program's failure leaves a checkpoint.
func TestTrainSampler(t *testing.T) {
	samplerData(t)
	words := []string{"train", "--data", "data.csv", "--label-column", "38", "--hidden", "3", "--steps", "4", "--chains", "20", "--out", "run", "--quiet", "--sampler"}
	status, _, stderr := bethe(t, t.Context(), append(words, "false")...)
	if status != exitFailed || !strings.Contains(stderr, "sampler false: it ended with exit status 1 (3 times)") || !strings.Contains(stderr, `nothing is lost: go on with the same command and --resume --out "run"`) {
		t.Errorf("status %d: %s", status, stderr)
	}
	if _, err := os.Stat(filepath.Join("run", "checkpoint.npz")); err != nil {
		t.Error(err)
	}
	if status, _, stderr := bethe(t, t.Context(), append(words, "true", "--sampler-bits", "1")...); status != exitUsage || !strings.Contains(stderr, "--sampler-bits 1") {
		t.Errorf("status %d: %s", status, stderr)
	}
	for _, more := range [][]string{{"true", "--sampler-dir", "d"}, {"true", "--sweeps", "2"}, {""}} {
		if status, _, stderr := bethe(t, t.Context(), append(words, more...)...); status != exitUsage || !strings.Contains(stderr, "--sampler") {
			t.Errorf("%q: status %d: %s", more, status, stderr)
		}
	}
}
