package exchange

import (
	_ "embed"
	"fmt"
	"io"
	"strings"

	"bethe/internal/fixed"
	"bethe/rbm"
)

//go:embed source.v.tmpl
var templateVerilog string

// WriteVerilog writes a Verilog module (IEEE 1364-2005), to be synthesised or simulated, that samples
// the machine which f ships as Sampler does, to the same bits. Errors and panics are those of WriteC.
func WriteVerilog(w io.Writer, f *rbm.File, name string) error {
	text, err := fill(templateVerilog, f, name, 0, sized)
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

// sized writes a number of 64 bits in Verilog.
func sized(x int64) string {
	if x < 0 {
		return fmt.Sprintf("-64'sd%d", -x)
	}
	return fmt.Sprintf("64'sd%d", x)
}

// SizedCoupling is the coupling in Verilog.
func (s source) SizedCoupling() string { return sized(s.Coupling) }

// Words returns the number of words of both copies of the synapses.
func (s source) Words() int { return s.Visible*s.HiddenWords + s.Hidden*s.VisibleWords }

// Memories returns assignments that fill the memories of a Verilog module.
func (s source) Memories() string {
	var b strings.Builder
	k := s.machine
	at := 0
	word := func(name string, x uint32) {
		fmt.Fprintf(&b, "        %s[%d] = 32'h%08x;\n", name, at, x)
		at++
	}
	for i := range k.visible {
		for v := range s.HiddenWords {
			column := uint32(0)
			for l := range min(32, k.hidden-32*v) {
				column |= k.row(32*v + l)[i/32] >> (i % 32) & 1 << l
			}
			word("synapses", column)
		}
	}
	for _, x := range k.synapses {
		word("synapses", x)
	}
	at = 0
	for _, fields := range [][]int64{k.visibleField, k.hiddenField} {
		for _, x := range fields {
			fmt.Fprintf(&b, "        fields[%d] = %s;\n", at, sized(x))
			at++
		}
	}
	at = 0
	for _, x := range fixed.Sigmoid {
		word("sigmoid", x)
	}
	return b.String()
}
