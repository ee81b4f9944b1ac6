package dashboard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bethe/figure"
	"bethe/rbm"
	"bethe/runs"
	"bethe/spin"
)

// folder makes a run of a machine of 6 x 2 units, whose hidden units hold the
// visible ones together, three by three.
func folder(t *testing.T, path string, steps int) *runs.Log {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(path, runs.PicturesFolder), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := runs.WriteInfo(path, runs.Info{Verb: "train", Data: "small", Visible: 6, Hidden: 2, Width: 3, Height: 2, Began: time.Unix(1e9, 0)}); err != nil {
		t.Fatal(err)
	}
	log, _, err := runs.OpenLog(path, -1, 0)
	if err != nil {
		t.Fatal(err)
	}
	for step := range steps {
		add(t, log, step)
	}
	for _, name := range []string{runs.DataFile, filepath.Join(runs.PicturesFolder, "synapses-0.png"), filepath.Join(runs.PicturesFolder, "samples-0.png"), filepath.Join(runs.PicturesFolder, "other.png")} {
		if err := figure.WritePNG(filepath.Join(path, name), figure.Samples(spin.New(6, 4), 3, 2)); err != nil {
			t.Fatal(err)
		}
	}
	q := rbm.NewPosterior[float32](6, 2)
	for k := range q.Theta {
		q.Theta[k] = -20
		if k < 3 || k >= 9 {
			q.Theta[k] = 20
		}
	}
	file := &rbm.File{Params: rbm.NewParams(6, 2, 2), Synapses: rbm.Learned(q.Sign(), q)}
	if err := file.Save(filepath.Join(path, runs.LiveFile)); err != nil {
		t.Fatal(err)
	}
	return log
}

func add(t *testing.T, log *runs.Log, step int) {
	t.Helper()
	r := runs.Record{Step: step, Fraction: float64(step) / 100, Seconds: float64(step), KL: 0.5, Bound: &runs.Bound{Value: -3}}
	if step == 0 {
		r.Synapses, r.Samples = "synapses-0.png", "samples-0.png"
	}
	if err := log.Append(r); err != nil {
		t.Fatal(err)
	}
}

// serve returns the address of a server on a loopback port, and what ends it.
func serve(t *testing.T, path string, opt Options) (address string, end func() error) {
	t.Helper()
	s, err := New(path, opt)
	if err != nil {
		t.Fatal(err)
	}
	s.watcher.findEvery = lookEvery // tests come and go sooner than runs
	l, err := s.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	over := false
	end = func() error {
		cancel()
		if over {
			return nil
		}
		over = true
		return <-ended
	}
	t.Cleanup(func() { _ = end() })
	return "http://" + l.Addr().String(), end
}

// ask asks and returns the status and the answer.
func ask(t *testing.T, r *http.Request) (int, string, http.Header) {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	reply, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply.StatusCode, string(text), reply.Header
}

func request(t *testing.T, method, url, body string, header ...string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for k := 0; k < len(header); k += 2 {
		if header[k] == "Host" {
			r.Host = header[k+1]
		} else {
			r.Header.Set(header[k], header[k+1])
		}
	}
	return r
}

func TestServes(t *testing.T) {
	path := t.TempDir()
	folder(t, filepath.Join(path, "a"), 3)
	folder(t, filepath.Join(path, "b"), 5)
	address, _ := serve(t, path, Options{})
	for _, c := range []struct {
		at     string
		status int
		has    string
	}{
		{"/", 200, "<title>bethe</title>"}, {"/app.js", 200, "EventSource"}, {"/draw.js", 200, "canvas"}, {"/style.css", 200, "--paper"}, {"/favicon.svg", 200, "<svg"},
		{"/api/runs", 200, `"names":["a","b"]`}, {"/figure/bound.svg?run=a", 200, "Lower bound"}, {"/figure/bound.svg?run=a&run=b&theme=dark", 200, ">b<"},
		{"/figure/bound.svg?run=a&w=360", 200, `viewBox="0 0 270 `}, {"/figure/bound.svg?run=a&w=1", 200, `viewBox="0 0 180 `}, {"/figure/bound.svg?run=a&w=x", 200, `viewBox="0 0 432 `}, {"/style.css", 200, ".series-6 {"}, {"/figure/teacher.svg?run=a", 404, "not measured"}, {"/figure/none.svg?run=a", 404, ""}, {"/figure/bound?run=a", 404, ""}, {"/figure/bound.svg", 404, ""}, {"/figure/bound.svg?run=c", 404, ""},
		{"/figure/magnetisations.svg?run=a", 404, ""}, {"/figure/spectrum.svg?run=a", 404, ""}, {"/figure/magnetisation-history.svg?run=a", 404, ""},
		{"/figure/bound.svg?" + strings.Repeat("run=a&", maxRuns+1), 404, ""},
		{"/picture/data.png?run=b", 200, "PNG"}, {"/picture/synapses-0.png?run=a", 200, "PNG"}, {"/picture/other.png?run=a", 404, ""}, {"/picture/synapses.png?run=a", 404, ""},
		{"/picture/run.json?run=a", 404, ""}, {"/picture/data.png?run=../a", 404, ""}, {"/picture/data.png", 404, ""}, {"/picture/..%2Fdata.png?run=a", 404, ""}, {"/runs/a/run.json", 404, ""},
	} {
		status, text, header := ask(t, request(t, "GET", address+c.at, ""))
		if status != c.status || !strings.Contains(text, c.has) {
			t.Errorf("%s: %d %.80q", c.at, status, text)
		}
		if header.Get("Content-Security-Policy") != policy || header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: headers %v", c.at, header)
		}
	}
	// What the page is made of asks for nothing elsewhere.
	for _, name := range []string{"index.html", "app.js", "draw.js", "style.css"} {
		text, err := page.ReadFile("page/" + name)
		if err != nil || strings.Contains(string(text), "//cdn") || strings.Contains(string(text), "http://") || strings.Contains(string(text), "https://") {
			t.Errorf("%s: %v, or an address elsewhere", name, err)
		}
		if name == "index.html" && (strings.Contains(string(text), " style=") || strings.Contains(string(text), "<style") || strings.Contains(string(text), "onclick")) {
			t.Errorf("%s: what the policy refuses", name)
		}
	}
}

