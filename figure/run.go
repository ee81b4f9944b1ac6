package figure

import (
	"fmt"
	"image"
	"math"
	"slices"

	"bethe/anatomy"
	"bethe/rbm"
	"bethe/runs"
)

// A Run is what curves are drawn of.
type Run struct {
	Name    string
	Info    runs.Info
	Records []runs.Record
}

// RunCurves are the names of the curves that RunCurve draws.
var RunCurves = []string{"bound", "terms", "data-term", "partition-term", "kl", "polarised", "coupling", "rate", "label-error", "validation", "online", "ln-z", "work", "overlap", "residual", "iterations", "teacher"}

// RunCurve draws how runs learned: of one run all that belongs to the curve,
// with every random start by itself; of several runs the chief quantity of
// each, over each other. It returns nil where nothing was measured.
//
// The curves are: bound (with the estimates of the log-likelihood), data-term and
// partition-term (of the bound), terms (both, with the bound and the divergence),
// kl (a synapse), polarised (share of synapses), coupling, rate, validation (the
// log-likelihood of data that are not learned from), online and ln-z (what the meter
// read), work (of learning on its chains), overlap (of hidden units), residual and iterations (of message passing or mean field) and
// teacher (planted: overlap with the teacher).
func RunCurve(name string, of ...Run) Chart {
	starts := split(of)
	switch name {
	case "bound":
		return boundCurve(starts)
	case "terms":
		p := &Panels{Title: "Terms of the bound", Columns: 2}
		for _, part := range []string{"bound-term", "data-term", "partition-term", "kl-term"} {
			c := plainCurves[part].of(starts)
			if c == nil {
				return nil
			}
			p.Charts = append(p.Charts, c)
		}
		return p
	case "online":
		return onlineCurve(starts)
	case "ln-z":
		return lnZCurve(starts)
	case "work":
		return workCurve(starts)
	case "overlap":
		return overlapCurve(starts)
	case "teacher":
		return teacherCurve(starts)
	}
	c, ok := plainCurves[name]
	if !ok {
		panic(fmt.Sprintf("figure: no curve is called %q", name))
	}
	return c.of(starts)
}

var step = Axis{Label: "step", Whole: true}

// A plainCurve is one number of each record; NaN where it was not measured.
type plainCurve struct {
	title  string
	colour int
	y      Axis
	value  func(r *runs.Record) runs.Number
}

var nan = runs.Number(math.NaN())

var plainCurves = map[string]plainCurve{
	"bound-term":     {"Bound", Chief, nats("bound"), ofBound(func(b *runs.Bound) runs.Number { return b.Value })},
	"data-term":      {"Data term of the bound", Chief, nats("data term"), ofBound(func(b *runs.Bound) runs.Number { return b.Data })},
	"partition-term": {"Partition term of the bound", Chief, nats("partition term"), ofBound(func(b *runs.Bound) runs.Number { return b.Partition })},
	"kl-term":        {"Divergence term of the bound", Chief, nats("divergence"), ofBound(func(b *runs.Bound) runs.Number { return b.KL })},
	"kl":             {"Divergence of the posterior from the prior", Chief, Axis{Label: "KL per synapse", Unit: "nats"}, func(r *runs.Record) runs.Number { return r.KL }},
	"polarised":      {"Decided synapses", Chief, Axis{Label: "share with |mean| > 0.9", Min: 0, Max: 1}, func(r *runs.Record) runs.Number { return r.Polarised }},
	"coupling":       {"Coupling", Chief, Axis{Label: "coupling J"}, func(r *runs.Record) runs.Number { return r.Coupling }},
	"rate":           {"Learning rate", Chief, Axis{Label: "rate"}, func(r *runs.Record) runs.Number { return r.Rate }},
	"label-error": {"Labels told wrong in a batch", Chief, Axis{Label: "share of wrong labels", Log: true}, func(r *runs.Record) runs.Number {
		if r.Labels == nil || r.Labels.Error <= 0 {
			return nan
		}
		return r.Labels.Error
	}},
	"validation": {"Log-likelihood of data not learned from", HeldOut, nats("log-likelihood"), func(r *runs.Record) runs.Number {
		if r.Validation == nil {
			return nan
		}
		return r.Validation.Mean()
	}},
	"residual": {"Residual of the expectation step", Chief, Axis{Label: "largest change of a message", Log: true}, func(r *runs.Record) runs.Number {
		if r.Engine == nil || r.Engine.Residual <= 0 {
			return nan
		}
		return r.Engine.Residual
	}},
	"iterations": {"Iterations of the expectation step", Chief, Axis{Label: "iterations a step", Whole: true}, func(r *runs.Record) runs.Number {
		if r.Engine == nil || r.Engine.Iterations == 0 || r.Engine.Name == "chains" { // always as many sweeps
			return nan
		}
		return runs.Number(r.Engine.Iterations)
	}},
}

