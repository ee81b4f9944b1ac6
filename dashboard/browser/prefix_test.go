package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestPrefix opens the page through a proxy that serves it below a path of its
// own, as jupyter-server-proxy and reverse proxies do, with a token, and uses all
// of it: the page stays below the path, and so does its cookie.
func TestPrefix(t *testing.T) {
	ctx := open(t)
	folder := filepath.Join(t.TempDir(), "run")
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	if text, err := exec.Command(path, "train", "--data", "mnist:test", "--hidden", "10", "--steps", "60", "--measure-every", "10", "--out", folder, "--quiet").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	const token, prefix = "a token, with = & %", "/user/me/proxy/8017"
	address, _ := start(t, "serve", folder, "--listen", "127.0.0.1:0", "--token", token)
	at, err := url.Parse(address)
	if err != nil || at.Query().Get("token") != token {
		t.Fatalf("%s: %v", address, err)
	}
	var mu sync.Mutex
	var outside, cookies []string
	asked := map[string]int{}
	proxy := &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: at.Host})
		r.Out.Host = r.In.Host
	}}
	note := func(r *http.Request) (below bool) {
		mu.Lock()
		defer mu.Unlock()
		path, below := strings.CutPrefix(r.URL.Path, prefix)
		if below {
			asked[path]++
			return true
		}
		outside = append(outside, r.URL.Path)
		for _, c := range r.Cookies() {
			cookies = append(cookies, c.Name)
		}
		return false
	}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if note(r) {
			http.StripPrefix(prefix, proxy).ServeHTTP(w, r)
		}
	}))
	t.Cleanup(func() { front.CloseClientConnections(); front.Close() }) // the page's events are still open

	do(t, ctx, chromedp.Navigate(front.URL+prefix+"/?"+at.RawQuery), chromedp.WaitVisible("#n-step"))
	until(t, ctx, fmt.Sprintf(`location.pathname === %q && location.search === ""`, prefix+"/"), 10*time.Second)
	until(t, ctx, `document.querySelector("#n-step").textContent === "60"`, 10*time.Second)
	until(t, ctx, `(() => { const f = [...document.querySelectorAll("figure")].filter((f) => !f.hidden); return f.length >= 10 && f.every((f) => f.firstChild.complete && f.firstChild.naturalWidth > 0); })()`, 20*time.Second)
	drag(t, ctx)
	until(t, ctx, `document.querySelectorAll("#completions canvas").length === 8`, 10*time.Second)
	if style := value[string](t, ctx, `getComputedStyle(document.documentElement).getPropertyValue("--paper").trim()`); style == "" {
		t.Error("no style")
	}
	// What lies beside the prefix on the proxy's machine never sees the cookie.
	value[any](t, ctx, `fetch("/other").then(() => { window.fetched = true; })`)
	until(t, ctx, `window.fetched === true`, 5*time.Second)
	mu.Lock()
	defer mu.Unlock()
	for _, want := range []string{"/", "/app.js", "/draw.js", "/style.css", "/api/events", "/api/complete", "/figure/bound.svg", "/picture/data.png"} {
		if asked[want] == 0 {
			t.Errorf("the page never asked for %s: %v", want, asked)
		}
	}
	if len(outside) != 1 || outside[0] != "/other" || len(cookies) != 0 {
		t.Errorf("the page asked outside of its prefix: %v, with cookies %v", outside, cookies)
	}
}
