package exchange

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bethe/rbm"
	"bethe/spikes"
)

// TestSpikingIsExact: means decoded from spikes of integers are those of the machine (rms z at most 2,
// the largest 5, with errors from 200 networks), whatever the window, and a network's spikes are
// those of one alone.
func TestSpikingIsExact(t *testing.T) {
	m := testMachine(20, 6, 0.15, 3)
	p, err := Pack(m)
	if err != nil {
		t.Fatal(err)
	}
	moments := rbm.NewMoments[float64](20, 6)
	if _, err := rbm.NetworkOf[float64](m).ExactMoments(t.Context(), moments); err != nil {
		t.Fatal(err)
	}
	var want []float64
	for _, v := range slices.Concat(moments.Visible, moments.Hidden) {
		want = append(want, (1+v)/2)
	}
	for _, tau := range []int{1, 3, 12} {
		c := p.Circuit(5, 200, tau)
		d, err := spikes.Run(t.Context(), c, spikes.Running{Burn: 30 * tau, Steps: 300, Most: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Compare(want, make([]float64, len(want)), func(int) bool { return false }); got.RMSZ > 2 || got.MaxZ > 5 {
			t.Errorf("tau %d: %+v", tau, got)
		}
		alone, at := p.Spiking(5, tau), 0
		for k := range 30*tau + 300 {
			alone.Step()
			for i := range 26 {
				bits, n := alone.VisibleSpikes, i
				if i >= 20 {
					bits, n = alone.HiddenSpikes, i-20
				}
				if k < 30*tau || bits[n/32]>>(n%32)&1 == 0 {
					continue
				}
				if d.Neuron[at] != int64(i) || d.Time[at] != int64(k-30*tau) {
					t.Fatalf("tau %d: spike %d is of neuron %d at %d, not %d at %d", tau, at, d.Neuron[at], d.Time[at], i, k-30*tau)
				}
				at++
			}
		}
		if at != len(d.Neuron) || c.Window() != tau || c.Networks() != 200 || c.Populations()[1] != (spikes.Population{Name: "hidden", Size: 6}) {
			t.Errorf("tau %d: %d spikes of %d", tau, at, len(d.Neuron))
		}
	}
}

// build compiles C programs and returns their output.
func build(t *testing.T, flags []string, sources map[string]string) string {
	t.Helper()
	if _, err := exec.LookPath("gcc"); err != nil {
		skip(t, "gcc")
	}
	folder := t.TempDir()
	for file, text := range sources {
		if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	bin := filepath.Join(folder, "main")
	flags = append(flags, "-Wall", "-Wextra", "-Werror", "-pedantic", "-o", bin, filepath.Join(folder, "main.c"))
	if out, err := exec.Command("gcc", flags...).CombinedOutput(); err != nil {
		t.Fatalf("gcc %v: %v\n%s", flags, err, out)
	}
	out, err := exec.Command(bin).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// strict are flags that end the program at undefined behaviour.
var strict = []string{"-std=c99", "-fsanitize=undefined", "-fno-sanitize-recover"}

// TestSpikesC: a compiled header spikes as Spiking does, bit for bit, step by step.
func TestSpikesC(t *testing.T) {
	const program = `#include <stdio.h>
#include "machine.h"
int main(void) {
	static digits_neurons net;
	int k, w;
	digits_start(&net, UINT64_MAX);
	for (k = 0; k < STEPS; k++) {
		digits_step(&net);
		for (w = 0; w < DIGITS_VISIBLE_WORDS; w++) printf("%08x ", (unsigned)net.visible_spikes[w]);
		for (w = 0; w < DIGITS_HIDDEN_WORDS; w++) printf("%08x ", (unsigned)net.hidden_spikes[w]);
		printf("%d\n", digits_at(net.visible, DIGITS_VISIBLE - 1));
	}
	return 0;
}
`
	t.Parallel()
	for name, c := range map[string]struct {
		tau, steps int
		flags      []string
	}{"33x5": {7, 300, strict}, "5x33": {1, 300, []string{"-std=c99"}}, "784x100": {7, 20, []string{"-std=c99", "-O1"}}, "strong": {1, 300, []string{"-x", "c++"}}} {
		m, tau := shapes()[name], c.tau
		p, err := Pack(m)
		if err != nil {
			t.Fatal(err)
		}
		var header, want strings.Builder
		if err := WriteSpikesC(&header, fileOf(m), "digits", tau); err != nil {
			t.Fatal(err)
		}
		s := p.Spiking(math.MaxUint64, tau)
		for range c.steps {
			s.Step()
			for _, w := range slices.Concat(s.VisibleSpikes, s.HiddenSpikes) {
				fmt.Fprintf(&want, "%08x ", w)
			}
			last := m.Visible() - 1
			fmt.Fprintf(&want, "%d\n", s.Visible[last/32]>>(last%32)&1)
		}
		if got := build(t, append(slices.Clone(c.flags), fmt.Sprintf("-DSTEPS=%d", c.steps)), map[string]string{"machine.h": header.String(), "main.c": program}); got != want.String() {
			t.Errorf("%s, tau %d: spikes\n%.300s, not\n%.300s", name, tau, got, want.String())
		}
	}
}
