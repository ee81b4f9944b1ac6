package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// A console is where a command speaks, and the flags that all verbs share.
type console struct {
	stdout, stderr io.Writer
	json, quiet    bool
	threads        int
	seed           uint64
}

// printf prints for a person, who is not there with --json.
func (c *console) printf(format string, args ...any) {
	if !c.json {
		fmt.Fprintf(c.stdout, format, args...)
	}
}

// logf says something on the way, unless told to be quiet.
func (c *console) logf(format string, args ...any) {
	if !c.quiet {
		fmt.Fprintf(c.stderr, format, args...)
	}
}

// object prints the one JSON object of --json.
func (c *console) object(v any) error {
	if !c.json {
		return nil
	}
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.stdout, "%s\n", text)
	return err
}

// A progress shows how far work is: a bar on a terminal, elsewhere a line now
// and then.
type progress struct {
	c     *console
	what  string
	bar   *progressbar.ProgressBar
	start time.Time
	shown time.Time
}

// plainEvery is the time between two lines of progress off a terminal.
const plainEvery = 15 * time.Second

const barSteps = 1000

func (c *console) progress(what string) *progress {
	p := &progress{c: c, what: what, start: time.Now(), shown: time.Now()}
	if f, ok := c.stderr.(*os.File); ok && !c.quiet && term.IsTerminal(int(f.Fd())) {
		p.bar = progressbar.NewOptions(barSteps, progressbar.OptionSetWriter(c.stderr), progressbar.OptionSetDescription(what),
			progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(), progressbar.OptionFullWidth(),
			progressbar.OptionThrottle(100*time.Millisecond))
	}
	return p
}

// set shows the fraction done and a note.
func (p *progress) set(fraction float64, note string) {
	switch {
	case p.c.quiet:
	case p.bar != nil:
		p.bar.Describe(p.what + "  " + note)
		_ = p.bar.Set(min(barSteps-1, int(barSteps*fraction))) // a bar that cannot be drawn stops no work
	case time.Since(p.shown) >= plainEvery:
		p.shown = time.Now()
		fmt.Fprintf(p.c.stderr, "%s  %3.0f %%  %v  %s\n", p.what, 100*fraction, time.Since(p.start).Round(time.Second), note)
	}
}

// done takes the bar away.
func (p *progress) done() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
