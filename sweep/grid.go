package sweep

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"bethe/planted"
)

// Limits on a grid file.
const (
	// MaxCells is the most cells that a sweep has.
	MaxCells = 1_000_000
	// maxGrid is the most bytes of a grid.
	maxGrid = 1 << 20
	// maxCount is the most instances or restarts of a cell, and units of a layer.
	maxCount = 1_000_000
)

// A gridKey is a key of a grid.
type gridKey struct {
	name     string
	optional bool
	set      func(c *Cell, v any) error
}

// gridKeys are in the order of the table's columns.
var gridKeys = []gridKey{
	{"visible", false, func(c *Cell, v any) error { return setCount(&c.Visible, v) }},
	{"hidden", false, func(c *Cell, v any) error { return setCount(&c.Hidden, v) }},
	{"alpha", false, func(c *Cell, v any) error { return setFloat(&c.Alpha, v) }},
	{"beta", false, func(c *Cell, v any) error { return setFloat(&c.Beta, v) }},
	{"correlation", true, func(c *Cell, v any) error { return setFloat(&c.Correlation, v) }},
	{"instances", false, func(c *Cell, v any) error { return setCount(&c.Instances, v) }},
	{"restarts", false, func(c *Cell, v any) error { return setCount(&c.Restarts, v) }},
	{"seed", false, func(c *Cell, v any) error { return setSeed(&c.Seed, v) }},
	{"oracle", true, func(c *Cell, v any) error { return setBool(&c.Oracle, v) }},
	{"tasks", true, func(c *Cell, v any) error {
		c.TaskCorrelation, c.PriorScale, c.PriorStrength = defaultTaskCorrelation, -1, defaultPriorStrength
		return setCount(&c.Tasks, v)
	}},
	{"task_alpha", true, func(c *Cell, v any) error { return setFloat(&c.TaskAlpha, v) }},
	{"task_correlation", true, func(c *Cell, v any) error { return setFloat(&c.TaskCorrelation, v) }},
	{"prior_scale", true, func(c *Cell, v any) error { return setFloat(&c.PriorScale, v) }},
	{"prior_strength", true, func(c *Cell, v any) error { return setFloat(&c.PriorStrength, v) }},
}

func keyNames() string {
	var names []string
	for _, k := range gridKeys {
		names = append(names, k.name)
	}
	return strings.Join(names, ", ")
}

