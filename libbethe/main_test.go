//go:build cgo

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"bethe/internal/npy"
	"bethe/setting"
)

// TestGuarded: a panic is an error with its message and its place; statuses tell errors apart.
func TestGuarded(t *testing.T) {
	err := guarded(func() error { panic("upside down") })
	if err == nil || !strings.Contains(err.Error(), "upside down") || !strings.Contains(err.Error(), "TestGuarded") {
		t.Error(err)
	}
	for want, err := range map[int]error{
		0: nil, 2: fmt.Errorf("more: %w", invalidf("no")), 3: errors.New("the disk is full"), 4: fmt.Errorf("after 3 steps: %w", context.Canceled), 5: err,
	} {
		if got := int(status(err)); got != want {
			t.Errorf("%v has status %d, not %d", err, got, want)
		}
	}
	if got := int(status(setting.Errorf("hidden", 0, "none"))); got != 2 {
		t.Errorf("a wrong setting has status %d", got)
	}
}

// TestElements: each type of arrays has its size and its place.
func TestElements(t *testing.T) {
	for _, c := range []struct {
		data any
		size int
	}{{[]int8{1}, 1}, {[]uint8{1}, 1}, {[]float32{1}, 4}, {[]float64{1}, 8}, {[]int64{1}, 8}} {
		if e := elementOf(c.data); e.size != c.size || pointerOf(c.data) == nil {
			t.Errorf("%T: %+v", c.data, e)
		}
		if back := elementOf(c.data).read(pointerOf(c.data), 1); fmt.Sprint(back) != fmt.Sprint(c.data) {
			t.Errorf("%T: %v", c.data, back)
		}
	}
	if sizeOf([]int{2, 3, 4}) != 24 || sizeOf(nil) != 1 {
		t.Error("sizes")
	}
	m := &machine{arrays: []npy.Array{{Name: "meta.json"}, {Name: "synapses"}}}
	if held, err := m.held(); err != nil || len(held) != 1 || held[0].Name != "synapses" {
		t.Error(held, err)
	}
}

// TestWords: errors about settings are in the caller's words.
func TestWords(t *testing.T) {
	l := learning{Names: map[string]string{"hidden": "n_components"}}
	err := l.inWords(setting.Errorf("hidden", 0, "it must be at least 1"))
	if err.Error() != "n_components 0: it must be at least 1" || status(err) != 2 {
		t.Error(err)
	}
	other := errors.New("another")
	if l.inWords(other) != other {
		t.Error("another error is changed")
	}
}
