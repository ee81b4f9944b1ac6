package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"bethe/dashboard"
)

// defaultAddress is where the page is served, if the port is free.
const defaultAddress = "127.0.0.1:8017"

// autoToken asks for a token that is drawn.
const autoToken = "auto"

// serveFlags are what serve is told.
type serveFlags struct {
	address string
	token   string
	hosts   []string
}

func newServeCommand(c *console) *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use: "serve RUN-OR-FOLDER", Short: "Show runs on a page, live", Args: oneArgument("a run folder or a folder of runs"),
		Long: `Serves a page that shows the runs in a folder, finished or still learning:
progress, curves, several runs over each other, synapses and samples at every
checkpoint, and a canvas where the machine completes what you draw. The page
needs nothing from elsewhere, and the server writes nothing.

It listens on this machine only. Another address must be asked for; visitors
then need the token that is printed. On a machine that others use too, such as a
login node, everybody on it can open what listens there: --token auto draws a
token there too, and prints it.

Behind a proxy that serves the page below a path of its own and takes that path
away (jupyter-server-proxy, Open OnDemand's rnode, nginx), name with --host the
machine that visitors' browsers show.`,
		Example: "  bethe serve runs/m500\n  bethe serve runs --listen 127.0.0.1:9000\n  bethe serve runs --listen 0.0.0.0:8017\n" +
			"  bethe serve runs --token auto\n  bethe serve runs --host hub.example.org",
		RunE: func(cmd *cobra.Command, args []string) error { return c.serve(cmd.Context(), args[0], &f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.address, "listen", defaultAddress, "address, host:port; where the default's port is taken, another is found")
	flags.StringVar(&f.token, "token", "", fmt.Sprintf("token for visitors: auto draws one, else of at least %d letters (default: auto where the address is not this machine's own)", dashboard.ShortestToken))
	flags.StringSliceVar(&f.hosts, "host", nil, "name by which visitors may reach the page, directly or through a proxy, besides numbers and localhost")
	return cmd
}

func (c *console) serve(ctx context.Context, folder string, f *serveFlags) error {
	server, listener, err := open(folder, f)
	if err != nil {
		return err
	}
	if err := c.object(map[string]string{"address": server.Address(listener)}); err != nil {
		return err
	}
	c.printf("%s\n", server.Address(listener))
	c.logf("Ctrl-C ends it\n")
	return server.Serve(ctx, listener)
}

// open opens the server of a folder and its listener.
func open(folder string, f *serveFlags) (*dashboard.Server, net.Listener, error) {
	host, _, err := net.SplitHostPort(f.address)
	if err != nil {
		return nil, nil, usagef("%q is not an address: give host:port, such as %s", f.address, defaultAddress)
	}
	token := f.token
	if ip := net.ParseIP(host); token == autoToken || token == "" && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		token = rand.Text() // a secret, not a draw that results depend on
	}
	server, err := dashboard.New(folder, dashboard.Options{Token: token, Hosts: f.hosts})
	if errors.Is(err, dashboard.ErrShortToken) {
		return nil, nil, usagef("--token: %w; --token %s draws one", err, autoToken)
	}
	if err != nil {
		return nil, nil, err
	}
	listener, err := server.Listen(f.address)
	if errors.Is(err, syscall.EADDRINUSE) && f.address == defaultAddress {
		listener, err = server.Listen(strings.TrimSuffix(defaultAddress, "8017") + "0")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("the page cannot be served: %w", err)
	}
	return server, listener, nil
}

// serving serves the page of a run while work is done, and then ends it.
func (c *console) serving(ctx context.Context, folder, address string, work func() error) error {
	if address == "" {
		return work()
	}
	server, listener, err := open(folder, &serveFlags{address: address})
	if err != nil {
		return err
	}
	fmt.Fprintf(c.stderr, "the run is shown at %s\n", server.Address(listener))
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
