package dashboard

import (
	"encoding/json"
	"fmt"
	"image/png"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bethe/causes"
	"bethe/rbm"
	"bethe/runs"
	"bethe/spin"
	"bethe/stream"
)

func TestComplete(t *testing.T) {
	path := t.TempDir()
	folder(t, path, 1)
	name := filepath.Base(path)
	address, _ := serve(t, path, Options{})
	post := func(body string, header ...string) (int, string) {
		if header == nil {
			header = []string{"Content-Type", "application/json; charset=utf-8"}
		}
		status, text, _ := ask(t, request(t, "POST", address+completePath, body, header...))
		return status, text
	}
	drawn := func(pixels string, draw int) string {
		return fmt.Sprintf(`{"run":%q,"pixels":%q,"draw":%d}`, name, pixels, draw)
	}
	status, text := post(drawn("+????-", 1))
	var out completed
	if err := json.Unmarshal([]byte(text), &out); status != 200 || err != nil || len(out.Completions) != completions || out.Known != 2 {
		t.Fatalf("%d %s %v", status, text, err)
	}
	for _, c := range out.Completions { // the first three go with ink, the others with paper
		for i, level := range c {
			if i < 3 && level < 200 || i >= 3 && level > 55 {
				t.Errorf("completed to %v", c)
			}
		}
	}
	if out.Millis > 200 {
		t.Errorf("after %v ms", out.Millis)
	}
	if _, again := post(drawn("+????-", 1)); again[:60] != text[:60] {
		t.Error("the same drawing and draw gives something else")
	}
	for _, c := range []struct {
		body   string
		header []string
		status int
	}{
		{"{", nil, 400}, {`{"other":1}`, nil, 400}, {drawn("+", 1), nil, 400}, {`{"run":"none"}`, nil, 404}, {drawn("+?????", 1), []string{"Content-Type", "text/plain"}, 415},
		{drawn(strings.Repeat("?", maxBody), 1), nil, 413}, {drawn("??????", 1), []string{"Content-Type", "application/json", "Origin", "http://evil.example"}, 403},
	} {
		if status, text := post(c.body, c.header...); status != c.status {
			t.Errorf("%.40s: %d %s, not %d", c.body, status, text, c.status)
		}
	}
	busy := 0
	for range 40 {
		if status, _ := post(drawn("??????", 1)); status == 429 {
			busy++
		}
	}
	if busy == 0 {
		t.Error("40 drawings at once")
	}
	if err := os.Remove(filepath.Join(path, runs.LiveFile)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond)
	if status, text := post(drawn("??????", 1)); status != 409 || !strings.Contains(text, "no model yet") {
		t.Errorf("no model: %d %s", status, text)
	}
	if err := os.WriteFile(filepath.Join(path, runs.ModelFile), []byte("no model"), 0o644); err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond)
	if status, text := post(drawn("??????", 1)); status != 500 || !strings.Contains(text, runs.ModelFile) {
		t.Errorf("a broken model: %d %s", status, text)
	}
}

// TestRaster: the machine of a run is drawn as neurons, in both families; wrong requests are refused.
func TestRaster(t *testing.T) {
	path := t.TempDir()
	folder(t, filepath.Join(path, "a"), 3)
	folder(t, filepath.Join(path, "b"), 3)
	learner, err := causes.NewLearner(spin.Random(6, 40, stream.New(1).Rand()), causes.Options{Model: causes.TreeModel, Rule: causes.EM, Causes: 2, States: 2, Patches: causes.Tiles(3, 2, 3, 1), Coupling: 0.5, Passes: 3, Key: stream.New(2)})
	if err != nil {
		t.Fatal(err)
	}
	if err := learner.File(rbm.Info{}).Save(filepath.Join(path, "b", runs.LiveFile)); err != nil {
		t.Fatal(err)
	}
	address, _ := serve(t, path, Options{})
	for query, want := range map[string]struct{ status, height int }{
		"run=a&tau=5&draw=1": {200, 60 + 2 + 60}, "run=b&tau=1&draw=2": {200, 3*60 + 2*2}, "run=c&tau=5&draw=1": {404, 0},
		"run=a&tau=0&draw=1": {400, 0}, "run=a&tau=101&draw=1": {400, 0}, "run=a&tau=5": {400, 0},
	} {
		status, text, _ := ask(t, request(t, "GET", address+"/raster.png?"+query, ""))
		if status != want.status {
			t.Errorf("%s: status %d, not %d: %s", query, status, want.status, text)
		}
		if status != http.StatusOK {
			continue
		}
		picture, err := png.Decode(strings.NewReader(text))
		if err != nil || picture.Bounds().Dx() != 300 || picture.Bounds().Dy() != want.height {
			t.Errorf("%s: a picture of %v, %v", query, picture.Bounds(), err)
		}
	}
}
