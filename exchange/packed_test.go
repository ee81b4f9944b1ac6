package exchange

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"bethe/rbm"
	"bethe/spin"
)

// The sampler's visible states have the machine's distribution: chi-square
// over all states, and over the hidden ones given them. A false alarm comes once
// in a thousand seeds each.
func TestSamplerIsExact(t *testing.T) {
	if testing.Short() {
		t.Skip("statistics over many draws: they run without the race detector")
	}
	const chains, sweeps = 20000, 60
	for _, m := range []*rbm.Machine{testMachine(5, 3, 0.3, 2), testMachine(2, 6, 0.4, 3), testMachine(1, 1, 0.5, 4)} {
		n := m.Visible()
		p, err := Pack(m)
		if err != nil {
			t.Fatal(err)
		}
		s, err := p.Sample(t.Context(), chains, sweeps, 5, nil)
		if err != nil {
			t.Fatal(err)
		}
		count := make([]float64, 1<<n)
		for a := range chains {
			k := 0
			for i := range n {
				k |= int(s.At(i, a)+1) / 2 << i
			}
			count[k]++
		}
		free, sum := m.FreeEnergy(states(n)), 0.0
		for _, f := range free {
			sum += math.Exp(-f)
		}
		chi2 := 0.0
		for k, f := range free {
			want := chains * math.Exp(-f) / sum
			if want < 5 {
				t.Fatalf("state %d is too rare to be tested: %v", k, want)
			}
			chi2 += (count[k] - want) * (count[k] - want) / want
		}
		if alarm := (distuv.ChiSquared{K: float64(len(free) - 1)}).Quantile(0.999); chi2 > alarm {
			t.Errorf("%d x %d: chi-square %v is beyond %v", n, m.Hidden(), chi2, alarm)
		}
	}
}

// Conditionals of units in several words are those of the machine.
func TestSamplerConditionals(t *testing.T) {
	const draws = 4000
	m := testMachine(70, 45, 0.05, 9)
	p, err := Pack(m)
	if err != nil {
		t.Fatal(err)
	}
	s := p.Sampler(1)
	hidden, visible := append([]uint32(nil), s.Hidden...), make([]uint32, len(s.Visible))
	h := spin.New(45, 1)
	for mu := range 45 {
		h.Set(mu, 0, int8(hidden[mu/32]>>(mu%32)&1))
	}
	count := make([]float64, 70)
	for range draws {
		copy(s.Hidden, hidden)
		s.DrawVisible()
		for i := range count {
			count[i] += float64(s.Visible[i/32] >> (i % 32) & 1)
		}
	}
	chi2 := 0.0
	for i, mean := range m.VisibleMeans(h) {
		up := (1 + mean) / 2
		chi2 += math.Pow(count[i]-draws*up, 2) / (draws * up * (1 - up))
	}
	alarm := distuv.ChiSquared{K: 70}.Quantile(0.999)
	if chi2 > alarm {
		t.Errorf("visible units: chi-square %v is beyond %v", chi2, alarm)
	}
	copy(visible, s.Visible)
	v := spin.New(70, 1)
	for i := range 70 {
		v.Set(i, 0, int8(visible[i/32]>>(i%32)&1))
	}
	count, chi2 = make([]float64, 45), 0
	for range draws {
		s.DrawHidden()
		for mu := range count {
			count[mu] += float64(s.Hidden[mu/32] >> (mu % 32) & 1)
		}
	}
	for mu, mean := range m.HiddenMeans(v) {
		up := (1 + mean) / 2
		chi2 += math.Pow(count[mu]-draws*up, 2) / (draws * up * (1 - up))
	}
	if alarm := (distuv.ChiSquared{K: 45}).Quantile(0.999); chi2 > alarm {
		t.Errorf("hidden units: chi-square %v is beyond %v", chi2, alarm)
	}
	if v := s.Visible[2]>>(70-64) | s.Hidden[1]>>(45-32); v != 0 {
		t.Errorf("bits beyond the units: %x", v)
	}
}

// shapes are machines whose layers fill words, or not, and extremes of coupling.
func shapes() map[string]*rbm.Machine {
	return map[string]*rbm.Machine{
		"1x1": testMachine(1, 1, 0.5, 1), "32x32": testMachine(32, 32, 0.1, 2), "33x5": testMachine(33, 5, 0.2, 3), "5x33": testMachine(5, 33, 0.2, 4),
		"784x100": testMachine(784, 100, 0.05, 5), "weak": testMachine(40, 40, 1e-6, 6), "strong": testMachine(40, 40, 1e3, 7),
	}
}

