package main

import (
	"fmt"
	"io"
	"math"
	"slices"

	"bethe/evaluate"
)

// fine is the largest error, in nats, of each estimate of a sound machine.
const fine = 0.5

// wrong is an error in nats. An estimate with a larger one and a good verdict is silently wrong.
const wrong = 1

func tell(w io.Writer, records []*record, list bool) {
	type tally struct{ machines, within, doubted, sound, alarms, silent, told int }
	var names []string
	by := map[string]*tally{}
	all := &tally{}
	var good []*record
	for _, r := range records {
		t, ok := by[r.Family]
		if !ok {
			t = &tally{}
			by[r.Family] = t
			names = append(names, r.Family)
		}
		l := &r.Estimate
		off := max(math.Abs(l.Mean-r.Exact), math.Abs(l.Best-r.Exact)) > wrong
		sound := max(math.Abs(*l.ForwardAIS-r.Exact), math.Abs(*l.ReverseAIS-r.Exact), math.Abs(*l.Tempered-r.Exact), math.Abs(*l.BAR-r.Exact)) <= fine
		for _, t := range []*tally{t, all} {
			if t == all && r.Hole {
				continue
			}
			t.machines++
			switch reached := l.Equilibrium.Reached; {
			case off && reached:
				t.silent++
			case off:
				t.told++
			default:
				t.within++
				if !reached {
					t.doubted++
				}
			}
			if sound {
				t.sound++
				if !l.Equilibrium.Reached {
					t.alarms++
				}
			}
		}
		if l.Equilibrium.Reached && !r.Hole {
			good = append(good, r)
		}
		if list {
			q := l.Equilibrium
			fmt.Fprintf(w, "%-22s %-46s exact %9.3f fwd %+8.3f rev %+8.3f temp %+8.3f raise %+8.3f ceil %+8.2f | reached %-5v apart %d %.2f light %d unm %d search %.2f starts %.3f±%.3f kept %.3f±%.3f w %.3f trips %.1f tau %.0f eff %.1f %.1f",
				r.Family, r.Name, r.Exact, *l.ForwardAIS-r.Exact, *l.ReverseAIS-r.Exact, *l.Tempered-r.Exact, *l.RAISE-r.Exact, *l.Ceiling-r.Exact, q.Reached,
				q.Apart.Ensembles, q.Apart.Excess, q.Apart.Light, q.Apart.Unmeasured, searchOf(q).Excess, q.StartDifference, q.StartDifferenceError,
				q.StartDifferenceKept, q.StartDifferenceKeptError, q.StartDifferenceWeighed, q.RoundTrips, r.Evidence.Autocorrelation, l.Effective, l.ReverseEffective)
			for _, f := range q.Apart.Found[:min(4, len(q.Apart.Found))] {
				fmt.Fprintf(w, " [%d+%d share %.2f excess %.2f]", f.Ensembles, f.Searched, f.Share, f.Excess)
			}
			for _, d := range q.Reasons {
				fmt.Fprintf(w, " %s", d.Doubt)
			}
			if off && q.Reached {
				fmt.Fprint(w, " SILENT")
			} else if sound && !q.Reached {
				fmt.Fprint(w, " ALARM")
			}
			fmt.Fprintln(w)
		}
	}
	fmt.Fprintln(w, "| family | machines | off by more than a nat, told | and silent | within a nat | doubted | all estimates within half a nat | doubted |\n|---|---|---|---|---|---|---|---|")
	row := func(name string, t *tally) {
		fmt.Fprintf(w, "| %s | %d | %d | %d | %d | %d | %d | %d |\n", name, t.machines, t.told, t.silent, t.within, t.doubted, t.sound, t.alarms)
	}
	for _, name := range names {
		row(name, by[name])
	}
	row("all but golf holes", all)
	fmt.Fprintf(w, "\n| 95 %% interval of | holds the truth, of %d whose verdict is good | | median width, nats |\n|---|---|---|---|\n", len(good))
	for _, c := range []struct {
		name     string
		interval func(l *evaluate.LogLikelihood) *evaluate.Interval
	}{
		{"forward", func(l *evaluate.LogLikelihood) *evaluate.Interval { return l.ForwardInterval }},
		{"reverse", func(l *evaluate.LogLikelihood) *evaluate.Interval { return l.ReverseInterval }},
		{"bar", func(l *evaluate.LogLikelihood) *evaluate.Interval { return l.BARInterval }},
		{"tempered", func(l *evaluate.LogLikelihood) *evaluate.Interval { return l.TemperedInterval }},
	} {
		held := 0
		var widths []float64
		for _, r := range good {
			in := c.interval(&r.Estimate)
			widths = append(widths, in[1]-in[0])
			if in[0] <= r.Exact && r.Exact <= in[1] {
				held++
			} else if list {
				fmt.Fprintf(w, "missed: %s by %+.4f or %+.4f: %s %s\n", c.name, in[0]-r.Exact, in[1]-r.Exact, r.Family, r.Name)
			}
		}
		if len(good) > 0 {
			fmt.Fprintf(w, "| %s | %d | %.1f %% | %.3f |\n", c.name, held, 100*float64(held)/float64(len(good)), median(widths))
		}
	}
}

func searchOf(q *evaluate.Equilibrium) evaluate.Search {
	if q.Search == nil {
		return evaluate.Search{}
	}
	return *q.Search
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return x[len(x)/2]
}
