package figure

import "testing"

func TestSparkline(t *testing.T) {
	for _, c := range []struct {
		values []float64
		width  int
		want   string
	}{{nil, 9, ""}, {[]float64{1}, 9, ""}, {[]float64{1, 1}, 9, "▁▁"}, {[]float64{-3, 0, 4}, 9, "▁▄█"}, {[]float64{0, 0, 1, 1, 2, 2, 3, 3}, 4, "▁▃▆█"}} {
		if got := Sparkline(c.values, c.width); got != c.want {
			t.Errorf("%v: %q, not %q", c.values, got, c.want)
		}
	}
}
