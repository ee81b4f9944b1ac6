package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"bethe/trial"
)

// A console is where a command speaks, and the flags that all verbs share.
type console struct {
	stdout, stderr io.Writer
	json, quiet    bool
	threads        int
	seed           uint64
	taken          bool        // standard output is that of --out: what is said goes to stderr
	keeps          atomic.Bool // the verb, when it is ended, first keeps what it has done
}

// printf prints for a person, who is not there with --json.
func (c *console) printf(format string, args ...any) {
	if c.taken {
		c.logf(format, args...)
	} else if !c.json {
		fmt.Fprint(c.stdout, printable(fmt.Sprintf(format, args...)))
	}
}

// logf says something on the way, unless told to be quiet.
func (c *console) logf(format string, args ...any) {
	if !c.quiet {
		fmt.Fprint(c.stderr, printable(fmt.Sprintf(format, args...)))
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
	_, err = fmt.Fprintf(c.stdout, "%s\n", printableJSON(text))
	return err
}

// A progress shows how far work is: a bar on a terminal, elsewhere a line now
// and then.
type progress struct {
	c        *console
	what     string
	bar      *progressbar.ProgressBar
	terminal *os.File // that the bar is on
	start    time.Time
	shown    time.Time
}

// during shows a bar while work is done, which is given what to tell how far it is.
func during[T any](c *console, what string, work func(progress func(fraction float64)) (T, error)) (T, error) {
	bar := c.progress(what)
	defer bar.done()
	return work(func(fraction float64) { bar.set(fraction, "") })
}

// inStages shows a bar for each stage of work, which is given what to tell how far it is.
func (c *console) inStages(work func(progress trial.Progress) error) error {
	var bar *progress
	name := ""
	end := func() {
		if bar != nil {
			bar.done()
		}
	}
	defer func() { end() }()
	return work(func(stage string, fraction float64, note string) {
		if bar == nil || stage != name {
			end()
			bar, name = c.progress(stage), stage
		}
		bar.set(fraction, note)
	})
}

// plainEvery is the time between two lines of progress off a terminal.
const plainEvery = 15 * time.Second

const barSteps = 1000

func (c *console) progress(what string) *progress {
	p := &progress{c: c, what: what, start: time.Now(), shown: time.Now()}
	if f, ok := c.stderr.(*os.File); ok && !c.quiet && os.Getenv("TERM") != "dumb" && os.Getenv("CI") == "" && term.IsTerminal(int(f.Fd())) {
		p.terminal = f
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
		p.bar.Describe(p.fitting(note))
		_ = p.bar.Set(min(barSteps-1, int(barSteps*fraction))) // a bar that cannot be drawn stops no work
	case time.Since(p.shown) >= plainEvery:
		p.shown = time.Now()
		fmt.Fprintf(p.c.stderr, "%s  %3.0f %%  %v  %s\n", p.what, 100*fraction, time.Since(p.start).Round(time.Second), note)
	}
}

// barRoom is what the bar itself, with its times, needs of a line.
const barRoom = 45

// fitting returns what is done and as much of the note as leaves room for the
// bar: a line that is longer than the window would not be overwritten.
func (p *progress) fitting(note string) string {
	width, _, err := term.GetSize(int(p.terminal.Fd()))
	if err != nil {
		width = 80
	}
	return cut(p.what+"  "+note, width-barRoom)
}

// cut returns the first n letters of a text, or all of it.
func cut(text string, n int) string {
	letters := []rune(text)
	return string(letters[:max(0, min(n, len(letters)))])
}

// done takes the bar away.
func (p *progress) done() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
