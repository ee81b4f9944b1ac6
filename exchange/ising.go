package exchange

import (
	"bufio"
	"fmt"
	"io"
	"strconv"

	"bethe/rbm"
)

// WriteIsing writes the machine as an Ising problem in the COO text of dimod,
// which minimises E = sum a_u x_u + sum B_uv x_u x_v: the spins x are the visible
// units, then the hidden ones, counted from 0, and a and B are minus our fields
// and couplings, so that the machine is the Boltzmann distribution of E at
// temperature 1. A line "u u bias" is a linear bias, "u v bias" a quadratic one;
// zeros are written, so that every spin is known. Numbers have as many
// decimals as they need to be read back as the same float64, and never an
// exponent: dimod's reader skips lines that have one. The constant of
// E, which the format has no place for, is in a comment. Errors are numbers that
// are not finite and those of w.
func WriteIsing(w io.Writer, m *rbm.Machine) error {
	net := rbm.NetworkOf[float64](m)
	if err := finite(map[string][]float64{"visible": net.VisibleField, "hidden": net.HiddenField, "coupling": net.Coupling, "constant": {net.Constant}}); err != nil {
		return err
	}
	n, p := net.Visible(), net.Hidden()
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "# vartype=SPIN\n# spins 0 to %d are visible, %d to %d hidden; temperature 1\n# constant %s\n", n-1, n, n+p-1, fixed(-net.Constant))
	if m.Deep() {
		f := m.Layers()
		for l := range f {
			at := f.Place(l)
			fmt.Fprintf(b, "# layer %d: spins %d to %d\n", l, at.From+l%2*n, at.To+l%2*n-1)
		}
	}
	for i, v := range net.VisibleField {
		fmt.Fprintf(b, "%d %d %s\n", i, i, fixed(-v))
	}
	for mu, v := range net.HiddenField {
		fmt.Fprintf(b, "%d %d %s\n", n+mu, n+mu, fixed(-v))
	}
	for i := range n {
		for mu := range p {
			if !m.Joined(i, mu) {
				continue
			}
			fmt.Fprintf(b, "%d %d %s\n", i, n+mu, fixed(-net.Coupling[mu*n+i]))
		}
	}
	return b.Flush()
}

// fixed writes a number in full, without an exponent.
func fixed(v float64) string {
	if v == 0 {
		return "0" // and not -0
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}
