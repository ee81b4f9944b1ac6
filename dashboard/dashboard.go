// Package dashboard serves a page that shows runs, finished or still learning,
// live: curves, synapses and samples along the way, and a canvas on which the
// machine completes what a visitor draws.
//
// It reads run folders and writes nothing; a run that learns never waits for it.
// Every page gets its news from one watcher of the folders, by server-sent
// events of which a slow reader misses all but the last.
package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// Options of a server.
type Options struct {
	// Token that a visitor must show, in the address (?token=) or as a bearer.
	// Empty: none. It is needed to listen anywhere but on the loopback.
	Token string
	// Hosts are further names by which visitors may reach the server; without
	// them, addresses by number and localhost.
	Hosts []string
}

// A Server shows the runs of a folder.
type Server struct {
	opt     Options
	root    *os.Root
	watcher *watcher
	charts  chartCache
	models  modelCache
	all     *bucket // requests of a visitor
	drawing *bucket // completions of all visitors
	mux     *http.ServeMux
}

// New returns a server of the runs in a folder: that of one run, or of many.
// The error is that of reading it.
func New(folder string, opt Options) (*Server, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	s := &Server{opt: opt, root: root, watcher: newWatcher(folder), all: newBucket(1000, 4000), drawing: newBucket(10, 20)}
	if err := s.watcher.look(true); err != nil {
		root.Close()
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
	return net.Listen("tcp", address)
}

// loopback reports whether a host is this machine, by name or number.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// Address returns the address for a visitor of a listener, with the token.
func (s *Server) Address(l net.Listener) string {
	address := "http://" + l.Addr().String() + "/"
	if s.opt.Token != "" {
		address += "?token=" + s.opt.Token
	}
	return address
}

// grace is the time that visitors have when the server shuts down.
const grace = 2 * time.Second

// Serve serves until the context is done, then lets requests end, and closes.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	// Streams of events end with ctx; other requests with the grace.
	streams, end := context.WithCancel(context.Background())
	defer end()
	s.watcher.streams = streams
	server := &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: silent(),
	}
	var done sync.WaitGroup
	done.Add(1)
	stop := context.AfterFunc(ctx, func() {
		defer done.Done()
		end()
		ctx, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			_ = server.Close() // what is left after the grace
		}
	})
	err := server.Serve(l)
	if !stop() {
		done.Wait()
	}
	if e := s.root.Close(); err == nil {
		err = e
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
