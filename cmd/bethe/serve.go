package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"bethe/dashboard"
)

// serveFlags are what serve is told.
type serveFlags struct {
	address string
	dashboard.Options
}

func newServeCommand(c *console) *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use: "serve RUN-OR-FOLDER", Short: "Show runs on a page, live", Args: oneArgument("a run folder or a folder of runs"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.serve(cmd.Context(), args[0], &f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.address, "listen", dashboard.DefaultAddress, "address, host:port; if the port of the default is taken, another is found")
	flags.StringVar(&f.Token, "token", "", fmt.Sprintf("token for visitors, at least %[2]d letters; %[1]s draws one (default: %[1]s if the address is not this machine's own)", dashboard.DrawToken, dashboard.ShortestToken, dashboard.DrawToken))
	flags.StringSliceVar(&f.Hosts, "host", nil, "name of the page in visitors' browsers, directly or through a proxy, besides numbers and localhost")
	return cmd
}

func (c *console) serve(ctx context.Context, folder string, f *serveFlags) error {
	server, listener, err := dashboard.Open(folder, f.address, f.Options)
	if errors.Is(err, dashboard.ErrShortToken) {
		return usagef("--token: %w; --token %s draws one", err, dashboard.DrawToken)
	}
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

// serving serves the page of a run while work is done, and then ends it.
func (c *console) serving(ctx context.Context, folder, address string, work func() error) error {
	if address == "" {
		return work()
	}
	return dashboard.During(ctx, folder, address, func(at string) { fmt.Fprintf(c.stderr, "the run is shown at %s\n", at) }, work)
}
