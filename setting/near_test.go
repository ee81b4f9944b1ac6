package setting

import (
	"slices"
	"testing"
)

func TestNear(t *testing.T) {
	names := []string{"bound", "kl", "polarised", "Rate", "ln-z"}
	for _, c := range []struct {
		word string
		want []string
	}{
		{"bonud", []string{"bound"}}, {"BOUND", []string{"bound"}}, {"pol", []string{"polarised"}}, {"polarized", []string{"polarised"}},
		{"raet", []string{"Rate"}}, {"synapses", nil}, {"", nil}, {"lnz", []string{"ln-z"}}, {"bo", []string{"bound"}},
	} {
		if got := Near(c.word, names); !slices.Equal(got, c.want) {
			t.Errorf("near %q: %v, not %v", c.word, got, c.want)
		}
	}
	if got := Meant("bonud", names); got != "; did you mean bound?" {
		t.Error(got)
	}
	if got := Meant("synapses", names); got != "" {
		t.Error(got)
	}
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}, {"überall", "uberall", 1}} {
		if got, back := slips([]rune(c.a), []rune(c.b)), slips([]rune(c.b), []rune(c.a)); got != c.want || back != c.want {
			t.Errorf("from %q to %q: %d and %d, not %d", c.a, c.b, got, back, c.want)
		}
	}
}
