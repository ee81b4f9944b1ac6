package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"bethe/internal/terminal"
	"bethe/trial"
)

// A console is where a command speaks, and the flags that all verbs share.
type console struct {
	stdout, stderr io.Writer
	json, quiet    bool
	threads        int
	seed           uint64
	words          string      // that were typed, for a shell, without those that say where results go
	taken          bool        // --out is standard output, so messages go to stderr
	keeps          atomic.Bool // the verb saves its work before a signal ends it
}

// printf prints for a person, who is not there with --json.
func (c *console) printf(format string, args ...any) {
	if c.taken {
		c.logf(format, args...)
	} else if !c.json {
		fmt.Fprint(c.stdout, terminal.Printable(fmt.Sprintf(format, args...)))
	}
}

// logf says something on the way, unless told to be quiet.
func (c *console) logf(format string, args ...any) {
	if !c.quiet {
		fmt.Fprint(c.stderr, terminal.Printable(fmt.Sprintf(format, args...)))
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
	_, err = fmt.Fprintf(c.stdout, "%s\n", terminal.PrintableJSON(text))
	return err
}

// progress returns a bar of the work named, on standard error.
func (c *console) progress(what string) *terminal.Bar {
	w := c.stderr
	if c.quiet {
		w = io.Discard
	}
	return terminal.NewBar(w, what, os.Getenv("TERM") != "dumb" && os.Getenv("CI") == "")
}

// during shows a bar while work is done, which is given what to tell how far it is.
func during[T any](c *console, what string, work func(progress func(fraction float64)) (T, error)) (T, error) {
	bar := c.progress(what)
	defer bar.Done()
	return work(func(fraction float64) { bar.Set(fraction, "") })
}

// inStages shows a bar for each stage of work, which is given what to tell how far it is.
func (c *console) inStages(work func(progress trial.Progress) error) error {
	var bar *terminal.Bar
	name := ""
	end := func() {
		if bar != nil {
			bar.Done()
		}
	}
	defer func() { end() }()
	return work(func(stage string, fraction float64, note string) {
		if bar == nil || stage != name {
			end()
			bar, name = c.progress(stage), stage
		}
		bar.Set(fraction, note)
	})
}
