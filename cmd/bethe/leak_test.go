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
func TestMain(m *testing.M) {
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

var helpers = goleak.IgnoreAnyFunction("bethe/internal/parallel.(*member).serve")