func TestGuards(t *testing.T) {
	path := t.TempDir()
	folder(t, path, 1)
	address, _ := serve(t, path, Options{Hosts: []string{"machine.example"}})
	for _, c := range []struct {
		method, at string
		header     []string
		status     int
	}{
		{"GET", "/", []string{"Host", "evil.example"}, 421}, {"GET", "/", []string{"Host", "10.0.0.1:80"}, 421}, {"GET", "/", []string{"Host", "localhost.evil.example"}, 421},
		{"GET", "/", []string{"Host", "localhost:99"}, 200}, {"GET", "/", []string{"Host", "[::1]:99"}, 200}, {"GET", "/", []string{"Host", "machine.example"}, 200},
		{"GET", "/api/runs", []string{"Origin", "http://evil.example"}, 403}, {"GET", "/api/runs", []string{"Origin", "null"}, 403}, {"GET", "/api/runs", []string{"Origin", address}, 200},
		{"GET", "/api/runs", []string{"Sec-Fetch-Site", "cross-site"}, 403}, {"GET", "/api/runs", []string{"Sec-Fetch-Site", "same-site"}, 403}, {"GET", "/api/runs", []string{"Sec-Fetch-Site", "same-origin"}, 200},
		{"GET", "/", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, 200}, {"GET", "/", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"}, 403},
		{"POST", "/", nil, 405}, {"DELETE", "/api/runs", nil, 405}, {"PUT", completePath, nil, 405}, {"HEAD", "/", nil, 200},
	} {
		if status, text, _ := ask(t, request(t, c.method, address+c.at, "", c.header...)); status != c.status {
			t.Errorf("%s %s %v: %d %s, not %d", c.method, c.at, c.header, status, text, c.status)
		}
	}
	// A link in the folder that leads outside.
	secret := filepath.Join(t.TempDir(), "secret.png")
	if err := figure.WritePNG(secret, figure.Samples(spin.New(6, 1), 3, 2)); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(path, runs.DataFile)
	if err := os.Remove(data); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, data); err != nil {
		t.Skip("no links here: ", err)
	}
	if status, text, _ := ask(t, request(t, "GET", address+"/picture/data.png?run="+filepath.Base(path), "")); status != 404 {
		t.Errorf("a link out of the folder: %d %.20q", status, text)
	}
}

