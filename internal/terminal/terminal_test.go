package terminal

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestPrintable: texts for a terminal, and JSON of the same meaning.
func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{"plain\tä β\n": "plain\tä β\n", "\x1b[31m\r\x07": `\x1b[31m\x0d\x07`, "\x7f": `\x7f`, "\u009b1m": `\xc2\x9b1m`, "a\x9b\xff": "a\\x9b\xff", "": ""} {
		if got := Printable(text); got != want {
			t.Errorf("%q becomes %q, not %q", text, got, want)
		}
		json1, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		var a, b string
		json2 := PrintableJSON(json1)
		if json.Unmarshal(json1, &a) != nil || json.Unmarshal(json2, &b) != nil || a != b || strings.ContainsAny(string(json2), "\x7f\u009b\x1b") {
			t.Errorf("%s becomes %s", json1, json2)
		}
	}
}

func TestCut(t *testing.T) {
	if cut("μ of 3", 3) != "μ o" || cut("short", 99) != "short" || cut("x", -4) != "" {
		t.Error("cut")
	}
}

// A full writer takes some bytes, and then none.
type full struct {
	bytes.Buffer
	room int
}

var errFull = errors.New("full")

func (f *full) Write(b []byte) (int, error) {
	n, _ := f.Buffer.Write(b[:min(len(b), f.room)])
	f.room -= n
	if n < len(b) {
		return n, errFull
	}
	return n, nil
}

// TestWriter: the first error stays, and nothing is written after it.
func TestWriter(t *testing.T) {
	to := &full{room: 5}
	w := &Writer{To: to}
	if n, err := w.Write([]byte("abc")); n != 3 || err != nil || w.Err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	if n, err := w.Write([]byte("defg")); n != 2 || !errors.Is(err, errFull) {
		t.Errorf("%d bytes, %v", n, err)
	}
	to.room = 9
	if n, err := w.Write([]byte("h")); n != 0 || !errors.Is(err, errFull) || to.String() != "abcde" {
		t.Errorf("%d bytes, %v; %q was written", n, err, to)
	}
}

// TestLines: where there is no terminal, a line comes every fifteen seconds, and not at once.
func TestLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		b := NewBar(&out, "learning", true)
		for k := range 40 {
			b.Set(float64(k)/40, "a note")
			time.Sleep(time.Second)
		}
		b.Done()
		want := "learning   38 %  15s  a note\nlearning   75 %  30s  a note\n"
		if strings.ReplaceAll(out.String(), "\r", "") != want {
			t.Errorf("%q, not %q", out.String(), want)
		}
	})
}
