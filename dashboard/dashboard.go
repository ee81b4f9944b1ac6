// Package dashboard serves a page that shows runs, finished or still learning,
// live: curves, synapses and samples along the way, and a canvas on which the
// machine completes what a visitor draws.
//
// It reads run folders and writes nothing; a run that learns never waits for it.
// One watcher of the folders sends the news to all pages, by server-sent events.
// A slow reader gets only the last of them.
package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"
)

// Options of a server.
type Options struct {
	// Token that a visitor must show, in the address (?token=) or as a bearer.
	// Empty: none. It is needed to listen anywhere but on the loopback, and has at
	// least ShortestToken letters.
	Token string
	// Hosts are names that visitors may use for the server, directly or through a
	// proxy. Addresses by number and localhost need no entry. Address returns the
	// first name if the server listens on every address of the machine.
	Hosts []string
}

// ShortestToken is how many letters a token has at least: one that can be guessed
// by trying keeps nobody out.
const ShortestToken = 16

// ErrShortToken is returned by New for a token that is too short.
var ErrShortToken = fmt.Errorf("a token has at least %d letters", ShortestToken)

// A Server shows the runs of a folder.
type Server struct {
	opt     Options
	port    string // that it listens on
	watcher *watcher
	charts  chartCache
	models  modelCache
	all     *bucket // requests of a visitor
	drawing *bucket // completions of all visitors
	mux     *http.ServeMux
}

// New returns a server of the runs in a folder: that of one run, or of many.
// The error is that of reading it, or ErrShortToken.
func New(folder string, opt Options) (*Server, error) {
	if opt.Token != "" && len([]rune(opt.Token)) < ShortestToken {
		return nil, ErrShortToken
	}
	s := &Server{opt: opt, watcher: newWatcher(folder), charts: chartCache{turn: newTurns()}, models: modelCache{turn: newTurns()}, all: newBucket(1000, 4000), drawing: newBucket(10, 20)}
	if err := s.watcher.look(true); err != nil {
		return nil, err
	}
	s.routes()
	return s, nil
}

// Listen opens the address, host:port, for Serve. Without a token it must be on
// the loopback.
func (s *Server) Listen(address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("%q is not an address: give host:port, such as 127.0.0.1:8017", address)
	}
	if s.opt.Token == "" && !loopback(host) {
		return nil, fmt.Errorf("%s is open to others and needs a token", address)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	if _, s.port, err = net.SplitHostPort(l.Addr().String()); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// loopback reports whether a host is this machine, by name or number.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// Address returns the address of a listener for visitors, with the token. If the
// listener listens on every address of the machine, the host is the first of Hosts,
// else a number that other machines can reach.
func (s *Server) Address(l net.Listener) string {
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil { // no address of a network
		host, port = l.Addr().String(), ""
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsUnspecified() {
		host = reachable(ip)
		if len(s.opt.Hosts) > 0 {
			host = s.opt.Hosts[0]
		}
	}
	u := url.URL{Scheme: "http", Host: net.JoinHostPort(host, port), Path: "/"}
	if s.opt.Token != "" {
		u.RawQuery = url.Values{"token": {s.opt.Token}}.Encode()
	}
	return u.String()
}

// reachable returns a number of this machine that other machines may reach. If it has
// none, that of the loopback is returned.
func reachable(any netip.Addr) string {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		addresses = nil // the loopback is better than nothing
	}
	best := netip.Addr{}
	for _, a := range addresses {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil || !prefix.Addr().IsGlobalUnicast() {
			continue
		}
		ip := prefix.Addr().Unmap()
		if !best.IsValid() || ip.Is4() && !best.Is4() { // who listens on [::] takes both
			best = ip
		}
	}
	switch {
	case best.IsValid():
		return best.String()
	case any.Is4():
		return "127.0.0.1"
	}
	return "::1"
}

// When the server shuts down, pages that are open get the last news and fetch
// the pictures that belong to it: until nothing was asked for during quiet, or
// for the time of linger. Requests that are left then have the time of grace to end.
const (
	quiet  = 500 * time.Millisecond
	linger = 3 * time.Second
	grace  = 2 * time.Second
)

// Serve serves until the context is done, then tells the pages, lets requests
// end, and closes.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	// Streams of events end with ctx; other requests with the grace.
	streams, end := context.WithCancel(context.Background())
	defer end()
	s.watcher.streams = streams
	server := &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: silent(),
	}
	var asked traffic
	server.ConnState = asked.note
	var done sync.WaitGroup
	done.Add(1)
	stop := context.AfterFunc(ctx, func() {
		defer done.Done()
		looked := make(chan struct{})
		go func() { defer close(looked); _ = s.watcher.look(true) }() // an error is in the news
		select {
		case <-looked:
		case <-time.After(stopsLookingFor):
		}
		open := s.watcher.open()
		end()
		if open > 0 {
			asked.settle()
		}
		ctx, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			_ = server.Close() // the connections that are still open
		}
	})
	err := server.Serve(l)
	if !stop() {
		done.Wait()
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// traffic follows which connections are being answered.
type traffic struct {
	mu     sync.Mutex
	active map[net.Conn]bool
	last   time.Time // when one began or ended to be
}

func (t *traffic) note(c net.Conn, state http.ConnState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.active == nil {
		t.active = map[net.Conn]bool{}
	}
	t.last = time.Now()
	if state == http.StateActive {
		t.active[c] = true
	} else {
		delete(t.active, c)
	}
}

// settle waits until nothing has been asked for some time.
func (t *traffic) settle() {
	for began := time.Now(); time.Since(began) < linger; time.Sleep(quiet / 10) {
		t.mu.Lock()
		silent := len(t.active) == 0 && time.Since(t.last) > quiet && time.Since(began) > quiet
		t.mu.Unlock()
		if silent {
			return
		}
	}
}
