package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"unicode"
)

// writeStat writes the times of every round in the format of Go's benchmarks, which benchstat reads.
func (r *report) writeStat(path string) error {
	var out bytes.Buffer
	fmt.Fprintf(&out, "cpu: %s\n", r.Machine)
	written := map[string]bool{}
	for _, s := range r.Sections {
		for _, x := range s.Rows {
			name := x.statName(s.Title)
			if len(x.Times) == 0 || written[name] { // rows of one contender against several others have the same times
				continue
			}
			written[name] = true
			for _, t := range x.Times {
				fmt.Fprintf(&out, "%s 1 %.6g ns/op\n", name, t*1e9)
			}
		}
	}
	return os.WriteFile(path, out.Bytes(), 0o666)
}

// statName is the name of a row as a benchmark.
func (r *row) statName(section string) string {
	word := func(s string) string {
		return strings.Join(strings.FieldsFunc(s, func(c rune) bool {
			return !unicode.IsLetter(c) && !unicode.IsDigit(c) && c != '.'
		}), "-")
	}
	name := "Benchmark" + word(section) + "/" + word(r.What)
	if r.Tier != "" {
		name += "/kernels=" + r.Tier
	}
	if r.Threads > 0 {
		name += fmt.Sprintf("/threads=%d", r.Threads)
	}
	return name
}