func nats(label string) Axis { return Axis{Label: label, Unit: "nats per sample"} }

func ofBound(value func(b *runs.Bound) runs.Number) func(r *runs.Record) runs.Number {
	return func(r *runs.Record) runs.Number {
		if r.Bound == nil {
			return nan
		}
		return value(r.Bound)
	}
}

func (c plainCurve) of(starts []Run) Chart {
	f := &Curves{Title: c.title, X: step, Y: c.y}
	for k, run := range starts {
		s := series(run.Records, func(r *runs.Record) float64 { return float64(c.value(r)) })
		if s.Colour = c.colour; len(starts) > 1 {
			s.Name, s.Colour = run.Name, k+1
		}
		f.add(s)
	}
	return f.orNil()
}

// HasCurve reports whether a record has what a curve is drawn of.
func HasCurve(name string, r *runs.Record) bool {
	switch name {
	case "bound":
		return r.Bound != nil || r.LogLikelihood != nil
	case "terms":
		return r.Bound != nil
	case "online", "ln-z":
		return r.Meter != nil
	case "work":
		return r.Work != nil
	case "overlap":
		return r.Overlap != nil
	case "teacher":
		return len(r.TeacherOverlaps) > 0
	case "magnetisations", "magnetisation-history":
		return len(r.Magnetisations) > 0
	case "spectrum":
		return len(r.SingularValues) > 0
	}
	return !math.IsNaN(float64(plainCurves[name].value(r)))
}

// side puts charts that there are beside each other.
func side(charts ...Chart) Chart {
	p := &Panels{Columns: len(charts)}
	for _, c := range charts {
		if c != nil {
			p.Charts = append(p.Charts, c)
		}
	}
	switch len(p.Charts) {
	case 0:
		return nil
	case 1:
		return p.Charts[0]
	}
	return p
}

// split makes a run of every random start.
func split(of []Run) []Run {
	var starts []Run
	for _, run := range of {
		if len(run.Records) == 0 { // it keeps its colour
			starts = append(starts, run)
		}
		first := 0
		several := slices.ContainsFunc(run.Records, func(r runs.Record) bool { return r.Start != run.Records[0].Start })
		if several { // the last record is of the best start
			run.Records = slices.Clone(run.Records)
			slices.SortStableFunc(run.Records, func(a, b runs.Record) int { return a.Start - b.Start })
		}
		for k := range run.Records {
			if k+1 < len(run.Records) && run.Records[k+1].Start == run.Records[k].Start {
				continue
			}
			part := Run{run.Name, run.Info, run.Records[first : k+1]}
			if several {
				word := fmt.Sprintf("start %d", run.Records[k].Start+1)
				if len(of) > 1 {
					word = run.Name + ", " + word
				}
				part.Name = word
			}
			starts = append(starts, part)
			if len(starts) > mostCurves { // the last ones
				starts = append(starts[:0:0], starts[len(starts)-mostCurves/2:]...)
			}
			first = k + 1
		}
	}
	return starts
}

// series takes a value from the records that have it.
func series(records []runs.Record, value func(r *runs.Record) float64) Series {
	var s Series
	for k := range records {
		if v := value(&records[k]); !math.IsNaN(v) && !math.IsInf(v, 0) {
			s.X, s.Y = append(s.X, float64(records[k].Step)), append(s.Y, v)
		}
	}
	return s
}

// add adds a series that has points.
func (f *Curves) add(s Series) {
	if len(s.X) > 0 {
		f.Series = append(f.Series, s)
	}
}

func (f *Curves) orNil() Chart {
	if len(f.Series) == 0 {
		return nil
	}
	return f
}

