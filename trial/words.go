package trial

import (
	"fmt"
	"strings"
)

// counted returns a number of things, such as "1 instance" or "3 instances".
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// spread tells the spread over n instances; one has none.
func spread(n int, x float64) string {
	if n == 1 {
		return ""
	}
	return fmt.Sprintf(", spread %.3f", x)
}

// Text says it for a person.
func (r *Report) Text() string {
	var b strings.Builder
	s := &r.Summary
	fmt.Fprintf(&b, "N = %d, P = %d, alpha = %g, beta = %g, q = %g: %s of %d samples, %s moments\n",
		r.Visible, r.Hidden, r.Alpha, r.Beta, r.Correlation, counted(len(r.Overlaps), "instance"), r.Samples, r.Engine)
	fmt.Fprintf(&b, "  overlap         %.3f%s (of the start with the best bound alone: %.3f)\n", s.Overlap, spread(len(r.Overlaps), s.OverlapSpread), s.OverlapBestStart)
	if r.Bayes != nil {
		fmt.Fprintf(&b, "  Bayes-optimal   %.3f%s (started at random: %.3f)\n", s.Bayes, spread(len(r.Overlaps), s.BayesSpread), s.BayesRandomStart)
	}
	if r.BayesError != nil {
		fmt.Fprintf(&b, "  difference      %+.3f, standard error %.3f\n", s.Overlap-s.Bayes, s.BayesError)
	}
	fmt.Fprintf(&b, "  bound           %.4f nats per sample\n", s.Bound)
	if r.BoundAnnealed != nil {
		fmt.Fprintf(&b, "  the quenched term is no bound; the annealed bound at the same posteriors is %.4f\n", s.BoundAnnealed)
	}
	fmt.Fprintf(&b, "  learning took   %.2f s\n", r.SecondsLearning)
	return b.String()
}

// Text says it for a person: a line for each set.
func (r *TasksReport) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "N = %d, P = %d, alpha = %g per set, beta = %g, consecutive teachers correlated by %g, posterior times %g as the next prior: %s\n",
		r.Visible, r.Hidden, r.Alpha, r.Beta, r.Correlation, r.Strength, counted(r.Instances, "sequence"))
	fmt.Fprintf(&b, "            with prior                    without\n  set     new     old   first        new     old   first\n")
	for _, m := range r.Tasks {
		if m.Old == nil {
			fmt.Fprintf(&b, "%5d   %.3f       -   %.3f      %.3f       -   %.3f\n", m.Task, m.New, m.First, m.NewWithout, m.FirstWithout)
			continue
		}
		fmt.Fprintf(&b, "%5d   %.3f   %.3f   %.3f      %.3f   %.3f   %.3f\n", m.Task, m.New, *m.Old, m.First, m.NewWithout, *m.OldWithout, m.FirstWithout)
	}
	if r.Forgetting != nil {
		fmt.Fprintf(&b, "  forgetting      %.3f with prior, %.3f fine-tuned from the set before, %.3f without either\n", *r.Forgetting, *r.ForgettingTuned, *r.ForgettingWithout)
	}
	return b.String()
}

// Text says it for a person.
func (r *UnitsReport) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "N = %d %s units, P = %d %s units, alpha = %g, beta = %g: %s of %d samples%s\n", r.Visible, r.Units, r.Hidden, r.HiddenUnits, r.Alpha, r.Beta, counted(len(r.Overlaps), "instance"), r.Samples, r.holes())
	fmt.Fprintf(&b, "  overlap         %.3f (of the start with the best bound alone: %.3f)\n  real weights    %.3f\n  bound           %.4f nats per sample\n", r.Overlap, r.OverlapBest, r.OverlapReal, r.Bound)
	return b.String()
}

// holes tells how many values are missing.
func (r *UnitsReport) holes() string {
	if r.Missing == 0 {
		return ""
	}
	return fmt.Sprintf(", %g %% of their values missing", 100*r.Missing)
}

// Heading is what stands above the lines of densities.
func (r *MessagesReport) Heading(f *Messages) string {
	var b strings.Builder
	fmt.Fprintf(&b, "N = %d, P = %d, beta = %g, q = %g: %s each; transition at alpha = %.3g\n",
		r.Visible, r.Hidden, r.Beta, r.Correlation, counted(f.Instances, "instance"), r.Transition)
	fmt.Fprintf(&b, "%6s %8s %8s %8s %8s %10s %8s %7s", "alpha", "overlap", "spread", "N=inf", "entropy", "iterations", "settled", "growth")
	if f.Oracle {
		fmt.Fprintf(&b, " %8s %8s", "Bayes", "means by")
	}
	fmt.Fprintf(&b, "\n")
	return b.String()
}

// Text is the line of a density.
func (p *MessagePoint) Text(instances int) string {
	large := "-"
	if p.OverlapLarge != nil {
		large = fmt.Sprintf("%.3f", *p.OverlapLarge)
	}
	text := fmt.Sprintf("%6g %8.3f %8.3f %8s %8.3f %10.0f %5d/%d %8.3f", p.Alpha, p.Overlap, p.Spread, large, p.Entropy, p.Iterations, p.Settled, instances, p.Growth)
	if p.Bayes != nil {
		text += fmt.Sprintf(" %8.3f %8.3f", *p.Bayes, *p.MarginalBy)
	}
	return text + "\n"
}
