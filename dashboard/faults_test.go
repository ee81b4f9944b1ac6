//go:build unix

package dashboard

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"bethe/runs"
)

// within asks, and fails where the answer takes longer than a broken run may hold
// the others up.
func within(t *testing.T, r *http.Request) (int, string) {
	t.Helper()
	began := time.Now()
	status, text, _ := ask(t, r)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("%s took %v", r.URL, took)
	}
	return status, text
}

// told returns what pages are told of each run.
func told(t *testing.T, address string) map[string]pageRun {
	t.Helper()
	status, text := within(t, request(t, "GET", address+"/api/runs", ""))
	var n news
	if err := json.Unmarshal([]byte(text), &n); status != 200 || err != nil {
		t.Fatalf("%d %v: %s", status, err, text)
	}
	all := map[string]pageRun{}
	for _, text := range n.Runs {
		var p pageRun
		if err := json.Unmarshal(text, &p); err != nil {
			t.Fatal(err)
		}
		all[p.Name] = p
	}
	return all
}

// eventually waits for what pages are told.
func eventually(t *testing.T, address, what string, is func(map[string]pageRun) bool) {
	t.Helper()
	for began := time.Now(); time.Since(began) < 15*time.Second; time.Sleep(100 * time.Millisecond) {
		if is(told(t, address)) {
			return
		}
	}
	t.Fatalf("not told: %s; but %+v", what, told(t, address))
}

func drawing(run string) string {
	return fmt.Sprintf(`{"run":%q,"pixels":"+????-","draw":1}`, run)
}

