package main

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestRows(t *testing.T) {
	rows, err := readRows(strings.NewReader("# nothing\n\n a row | --hidden 3 --steps 2 \nb| |--data x # why\n"))
	want := []row{{"a row", []string{"--hidden", "3", "--steps", "2"}, nil}, {"b", []string{}, []string{"--data", "x"}}}
	if err != nil || !reflect.DeepEqual(rows, want) {
		t.Errorf("%+v, not %+v (%v)", rows, want, err)
	}
	for _, text := range []string{"alone", "a | b | c | d"} {
		if _, err := readRows(strings.NewReader(text)); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

func TestSpread(t *testing.T) {
	for want, got := range map[string]string{
		"": spread("%.2f", nil), "-1.50": spread("%.2f", []float64{-1.5}),
		"2.00 ± 1.41": spread("%.2f", []float64{1, 3}), "+2.0 ± 1.0": spread("%+.1f", []float64{1, 2, 3}),
	} {
		if got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

func TestDataOf(t *testing.T) {
	if got := dataOf([]string{"--hidden", "3"}); !reflect.DeepEqual(got, []string{"--data", "mnist:train"}) {
		t.Errorf("%q", got)
	}
	if got := dataOf([]string{"--data", "x.npz"}); !reflect.DeepEqual(got, []string{"--data", "x.npz"}) {
		t.Errorf("%q", got)
	}
}

func TestKept(t *testing.T) {
	folder, times := filepath.Join(t.TempDir(), "run"), 0
	measure := func() (estimate, error) {
		times++
		e := estimate{Mean: -float64(times)}
		e.Equilibrium.Reached = true
		return e, nil
	}
	for _, c := range []struct {
		args string
		want float64
	}{{"a", -1}, {"a", -1}, {"b", -2}, {"a", -1}} {
		if got, err := kept(folder, []string{c.args}, measure); err != nil || got.Mean != c.want || !got.Equilibrium.Reached {
			t.Errorf("%s: %+v, %v", c.args, got, err)
		}
	}
}
