package exchange

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"bethe/causes"
	"bethe/spin"
	"bethe/stream"
)

// TestLearnerC: a compiled header learns as a circuit does: the same spikes and counters, bit for bit,
// also where counters of 3 bits fill up, and of 12 bits that take 2 bytes.
func TestLearnerC(t *testing.T) {
	const program = `#include <stdio.h>
#include "learner.h"
static const uint32_t samples[] = {
#include "samples.h"
};
int main(void) {
	static digits_learner net;
	int k, i;
	digits_start(&net, UINT64_MAX);
	for (k = 0; k < SAMPLES; k++) printf("%d ", digits_learn(&net, samples + k * DIGITS_WORDS));
	for (k = 0; k < DIGITS_SYNAPSES; k++) printf("%u %u ", (unsigned)net.on[k], (unsigned)net.off[k]);
	for (k = 0; k < DIGITS_CAUSES; k++) {
		printf("%u ", (unsigned)net.spikes[k]);
		for (i = 0; i < DIGITS_VISIBLE; i++) printf("%d", digits_synapse(&net, k, i));
	}
	printf("\n");
	return 0;
}
`
	t.Parallel()
	for _, c := range []struct {
		causes, bits, passes int
		flags                []string
	}{{5, 3, 3, strict}, {1, 8, 1, []string{"-std=c99"}}, {7, 12, 2, []string{"-std=c99", "-O1"}}} {
		f := causesFile(t, causes.Options{Model: causes.MixtureModel, Rule: causes.STDP, Causes: c.causes, Passes: 1, CounterBits: c.bits, Homeostasis: 1.5})
		rule, err := f.OnlineRule()
		if err != nil {
			t.Fatal(err)
		}
		circuit := rule.Start(1<<64 - 1)
		samples := spin.Random(12, 300, stream.New(2).Rand())
		var want, words strings.Builder
		for a := range 300 * c.passes {
			word := uint32(0)
			for i := range 12 {
				if a%4 != 0 && samples.At(i, a%300) > 0 || a%4 == 0 && i < 6 {
					word |= 1 << i
				}
			}
			fmt.Fprintf(&words, "%du,", word)
			fmt.Fprintf(&want, "%d ", circuit.Learn([]uint32{word}))
		}
		for k := range circuit.On {
			fmt.Fprintf(&want, "%d %d ", circuit.On[k], circuit.Off[k])
		}
		for k, n := range circuit.Spikes {
			fmt.Fprintf(&want, "%d ", n)
			for i := range 12 {
				bit := 0
				if circuit.Synapse(k, i) > 0 {
					bit = 1
				}
				fmt.Fprintf(&want, "%d", bit)
			}
		}
		if c.bits == 3 && slices.Max(circuit.On) != 7 {
			t.Errorf("counters of 3 bits reach %d", slices.Max(circuit.On))
		}
		var header strings.Builder
		files, err := learner{}.Causes(f, Options{Name: "digits"})
		if err != nil || files[0].Write(&header) != nil {
			t.Fatal(err)
		}
		got := build(t, append(slices.Clone(c.flags), fmt.Sprintf("-DSAMPLES=%d", 300*c.passes)), map[string]string{"learner.h": header.String(), "samples.h": words.String(), "main.c": program})
		if got != want.String()+"\n" {
			t.Errorf("%d causes, %d bits: spikes and counters\n%.300s, not\n%.300s", c.causes, c.bits, got, want.String())
		}
	}
	if _, err := (learner{}).Causes(causesFile(t, causes.Options{Model: causes.MixtureModel, Rule: causes.EM, Causes: 2, Passes: 2}), Options{Name: "m"}); err == nil || !strings.Contains(err.Error(), "--rule stdp") {
		t.Errorf("a mixture of rule em: %v", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a name that C has no use for is taken")
		}
	}()
	WriteLearnerC(io.Discard, &causes.OnlineRule{Causes: 1}, "", "A b")
}
