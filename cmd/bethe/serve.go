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
	flags.StringVar(&f.address, "listen", dashboard.DefaultAddress, "address, host:port; where the default's port is taken, another is found")
	flags.StringVar(&f.Token, "token", "", fmt.Sprintf("token for visitors: %s draws one, else of at least %d letters (default: %s where the address is not this machine's own)", dashboard.DrawToken, dashboard.ShortestToken, dashboard.DrawToken))
	flags.StringSliceVar(&f.Hosts, "host", nil, "name by which visitors may reach the page, directly or through a proxy, besides numbers and localhost")
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
