// Parquetcheck prints a Parquet file as CSV with the reader of Apache Arrow,
// which shares no code with the one that a sweep's table is written with. It is
// a module of its own, so that bethe does not depend on Arrow.
package main

import (
	"encoding/csv"
	"fmt"
	"os"
	"strconv"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
)

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "parquetcheck:", err)
		os.Exit(1)
	}
}

func run(name string) error {
	f, err := file.OpenParquetFile(name, false)
	if err != nil {
		return err
	}
	defer f.Close()
	schema := f.MetaData().Schema
	columns := make([][]string, schema.NumColumns())
	for k := range columns {
		columns[k] = []string{schema.Column(k).Name()}
	}
	for g := range f.NumRowGroups() {
		for k := range columns {
			column, err := f.RowGroup(g).Column(k)
			if err != nil {
				return err
			}
			cells, err := read(column, f.RowGroup(g).NumRows())
			if err != nil {
				return err
			}
			columns[k] = append(columns[k], cells...)
		}
	}
	out := csv.NewWriter(os.Stdout)
	for r := range columns[0] {
		row := make([]string, len(columns))
		for k := range columns {
			row[k] = columns[k][r]
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// read returns the column's values as text; absent ones are empty.
func read(column file.ColumnChunkReader, rows int64) ([]string, error) {
	switch c := column.(type) {
	case *file.ByteArrayColumnChunkReader:
		return values(c.ReadBatch, rows, column, func(v parquet.ByteArray) string { return string(v) })
	case *file.Int64ColumnChunkReader:
		return values(c.ReadBatch, rows, column, func(v int64) string { return strconv.FormatInt(v, 10) })
	case *file.Float64ColumnChunkReader:
		return values(c.ReadBatch, rows, column, func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) })
	case *file.BooleanColumnChunkReader:
		return values(c.ReadBatch, rows, column, strconv.FormatBool)
	}
	return nil, fmt.Errorf("column %s: a kind that the table does not have", column.Descriptor().Name())
}

func values[T any](batch func(int64, []T, []int16, []int16) (int64, int, error), rows int64, column file.ColumnChunkReader, text func(T) string) ([]string, error) {
	var out []string
	optional := column.Descriptor().MaxDefinitionLevel() > 0
	for int64(len(out)) < rows {
		present, levels := make([]T, rows), make([]int16, rows)
		total, n, err := batch(rows-int64(len(out)), present, levels, nil)
		if err != nil {
			return nil, err
		}
		if total == 0 {
			return nil, fmt.Errorf("column %s: %d rows, not %d", column.Descriptor().Name(), len(out), rows)
		}
		at := 0
		for r := range total {
			if optional && levels[r] == 0 {
				out = append(out, "")
				continue
			}
			if at == n {
				return nil, fmt.Errorf("column %s: fewer values than rows", column.Descriptor().Name())
			}
			out = append(out, text(present[at]))
			at++
		}
	}
	return out, nil
}
