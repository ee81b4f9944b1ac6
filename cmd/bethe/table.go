package main

import (
	"encoding/csv"
	"io"
	"math"
	"path/filepath"
	"strconv"

	"bethe/figure"
	"bethe/internal/durable"
)

// A table is what a figure shows as numbers, written as CSV: one slice a row.
type table struct {
	columns []string
	rows    [][]any // numbers and words
}

func (t *table) add(values ...any) { t.rows = append(t.rows, values) }

// save writes the table; NaN is an empty cell.
func (t *table) save(path string) error {
	return durable.WriteFile(path, func(w io.Writer) error {
		c := csv.NewWriter(w)
		if err := c.Write(t.columns); err != nil {
			return err
		}
		for _, row := range t.rows {
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
	})
}

// objects returns the rows as objects, without the cells that are empty.
func (t *table) objects() []map[string]any {
	objects := make([]map[string]any, len(t.rows))
	for k, row := range t.rows {
		objects[k] = map[string]any{}
		for i, v := range row {
			if x, ok := v.(float64); !ok || !math.IsNaN(x) {
				objects[k][t.columns[i]] = v
			}
		}
	}
	return objects
}

// saveFigure writes a chart as NAME.png and NAME.svg and its numbers as NAME.csv
// to a folder, and returns the names of the files.
func saveFigure(folder, name string, chart figure.Chart, numbers *table) ([]string, error) {
	base := filepath.Join(folder, name)
	files, err := figure.Save(base, chart)
	if err != nil {
		return nil, err
	}
	return append(files, base+".csv"), numbers.save(base + ".csv")
}

// guide is a thin vertical line in a chart.
func guide(name string, x, low, high float64) figure.Series {
	return figure.Series{Name: name, X: []float64{x, x}, Y: []float64{low, high}, Colour: 4, Thin: true}
}
