package exchange

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"bethe/rbm"
)

// benchOf is a testbench that prints the states at the end of each of so many sweeps; units where
// clamp has a 1 are held at +1.
func benchOf(m *rbm.Machine, seed uint64, sweeps int, clamp string) string {
	return fmt.Sprintf(`module bench;
    reg clock = 0, reset = 1;
    wire [%[1]d:0] visible;
    wire [%[2]d:0] hidden;
    wire swept;
    integer done = 0;
    digits_sampler #(.SEED(64'd%[3]d)) sampler(.clock(clock), .reset(reset), .run(1'b1), .clamp(%[5]d'b%[6]s), .value(~%[5]d'd0), .visible(visible), .hidden(hidden), .swept(swept));
    always #1 clock = !clock;
    initial #10 reset = 0;
    always @(posedge clock) if (swept) begin
        $display("%%b %%b", visible, hidden);
        done = done + 1;
        if (done == %[4]d) $finish;
    end
endmodule
`, m.Visible()-1, m.Hidden()-1, seed, sweeps, m.Visible(), clamp)
}

// bitsText writes bits as Verilog does, the last unit first.
func bitsText(words []uint32, count int) string {
	var b strings.Builder
	for i := count - 1; i >= 0; i-- {
		b.WriteByte('0' + byte(words[i/32]>>(i%32)&1))
	}
	return b.String()
}

// TestVerilog: in Icarus Verilog the module has the samples of the sampler, bit for bit, after each sweep.
func TestVerilog(t *testing.T) {
	if _, err := exec.LookPath("iverilog"); err != nil {
		skip(t, "iverilog")
	}
	t.Parallel()
	for name, c := range map[string]struct {
		m      *rbm.Machine
		sweeps int
	}{
		"12x8": {testMachine(12, 8, 0.3, 11), 1000}, "1x1": {testMachine(1, 1, 0.5, 1), 50}, "33x5": {testMachine(33, 5, 0.2, 3), 20},
		"5x64": {testMachine(5, 64, 0.2, 4), 20}, "strong": {testMachine(40, 40, 1e3, 7), 5},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			const seed = 1<<64 - 2
			clamp := make([]uint32, words(c.m.Visible()))
			if name == "33x5" {
				clamp[0], clamp[1] = 0x80000101, 1
			}
			var module, want strings.Builder
			if err := WriteVerilog(&module, fileOf(c.m), "digits"); err != nil {
				t.Fatal(err)
			}
			p, err := Pack(c.m)
			if err != nil {
				t.Fatal(err)
			}
			s := p.Sampler(seed)
			for range c.sweeps {
				s.DrawVisible()
				for w, held := range clamp {
					s.Visible[w] |= held
				}
				s.DrawHidden()
				fmt.Fprintf(&want, "%s %s\n", bitsText(s.Visible, c.m.Visible()), bitsText(s.Hidden, c.m.Hidden()))
			}
			source, bench, bin := filepath.Join(folder, "digits.v"), filepath.Join(folder, "bench.v"), filepath.Join(folder, "bench")
			for path, text := range map[string]string{source: module.String(), bench: benchOf(c.m, seed, c.sweeps, bitsText(clamp, c.m.Visible()))} {
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if out, err := exec.Command("iverilog", "-g2005", "-Wall", "-o", bin, bench, source).CombinedOutput(); err != nil || strings.Contains(string(out), "digits.v") {
				t.Fatalf("iverilog: %v\n%s", err, out)
			}
			out, err := exec.Command("vvp", "-n", bin).CombinedOutput()
			if got, _, _ := strings.Cut(string(out), "bench.v"); err != nil || strings.TrimSpace(got) != strings.TrimSpace(want.String()) {
				t.Fatalf("%v, states\n%.600s, not\n%.600s", err, got, want.String())
			}
		})
	}
}
