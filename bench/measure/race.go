package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// A contender is a process that does some work on request.
type contender struct {
	what    string
	tier    string
	threads int
	command []string
	env     []string
	times   []float64 // seconds a piece, one a round
	count   int       // pieces a round; if 0, as many as fill a turn
	err     error     // why it could not run

	twin *contender // runs at the same time; then times are those of the pair's throughput
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
}

// start starts the process and reads its versions.
func (c *contender) start(versions map[string]string) error {
	c.cmd = exec.Command(c.command[0], c.command[1:]...)
	c.cmd.Env = append(os.Environ(), c.env...)
	var complaints strings.Builder
	c.cmd.Stderr = &complaints
	var err error
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	c.out = bufio.NewReader(out)
	if err := c.cmd.Start(); err != nil {
		c.cmd = nil
		return err
	}
	if err := c.read(&versions); err != nil {
		c.stop()
		if complaint := strings.TrimSpace(complaints.String()); complaint != "" {
			err = errors.New(complaint[strings.LastIndexByte(complaint, '\n')+1:])
		}
		return fmt.Errorf("%s: %w", strings.Join(c.command, " "), err)
	}
	return nil
}

// stop ends the process, which ends when there is nothing more to read.
func (c *contender) stop() {
	if c.cmd != nil {
		c.in.Close()
		_ = c.cmd.Wait() // its results are in
		c.cmd = nil
	}
}

func (c *contender) read(v any) error {
	line, err := c.out.ReadBytes('\n')
	if err != nil {
		return err
	}
	return json.Unmarshal(line, v)
}

// do has the work done n times and returns the seconds a piece.
func (c *contender) do(n int) (float64, error) {
	if _, err := fmt.Fprintln(c.in, n); err != nil {
		return 0, err
	}
	var other float64
	if c.twin != nil {
		var err error
		if other, err = c.twin.do(n); err != nil {
			return 0, err
		}
	}
	var seconds float64
	if err := c.read(&seconds); err != nil {
		return 0, err
	}
	if c.twin != nil {
		seconds = 1 / (1/seconds + 1/other)
	}
	return seconds, nil
}

// turn is how long a contender works in a round; pause lets the threads of the
// one before, which wait busily for a while, go to sleep.
const (
	turn  = 120 * time.Millisecond
	pause = 40 * time.Millisecond
)

// race has contenders take turns. Those that cannot are left with an error.
func race(rounds int, versions map[string]string, contenders ...*contender) {
	attempt := func(c *contender, work func() error) {
		if c.err == nil {
			c.err = work()
		}
	}
	for _, c := range contenders {
		attempt(c, func() error {
			for x := c; x != nil; x = x.twin {
				if err := x.start(versions); err != nil {
					return err
				}
			}
			if _, err := c.do(1); err != nil {
				return err
			}
			if c.count > 0 {
				return nil
			}
			seconds, err := c.do(2)
			c.count = max(1, int(turn.Seconds()/seconds))
			return err
		})
	}
	for range rounds {
		for _, c := range contenders {
			attempt(c, func() error {
				time.Sleep(pause)
				seconds, err := c.do(c.count)
				c.times = append(c.times, seconds)
				return err
			})
		}
	}
	for _, c := range contenders {
		for x := c; x != nil; x = x.twin {
			x.stop()
		}
	}
}
