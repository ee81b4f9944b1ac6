package paper

import (
	"fmt"
	"strings"

	"bethe/trial"
)

// Text returns the printed lines of the k-th point, from 0.
func (p *AlphaPoint) Text(k int) string {
	var b strings.Builder
	if k == 0 {
		fmt.Fprintf(&b, "%-16s %5s %16s %16s %16s %16s %9s\n", "", "alpha", "ours", "paper's rule", "Bayes optimum", "ours - Bayes", "published")
	}
	s, q := &p.Ours, &p.Paper
	fmt.Fprintf(&b, "%-16s %5g %8.3f ±%.3f %9.3f ±%.3f %9.3f ±%.3f %+9.3f ±%.3f %9.2f\n", p.Case.Name, p.Alpha, s.Overlap, s.OverlapSpread, q.Overlap, q.OverlapSpread, s.Bayes, s.BayesSpread, s.Overlap-s.Bayes, s.BayesError, p.Published)
	return b.String()
}

// Text returns the printed lines of the k-th point, from 0.
func (p *OverlapPoint) Text(_ int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-16s one start %.3f, pooled and polished %.3f, paper's rule %.3f, Bayes optimum %.3f\n", p.Name,
		End(p.Ours).Overlap, p.Pooled, End(p.Paper).Overlap, p.Bayes)
	return b.String()
}

// Text returns the printed lines of the k-th point, from 0.
func (p *DigitsPoint) Text(_ int) string {
	var b strings.Builder
	m := float64(p.Samples)
	print := func(rule string, t *trial.Trace) {
		end := End(t)
		fmt.Fprintf(&b, "%s, %-12s bound %.6g nats (annealed %.6g), divergence %.4g nats, %.0f %% polarised\n", p.Name, rule, m*end.Bound(), m*t.BoundAnnealed, m*end.KL, 100*end.Polarised)
	}
	print("ours", p.Ours)
	print("paper's rule", p.Paper)
	return b.String()
}
