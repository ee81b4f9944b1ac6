package sampler

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"bethe/setting"
)

// A Sampler answers problems with samples. It is used by one goroutine at a time.
type Sampler interface {
	// Sample returns so many samples of the problem: ideally of exp(-beta energy) at a beta that
	// nobody knows. The seed, at most 2^31 - 1, says which; equal calls may be asked again.
	// The error is the context's, or says what went wrong.
	Sample(ctx context.Context, p *Problem, reads int, seed uint32) (Samples, error)
	// Close ends what the sampler has started.
	Close() error
}

// An Error is that of a sampler that failed: nothing was learned from the call.
type Error struct {
	Sampler string
	Err     error
}

// Error names the sampler.
func (e *Error) Error() string { return fmt.Sprintf("sampler %s: %v", e.Sampler, e.Err) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// A Transport says how problems and samples travel. It decides nothing that is learned.
type Transport struct {
	Protocol string        // of a program: "call", a process a call (""), or "stay", a process for all
	Folder   string        // problems and samples are files there, for machines behind a queue; no program is run
	Format   string        // of problems: see Formats
	Timeout  time.Duration // of a call; 0: DefaultTimeout
	Tries    int           // calls before an error is final; 0: DefaultTries
}

// Defaults of a Transport.
const (
	DefaultTimeout = 10 * time.Minute
	DefaultTries   = 3
)

// between is how long a sampler that failed is left alone.
const between = 200 * time.Millisecond

// Open returns the sampler that words name: a program with its arguments, in which {reads} and {seed} stand
// for those of a call, or nothing where the transport has a folder. Words are split at blanks, but for those
// between quotes. Errors are *setting.Error.
func Open(words string, t Transport) (Sampler, error) {
	format, err := FormatOf(t.Format)
	if err != nil {
		return nil, err
	}
	if t.Timeout < 0 {
		return nil, setting.Errorf("sampler_timeout", t.Timeout, "it must be positive")
	}
	if t.Timeout == 0 {
		t.Timeout = DefaultTimeout
	}
	if t.Tries == 0 {
		t.Tries = DefaultTries
	}
	var s Sampler
	switch {
	case t.Folder != "" && t.Protocol != "":
		return nil, setting.Phrase("sampler_protocol", "{sampler_protocol %s} is of a program, not of a folder of files", t.Protocol)
	case t.Folder != "":
		return &folder{path: t.Folder, format: format, timeout: t.Timeout}, nil // a file that is wrong stays wrong
	}
	args, err := Split(words)
	if err != nil || len(args) == 0 {
		return nil, setting.Errorf("sampler", words, "it is a program with its arguments, quotes closed")
	}
	if _, err := exec.LookPath(args[0]); err != nil {
		return nil, setting.Errorf("sampler", words, "there is no program %s to run", args[0])
	}
	switch t.Protocol {
	case "", "call":
		s = &program{args: args, format: format, timeout: t.Timeout}
	case "stay":
		s = &staying{args: args, format: format, timeout: t.Timeout}
	default:
		return nil, setting.Errorf("sampler_protocol", t.Protocol, "it is call or stay")
	}
	return &patient{Sampler: s, name: args[0], tries: t.Tries}, nil
}

// patient asks again where a call fails.
type patient struct {
	Sampler
	name  string
	tries int
}

// Sample implements Sampler.
func (p *patient) Sample(ctx context.Context, problem *Problem, reads int, seed uint32) (s Samples, err error) {
	for k := range p.tries {
		if k > 0 {
			select {
			case <-ctx.Done():
			case <-time.After(between):
			}
		}
		if s, err = p.Sampler.Sample(ctx, problem, reads, seed); err == nil {
			return s, nil
		}
		if ctx.Err() != nil {
			return Samples{}, ctx.Err()
		}
	}
	return Samples{}, &Error{p.name, fmt.Errorf("%w (%d times)", err, p.tries)}
}

// Split splits words at blanks. Blanks between single or double quotes, and a character
// after a backslash outside of single quotes, are part of a word.
func Split(words string) ([]string, error) {
	var list []string
	var word strings.Builder
	quote, there, escaped := rune(0), false, false
	for _, r := range words {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, there = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, there = r, true
		case r == ' ' || r == '\t' || r == '\n':
			if there {
				list = append(list, word.String())
				word.Reset()
				there = false
			}
		default:
			word.WriteRune(r)
			there = true
		}
	}
	if quote != 0 || escaped {
		return nil, errors.New("an open quote")
	}
	if there {
		list = append(list, word.String())
	}
	return list, nil
}
