package dashboard

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"bethe/causes"
	"bethe/figure"
	"bethe/rbm"
	"bethe/runs"
	"bethe/spin"
	"bethe/stream"
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

// events reads news from a server.
func events(t *testing.T, address string) (next func() news, leave func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	r := request(t, "GET", address+"/api/events", "").WithContext(ctx)
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(reply.Body)
	leave = func() { cancel(); reply.Body.Close() }
	t.Cleanup(leave)
	return func() (n news) {
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if text, ok := strings.CutPrefix(line, "data: "); ok {
				if err := json.Unmarshal([]byte(text), &n); err != nil {
					t.Fatal(err)
				}
				return n
			}
		}
	}, leave
}

func page0(t *testing.T, n news) pageRun {
	t.Helper()
	var p pageRun
	if len(n.Runs) == 0 {
		t.Fatalf("news of no run: %+v", n)
	}
	if err := json.Unmarshal(n.Runs[0], &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestEvents: a page is told when a run adds a record, ends, resumes or
// has a broken record, and when runs come and go.
func TestEvents(t *testing.T) {
	path := t.TempDir()
	a := filepath.Join(path, "a")
	log := folder(t, a, 1)
	address, end := serve(t, path, Options{})
	next, _ := events(t, address)
	if p := page0(t, next()); p.Step != 0 || p.Version != 1 || len(p.Pictures) != 1 || !p.Drawable || !p.HasData || strings.Join(p.Figures, " ") != "bound terms data-term partition-term kl polarised coupling rate" {
		t.Errorf("%+v", p)
	}
	add(t, log, 50)
	if p := page0(t, next()); p.Step != 50 || p.Left != 50 || *p.Bound != -3 || p.Finished {
		t.Errorf("%+v", p)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	log, _, err := runs.OpenLog(a, 0, 20)
	if err != nil {
		t.Fatal(err)
	}
	if p := page0(t, next()); p.Step != 0 {
		t.Errorf("after a resume: %+v", p)
	}
	add(t, log, 21)
	for p := page0(t, next()); p.Step != 21; p = page0(t, next()) { // the curves of before may come first
	}
	if err := os.WriteFile(filepath.Join(a, runs.ResultFile), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	for p := page0(t, next()); !p.Finished; p = page0(t, next()) {
	}
	folder(t, filepath.Join(path, "b"), 2)
	for n := next(); len(n.Names) != 2; n = next() {
	}
	if err := os.WriteFile(filepath.Join(a, runs.MetricsFile), []byte("nonsense\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for p := page0(t, next()); p.Problem == ""; p = page0(t, next()) {
	}
	if err := end(); err != nil {
		t.Errorf("the server's end: %v", err)
	}
}

// TestLastNews: a page hears what the run appended last before the server's end,
// and can still fetch pictures of it, over new connections, one after the other.
func TestLastNews(t *testing.T) {
	path := t.TempDir()
	log := folder(t, path, 1)
	address, end := serve(t, path, Options{})
	next, _ := events(t, address)
	next()
	add(t, log, 77)
	ended := make(chan error, 1)
	go func() { ended <- end() }()
	for p := page0(t, next()); p.Step != 77; p = page0(t, next()) {
	}
	for range 3 {
		time.Sleep(quiet / 3)
		http.DefaultClient.CloseIdleConnections()
		if status, text, _ := ask(t, request(t, "GET", address+"/figure/bound.svg?run="+filepath.Base(path), "")); status != 200 || !strings.Contains(text, "<svg") {
			t.Errorf("a figure at the end: %d %.100s", status, text)
		}
	}
	if err := <-ended; err != nil {
		t.Errorf("the server's end: %v", err)
	}
}

// TestStuckReader: a page that stops reading holds up neither the others, nor
// the run, nor the server's end; and nothing is left running.
func TestStuckReader(t *testing.T) {
	before := runtime.NumGoroutine()
	path := t.TempDir()
	log := folder(t, path, 1)
	address, end := serve(t, path, Options{})
	for range 20 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetReadBuffer(1) // and it never reads
		}
		fmt.Fprintf(conn, "GET /api/events HTTP/1.1\r\nHost: %s\r\n\r\n", strings.TrimPrefix(address, "http://"))
	}
	next, leave := events(t, address)
	next()
	slowest := time.Duration(0)
	for step := 1; step <= 5000; step++ {
		began := time.Now()
		add(t, log, step)
		slowest = max(slowest, time.Since(began))
	}
	heard := 0
	for began := time.Now(); heard < 5000 && time.Since(began) < 10*time.Second; {
		heard = page0(t, next()).Step
	}
	if heard != 5000 || slowest > 2*time.Second {
		t.Errorf("heard of step %d; an append took up to %v", heard, slowest)
	}
	leave()
	began := time.Now()
	if err := end(); err != nil || time.Since(began) > grace+3*time.Second {
		t.Errorf("the end took %v: %v", time.Since(began), err)
	}
	http.DefaultClient.CloseIdleConnections()
	for began := time.Now(); runtime.NumGoroutine() > before+2; time.Sleep(50 * time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			b := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, before %d:\n%s", runtime.NumGoroutine(), before, b[:runtime.Stack(b, true)])
		}
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
