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
	fmt.Fprintf(b, "# vartype=SPIN\n# spins 0 to %d are visible, %d to %d hidden; temperature 1\n# constant %s\n", n-1, n, n+p-1, decimal(-net.Constant))
	if m.Deep() {
		f := m.Layers()
		for l := range f {
			at := f.Place(l)
			fmt.Fprintf(b, "# layer %d: spins %d to %d\n", l, at.From+l%2*n, at.To+l%2*n-1)
		}
	}
	linear := make([]float64, 0, n+p)
	for _, list := range [][]float64{net.VisibleField, net.HiddenField} {
		for _, v := range list {
			linear = append(linear, -v)
		}
	}
	quadratic := make([]float64, len(net.Coupling))
	for k, v := range net.Coupling {
		quadratic[k] = -v
	}
	WriteCOO(b, n, linear, quadratic)
	return b.Flush()
}

// WriteCOO writes the lines of an Ising problem in COO text: "u u bias" for each spin of linear, the visible
// ones first, then "u v bias" for each pair of a visible and a hidden spin; quadratic is hidden x visible.
// Errors are those that b keeps.
func WriteCOO(b *bufio.Writer, visible int, linear, quadratic []float64) {
	for u, v := range linear {
		fmt.Fprintf(b, "%d %d %s\n", u, u, decimal(v))
	}
	for i := range visible {
		for mu := range len(linear) - visible {
			fmt.Fprintf(b, "%d %d %s\n", i, visible+mu, decimal(quadratic[mu*visible+i]))
		}
	}
}

// decimal writes a number in full, without an exponent.
func decimal(v float64) string {
	if v == 0 {
		return "0" // and not -0
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}
