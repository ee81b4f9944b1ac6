package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"bethe/dual"
)

// Bounds on the file, and on the cases that are enumerated. A case is held in
// memory, one at a time, where a byte of its text can take ten.
const (
	maxBytes    = 64 << 20
	maxCase     = 4 << 20 // bytes of a case, or of a text or number outside of them
	maxDepth    = 32      // of lists and objects outside of cases
	maxUnits    = 20
	maxSynapses = 16 // where a case has sums over the synapses
)

// Compare is Read for an open file. It reads 64 MiB at most, and a case of at most
// 4 MiB at a time.
func Compare(ctx context.Context, r io.Reader, newEngine func(visible, hidden int) dual.Engine[float64]) ([]Result, error) {
	f := &oracle{part: part{r: io.LimitReader(r, maxBytes)}}
	f.json = json.NewDecoder(&f.part)
	results, err := f.compare(ctx, newEngine)
	if wrong, ok := errors.AsType[*caseError](err); ok {
		return nil, wrong
	}
	if err != nil {
		return nil, fmt.Errorf("not an oracle file: %w", err)
	}
	return results, nil
}

// An oracle is an oracle file that is read a case at a time.
type oracle struct {
	part part
	json *json.Decoder
}

// A part passes on the bytes of one part of a file, as long as they are few.
type part struct {
	r    io.Reader
	left int64
}

var errLarge = fmt.Errorf("a case, or a text, of more than %d bytes", maxCase)

func (p *part) Read(b []byte) (int, error) {
	if p.left <= 0 {
		return 0, errLarge
	}
	n, err := p.r.Read(b[:min(int64(len(b)), p.left)])
	p.left -= int64(n)
	return n, err
}

// A caseError is an error of a case, and not of the file.
type caseError struct {
	number int
	name   string
	err    error
}

func (e *caseError) Error() string { return fmt.Sprintf("case %d, %q: %v", e.number, e.name, e.err) }
func (e *caseError) Unwrap() error { return e.err }

func (f *oracle) token() (json.Token, error) {
	f.part.left = maxCase
	return f.json.Token()
}

// expect reads a bracket.
func (f *oracle) expect(bracket json.Delim) error {
	t, err := f.token()
	if err == nil && t != bracket {
		err = fmt.Errorf("%v where %v should stand", t, bracket)
	}
	return err
}

func (f *oracle) compare(ctx context.Context, newEngine func(visible, hidden int) dual.Engine[float64]) ([]Result, error) {
	if err := f.expect('{'); err != nil {
		return nil, err
	}
	var results []Result
	parts := map[string]json.RawMessage{} // of an oracle of thermodynamics
	for f.json.More() {
		key, err := f.token()
		if err != nil {
			return nil, err
		}
		name, _ := key.(string)
		switch {
		case thermoKey(name):
			f.part.left = maxCase
			var text json.RawMessage
			if err := f.json.Decode(&text); err != nil {
				return nil, err
			}
			parts[name] = text
			continue
		case name == "machines": // of oracle-deep.json
			if results, err = f.deepMachines(ctx, newEngine, results); err != nil {
				return nil, err
			}
			continue
		case name == "stack":
			if results, err = f.stack(ctx, results); err != nil {
				return nil, err
			}
			continue
		case !strings.EqualFold(name, "cases"):
			if err := f.skip(); err != nil {
				return nil, err
			}
			continue
		}
		if err := f.expect('['); err != nil {
			return nil, err
		}
		for f.json.More() {
			f.part.left = maxCase
			var c anyCase
			if err := f.json.Decode(&c); err != nil {
				return nil, err
			}
			result, err := c.kind.compare(ctx, newEngine)
			if err != nil {
				return nil, &caseError{len(results), c.name, err}
			}
			results = append(results, result)
			f.part.left = maxCase // More looks ahead
		}
		if err := f.expect(']'); err != nil {
			return nil, err
		}
	}
	if err := f.expect('}'); err != nil {
		return nil, err
	}
	if _, err := f.token(); err != io.EOF {
		return nil, errors.New("more follows the JSON object")
	}
	if len(results) == 0 && len(parts) > 0 {
		return compareThermo(ctx, parts)
	}
	if len(results) == 0 {
		return nil, errors.New("it has no cases")
	}
	return results, nil
}

// anyCase is a case of one of the kinds of oracles.
type anyCase struct {
	name string
	kind interface {
		compare(ctx context.Context, newEngine func(visible, hidden int) dual.Engine[float64]) (Result, error)
	}
}

// UnmarshalJSON implements json.Unmarshaler. Cases of units of other kinds than spins name
// the kinds; those of an oracle of directed machines and spikes name their own.
func (c *anyCase) UnmarshalJSON(text []byte) error {
	var probe struct {
		Name, Kind      string
		Visible, Hidden any
	}
	if err := json.Unmarshal(text, &probe); err != nil {
		return err
	}
	c.name = probe.Name
	if probe.Kind != "" {
		of := new(spikeCase)
		c.kind = of
		return json.Unmarshal(text, of)
	}
	_, visible := probe.Visible.(string)
	_, hidden := probe.Hidden.(string)
	if !visible && !hidden {
		of := new(oracleCase)
		c.kind = of
		return json.Unmarshal(text, of)
	}
	of := new(unitsCase)
	c.kind = of
	return json.Unmarshal(text, of)
}

// skip reads past a value.
func (f *oracle) skip() error {
	depth := 0
	for {
		t, err := f.token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('['), json.Delim('{'):
			depth++
		case json.Delim(']'), json.Delim('}'):
			depth--
		}
		switch {
		case depth > maxDepth:
			return fmt.Errorf("more than %d lists or objects within each other", maxDepth)
		case depth == 0:
			return nil
		}
	}
}
