package main

import (
	"bytes"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The short form: a machine or two of each family, with few temperatures and sweeps. None is off by more than
// a nat without a word, and some are judged good. A run goes on after its last machine and
// judges what it kept the same again.
func TestTrust(t *testing.T) {
	s := &settings{seed: 1, rounds: 1, raw: filepath.Join(t.TempDir(), "raw.jsonl"), temperatures: 200, chains: 64, sweeps: 100}
	var first, again, judged bytes.Buffer
	if err := run(t.Context(), &first, s, "", false); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), &again, s, "", false); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), &judged, s, s.raw, false); err != nil {
		t.Fatal(err)
	}
	if first.String() != again.String() || first.String() != judged.String() {
		t.Errorf("%s\nagain:\n%s\njudged:\n%s", &first, &again, &judged)
	}
	row := regexp.MustCompile(`\| all but golf holes \| 12 \| (\d+) \| 0 \|`)
	if !row.MatchString(first.String()) || strings.Contains(first.String(), "of 0 whose verdict") {
		t.Error(first.String())
	}
	t.Log(first.String())
}
