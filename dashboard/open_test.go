package dashboard

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// TestOpen: the loopback needs no token, other addresses get one; a port that is taken is an error.
func TestOpen(t *testing.T) {
	path := t.TempDir()
	folder(t, path, 3).Close()
	server, listener, err := Open(path, "127.0.0.1:0", Options{})
	if err != nil || strings.Contains(server.Address(listener), "token") {
		t.Fatalf("%v, %v", server, err)
	}
	defer listener.Close()
	if _, _, err := Open(path, listener.Addr().String(), Options{}); err == nil || !strings.Contains(err.Error(), "the page cannot be served") {
		t.Errorf("a port that is taken: %v", err)
	}
	var address *AddressError
	if _, _, err := Open(path, "8017", Options{}); !errors.As(err, &address) {
		t.Errorf("no address: %v", err)
	}
	open, other, err := Open(path, "0.0.0.0:0", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if at := open.Address(other); len(at) < strings.Index(at, "?token=")+7+20 {
		t.Errorf("no token in %s", at)
	}
}

// TestDuring: the page is there while work is done and gone after it; the error is the work's.
func TestDuring(t *testing.T) {
	path := t.TempDir()
	folder(t, path, 3).Close()
	var address string
	failed := errors.New("failed")
	err := During(t.Context(), path, "127.0.0.1:0", func(at string) { address = at }, func() error {
		response, err := http.Get(address)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if text, err := io.ReadAll(response.Body); err != nil || !strings.Contains(string(text), "<title>bethe") {
			t.Errorf("%v\n%s", err, text)
		}
		return failed
	})
	http.DefaultClient.CloseIdleConnections()
	if !errors.Is(err, failed) {
		t.Error(err)
	}
	if c, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(address, "http://"), "/")); err == nil {
		c.Close()
		t.Error("it serves after the work")
	}
}
