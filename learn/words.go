package learn

import (
	"fmt"
	"strings"
)

// leastRho is the rho below which the bound is loose.
const leastRho = 0.05

// Heading says what a run came to, on a line.
func (r *Result) Heading() string {
	if len(r.Stack) > 0 {
		return r.stackText()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d steps in %.1f s; %s %.3f nats per sample (%s%s); coupling %.4f", r.Steps, r.Seconds, r.BoundKind.Words(), *r.Bound, r.BoundBy, r.boundNote(), r.Coupling)
	if r.Polarised != nil {
		fmt.Fprintf(&b, "; %.0f %% of the synapses polarised", 100**r.Polarised)
	}
	fmt.Fprintf(&b, "\n")
	return b.String()
}

// boundNote returns the interval of a bound, and a warning if the bound lies above 0.
func (r *Result) boundNote() (note string) {
	if in := r.BoundInterval; in != nil {
		note = fmt.Sprintf(", %.3f to %.3f", in[0], in[1])
	}
	switch in := r.BoundInterval; {
	case r.AboveLimit && in != nil && in[0] <= 0:
		note += "; above 0, where no log-likelihood is, by its noise"
	case r.AboveLimit:
		note += "; above 0, where no log-likelihood is: it is wrong"
	}
	return note
}

// Text says what else was measured, a line or more for each thing.
func (r *Result) Text() string {
	var b strings.Builder
	if r.BoundAnnealed != nil {
		fmt.Fprintf(&b, "the quenched term is no bound; the annealed bound at the same posterior is %.3f\n", *r.BoundAnnealed)
	}
	if r.Doubt != "" {
		fmt.Fprintf(&b, "%s\n", r.Doubt)
	}
	if rho := r.SmallestRho; rho != nil {
		fmt.Fprintf(&b, "smallest rho of a Gaussian unit along the way: %.3f", *rho)
		if *rho < leastRho {
			fmt.Fprintf(&b, "; so near 0 its synapses align in the dual network and the bound is loose: lower beta or the coupling's rate")
		}
		fmt.Fprintf(&b, "\n")
	}
	if p := r.Patience; p != nil {
		fmt.Fprintf(&b, "%s\n", p.Text())
	}
	if s := r.Sampler; s != nil {
		fmt.Fprintf(&b, "%s\n", s.Text())
	}
	if v := r.Validation; v != nil {
		fmt.Fprintf(&b, "log-likelihood of %s: %.3f nats per sample\n", v.Data, float64(v.Mean()))
	}
	if r.LogLikelihood != nil {
		b.WriteString(r.LogLikelihood.Text(r.Evaluated))
	}
	if k := r.Causes; k != nil {
		fmt.Fprintf(&b, "%d causes, of which %d win fewer than %d training samples", k.Causes, k.Rare, RareWins)
		if k.Errors != nil {
			fmt.Fprintf(&b, "; the labels that they stand for are wrong for %.2f %% of %s", 100**k.Errors, r.Evaluated)
		}
		fmt.Fprintf(&b, "\n")
	}
	if r.NoSingularValues != "" {
		fmt.Fprintf(&b, "not measured: %s\n", r.NoSingularValues)
	}
	return b.String()
}
