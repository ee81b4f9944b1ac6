package main

import (
	"math"
	"strings"
	"testing"
)

// The model is found again from times that follow it, and is fastest where its formula says.
func TestFitScaling(t *testing.T) {
	threads := []int{1, 2, 4, 8, 16}
	for _, want := range []scaling{{1000, 0.02, 0.001}, {63, 0.05, 0.002}, {16, 0, 0.0005}, {250, 0.1, 0}} {
		var seconds []float64
		for _, n := range threads {
			seconds = append(seconds, 3*want.time(n))
		}
		got := fitScaling(want.Pieces, threads, seconds)
		if math.Abs(got.Serial-want.Serial) > 2e-3 || math.Abs(got.Meeting-want.Meeting) > 1e-4 {
			t.Errorf("%+v: fitted %+v", want, got)
		}
	}
	if got := fitScaling(63, []int{1, 2}, []float64{1, 0.6}); got.Meeting != 0 || math.Abs(got.time(2)-0.6) > 1e-3 {
		t.Errorf("of two times %+v", got)
	}
	s := scaling{Pieces: 1 << 20, Serial: 0.02, Meeting: 0.001}
	if n, want := s.most(1024), math.Sqrt((1-s.Serial)/s.Meeting); math.Abs(float64(n)-want) > 2 {
		t.Errorf("fastest on %d threads, by the formula on %.1f", n, want)
	}
	if s := (scaling{Pieces: 16}); s.time(12) != 2./16 || s.most(1024) != 16 {
		t.Errorf("16 pieces on 12 threads take %v; fastest on %d", s.time(12), s.most(1024))
	}
	for _, bad := range [][]string{{"1:2"}, {"2:1", "4:1", "8:1"}, {"1:x", "2:1", "4:1"}} {
		if _, err := scalingOf(16, bad); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
	if text, err := scalingOf(63, []string{"1:13.5", "2:6.34", "8:2.27", "16:1.59"}); err != nil || !strings.Contains(text, "fastest on 21 threads") {
		t.Error(text, err)
	}
}
