package learn

import (
	"testing"
	"time"
)

func TestParseInterval(t *testing.T) {
	for text, want := range map[string]Interval{"500": {Steps: 500}, "2m": {Time: 2 * time.Minute}, "90s": {Time: 90 * time.Second}, "0.5s": {Time: time.Second / 2}} {
		if got, err := ParseInterval(text); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "0", "-3", "-2m", "0s", "m", "1e3", "2 m", "NaN"} {
		if got, err := ParseInterval(text); err == nil {
			t.Errorf("%q is taken as %v", text, got)
		}
	}
	long := time.Now().Add(-time.Hour)
	if i := (Interval{Steps: 5}); i.due(4, long) || !i.due(10, time.Now()) {
		t.Error("five steps")
	}
	if i := (Interval{Time: time.Minute}); i.due(10, time.Now()) || !i.due(1, long) {
		t.Error("a minute")
	}
}
