package dashboard

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
)

// DefaultAddress is where the page is served, if the port is free.
const DefaultAddress = "127.0.0.1:8017"

// An AddressError says that an address is not host:port.
type AddressError struct{ Address string }

func (e *AddressError) Error() string {
	return fmt.Sprintf("%q is not an address: give host:port, such as %s", e.Address, DefaultAddress)
}

// HostOf returns the host of an address. The error is an *AddressError.
func HostOf(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if _, no := net.LookupPort("tcp", port); err != nil || no != nil {
		return "", &AddressError{address}
	}
	return host, nil
}

// DrawToken, as the token of the options of Open, asks for one that is drawn.
const DrawToken = "auto"

// Open returns a server of the runs in a folder and its listener at an address,
// host:port. Where the address is not this machine's own and no token is given, one
// is drawn, as for DrawToken. Where the port of DefaultAddress is taken, another is found. The error is
// an *AddressError, or that of New or Listen.
func Open(folder, address string, opt Options) (*Server, net.Listener, error) {
	host, err := HostOf(address)
	if err != nil {
		return nil, nil, err
	}
	if opt.Token == DrawToken || opt.Token == "" && !loopback(host) {
		opt.Token = rand.Text() // a secret, not a draw that results depend on
	}
	server, err := New(folder, opt)
	if err != nil {
		return nil, nil, err
	}
	listener, err := server.Listen(address)
	if errors.Is(err, syscall.EADDRINUSE) && address == DefaultAddress {
		listener, err = server.Listen(strings.TrimSuffix(DefaultAddress, "8017") + "0")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("the page cannot be served: %w", err)
	}
	return server, listener, nil
}

// During serves the page of a folder while work is done, and then ends it. at is
// called with its address before the work. The error is that of Open, of the work, or
// of Serve.
func During(ctx context.Context, folder, address string, at func(address string), work func() error) error {
	server, listener, err := Open(folder, address, Options{})
	if err != nil {
		return err
	}
	at(server.Address(listener))
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, listener) }()
	err = work()
	stop()
	if e := <-ended; err == nil {
		err = e
	}
	return err
}