func boundCurve(starts []Run) Chart {
	f := &Curves{Title: "Lower bound on the log-likelihood", X: step, Y: Axis{Label: "bound", Unit: "nats per sample"}}
	for k, run := range starts {
		s := series(run.Records, func(r *runs.Record) float64 {
			if r.Bound == nil {
				return math.NaN()
			}
			return float64(r.Bound.Value)
		})
		if s.Name, s.Colour = "bound", Chief; len(starts) > 1 {
			s.Name, s.Colour = run.Name, k+1
		}
		f.add(s)
	}
	for _, e := range []struct {
		name           string
		colour, beside int
		of             func(l *runs.LogLikelihood) *runs.Estimate
	}{
		{"log-likelihood, exact", Exact, 1, func(l *runs.LogLikelihood) *runs.Estimate { return l.Exact }},
		{"log-likelihood, forward (tends to overstate)", Forward, 1, func(l *runs.LogLikelihood) *runs.Estimate { return l.Forward }},
		{"log-likelihood, reverse (tends to understate)", Reverse, 2, func(l *runs.LogLikelihood) *runs.Estimate { return l.Reverse }},
	} {
		for j, run := range starts {
			s := Series{Name: e.name, Colour: e.colour, Beside: e.beside, Low: []float64{}, High: []float64{}}
			if len(starts) > 1 { // in the colour of its run, which the legend names
				s.Name, s.Points, s.Colour = "", true, j+1
			}
			for k := range run.Records {
				if l := run.Records[k].LogLikelihood; l != nil && e.of(l) != nil {
					v := e.of(l)
					s.X, s.Y = append(s.X, float64(run.Records[k].Step)), append(s.Y, float64(v.Value))
					s.Low, s.High = append(s.Low, float64(v.Low)), append(s.High, float64(v.High))
					f.Note = "log-likelihood of " + l.Data + " with its interval"
					if len(starts) > 1 {
						f.Note = "curves: bound; marks: estimates of the log-likelihood of " + l.Data
					}
				}
			}
			f.add(s)
		}
	}
	if f.Note != "" {
		f.Title, f.Y.Label = "Lower bound and log-likelihood", "log-likelihood"
	}
	return f.orNil()
}

func overlapCurve(starts []Run) Chart {
	f := &Curves{Title: "Overlap of hidden units", X: step, Y: Axis{Label: "|overlap| of pairs", Min: 0, Max: 1}}
	for k, run := range starts {
		for _, part := range []struct {
			name  string
			value func(o *runs.Overlap) runs.Number
		}{{"mean", func(o *runs.Overlap) runs.Number { return o.Mean }}, {"largest", func(o *runs.Overlap) runs.Number { return o.Max }}} {
			s := series(run.Records, func(r *runs.Record) float64 {
				if r.Overlap == nil {
					return math.NaN()
				}
				return float64(part.value(r.Overlap))
			})
			if s.Name = part.name; len(starts) > 1 {
				if part.name != "mean" {
					continue
				}
				s.Name, s.Colour = run.Name, k+1
			}
			f.add(s)
		}
	}
	return f.orNil()
}

func teacherCurve(starts []Run) Chart {
	f := &Curves{Title: "Overlap with the teacher", X: step, Y: Axis{Label: "overlap", Min: 0, Max: 1}}
	for j, run := range starts {
		units := 0
		for k := range run.Records {
			units = min(mostCurves, max(units, len(run.Records[k].TeacherOverlaps)))
		}
		mean := series(run.Records, func(r *runs.Record) float64 {
			sum := 0.0
			for _, v := range r.TeacherOverlaps {
				sum += float64(v)
			}
			return sum / float64(len(r.TeacherOverlaps)) // NaN where there are none
		})
		if mean.Name = "mean"; len(starts) > 1 {
			mean.Name, mean.Colour = run.Name, j+1
		}
		f.add(mean)
		for mu := range units {
			if len(starts) > 1 || units == 1 {
				break
			}
			s := series(run.Records, func(r *runs.Record) float64 {
				if mu >= len(r.TeacherOverlaps) {
					return math.NaN()
				}
				return float64(r.TeacherOverlaps[mu])
			})
			s.Name, s.Thin = fmt.Sprintf("hidden unit %d", mu+1), true
			f.add(s)
		}
	}
	return f.orNil()
}

// RunMagnetisations draws the histogram of magnetisations of the last record
// that has one, nil if there is none.
func RunMagnetisations(run Run) Chart {
	with := having(run, "magnetisations")
	if len(with) == 0 {
		return nil
	}
	last := with[len(with)-1]
	h := &Histogram{Title: fmt.Sprintf("Magnetisations after step %d", last.Step), X: Axis{Label: "posterior mean of a synapse"}, Y: Axis{Label: "share of synapses"}}
	counts, together := merged(last.Magnetisations, mostPoints)
	bins, total := len(last.Magnetisations), sum(last.Magnetisations)
	for k, n := range counts {
		h.Edges = append(h.Edges, 2*float64(k*together)/float64(bins)-1)
		h.Counts = append(h.Counts, float64(n)/total)
	}
	h.Edges = append(h.Edges, 1)
	return h
}

