package dashboard

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"bethe/runs"
)

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
