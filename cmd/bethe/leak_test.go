package main

import (
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain: when all tests are done no goroutine is left but the helpers of loops, which
// are as many as processors and stay. Others may take some seconds to end.
//
// It also plays the command in a process of its own (process).
func TestMain(m *testing.M) {
	if os.Getenv(playsCommand) != "" {
		main()
	}
	status := m.Run()
	err := goleak.Find(helpers)
	for end := time.Now().Add(15 * time.Second); err != nil && time.Now().Before(end); err = goleak.Find(helpers) {
		time.Sleep(100 * time.Millisecond)
	}
	if err != nil && status == 0 {
		fmt.Fprintln(os.Stderr, "left over:", err)
		status = 1
	}
	os.Exit(status)
}

// playsCommand is the variable that has this program be the command.
const playsCommand = "BETHE_TEST_PLAYS_COMMAND"

var helpers = goleak.IgnoreAnyFunction("bethe/internal/parallel.(*member).serve")