func sum(counts []int) float64 {
	total := 0
	for _, n := range counts {
		total += n
	}
	return float64(max(1, total))
}

// having returns the records of the last start that have what a figure is drawn of.
func having(run Run, name string) []*runs.Record {
	var with []*runs.Record
	for k := range run.Records {
		r := &run.Records[k]
		if r.Start == run.Records[len(run.Records)-1].Start && HasCurve(name, r) {
			with = append(with, r)
		}
	}
	return with
}

// RunMagnetisationHistory draws the histograms of magnetisations over the steps
// of the run, nil if there are not two of the same bins.
func RunMagnetisationHistory(run Run) Chart {
	with := having(run, "magnetisations")
	for k := 1; k < len(with); k++ {
		if len(with[k].Magnetisations) != len(with[0].Magnetisations) {
			return nil
		}
	}
	if len(with) < 2 {
		return nil
	}
	counts, _ := merged(with[0].Magnetisations, mostPoints)
	bins := len(counts)
	first, last := with[0].Step, with[len(with)-1].Step
	columns := min(60, max(1, last-first))
	m := &HeatMap{Title: "Magnetisations over learning", X: step, Y: Axis{Label: "posterior mean"}, Scale: Axis{Label: "share, log10", Whole: true}, Shading: Share, Height: 288, Width: 432}
	for y := range bins {
		m.YValues = append(m.YValues, (2*float64(y)+1)/float64(bins)-1)
		m.Values = append(m.Values, nil)
	}
	// Columns are of equal lengths; each shows the last record before its end.
	k := 0
	for column := range columns + 1 {
		at := float64(first) + float64(last-first)*float64(column)/float64(columns)
		for k+1 < len(with) && float64(with[k+1].Step) <= at {
			k++
		}
		m.XValues = append(m.XValues, at)
		total := sum(with[k].Magnetisations)
		counts, _ := merged(with[k].Magnetisations, mostPoints)
		for y, n := range counts {
			m.Values[y] = append(m.Values[y], math.Log10(max(float64(n), 0.5)/total))
		}
	}
	return m
}

// RunSpectrum draws the singular values of the matrix of synapses, at up to five
// steps of the run. It returns nil where none were measured.
func RunSpectrum(run Run) Chart {
	with := having(run, "spectrum")
	f := &Curves{Title: "Singular values of the synapses", X: Axis{Label: "rank", Whole: true}, Y: Axis{Label: "singular value", Log: true}}
	const curves = 5
	n := min(curves, len(with))
	for k := range n {
		r := with[0]
		if n > 1 {
			r = with[k*(len(with)-1)/(n-1)]
		}
		s := Series{Name: fmt.Sprintf("step %d", r.Step)}
		for rank, v := range r.SingularValues {
			s.X, s.Y = append(s.X, float64(rank+1)), append(s.Y, float64(v))
		}
		f.add(s)
	}
	return f.orNil()
}

// UnitOverlaps draws the overlaps of hidden units with each other.
func UnitOverlaps(overlaps []float64, hidden int) Chart { return unitOverlaps(overlaps, hidden) }

func unitOverlaps(overlaps []float64, hidden int) *Matrix {
	return &Matrix{Title: "Overlaps of hidden units", Rows: hidden, Columns: hidden, Values: overlaps,
		X: Axis{Label: "hidden unit"}, Y: Axis{Label: "hidden unit"}, Scale: Axis{Label: "overlap", Min: -1, Max: 1}}
}

// FileOverlaps draws those of the synapses of a model file: their posterior
// means, or real synapses. Of more than 400 hidden units it draws the first 400.
func FileOverlaps(f *rbm.File) Chart {
	f = f.Below()
	hidden := min(f.Hidden(), mostUnits)
	chart := unitOverlaps(anatomy.UnitOverlaps(rbm.Expected(f.Synapses)[:hidden*f.Visible()], hidden), hidden)
	if n := f.Hidden(); n > hidden {
		chart.Note = fmt.Sprintf("the first %d of %d hidden units", hidden, n)
	}
	return chart
}

