package evaluate

import (
	"fmt"
	"strings"
)

// NoDisagreement are the words of a good verdict.
const NoDisagreement = "no disagreement seen; a state that no chain met remains possible"

// Text reports the likelihood of the named data, in lines.
func (l *LogLikelihood) Text(data string) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	if l.Exact {
		word := "exact"
		if t := l.DataTerms; t != nil && !t.Exact {
			word = "a lower bound, with ln Z exact"
		} else if l.Known != nil {
			word = "with ln Z exact"
		}
		line("log-likelihood of %s: %.3f nats per sample, %s; ± %.3f from the finite number of samples", data, l.Mean, word, l.SampleError)
		l.termsText(line)
		if l.Known != nil {
			l.Known.text(line)
		}
		return b.String()
	}
	line("log-likelihood of %s, nats per sample (95 %% interval; ± %.3f from the finite number of samples is not in it):", data, l.SampleError)
	row := func(name string, value *float64, in *Interval, more string) {
		line("  %-8s  %.3f  (%.3f to %.3f)  %s", name, *value, in[0], in[1], more)
	}
	row("forward", l.ForwardAIS, l.ForwardInterval, fmt.Sprintf("tends to be too large; spread %.2f, effective chains %.1f", l.Spread, l.Effective))
	row("reverse", l.ReverseAIS, l.ReverseInterval, fmt.Sprintf("tends to be too small in equilibrium; spread %.2f, effective chains %.1f", l.ReverseSpread, l.ReverseEffective))
	raise := "from data: a bound for annealing as a model, not for the machine"
	if l.RAISEWithdrawn {
		raise = "withdrawn: it lies above reverse and tempered, so it bounds nothing here"
	}
	row("raise", l.RAISE, l.RAISEInterval, raise)
	row("bar", l.BAR, l.BARInterval, "where the works of both directions cross: the best, if the starts are in equilibrium")
	row("tempered", l.Tempered, l.TemperedInterval, "by exchanges, on neither side")
	l.termsText(line)
	if l.Known != nil {
		l.Known.text(line)
	}
	q := l.Equilibrium
	if c := l.leastCeiling(); l.ceilingBinds() {
		line("  WRONG, all of them: a single state weighs so much that the likelihood is at most %.3f", c)
	}
	if q.Reached {
		line("  %s", NoDisagreement)
	} else {
		line("  NOT to be relied on:")
		for _, r := range q.Reasons {
			line("    %s (%s)", r.Says, r.Remedy)
		}
	}
	if n := q.Apart.Light; n > 0 {
		line("  %d of %d ensembles are in states that together weigh little: reverse and tempered are by the others", n, q.Ensembles)
	}
	if s := q.Search; s != nil && s.Remembered > 0 {
		line("  %d of %d starts of the search are states that were met in learning or given", s.Remembered, s.Starts)
	}
	line("  started at data minus started far from data %.3f ± %.3f; %.1f round trips an ensemble,\n"+
		"  exchange rates from %.2f, autocorrelation %.1f sweeps of %d; no ensemble alone is more than %.1f nats of ln Z above all",
		q.StartDifferenceKept, q.StartDifferenceKeptError, q.RoundTrips, q.LeastExchange, q.Autocorrelation, q.Sweeps, max(0, q.Apart.Excess))
	return b.String()
}

// termsText tells what other estimates of the data term of a deep machine or a stack would make of the
// likelihood.
func (l *LogLikelihood) termsText(line func(format string, args ...any)) {
	t := l.DataTerms
	if t == nil || t.Exact {
		return
	}
	const normal = 1.96 // standard errors
	by := "mean field over the upper layers"
	if t.Runs == 0 { // a stack
		by = "draws from each layer to the one above"
	}
	line("  all of this with a lower bound on the weight of each sample, by %s (± %.3f); the weight is more by", by, normal*t.BoundError)
	line("    importance weighting, %d draws     %+.3f  ± %.3f", t.Draws, t.Importance-t.Bound, normal*t.ImportanceError)
	if t.Runs == 0 {
		return
	}
	line("    annealing with the sample held    %+.3f  ± %.3f", t.Clamped-t.Bound, normal*t.ClampedError)
	if d := t.Drawn; d != nil {
		line("    on %d samples drawn from the machine: importance %+.3f ± %.3f, the sample held %+.3f ± %.3f and in reverse %+.3f ± %.3f; the truth is between the last two", d.Samples,
			d.Importance-d.Bound, normal*d.ImportanceError, d.Clamped-d.Bound, normal*d.ClampedError, d.Reverse-d.Bound, normal*d.ReverseError)
	}
}

// Text says it for a person, beside the log-likelihood of the saved machine.
func (u *Uncertainty) Text(saved float64) string {
	return fmt.Sprintf("uncertainty of the synapses, in nats per sample:\n"+
		"  machines drawn from the posterior  %.3f, spread %.3f (%d draws)\n"+
		"  the machine that is saved          %.3f\n"+
		"  the most probable synapses         %.3f\n", u.Mean, u.Spread, u.Draws, saved, u.Signs)
}