// words32 are the samples of some chains as the programs of the tests print them.
func words32(t *testing.T, m *rbm.Machine, chains, sweeps int) string {
	t.Helper()
	p, err := Pack(m)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for c := range chains {
		s := p.Sampler(math.MaxUint64 - 1 + uint64(c))
		for range sweeps {
			s.Sweep()
		}
		for _, w := range append(s.Visible, s.Hidden...) {
			fmt.Fprintf(&b, "%08x ", w)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// sizeText is a size as the programs of the tests print it.
func sizeText(s Size, err error) string {
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%d %d\n", s.Constants, s.Chain)
}

// A compiled header has the samples of the sampler, bit for bit, with the
// processor's popcount and without, and the size that is told of it.
func TestSourceC(t *testing.T) {
	if _, err := exec.LookPath("gcc"); err != nil {
		skip(t, "gcc")
	}
	const program = `#include <stdio.h>
#ifdef PLAIN
#undef __GNUC__
#endif
#include "machine.h"
int main(void) {
	int c, k;
	for (c = 0; c < 4; c++) {
		digits_chain chain;
		digits_start(&chain, UINT64_MAX - 1 + c);
		for (k = 0; k < 50; k++) digits_sweep(&chain);
		for (k = 0; k < DIGITS_VISIBLE_WORDS; k++) printf("%08x ", (unsigned)chain.visible[k]);
		for (k = 0; k < DIGITS_HIDDEN_WORDS; k++) printf("%08x ", (unsigned)chain.hidden[k]);
		printf("\n");
	}
	printf("%d %d\n", (int)(sizeof digits_synapses + sizeof digits_visible_field + sizeof digits_hidden_field + sizeof digits_sigmoid), (int)sizeof(digits_chain));
	return digits_at(chain_bits, 33) != 1;
}
`
	for name, m := range shapes() {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Dir(write(t, "x", func(io.Writer) error { return nil }))
			var header strings.Builder
			if err := WriteC(&header, fileOf(m), "digits"); err != nil {
				t.Fatal(err)
			}
			text := "#include <stdint.h>\nstatic const uint32_t chain_bits[2] = {0, 2};\n" + program
			for file, content := range map[string]string{"machine.h": header.String(), "main.c": text} {
				if err := os.WriteFile(filepath.Join(folder, file), []byte(content), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want := words32(t, m, 4, 50) + sizeText(SourceSize(m))
			builds := [][]string{{"-std=c99", "-O1"}}
			if name == "33x5" || name == "strong" {
				builds = append(builds, []string{"-std=c99", "-DPLAIN", "-fsanitize=undefined", "-fno-sanitize-recover"}, []string{"-x", "c++"})
			}
			for _, flags := range builds {
				bin := filepath.Join(folder, "main")
				build := exec.Command("gcc", append(flags, "-Wall", "-Wextra", "-Werror", "-pedantic", "-o", bin, filepath.Join(folder, "main.c"))...)
				if out, err := build.CombinedOutput(); err != nil {
					t.Fatalf("gcc %v: %v\n%s", flags, err, out)
				}
				out, err := exec.Command(bin).CombinedOutput()
				if err != nil || string(out) != want {
					t.Fatalf("gcc %v: %v, samples\n%s, not\n%s", flags, err, out, want)
				}
			}
		})
	}
}

// A compiled Go source has the same samples.
func TestSourceGo(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		skip(t, "the go command")
	}
	folder := filepath.Dir(write(t, "x", func(io.Writer) error { return nil }))
	var main, want strings.Builder
	main.WriteString("package main\n\nimport (\n\t\"fmt\"\n")
	body := ""
	for name, m := range shapes() {
		pkg := "m" + name
		dir := filepath.Join(folder, pkg)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		if err := WriteGo(&text, fileOf(m), pkg); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "machine.go"), []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&main, "\t%q\n", "samples/"+pkg)
		body += fmt.Sprintf(`	for c := range uint64(4) {
		chain := %s.Start(1<<64 - 2 + c)
		for range 50 {
			chain.Sweep()
		}
		for _, w := range append(chain.Visible[:], chain.Hidden[:]...) {
			fmt.Printf("%%08x ", w)
		}
		fmt.Println()
	}
`, pkg)
		want.WriteString(words32(t, m, 4, 50))
	}
	main.WriteString(")\n\nfunc main() {\n" + strings.ReplaceAll(body, "1<<64 - 2 + c", "c - 2") + "}\n")
	for file, content := range map[string]string{"main.go": main.String(), "go.mod": "module samples\n\ngo 1.22\n"} {
		if err := os.WriteFile(filepath.Join(folder, file), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	vet := exec.Command("go", "vet", "./...")
	run := exec.Command("go", "run", ".")
	vet.Dir, run.Dir = folder, folder
	if out, err := vet.CombinedOutput(); err != nil {
		t.Fatalf("go vet: %v\n%s", err, out)
	}
	if out, err := run.CombinedOutput(); err != nil || string(out) != want.String() {
		t.Fatalf("go run: %v, samples\n%s, not\n%s", err, out, want.String())
	}
}

func TestPackErrors(t *testing.T) {
	if _, err := Pack(realMachine(2, 2, 1)); !errors.Is(err, ErrReal) {
		t.Error(err)
	}
	if err := WriteC(io.Discard, fileOf(realMachine(2, 2, 1)), "m"); !errors.Is(err, ErrReal) {
		t.Error(err)
	}
	if err := WriteGo(io.Discard, fileOf(realMachine(2, 2, 1)), "m"); !errors.Is(err, ErrReal) {
		t.Error(err)
	}
	strong := testMachine(2, 2, 1, 1)
	strong.HiddenField[1] = 1e300
	if _, err := Pack(strong); err == nil || !strings.Contains(err.Error(), "too strong") {
		t.Error(err)
	}
	for _, name := range []string{"", "Model", "2", "a-b", "func", "main", "bits", "a b", strings.Repeat("a", 32), "é"} {
		if CheckName(name) == nil {
			t.Errorf("the name %q is taken", name)
		}
	}
	p, err := Pack(testMachine(2, 2, 1, 1))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Sample(ctx, 1, 1, 1, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func BenchmarkSweep(b *testing.B) {
	p, err := Pack(testMachine(784, 500, 0.05, 1))
	if err != nil {
		b.Fatal(err)
	}
	s := p.Sampler(1)
	for b.Loop() {
		s.Sweep()
	}
}
