package figure

import (
	"fmt"
	"math"
	"slices"

	"bethe/runs"
)

// sparks are the heights of a sparkline.
var sparks = []rune("▁▂▃▄▅▆▇█")

// Sparkline draws values on a line of text as so many small bars, at most width, from
// the lowest to the highest; nothing if there are not two of them.
func Sparkline(values []float64, width int) string {
	if len(values) < 2 || width < 1 {
		return ""
	}
	low, high := slices.Min(values), slices.Max(values)
	width = min(width, len(values))
	line := make([]rune, width)
	for k := range line {
		part := values[k*len(values)/width : (k+1)*len(values)/width]
		mean := 0.0
		for _, v := range part {
			mean += v / float64(len(part))
		}
		level := 0.0
		if high > low {
			level = (mean - low) / (high - low)
		}
		line[k] = sparks[min(len(sparks)-1, int(level*float64(len(sparks))))]
	}
	return string(line)
}

// BoundLine returns a line of text that draws how the bound of a start of a run rose; nothing if its records cannot
// be read or have no two bounds.
func BoundLine(folder string, start int) string {
	records, err := runs.ReadRecords(folder)
	if err != nil {
		return "" // the line is a pleasure, not a result
	}
	var bounds []float64
	for k := range records {
		if b := records[k].Bound; b != nil && records[k].Start == start && !math.IsNaN(float64(b.Value)) {
			bounds = append(bounds, float64(b.Value))
		}
	}
	const width = 40
	line := Sparkline(bounds, width)
	if line == "" {
		return ""
	}
	return fmt.Sprintf("bound  %.2f %s %.2f\n", bounds[0], line, bounds[len(bounds)-1])
}
