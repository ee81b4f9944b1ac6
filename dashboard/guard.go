package dashboard

import (
	"crypto/subtle"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

func silent() *log.Logger { return log.New(io.Discard, "", 0) }

// cookie names what keeps the token of a visitor. Browsers send cookies to every
// port of a machine, so it carries that of this server.
func (s *Server) cookie() string { return "bethe_token_" + s.port }

// kept is how a cookie holds a token, whatever letters it has.
func kept(token string) string { return url.QueryEscape(token) }

// policy of the page: nothing from elsewhere, nothing inline.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Handler returns the guarded handler of all requests.
func (s *Server) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTime)) // not every connection has one
		switch {
		case !s.knownHost(r.Host):
			refuse(w, http.StatusMisdirectedRequest, "this host is not known here: whoever starts the server must tell it the host's name")
		case !s.sameOrigin(r):
			refuse(w, http.StatusForbidden, "requests from other pages are refused; behind a proxy, whoever starts the server must tell it the host's name in the visitors' browsers")
		case r.Method != http.MethodGet && r.Method != http.MethodHead && r.URL.Path != completePath:
			refuse(w, http.StatusMethodNotAllowed, "only GET")
		case !s.all.take(visitor(r)):
			h.Set("Retry-After", "1")
			refuse(w, http.StatusTooManyRequests, "too many requests")
		case s.opt.Token != "" && !s.admitted(w, r):
		default:
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
			s.mux.ServeHTTP(w, r)
		}
	})
}

// writeTime is how long a visitor may take to receive an answer, or an event.
const writeTime = 15 * time.Second

func refuse(w http.ResponseWriter, status int, why string) { http.Error(w, why, status) }

// knownHost reports whether a request names this server: else a page elsewhere
// could have pointed its own name at it.
func (s *Server) knownHost(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	if s.opt.Token == "" {
		return loopback(host) || s.named(host)
	}
	_, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil || s.named(host)
}

// named reports whether the server was told that visitors reach it by a name.
func (s *Server) named(host string) bool {
	return slices.ContainsFunc(s.opt.Hosts, func(name string) bool { return strings.EqualFold(name, host) })
}

// sameOrigin reports whether a request comes from our page or from no page; only
// the page itself may be opened from elsewhere.
func (s *Server) sameOrigin(r *http.Request) bool {
	if origin := r.Header.Get("Origin"); origin != "" && !s.ownOrigin(origin, r.Host) {
		return false
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return true
	}
	return r.Method == http.MethodGet && r.URL.Path == "/" && r.Header.Get("Sec-Fetch-Mode") == "navigate"
}

// ownOrigin reports whether an origin is that of our page: the host that was asked,
// or, behind a proxy that asks under another one, a name that we were told.
func (s *Server) ownOrigin(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && (u.Host == host || s.named(u.Hostname()))
}

// admitted reports whether a request shows the token. One that has it in its
// address gets a cookie, and is sent to the address without.
func (s *Server) admitted(w http.ResponseWriter, r *http.Request) bool {
	same := func(token string) bool { return subtle.ConstantTimeCompare([]byte(token), []byte(s.opt.Token)) == 1 }
	if token := r.URL.Query().Get("token"); r.URL.Path == "/" && same(token) {
		// Without a path it is for the folder that the browser sees, which may lie
		// below a prefix; likewise the address.
		http.SetCookie(w, &http.Cookie{Name: s.cookie(), Value: kept(token), HttpOnly: true, SameSite: http.SameSiteStrictMode})
		w.Header().Set("Location", "./")
		w.WriteHeader(http.StatusSeeOther)
		return false
	}
	for _, c := range r.CookiesNamed(s.cookie()) { // one of another prefix may come first
		if token, err := url.QueryUnescape(c.Value); err == nil && same(token) {
			return true
		}
	}
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok && same(token) {
		return true
	}
	refuse(w, http.StatusUnauthorized, "open the address with the token that the command printed")
	return false
}

func visitor(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// A bucket lets so many requests per second through, and so many at once, for
// each visitor.
type bucket struct {
	rate, size float64
	mu         sync.Mutex
	left       map[string]level
}

type level struct {
	tokens float64
	at     time.Time
}

// maxVisitors that a bucket remembers.
const maxVisitors = 10000

func newBucket(rate, size float64) *bucket {
	return &bucket{rate: rate, size: size, left: map[string]level{}}
}

func (b *bucket) take(who string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	l, ok := b.left[who]
	if !ok {
		if len(b.left) >= maxVisitors {
			clear(b.left)
		}
		l = level{b.size, now}
	}
	l.tokens = min(b.size, l.tokens+b.rate*now.Sub(l.at).Seconds())
	l.at = now
	ok = l.tokens >= 1
	if ok {
		l.tokens--
	}
	b.left[who] = l
	return ok
}
