package main

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Numbers of a line, and those that tell a time or a speed, which are free.
var (
	number = regexp.MustCompile(`[-+]?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?`)
	timing = regexp.MustCompile(`[0-9.]+ (ns|µs|ms|s|min|minutes|seconds)\b`)
)

// tolerance is how far numbers with a point may be apart, as a share: kernels of other processors
// round in another order.
const tolerance = 0.02

// same reports whether a line is what was expected, but for times, and numbers within the tolerance.
func same(want, got string) bool {
	want, got = timing.ReplaceAllString(want, "TIME"), timing.ReplaceAllString(got, "TIME")
	if spaces(number.ReplaceAllString(want, "0")) != spaces(number.ReplaceAllString(got, "0")) {
		return false
	}
	a, b := number.FindAllString(want, -1), number.FindAllString(got, -1)
	for k := range a {
		if !near(a[k], b[k]) {
			return false
		}
	}
	return true
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

// missing returns the first expected line that does not come in its turn, "" if all do. Lines between
// them, such as notes and progress, are passed over; so is a line of three dots.
func missing(want, got []string) string {
	k := 0
	for _, line := range want {
		if strings.TrimSpace(line) == "..." {
			continue
		}
		for k < len(got) && !same(line, got[k]) {
			k++
		}
		if k == len(got) {
			return line
		}
		k++
	}
	return ""
}
