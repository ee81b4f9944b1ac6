package main

import (
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
