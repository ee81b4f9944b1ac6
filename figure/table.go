package figure

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"bethe/internal/durable"
)

// A Table is what a chart shows as numbers.
type Table struct {
	Columns []string
	Rows    [][]any // a string, int or float64 for each column; NaN is an empty cell
}

// Add adds a row. It panics unless there is one value for each column, each a
// string, an int or a float64.
func (t *Table) Add(values ...any) {
	if len(values) != len(t.Columns) {
		panic(fmt.Sprintf("figure: a row of %d values in a table of %d columns", len(values), len(t.Columns)))
	}
	for _, v := range values {
		switch v.(type) {
		case string, int, float64:
		default:
			panic(fmt.Sprintf("figure: a %T in a table", v))
		}
	}
	t.Rows = append(t.Rows, values)
}

// WriteCSV writes the table with a line of column names, numbers with six digits.
func (t *Table) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	if err := c.Write(t.Columns); err != nil {
		return err
	}
	for _, row := range t.Rows {
		words := make([]string, len(row))
		for k, v := range row {
			switch v := v.(type) {
			case string:
				words[k] = v
			case int:
				words[k] = strconv.Itoa(v)
			case float64:
				if !math.IsNaN(v) {
					words[k] = strconv.FormatFloat(v, 'g', 6, 64)
				}
			}
		}
		if err := c.Write(words); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// Objects returns the rows as objects for JSON, without the cells that are empty.
func (t *Table) Objects() []map[string]any {
	objects := make([]map[string]any, len(t.Rows))
	for k, row := range t.Rows {
		objects[k] = map[string]any{}
		for i, v := range row {
			if x, ok := v.(float64); !ok || !math.IsNaN(x) {
				objects[k][t.Columns[i]] = v
			}
		}
	}
	return objects
}

// SaveWithNumbers writes a chart as NAME.png and NAME.svg and its numbers as
// NAME.csv to a folder, which it makes if need be, and returns the names of the files.
func SaveWithNumbers(folder, name string, chart Chart, numbers *Table) ([]string, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	base := filepath.Join(folder, name)
	files, err := Save(base, chart)
	if err != nil {
		return nil, err
	}
	return append(files, base+".csv"), durable.WriteFile(base+".csv", numbers.WriteCSV)
}

// Guide is a thin vertical line in a chart.
func Guide(name string, x, low, high float64) Series {
	return Series{Name: name, X: []float64{x, x}, Y: []float64{low, high}, Colour: 4, Thin: true}
}