// ReadGrid reads a grid in TOML and returns its cells, sorted. Every key is a
// number, or a list of numbers to be swept:
//
//	visible = 100
//	hidden = [1, 2, 3]
//	alpha = [1, 2, 3, 4, 5]
//	beta = 1.0
//	correlation = 0.0   # 0 where left out
//	instances = 10
//	restarts = 12
//	seed = [1, 2, 3]
//	oracle = false      # false where left out
//
// Several sets, one after the other, where tasks is given (Sets):
//
//	tasks = 2
//	task_alpha = [1, 5]              # alpha where left out
//	task_correlation = [-0.5, 0.5]   # 0.9 where left out
//	prior_scale = 1                  # the correlation where left out, 0 if it is negative
//	prior_strength = [1, 2]          # 1 where left out
//
// The error names the file, as name, the key and the value.
func ReadGrid(r io.Reader, name string) ([]Cell, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxGrid+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(text) > maxGrid {
		return nil, fmt.Errorf("%s: a grid of more than %d bytes", name, maxGrid)
	}
	if err := checkGrid(string(text)); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var values map[string]any
	if _, err := toml.Decode(string(text), &values); err != nil {
		return nil, fmt.Errorf("%s: not TOML: %w", name, err)
	}
	for key := range values {
		if !slices.ContainsFunc(gridKeys, func(k gridKey) bool { return k.name == key }) {
			return nil, fmt.Errorf("%s: unknown key %q; the keys are %s", name, key, keyNames())
		}
	}
	cells := []Cell{{}}
	for _, key := range gridKeys {
		value, there := values[key.name]
		if !there {
			if !key.optional {
				return nil, fmt.Errorf("%s: the key %q is missing", name, key.name)
			}
			continue
		}
		list, swept := value.([]any)
		if !swept {
			list = []any{value}
		}
		if len(list) == 0 {
			return nil, fmt.Errorf("%s: %s = []: a list of nothing gives no cell", name, key.name)
		}
		if int64(len(cells))*int64(len(list)) > MaxCells {
			return nil, fmt.Errorf("%s: more than %d cells", name, MaxCells)
		}
		var next []Cell
		for _, c := range cells {
			for _, v := range list {
				if err := key.set(&c, v); err != nil {
					return nil, fmt.Errorf("%s: %s: %w", name, key.name, err)
				}
				next = append(next, c)
			}
		}
		cells = next
	}
	_, several := values["tasks"]
	for _, key := range []string{"task_alpha", "task_correlation", "prior_scale", "prior_strength"} {
		if _, there := values[key]; there && !several {
			return nil, fmt.Errorf("%s: %s belongs to several sets: add tasks = 2", name, key)
		}
	}
	_, scaled := values["prior_scale"]
	for k := range cells {
		if several && !scaled { // that of a student who knows how teachers drift
			cells[k].PriorScale = max(0, cells[k].TaskCorrelation)
		}
		if err := cells[k].validate(); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	slices.SortFunc(cells, func(a, b Cell) int { return compare(&a, &b) })
	for k := 1; k < len(cells); k++ {
		if cells[k] == cells[k-1] {
			return nil, fmt.Errorf("%s: a value stands twice in a list: two cells with %s", name, cells[k].describe())
		}
	}
	return cells, nil
}

func setFloat(dst *float64, v any) error {
	switch v := v.(type) {
	case int64:
		*dst = float64(v)
	case float64:
		*dst = v + 0 // no negative zero
	default:
		return wrongKind(v, "a number")
	}
	return nil
}

func setCount(dst *int, v any) error {
	n, ok := v.(int64)
	if !ok {
		return wrongKind(v, "a whole number")
	}
	if n < 1 || n > maxCount {
		return fmt.Errorf("%d: it must be between 1 and %d", n, maxCount)
	}
	*dst = int(n)
	return nil
}

func setSeed(dst *uint64, v any) error {
	n, ok := v.(int64)
	if !ok {
		return wrongKind(v, "a whole number")
	}
	if n < 0 {
		return fmt.Errorf("%d: it must not be negative", n)
	}
	*dst = uint64(n)
	return nil
}

func setBool(dst *bool, v any) error {
	b, ok := v.(bool)
	if !ok {
		return wrongKind(v, "true or false")
	}
	*dst = b
	return nil
}

func wrongKind(v any, want string) error {
	switch v := v.(type) {
	case []any:
		return fmt.Errorf("a list within a list, where %s is needed", want)
	case map[string]any, []map[string]any:
		return fmt.Errorf("a table, where %s is needed", want)
	case string:
		return fmt.Errorf("%q, where %s is needed", v, want)
	default:
		return fmt.Errorf("%v, where %s is needed", v, want)
	}
}

// validate returns an error that names the first parameter out of range.
func (c *Cell) validate() error {
	if err := c.setup().Validate(); err != nil {
		return err
	}
	if c.several() {
		if err := c.sequence().Validate(); err != nil {
			return err
		}
		if later := c.setup(); c.TaskAlpha > 0 {
			later.Alpha = c.TaskAlpha
			if err := later.Validate(); err != nil {
				return err
			}
		}
	} else if c.Sets != (Sets{}) {
		return fmt.Errorf("%+v without tasks", c.Sets)
	}
	switch {
	case c.Visible > maxCount || c.Hidden > maxCount:
		return fmt.Errorf("visible %d, hidden %d: at most %d", c.Visible, c.Hidden, maxCount)
	case c.Instances < 1 || c.Instances > maxCount:
		return fmt.Errorf("instances %d: it must be between 1 and %d", c.Instances, maxCount)
	case c.Restarts < 1 || c.Restarts > maxCount:
		return fmt.Errorf("restarts %d: it must be between 1 and %d", c.Restarts, maxCount)
	case c.Seed > math.MaxInt64:
		return fmt.Errorf("seed %d: at most %d", c.Seed, int64(math.MaxInt64))
	case c.several() && c.Tasks < 2:
		return fmt.Errorf("tasks %d: it must be at least 2; leave it out for one set", c.Tasks)
	case c.several() && c.Oracle:
		return fmt.Errorf("oracle with tasks %d: the Bayes optimum is that of one set", c.Tasks)
	case c.Oracle && c.Hidden > planted.MaxTracked:
		return fmt.Errorf("oracle with hidden %d: the Bayes optimum is found for at most %d hidden units", c.Hidden, planted.MaxTracked)
	}
	return nil
}

// describe writes the parameters for a person.
func (c *Cell) describe() string {
	return fmt.Sprintf("visible %d, hidden %d, alpha %v, beta %v, correlation %v, instances %d, restarts %d, seed %d, oracle %t%s",
		c.Visible, c.Hidden, c.Alpha, c.Beta, c.Correlation, c.Instances, c.Restarts, c.Seed, c.Oracle, strings.ReplaceAll(strings.ReplaceAll(c.text(), " ", ", "), "=", " "))
}
