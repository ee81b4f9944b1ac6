package browser

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestFill: for a machine of colours the page has a field for known values. Values written there stay in all completions. A click
// on a completion puts it into the field.
func TestFill(t *testing.T) {
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	data := filepath.Join(folder, "colours.csv")
	if err := os.WriteFile(data, []byte(strings.Repeat("0,0,1\n1,1,2\n2,2,0\n", 20)), 0o644); err != nil {
		t.Fatal(err)
	}
	if text, err := exec.Command(path, "train", "--data", data, "--units", "potts", "--hidden", "4", "--steps", "200", "--quiet", "--out", filepath.Join(folder, "runs", "colours")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	address, _ := start(t, "serve", filepath.Join(folder, "runs"), "--listen", "127.0.0.1:0")
	ctx := open(t)
	do(t, ctx, chromedp.Navigate(address))
	const wait = 20 * time.Second
	until(t, ctx, `!document.getElementById("fill-section").hidden && document.getElementById("draw-section").hidden && document.getElementById("raster-section").hidden`, wait)
	do(t, ctx, chromedp.SendKeys("#values", "2, ?"))
	until(t, ctx, `document.querySelectorAll("#rows li").length === 8`, wait)
	if !value[bool](t, ctx, `[...document.querySelectorAll("#rows li")].every((row) => row.textContent.startsWith("2, ") && row.querySelectorAll("b").length === 2)`) {
		t.Errorf("completions are %q", value[string](t, ctx, `document.getElementById("rows").textContent`))
	}
	screenshot(t, ctx, "fill.png")
	do(t, ctx, chromedp.Click("#rows li:first-child button"))
	until(t, ctx, `/^2, [012], [012]$/.test(document.getElementById("values").value)`, wait)
}
