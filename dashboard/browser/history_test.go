package browser

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// longRun writes the folder of a run that has learned for an hour and goes on:
// that of a short run, with its last records told again and again. The default
// is the most records that train writes in an hour, two a second.
func longRun(t *testing.T, records int) (folder string, next func(k int) []byte) {
	t.Helper()
	folder = filepath.Join(t.TempDir(), "hour")
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	if text, err := exec.Command(path, "train", "--data", "mnist:test", "--hidden", "100", "--steps", "60", "--measure-every", "10", "--seed", "1", "--out", folder, "--quiet").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	metrics := filepath.Join(folder, "metrics.jsonl")
	text, err := os.ReadFile(metrics)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	var full map[string]any
	if err := json.Unmarshal(lines[len(lines)-1], &full); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bound", "magnetisations", "overlap", "singular_values", "synapses", "samples", "engine"} {
		if full[name] == nil {
			t.Fatalf("the last record has no %s: %s", name, lines[len(lines)-1])
		}
	}
	picture := map[string][]byte{}
	for _, name := range []string{"synapses", "samples"} {
		if picture[name], err = os.ReadFile(filepath.Join(folder, "pictures", full[name].(string))); err != nil {
			t.Fatal(err)
		}
	}
	bound := full["bound"].(map[string]any)["value"].(float64)
	next = func(k int) []byte {
		done := float64(k) / float64(records)
		r := map[string]any{"step": 72000 * k / records, "epoch": 600 * done, "seconds": 3600 * done, "fraction": 0.9 * done, "rate": 0.02 * (1 - done/2), "coupling": 0.1 - 0.02*done,
			"polarised": 0.8 * math.Tanh(3*done), "kl_per_synapse": 0.4*math.Tanh(3*done) + 0.01*math.Sin(float64(k)), "engine": full["engine"]}
		each := func(every int, names ...string) {
			for _, name := range names {
				if k*7200/records%every == 0 {
					r[name] = full[name]
				}
			}
		}
		each(4, "magnetisations", "overlap")
		each(40, "singular_values")
		each(300, "synapses", "samples")
		if k%2 == 0 {
			r["bound"] = map[string]any{"value": bound + 40*math.Tanh(4*done) + math.Sin(float64(k)/3), "data": 20.0, "partition": 150.0, "kl": 1.0, "by": "annealing"}
		}
		if every := records / 12; k%every == every-1 {
			v := bound + 45*math.Tanh(4*done)
			r["log_likelihood"] = map[string]any{"data": "1000 of the training samples", "forward": map[string]any{"value": v, "low": v - 2, "high": v + 2}, "reverse": map[string]any{"value": v - 3, "low": v - 6, "high": v - 1}}
		}
		for name, png := range picture {
			if r[name] == nil {
				continue
			}
			r[name] = fmt.Sprintf("%s-%08d.png", name, r["step"])
			if err := os.WriteFile(filepath.Join(folder, "pictures", r[name].(string)), png, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		line, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return append(line, '\n')
	}
	var all bytes.Buffer
	for k := range records {
		all.Write(next(k))
	}
	if err := os.WriteFile(metrics, all.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"result.json", "model.npz"} { // it still learns
		if err := os.Remove(filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	return folder, next
}

// TestHistory opens the page of a run that has learned for an hour and still
// goes on, and tells how long everything takes. $RECORDS is how many records
// there are.
func TestHistory(t *testing.T) {
	records := 7200
	if text := os.Getenv("RECORDS"); text != "" {
		var err error
		if records, err = strconv.Atoi(text); err != nil || records < 1000 {
			t.Fatalf("RECORDS=%s: at least 1000", text)
		}
	}
	ctx := open(t)
	folder, next := longRun(t, records)
	began := time.Now()
	address, _ := start(t, "serve", folder, "--listen", "127.0.0.1:0")
	t.Logf("%d records; the server is up after %v", records, time.Since(began).Round(time.Millisecond))

	// What the server takes to answer.
	get := func(path string) ([]byte, time.Duration) {
		began := time.Now()
		reply, err := http.Get(address + path)
		if err != nil {
			t.Fatal(err)
		}
		defer reply.Body.Close()
		text, err := io.ReadAll(reply.Body)
		if err != nil || reply.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s %v", path, reply.Status, err)
		}
		return text, time.Since(began)
	}
	text, took := get("api/runs")
	var news struct {
		Runs []struct {
			Figures  []string
			Pictures []any
		}
	}
	if err := json.Unmarshal(text, &news); err != nil || len(news.Runs) != 1 {
		t.Fatalf("%v: %s", err, text)
	}
	figures := news.Runs[0].Figures
	t.Logf("api/runs: %v, %d bytes, %d figures, %d checkpoints", took.Round(100*time.Microsecond), len(text), len(figures), len(news.Runs[0].Pictures))
	var sum, longest time.Duration
	for _, name := range figures {
		text, took := get("figure/" + name + ".svg?run=hour&theme=dark")
		_, again := get("figure/" + name + ".svg?run=hour&theme=dark")
		sum, longest = sum+took, max(longest, took)
		t.Logf("%-22s drawn in %5.1f ms, again in %4.1f ms, %3d KiB", name, took.Seconds()*1e3, again.Seconds()*1e3, len(text)>>10)
	}
	t.Logf("all figures drawn in %v", sum.Round(time.Millisecond))
	if longest > time.Second {
		t.Errorf("a figure took %v", longest)
	}

	// What a visitor waits for.
	loaded := `(() => { const f = [...document.querySelectorAll("#chief figure, #figures figure")].filter((f) => !f.hidden); return f.length >= 8 && f.every((f) => f.firstChild.complete && f.firstChild.naturalWidth > 0 && !f.firstChild.dataset.busy); })()`
	began = time.Now()
	do(t, ctx, chromedp.Navigate(address))
	until(t, ctx, loaded, 30*time.Second)
	shown := time.Since(began)
	paint := value[float64](t, ctx, `performance.getEntriesByName("first-contentful-paint")[0].startTime`)
	t.Logf("in the browser: first paint after %.0f ms, all figures after %v", paint, shown.Round(time.Millisecond))
	if paint > 1000 {
		t.Errorf("first paint after %.0f ms", paint)
	}
	value[any](t, ctx, `window.longest = 0; new PerformanceObserver((list) => { for (const e of list.getEntries()) window.longest = Math.max(window.longest, e.duration); }).observe({type: "longtask"})`)

	// New records come as they do in training; the number and the curve follow.
	metrics, err := os.OpenFile(filepath.Join(folder, "metrics.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer metrics.Close()
	var numbers, curves []time.Duration
	src := value[string](t, ctx, `document.querySelector("#figure-kl img").src`)
	redrawn := time.Time{}
	for k := 0; k < 20 || len(curves) < 1; k++ {
		if k > 150 {
			t.Fatalf("the curve was redrawn %d times in %d records", len(curves), k)
		}
		line := next(records + k*max(1, records/7200))
		if _, err := metrics.Write(line); err != nil {
			t.Fatal(err)
		}
		var r struct{ Step int }
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		until(t, ctx, fmt.Sprintf(`document.querySelector("#n-step").textContent === "%d"`, r.Step), 10*time.Second)
		numbers = append(numbers, time.Since(began))
		time.Sleep(time.Until(began.Add(500 * time.Millisecond)))
		if now := value[string](t, ctx, `document.querySelector("#figure-kl img").src`); now != src {
			if !redrawn.IsZero() {
				curves = append(curves, time.Since(redrawn))
			}
			src, redrawn = now, time.Now()
		}
	}
	slices.Sort(numbers)
	t.Logf("a new record's numbers are shown after %v (median), %v (longest); curves are redrawn every %v; longest task of the page %.0f ms",
		numbers[len(numbers)/2].Round(time.Millisecond), numbers[len(numbers)-1].Round(time.Millisecond), curves[len(curves)-1].Round(100*time.Millisecond), value[float64](t, ctx, `window.longest`))
	if longest := numbers[len(numbers)-1]; longest > 5*time.Second {
		t.Errorf("a new record was shown after %v", longest)
	}

	// Everything is drawn anew in other colours.
	began = time.Now()
	do(t, ctx, chromedp.SetValue("#theme", "dark"))
	value[any](t, ctx, `document.querySelector("#theme").dispatchEvent(new Event("change"))`)
	until(t, ctx, `document.querySelector("#figure-rate img").src.includes("theme=dark") && `+loaded, 30*time.Second)
	t.Logf("all figures in other colours after %v", time.Since(began).Round(time.Millisecond))
	if longest := value[float64](t, ctx, `window.longest`); longest > 500 {
		t.Errorf("the page was busy for %.0f ms at a stretch", longest)
	}
}
