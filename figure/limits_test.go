package figure

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"io"
	"math"
	"strings"
	"testing"
	"unicode"

	"bethe/rbm"
	"bethe/runs"
)

// svg draws a chart, which must be well-formed XML without control characters, and
// returns it with its texts.
func svg(t *testing.T, name string, chart Chart) (text, words string) {
	t.Helper()
	var b bytes.Buffer
	if err := EncodeSVG(&b, chart, Light); err != nil {
		t.Fatal(err)
	}
	text = b.String()
	if strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' || r == 0xfffe || r == 0xfffd }) {
		t.Errorf("%s: control characters in the picture", name)
	}
	decoder := xml.NewDecoder(&b)
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return text, words
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if w, ok := token.(xml.CharData); ok {
			words += string(w) + "\n"
		}
	}
}

// TestLimits: a chart has at most as many points as a picture has dots. A note tells
// how much is left out.
func TestLimits(t *testing.T) {
	many := &Curves{Title: "Many", X: Axis{Label: "x"}, Y: Axis{Label: "y"}}
	for k := range 3 * mostCurves {
		s := Series{Name: fmt.Sprintf("curve %d", k)}
		for x := range 5000 {
			s.X, s.Y = append(s.X, float64(x)), append(s.Y, math.Sin(float64(x*(k+1))))
		}
		many.Series = append(many.Series, s)
	}
	bars := &Histogram{Title: "Bars"}
	for k := range 100_001 {
		bars.Edges = append(bars.Edges, float64(k))
	}
	bars.Counts = make([]float64, 100_000)
	for k := range bars.Counts {
		bars.Counts[k] = 1
	}
	matrix := &Matrix{Title: "Matrix", Rows: 2000, Columns: 1000, Values: make([]float64, 2_000_000)}
	for k := range matrix.Values {
		matrix.Values[k] = math.NaN()
		if k/1000 >= 1000 {
			matrix.Values[k] = 1
		}
	}
	for _, c := range []struct {
		name  string
		chart Chart
		most  int // bytes
		words []string
	}{
		{"curves", many, mostCurves * mostPoints * 20, []string{"the first 100 of 300 curves", "curve 1\n", "more"}},
		{"bars", bars, 2 * mostPoints * 200, nil},
		{"matrix", matrix, 1 << 20, nil},
	} {
		text, words := svg(t, c.name, c.chart)
		if len(text) > c.most {
			t.Errorf("%s: %d bytes", c.name, len(text))
		}
		for _, want := range c.words {
			if !strings.Contains(words, want) {
				t.Errorf("%s: no %q", c.name, want)
			}
		}
	}
	g := (&cells{columns: 1000, rows: 2000, at: func(x, y int) float64 { return matrix.Values[(1999-y)*1000+x] }}).coarser(mostPoints)
	if g.columns > mostPoints || g.rows > mostPoints || g.at(0, 0) != 1 || !math.IsNaN(g.at(0, g.rows-1)) {
		t.Errorf("%d x %d cells, %v, %v", g.columns, g.rows, g.at(0, 0), g.at(0, g.rows-1))
	}
	if counts, together := merged([]int{1, 2, 3, 4, 5}, 2); together != 3 || len(counts) != 2 || counts[0] != 6 || counts[1] != 9 {
		t.Errorf("%v, %d together", counts, together)
	}
	// Values that rounding cannot tell apart have no ticks without end.
	if ticks := linearTicks(1e18, 1e18+2048, mostTicks, true); len(ticks) > 20 {
		t.Errorf("%d ticks", len(ticks))
	}
}

// TestHostileRuns draws the figures of runs whose metrics were made to need much.
func TestHostileRuns(t *testing.T) {
	starts := Run{Name: "starts"}
	for k := range 20_000 {
		starts.Records = append(starts.Records, runs.Record{Start: k, Step: 1 << 60, Bound: &runs.Bound{Value: runs.Number(k)}, Overlap: &runs.Overlap{}, TeacherOverlaps: []runs.Number{1},
			Magnetisations: []int{k, -k}, SingularValues: []runs.Number{1e308}})
	}
	wide := Run{Name: "wide"}
	for k := range 3 {
		wide.Records = append(wide.Records, runs.Record{Step: 1<<60 + 256*k, Magnetisations: make([]int, 300_000), TeacherOverlaps: make([]runs.Number, 50_000), SingularValues: make([]runs.Number, 50_000)})
		wide.Records[k].Magnetisations[7], wide.Records[k].SingularValues[9] = math.MaxInt, 1
	}
	for _, run := range []Run{starts, wide} {
		for _, name := range append(append([]string{}, RunCurves...), "magnetisations", "magnetisation-history", "spectrum") {
			var chart Chart
			switch name {
			case "magnetisations":
				chart = RunMagnetisations(run)
			case "magnetisation-history":
				chart = RunMagnetisationHistory(run)
			case "spectrum":
				chart = RunSpectrum(run)
			default:
				chart = RunCurve(name, run)
			}
			if chart == nil {
				continue
			}
			if text, _ := svg(t, run.Name+" "+name, chart); len(text) > 2<<20 {
				t.Errorf("%s of %s: %d bytes", name, run.Name, len(text))
			}
		}
	}
	q := rbm.NewPosterior[float32](2, 1000)
	file := &rbm.File{Params: rbm.NewParams(2, 1000, 1), Synapses: rbm.Learned(q.Sign(), q)}
	if _, words := svg(t, "overlaps", FileOverlaps(file)); !strings.Contains(words, "the first 400 of 1000 hidden units") {
		t.Errorf("overlaps of many units: %q", words)
	}
	if n := tilesOf(70_001); n < 2 || n*70_001*4 > mostDots {
		t.Errorf("%d tiles of 70,001 spins", n)
	}
}

// TestPlainTexts: what no picture can hold is written in letters, and long texts are cut.
func TestPlainTexts(t *testing.T) {
	bad := "a\x00b\x1b[31m\xff\ufffe\u2028<&\"'é"
	shown := `a\x00b\x1b[31m\xff\xef\xbf\xbe\xe2\x80\xa8<&"'é`
	chart := &Panels{Title: bad, Columns: 1, Charts: []Chart{
		&Curves{Title: bad, Note: bad, X: Axis{Label: bad, Unit: bad}, Y: Axis{Label: bad}, Series: []Series{{Name: bad, X: []float64{1, 2}, Y: []float64{1, 2}}}},
		&HeatMap{Title: bad, XValues: []float64{1}, YValues: []float64{1}, Values: [][]float64{{1}}, Scale: Axis{Label: bad}}}}
	_, words := svg(t, "texts", chart)
	if strings.Count(words, shown) < 8 {
		t.Errorf("texts %q", words)
	}
	long := &Curves{Title: strings.Repeat("long ", 1<<18), Series: []Series{{Name: strings.Repeat("x", 1<<20), X: []float64{1, 2}, Y: []float64{1, 2}}}}
	if text, _ := svg(t, "long", long); len(text) > 20_000 {
		t.Errorf("%d bytes", len(text))
	}
	var b bytes.Buffer
	if err := EncodePNG(&b, chart, Dark); err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(&b); err != nil {
		t.Error(err)
	}
}
