package runs

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
)

// number returns a pointer to a number.
func number(x float64) *Number {
	n := Number(x)
	return &n
}

// TestTable: a line per run, a dash for a missing measurement, and a column of validation only if a run has it.
func TestTable(t *testing.T) {
	c := Comparison{Differ: []string{"rate", "rule"}, Runs: []Summary{
		{Run: "a", Data: "mnist", Visible: 784, Hidden: 100, Seed: 1, Finished: true, Steps: 3000, Seconds: 2.71, Bound: number(-119), Coupling: number(0.0829), Polarised: number(0.69),
			Settings: map[string]any{"rate": 0.020000001, "rule": "adam"}, Command: "bethe train"},
		{Run: "b", Data: "mnist", Visible: 784, Hidden: 500, Seed: 2, Fraction: 0.25, Steps: 10, Bound: number(math.NaN())},
	}}
	table := func() []string {
		var b bytes.Buffer
		if err := c.Table(&b); err != nil {
			t.Fatal(err)
		}
		var lines []string
		for line := range strings.Lines(b.String()) {
			lines = append(lines, strings.Join(strings.Fields(line), " "))
		}
		return lines
	}
	want := []string{
		"RUN DATA UNITS SEED DONE STEPS SECONDS BOUND FORWARD REVERSE COUPLING POLARISED rate rule",
		"a mnist 784 x 100 1 yes 3000 2.7 -119.00 - - 0.0829 0.69 0.02 adam",
		"b mnist 784 x 500 2 25 % 10 0.0 - - - - - - -",
	}
	if got := table(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%q", got)
	}
	c.Runs[1].Validation = number(-123.456)
	if got := table(); !strings.Contains(got[0], "POLARISED VALIDATION rate") || !strings.HasSuffix(got[1], "0.69 - 0.02 adam") || !strings.HasSuffix(got[2], "- -123.46 - -") {
		t.Errorf("%q", got)
	}
	if err := c.Sort("validation"); err != nil || c.Runs[0].Run != "b" {
		t.Errorf("%v, %v", c.Runs[0].Run, err)
	}
	var b bytes.Buffer
	if err := c.Commands(&b); err != nil || b.String() != "# b: its folder does not say which command made it\n# a\nbethe train\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
}

// TestMean: the exact value before that in reverse, that before the one forward.
func TestMean(t *testing.T) {
	exact, reverse, forward := &Estimate{Value: 1}, &Estimate{Value: 2}, &Estimate{Value: 3}
	for _, c := range []struct {
		l    LogLikelihood
		want float64
	}{{LogLikelihood{Exact: exact, Reverse: reverse, Forward: forward}, 1}, {LogLikelihood{Reverse: reverse, Forward: forward}, 2}, {LogLikelihood{Forward: forward}, 3}} {
		if got := float64(c.l.Mean()); got != c.want {
			t.Errorf("%v, not %v", got, c.want)
		}
	}
	if l := (LogLikelihood{}); !math.IsNaN(float64(l.Mean())) {
		t.Error("none has a mean")
	}
}