// FileMatrix draws the synapses of a model file whose samples are no pictures, such as one that was planted, as a matrix: a row for each
// hidden unit, a column for each visible one. Below it is how undecided each synapse is, if the file knows their posterior.
func FileMatrix(f *rbm.File) Chart {
	f = f.Below()
	n, p := f.Visible(), f.Hidden()
	matrix := func(title, of string, low float64, shading Shading, value func(v float64) float64) *Matrix {
		m := &Matrix{Title: title, Note: fmt.Sprintf("N = %d visible units, P = %d hidden units", n, p), Rows: p, Columns: n, X: Axis{Label: "visible unit"}, Y: Axis{Label: "hidden unit"},
			Scale: Axis{Label: of, Min: low, Max: 1}, Shading: shading, Width: 600, Height: float64(min(420, 150+10*p))}
		for _, v := range rbm.Expected(f.Synapses) {
			m.Values = append(m.Values, value(float64(v)))
		}
		return m
	}
	means := matrix("Synapses: posterior means", "posterior mean", -1, Signed, func(v float64) float64 { return v })
	if _, ok := f.Synapses.(rbm.Uncertain); !ok {
		means.Title, means.Scale = "Synapses", Axis{Label: "synapse"}
		return means
	}
	return &Panels{Columns: 1, Charts: []Chart{means, matrix("Synapses: uncertainty", "variance", 0, Share, func(v float64) float64 { return 1 - v*v })}}
}

// FileRows draws the synapses of a model file as FileMatrix does, without words: rows are higher than columns are wide if there are few.
func FileRows(f *rbm.File) image.Image {
	f = f.Below()
	n, p := f.Visible(), f.Hidden()
	means := rbm.Expected(f.Synapses)
	g := (&cells{columns: n, rows: p, at: func(x, y int) float64 { return float64(means[(p-1-y)*n+x]) }, low: -1, high: 1}).coarser(mostPoints)
	wide := max(1, leastDots*2/g.columns)
	high := max(wide, g.columns*wide/(4*g.rows))
	img := image.NewRGBA(image.Rect(0, 0, g.columns*wide, g.rows*high))
	for y := range g.rows * high {
		for x := range g.columns * wide {
			img.SetRGBA(x, y, g.shade(g.at(x/wide, g.rows-1-y/high)))
		}
	}
	return img
}

// FileTiles draws the synapses of a model file as tiles, with their meaning, and
// beside them, if they know their posterior, how undecided each is.
func FileTiles(f *rbm.File) Chart {
	f = f.Below()
	u, ok := f.Synapses.(rbm.Uncertain)
	if !ok {
		return &Picture{Title: "Synapses", Note: noteOfTiles(f), Image: FileSynapses(f), Scale: Axis{Label: "synapse, of the largest", Min: -1, Max: 1}}
	}
	q := u.Posterior()
	mean := rbm.Expected(u)
	width, height := orShape(f.Info.Width, f.Info.Height, q.Visible)
	doubt := Tiles(min(q.Hidden, tilesOf(width*height)), width, height, 2, func(k, i int) float64 {
		if i >= q.Visible {
			return 0
		}
		v := float64(mean[k*q.Visible+i])
		return 1 - v*v
	}, Sequential)
	return side(
		&Picture{Title: "Synapses: posterior means", Note: noteOfTiles(f), Image: FileSynapses(f), Scale: Axis{Label: "posterior mean", Min: -1, Max: 1}},
		&Picture{Title: "Synapses: uncertainty", Note: noteOfTiles(f), Image: doubt, Scale: Axis{Label: "variance", Min: 0, Max: 1}, Shading: Share},
	)
}

func noteOfTiles(f *rbm.File) string {
	width, height := orShape(f.Info.Width, f.Info.Height, f.Visible())
	if n, most := f.Hidden(), tilesOf(width*height); n > most {
		return fmt.Sprintf("the first %d of %d hidden units", most, n)
	}
	return "a tile for each hidden unit"
}

// SamplesBesideData draws pictures of data and of samples, as they were drawn
// by Samples and ChainMeans.
func SamplesBesideData(data, samples image.Image) Chart {
	var left, right Chart
	if data != nil {
		picture := &Picture{Title: "Data", Image: data, Shading: Ink}
		if samples != nil {
			picture.Note = "chosen at random"
		}
		left = picture
	}
	if samples != nil {
		right = &Picture{Title: "Samples of the machine", Note: "mean of each visible unit given the hidden ones", Image: samples, Scale: Axis{Label: "mean of a visible unit", Min: -1, Max: 1}, Shading: Ink}
	}
	return side(left, right)
}