func TestToken(t *testing.T) {
	path := t.TempDir()
	folder(t, path, 1)
	s, err := New(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{"0.0.0.0:0", "example.org:0", ":0", "nonsense"} {
		if l, err := s.Listen(at); err == nil {
			l.Close()
			t.Errorf("%s without a token", at)
		}
	}
	for _, token := range []string{"s", "secret", "fifteen letters"} {
		if _, err := New(path, Options{Token: token}); err != ErrShortToken {
			t.Errorf("the token %q: %v", token, err)
		}
	}
	const secret = "a secret; of \"ö\" & 50 % more+"
	asked := url.Values{"token": {secret}}.Encode()
	address, _ := serve(t, path, Options{Token: secret})
	_, port, _ := strings.Cut(strings.TrimPrefix(address, "http://"), ":")
	if status, _, _ := ask(t, request(t, "GET", address, "")); status != 401 {
		t.Errorf("no token: %d", status)
	}
	for _, at := range []string{"/?token=wrong", "/?token=", "/app.js?" + asked} {
		if status, _, _ := ask(t, request(t, "GET", address+at, "")); status != 401 {
			t.Errorf("%s: %d", at, status)
		}
	}
	status, _, header := ask(t, request(t, "GET", address+"/?"+asked, "", "Host", "192.168.1.7:80"))
	c := header.Get("Set-Cookie")
	if status != 303 || header.Get("Location") != "./" || strings.Contains(c, "Path=") || !strings.HasPrefix(c, "bethe_token_"+port+"=") || !strings.Contains(c, "HttpOnly") || !strings.Contains(c, "SameSite=Strict") {
		t.Fatalf("%d %v", status, header)
	}
	for _, h := range [][]string{{"Cookie", strings.Split(c, ";")[0]}, {"Authorization", "Bearer " + secret}, {"Cookie", "bethe_token_" + port + "=other; " + strings.Split(c, ";")[0]}} {
		if status, _, _ := ask(t, request(t, "GET", address, "", h...)); status != 200 {
			t.Errorf("%v: %d", h, status)
		}
	}
	if status, _, _ := ask(t, request(t, "GET", address, "", "Cookie", "bethe_token_"+port+"=other")); status != 401 {
		t.Errorf("a wrong cookie: %d", status)
	}
}

func TestLimits(t *testing.T) {
	path := t.TempDir()
	folder(t, path, 1)
	s, err := New(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.all = newBucket(0, 3)
	handler := s.Handler()
	for k := range 5 {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = "localhost"
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if want := map[bool]int{true: 200, false: 429}[k < 3]; w.Code != want {
			t.Errorf("request %d: %d", k, w.Code)
		}
	}
	b := newBucket(1e9, 1)
	for k := range 2 * maxVisitors {
		if !b.take(fmt.Sprint(k)) {
			t.Fatal("another visitor waits")
		}
	}
	if len(b.left) > maxVisitors {
		t.Errorf("%d visitors remembered", len(b.left))
	}
	for range maxPages {
		wake, ok := s.watcher.join()
		if !ok {
			t.Fatal("a page is refused")
		}
		defer s.watcher.leave(wake)
	}
	r := httptest.NewRequest("GET", "/api/events", nil)
	w := httptest.NewRecorder()
	s.events(w, r)
	if w.Code != 503 {
		t.Errorf("page %d: %d", maxPages+1, w.Code)
	}
	if _, err := New(filepath.Join(path, "missing"), Options{}); err == nil {
		t.Error("a missing folder")
	}
}

func TestChartCache(t *testing.T) {
	c := chartCache{turn: newTurns()}
	drawn := 0
	get := func(key string, size int) {
		t.Helper()
		if text, err := c.get(t.Context(), key, func() ([]byte, error) { drawn++; return make([]byte, size), nil }); err != nil || len(text) != size {
			t.Fatalf("%d bytes, %v", len(text), err)
		}
	}
	for range 3 {
		for k := range maxCharts + 1 {
			get(fmt.Sprint(k), 0)
			get(fmt.Sprint(k), 0)
		}
	}
	if drawn != 3*(maxCharts+1) || len(c.drawn) != maxCharts {
		t.Errorf("%d drawn, %d kept", drawn, len(c.drawn))
	}
	// Large ones are counted by their bytes, and those of their keys.
	const size = 1 << 20
	drawn = 0
	for k := range 100 {
		key := fmt.Sprint(k, " ", strings.Repeat("0", size))
		get(key, size)
		get(key, size)
	}
	kept := 0
	for key, text := range c.drawn {
		kept += len(key) + len(text)
	}
	if drawn != 100 || kept != c.bytes || kept > maxChartBytes || kept < maxChartBytes*3/4 || len(c.drawn) != len(c.recent) {
		t.Errorf("%d drawn, %d bytes kept, counted as %d", drawn, kept, c.bytes)
	}
	get("huge", maxChartBytes/2)
	if _, ok := c.drawn["huge"]; ok {
		t.Error("one chart may push all others out")
	}
	if _, err := c.get(t.Context(), "x", func() ([]byte, error) { return nil, io.EOF }); err != io.EOF {
		t.Errorf("%v", err)
	}
	// While a chart is drawn, kept ones are returned, and a visitor who waits can leave.
	ended := make(chan error)
	_, err := c.get(t.Context(), "slow", func() ([]byte, error) {
		get("99 "+strings.Repeat("0", size), size)
		ctx, leave := context.WithCancel(t.Context())
		go func() {
			_, err := c.get(ctx, "other", func() ([]byte, error) { return nil, nil })
			ended <- err
		}()
		leave()
		return nil, <-ended
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("waiting: %v", err)
	}
}
