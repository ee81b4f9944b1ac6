package main

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Numbers of a line, and those that tell a time or a speed, which are free.
var (
	number = regexp.MustCompile(`[-+]?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?`)
	curve  = regexp.MustCompile(`[▁▂▃▄▅▆▇█]+`)
	timing = regexp.MustCompile(`[0-9.]+ (ns|µs|ms|s|min|minutes|seconds)\b`)
)

// tolerance is how far numbers with a point may be apart, as a share: kernels of other processors
// round in another order.
const tolerance = 0.02

// same reports whether a line is the expected one. Times may differ, and numbers within the tolerance.
func same(want, got string) bool {
	want, got = timing.ReplaceAllString(want, "TIME"), timing.ReplaceAllString(got, "TIME")
	want, got = curve.ReplaceAllString(want, "█"), curve.ReplaceAllString(got, "█")
	if spaces(number.ReplaceAllString(want, "0")) != spaces(number.ReplaceAllString(got, "0")) {
		return false
	}
	if strings.ContainsAny(want, "▁▂▃▄▅▆▇█") { // a curve of values at times that differ from run to run: its end counts
		return near(last(want), last(got))
	}
	a, b := number.FindAllString(want, -1), number.FindAllString(got, -1)
	for k := range a {
		if !near(a[k], b[k]) {
			return false
		}
	}
	return true
}

// last returns the last number of a line.
func last(line string) string {
	all := number.FindAllString(line, -1)
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1]
}

func near(a, b string) bool {
	if a == b {
		return true
	}
	if !strings.ContainsAny(a+b, ".e") {
		return false
	}
	x, _ := strconv.ParseFloat(a, 64)
	y, _ := strconv.ParseFloat(b, 64)
	return math.Abs(x-y) <= tolerance*math.Max(math.Abs(x), math.Abs(y))+0.0011
}

// spaces makes one blank of several: columns follow the widths of numbers.
func spaces(line string) string { return strings.Join(strings.Fields(line), " ") }

// missing returns the first expected line that does not come in its turn on one of the streams, "" if all do. Lines
// between them, such as notes and progress, are passed over; so is a line of three dots.
func missing(want []string, streams ...[]string) string {
	for _, line := range want {
		if strings.TrimSpace(line) == "..." {
			continue
		}
		found := false
		for k, got := range streams {
			at := slices.IndexFunc(got, func(other string) bool { return same(line, other) })
			if found = at >= 0; found {
				streams[k] = got[at+1:]
				break
			}
		}
		if !found {
			return line
		}
	}
	return ""
}