// TestBadRuns: pipes, links out of the folder and damage in place of a run's files
// are that run's own error, at the start and while pages are served; the others
// are served, and the server ends when it is told to.
func TestBadRuns(t *testing.T) {
	top := t.TempDir()
	path := filepath.Join(top, "runs")
	secret := filepath.Join(top, "secret")
	if err := os.WriteFile(secret, []byte(`{"verb":"secret"}`+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	pipe := func(at string) error { return syscall.Mkfifo(at, 0o644) }
	out := func(at string) error { return os.Symlink(secret, at) }
	broken := func(at string) error { return os.WriteFile(at, []byte("{"), 0o644) }
	kinds := map[string]struct {
		file, problem string
		make          func(at string) error
	}{
		"pipe-metrics": {runs.MetricsFile, "a named pipe, not a regular file", pipe}, "pipe-info": {runs.InfoFile, "a named pipe, not a regular file", pipe},
		"pipe-model": {runs.LiveFile, "", pipe}, "pipe-picture": {runs.PicturesFolder + "/synapses-0.png", "", pipe}, "pipe-data": {runs.DataFile, "", pipe},
		"link-info": {runs.InfoFile, "escapes", out}, "link-metrics": {runs.MetricsFile, "escapes", out}, "link-model": {runs.LiveFile, "", out},
		"broken-info": {runs.InfoFile, "not the JSON of a run", broken}, "folder-metrics": {runs.MetricsFile, "a folder, not a regular file", func(at string) error { return os.Mkdir(at, 0o755) }},
	}
	spoil := func() {
		for name, kind := range kinds {
			at := filepath.Join(path, name, kind.file)
			if err := os.Remove(at); err != nil {
				t.Fatal(err)
			}
			if err := kind.make(at); err != nil {
				t.Fatal(err)
			}
		}
	}
	check := func(address string) {
		t.Helper()
		eventually(t, address, "every problem", func(all map[string]pageRun) bool {
			for name, kind := range kinds {
				if p := all[name].Problem; (p == "") != (kind.problem == "") || !strings.Contains(p, kind.problem) || p != "" && !strings.Contains(p, filepath.Join(name, kind.file)) {
					return false
				}
			}
			return len(all) == len(kinds)+1
		})
		all := told(t, address)
		for name, p := range all {
			if p.Verb == "secret" || name != "link-info" && name != "pipe-info" && name != "broken-info" && p.Verb != "train" {
				t.Errorf("%s: %+v", name, p)
			}
		}
		if p := all["good"]; p.Problem != "" || p.Step != 2 || !p.Drawable {
			t.Errorf("the good run: %+v", p)
		}
		for _, at := range []string{"/figure/bound.svg?run=good", "/picture/data.png?run=good", "/picture/synapses-0.png?run=good", "/figure/bound.svg?run=broken-info", "/figure/bound.svg?run=pipe-info"} {
			if status, text := within(t, request(t, "GET", address+at, "")); status != 200 {
				t.Errorf("%s: %d %.200s", at, status, text)
			}
		}
		for _, at := range []string{"/picture/synapses-0.png?run=pipe-picture", "/picture/data.png?run=pipe-data"} {
			if status, text := within(t, request(t, "GET", address+at, "")); status != 404 {
				t.Errorf("%s: %d %.200s", at, status, text)
			}
		}
		for run, want := range map[string]int{"pipe-model": 500, "link-model": 500, "good": 200} {
			if status, text := within(t, request(t, "POST", address+completePath, drawing(run), "Content-Type", "application/json")); status != want || strings.Contains(text, "secret\"") {
				t.Errorf("completions by %s: %d %.200s", run, status, text)
			}
		}
	}
	fill := func() {
		folder(t, filepath.Join(path, "good"), 3).Close()
		for name := range kinds {
			folder(t, filepath.Join(path, name), 3).Close()
		}
	}
	fill()
	address, end := serve(t, path, Options{})
	if all := told(t, address); len(all) != len(kinds)+1 || all["pipe-metrics"].Problem != "" {
		t.Fatalf("%+v", all)
	}
	spoil() // while they are served
	check(address)
	began := time.Now()
	if err := end(); err != nil || time.Since(began) > grace+stopsLookingFor+linger {
		t.Errorf("the end took %v: %v", time.Since(began), err)
	}
	address, end = serve(t, path, Options{}) // as they are
	check(address)
	// All of it is removed and made again, under the same server.
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		if _, text := within(t, request(t, "GET", address+"/api/runs", "")); strings.Contains(text, "no such file") && strings.Contains(text, `"names":[]`) {
			break
		}
		if time.Since(began) > 15*time.Second {
			t.Fatal("nobody is told that the folder is gone")
		}
	}
	fill()
	eventually(t, address, "that the folder is there again", func(all map[string]pageRun) bool {
		return len(all) == len(kinds)+1 && all["pipe-info"].Problem == "" && all["good"].Step == 2
	})
	for _, at := range []string{"/figure/bound.svg?run=link-metrics", "/picture/data.png?run=good", "/picture/synapses-0.png?run=pipe-picture"} {
		if status, text := within(t, request(t, "GET", address+at, "")); status != 200 {
			t.Errorf("after it was made again, %s: %d %.200s", at, status, text)
		}
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

// TestDamagedRun: a damaged line stops neither the curves nor what comes after it.
func TestDamagedRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run")
	log := folder(t, path, 3)
	f, err := os.OpenFile(filepath.Join(path, runs.MetricsFile), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("x\n"); err != nil {
		t.Fatal(err)
	}
	address, _ := serve(t, path, Options{})
	add(t, log, 4)
	eventually(t, address, "the damage and the record after it", func(all map[string]pageRun) bool {
		p := all["run"]
		return p.Step == 4 && strings.Contains(p.Problem, runs.MetricsFile+":4: not a record") && len(p.Figures) > 5
	})
	if status, text := within(t, request(t, "GET", address+"/figure/bound.svg?run=run", "")); status != 200 || !strings.Contains(text, "Lower bound") {
		t.Errorf("%d %.200s", status, text)
	}
}

// TestManyRecords: if runs have very many records, their memory together is bounded,
// and the page shows the newest record of each.
func TestManyRecords(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine reads very many records: without the race detector")
	}
	path := t.TempDir()
	const n = 150_000
	text := []byte(strings.Repeat("{}\n", n-1) + `{"step":7,"kl_per_synapse":0.5}` + "\n")
	for k := range 6 {
		run := filepath.Join(path, fmt.Sprint(k))
		folder(t, run, 1).Close()
		if k < 2 {
			if err := os.WriteFile(filepath.Join(run, runs.MetricsFile), text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	s, err := New(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); s.watcher.runs["0"].history.Len()+s.watcher.runs["1"].history.Len() < 2*n && time.Since(began) < 20*time.Second; {
		if err := s.watcher.look(true); err != nil {
			t.Fatal(err)
		}
	}
	const share = recordsBytes / 6
	least := int(reflect.TypeFor[runs.Record]().Size())
	for _, name := range []string{"0", "1"} {
		r := s.watcher.runs[name]
		var p pageRun
		if err := json.Unmarshal(r.page, &p); err != nil || p.Step != 7 || p.KL != 0.5 {
			t.Errorf("%v: %s", err, r.page)
		}
		if kept := len(r.records); r.history.Len() != n || kept > share/least || kept < share/least/4 {
			t.Errorf("%d of %d records are kept, in %d bytes", kept, r.history.Len(), share)
		}
	}
}

// TestOddNames: runs whose names are not UTF-8, or would move a terminal's cursor,
// are told apart and served.
func TestOddNames(t *testing.T) {
	path := t.TempDir()
	if err := os.Mkdir(filepath.Join(path, "a\xff"), 0o755); err != nil {
		t.Skipf("SKIPPED: this file system wants UTF-8: %v", err)
	}
	for k, name := range []string{"a\xff", "a\xfe", "a b&c=d#", "\x1b[31m", `a\xff`, "<b>"} {
		folder(t, filepath.Join(path, name), k+1).Close()
	}
	address, _ := serve(t, path, Options{})
	all := told(t, address)
	for k, name := range []string{`a\xff`, `a\xfe`, "a b&c=d#", `\x1b[31m`, `a\x5cxff`, "<b>"} {
		if p, ok := all[name]; !ok || p.Step != k || p.Problem != "" {
			t.Errorf("%s: %+v of %d", name, p, len(all))
		}
		query := "?" + url.Values{"run": {name}}.Encode()
		for _, at := range []string{"/figure/bound.svg", "/picture/data.png"} {
			if status, text := within(t, request(t, "GET", address+at+query, "")); status != 200 {
				t.Errorf("%s of %s: %d %.200s", at, name, status, text)
			}
		}
	}
	if status, text := within(t, request(t, "POST", address+completePath, drawing(`a\xfe`), "Content-Type", "application/json")); status != 200 {
		t.Errorf("completions: %d %.200s", status, text)
	}
}

// behind returns the address of a proxy that serves address below a prefix, as
// reverse proxies do: it takes the prefix away, and may ask under its own name of
// the server.
func behind(t *testing.T, address, prefix string, rename bool) string {
	t.Helper()
	to, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		if !rename {
			r.Out.Host = r.In.Host
		}
	}, ErrorLog: silent()}
	mux := http.NewServeMux()
	mux.Handle(prefix+"/", http.StripPrefix(prefix, proxy))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// TestPrefix: everything works below a prefix, with and without a token, whatever
// host the proxy names; cookies stay below it.
func TestPrefix(t *testing.T) {
	path := t.TempDir()
	folder(t, filepath.Join(path, "run"), 3).Close()
	const secret = "sixteen letters!"
	for _, c := range []struct {
		rename bool
		opt    Options
	}{{false, Options{}}, {false, Options{Token: secret}}, {true, Options{Token: secret, Hosts: []string{"hub.example", "127.0.0.1"}}}} {
		address, _ := serve(t, path, c.opt)
		proxied := behind(t, address, "/user/me/proxy/8017", c.rename) + "/user/me/proxy/8017/"
		base, err := url.Parse(proxied)
		if err != nil {
			t.Fatal(err)
		}
		var header []string
		if c.opt.Token != "" {
			status, _, h := ask(t, request(t, "GET", proxied+"?"+url.Values{"token": {secret}}.Encode(), ""))
			at, err := base.Parse(h.Get("Location"))
			if status != 303 || err != nil || at.String() != proxied {
				t.Fatalf("%d, sent to %v, %v", status, at, err)
			}
			set, err := http.ParseSetCookie(h.Get("Set-Cookie"))
			if err != nil || set.Path != "" || !strings.HasPrefix(set.Name, "bethe_token_") {
				t.Fatalf("%+v, %v", set, err)
			}
			header = []string{"Cookie", set.Name + "=" + set.Value}
		}
		for at, want := range map[string]string{"": "<title>bethe</title>", "app.js": "EventSource", "draw.js": "canvas", "style.css": "--paper", "favicon.svg": "<svg", "api/runs": `"names":["run"]`,
			"figure/bound.svg?run=run": "Lower bound", "picture/data.png?run=run": "PNG"} {
			if status, text, _ := ask(t, request(t, "GET", proxied+at, "", append(header, "Sec-Fetch-Site", "same-origin")...)); status != 200 || !strings.Contains(text, want) {
				t.Errorf("%+v: %s: %d %.100s", c, at, status, text)
			}
		}
		origin := "http://" + base.Host
		header = append(header, "Content-Type", "application/json")
		if status, text, _ := ask(t, request(t, "POST", proxied+"api/complete", drawing("run"), append(header, "Origin", origin)...)); status != 200 {
			t.Errorf("%+v: completions: %d %s", c, status, text)
		}
		for _, other := range []string{"http://evil.example", "http://127.0.0.1.evil.example", "null", "ftp://" + base.Host, "https://hub.example.evil"} {
			if status, _, _ := ask(t, request(t, "POST", proxied+"api/complete", drawing("run"), append(header, "Origin", other)...)); status != 403 {
				t.Errorf("%+v: from %s: %d", c, other, status)
			}
		}
		status, text, _ := ask(t, request(t, "POST", proxied+"api/complete", drawing("run"), append(header, "Origin", "https://hub.example")...))
		if want := map[bool]int{true: 200, false: 403}[c.rename]; status != want || want == 403 && !strings.Contains(text, "the host's name") {
			t.Errorf("%+v: from the name of the proxy: %d %s", c, status, text)
		}
	}
	// No address of the page begins at the root.
	for _, name := range []string{"index.html", "app.js", "draw.js", "style.css"} {
		text, err := page.ReadFile("page/" + name)
		for _, word := range []string{`"/`, "`/", `'/`, `(/`, `url("`} {
			if err != nil || strings.Contains(string(text), word) {
				t.Errorf("%s: %v, or an address that begins with %s", name, err, word)
			}
		}
	}
}

// TestAddress: the address that is printed can be opened, from elsewhere too.
func TestAddress(t *testing.T) {
	path := t.TempDir()
	folder(t, path, 1).Close()
	const secret = "sixteen & more =%"
	for _, c := range []struct {
		listen string
		hosts  []string
	}{{"127.0.0.1:0", nil}, {"0.0.0.0:0", nil}, {"0.0.0.0:0", []string{"machine.example"}}, {"[::]:0", nil}, {":0", nil}, {"[::1]:0", nil}} {
		s, err := New(path, Options{Token: secret, Hosts: c.hosts})
		if err != nil {
			t.Fatal(err)
		}
		l, err := s.Listen(c.listen)
		if err != nil {
			t.Logf("%s: not tried, there is no such network here: %v", c.listen, err)
			continue
		}
		u, err := url.Parse(s.Address(l))
		l.Close()
		if err != nil || u.Query().Get("token") != secret || len(u.Query()) != 1 || u.Port() == "0" || u.Path != "/" {
			t.Errorf("%s: %v, %v", c.listen, u, err)
		}
		if host := u.Hostname(); host == "0.0.0.0" || host == "::" || host == "" || len(c.hosts) > 0 && host != c.hosts[0] || !s.knownHost(u.Host) {
			t.Errorf("%s %v: the address names %s", c.listen, c.hosts, u.Host)
		}
	}
}
