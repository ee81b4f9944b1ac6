package sampler

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// leave is how long a process that was ended may hold its pipes open.
const leave = time.Second

// A program is run once a call.
type program struct {
	args    []string
	format  Format
	timeout time.Duration
}

// Sample implements Sampler.
func (p *program) Sample(ctx context.Context, problem *Problem, reads int, seed uint32) (Samples, error) {
	var text bytes.Buffer
	if err := p.format.Write(&text, problem); err != nil {
		return Samples{}, err
	}
	limited, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	args := make([]string, len(p.args))
	replace := strings.NewReplacer("{reads}", strconv.Itoa(reads), "{seed}", strconv.FormatUint(uint64(seed), 10))
	for k, a := range p.args {
		args[k] = replace.Replace(a)
	}
	cmd := exec.CommandContext(limited, args[0], args[1:]...)
	said := &tail{}
	cmd.Stdin, cmd.Stderr, cmd.WaitDelay = &text, said, leave
	out, err := cmd.StdoutPipe()
	if err != nil {
		return Samples{}, err
	}
	if err := cmd.Start(); err != nil {
		return Samples{}, err
	}
	samples, wrong := ReadSamples(out, problem.Visible, problem.Hidden, reads)
	if wrong != nil { // it is not listened to any more, but may still say why
		defer time.AfterFunc(leave, cancel).Stop()
		_, _ = io.Copy(io.Discard, out)
	}
	ended := cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return Samples{}, ctx.Err()
	case wrong == nil && ended == nil:
		return samples, nil
	case limited.Err() == context.DeadlineExceeded:
		return Samples{}, fmt.Errorf("no answer within %v%s", p.timeout, said)
	case ended != nil && limited.Err() == nil: // by itself or by others
		return Samples{}, fmt.Errorf("it ended with %w%s", ended, said)
	}
	return Samples{}, fmt.Errorf("its answer is wrong: %w%s", wrong, said)
}

// Close implements Sampler.
func (*program) Close() error { return nil }

// A tail keeps the last mostSaid bytes that a program writes to standard error.
type tail struct{ text []byte }

const mostSaid = 400

// Write implements io.Writer.
func (t *tail) Write(b []byte) (int, error) {
	t.text = append(t.text, b...)
	if n := len(t.text) - mostSaid; n > 0 {
		t.text = append(t.text[:0], t.text[n:]...)
	}
	return len(b), nil
}

// String returns what to add to an error.
func (t *tail) String() string {
	if text := strings.TrimSpace(string(t.text)); text != "" {
		return "; it says: " + text
	}
	return ""
}

// A staying program is started once and asked again and again. A call is a line
// "READS SEED LINES", then a problem of so many lines; the answer a line a read, then an empty line.
type staying struct {
	args    []string
	format  Format
	timeout time.Duration

	cmd   *exec.Cmd
	in    io.WriteCloser
	lines *bufio.Scanner
	said  *tail
}

// start starts the program unless it runs.
func (s *staying) start(units int) error {
	if s.cmd != nil {
		return nil
	}
	cmd := exec.Command(s.args[0], s.args[1:]...)
	s.said = &tail{}
	cmd.Stderr, cmd.WaitDelay = s.said, leave
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.cmd, s.in, s.lines = cmd, in, newLines(out, units)
	return nil
}

// Sample implements Sampler.
func (s *staying) Sample(ctx context.Context, problem *Problem, reads int, seed uint32) (Samples, error) {
	if err := ctx.Err(); err != nil {
		return Samples{}, err
	}
	var text bytes.Buffer
	if err := s.format.Write(&text, problem); err != nil {
		return Samples{}, err
	}
	if err := s.start(problem.Visible + problem.Hidden); err != nil {
		return Samples{}, err
	}
	type answer struct {
		samples Samples
		err     error
	}
	answers, in, lines := make(chan answer, 1), s.in, s.lines
	written := make(chan struct{})
	go func() { // writes while the program may already answer
		defer close(written)
		_, _ = fmt.Fprintf(in, "%d %d %d\n%s", reads, seed, bytes.Count(text.Bytes(), []byte("\n")), text.Bytes()) // it shows as an answer that ends
	}()
	go func() {
		samples, err := readLines(lines, problem.Visible, problem.Hidden, reads, true)
		answers <- answer{samples, err}
	}()
	wait := time.NewTimer(s.timeout)
	defer wait.Stop()
	var err error
	select {
	case a := <-answers:
		if a.err == nil {
			<-written
			return a.samples, nil
		}
		err = fmt.Errorf("its answer is wrong: %w", a.err)
	case <-ctx.Done():
		err = ctx.Err()
	case <-wait.C:
		err = fmt.Errorf("no answer within %v", s.timeout)
	}
	said := s.said
	ended := s.end() // it must not answer a later call
	<-written
	if ctx.Err() != nil {
		return Samples{}, ctx.Err()
	}
	if ended != nil && strings.Contains(err.Error(), "it ended") {
		err = fmt.Errorf("%w (%w)", err, ended)
	}
	return Samples{}, fmt.Errorf("%w%s", err, said)
}

// end ends the program.
func (s *staying) end() error {
	if s.cmd == nil {
		return nil
	}
	cmd := s.cmd
	s.cmd = nil
	_ = s.in.Close()
	_ = cmd.Process.Kill()
	return cmd.Wait()
}

// Close implements Sampler.
func (s *staying) Close() error {
	_ = s.end() // it was ended
	return nil
}
