package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"bethe/internal/durable"
)

// keeping are the verbs that keep what they have done when a signal ends them, and
// so are waited for.
var keeping = map[string]bool{"bethe train": true, "bethe learn-rule": true, "bethe continual": true, "bethe sweep run": true, "bethe serve": true}

// patience is how long another verb may take to end after a signal.
const patience = 600 * time.Millisecond

// heedSignals returns a context that ends with the first signal to end: Ctrl-C,
// SIGTERM, or SIGHUP, which a terminal sends that is closed (under nohup it stays
// ignored). A second Ctrl-C or SIGTERM ends the program at once; files are then
// as they were, or whole. A closing terminal sends SIGHUP twice, so that it says
// nothing new.
func heedSignals() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	came := make(chan os.Signal, 4)
	signal.Notify(came, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(came, syscall.SIGHUP)
	}
	go func() {
		<-came
		cancel()
		s := <-came
		for s == syscall.SIGHUP {
			s = <-came
		}
		durable.Abandon()
		// The status tells of the signal, as it does of programs that heed none.
		signal.Reset(s)
		if p, err := os.FindProcess(os.Getpid()); err == nil && p.Signal(s) == nil {
			time.Sleep(time.Second)
		}
		os.Exit(exitFailed)
	}()
	return ctx
}
