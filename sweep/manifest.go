package sweep

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"bethe/internal/durable"
)

// Names inside the folder of a sweep.
const (
	manifestFile = "manifest.jsonl"
	cellsFolder  = "cells"
)

// manifestFormat is the first line of a manifest.
const manifestFormat = `{"format":"bethe sweep 1"}`

// A Sweep is a folder with a manifest, a line for each cell, and with the files
// of cells that were computed. Any number of processes may use it at once.
type Sweep struct {
	Folder string
	Cells  []Cell // sorted by their parameters
}

// manifestLine is what a line of the manifest says of a cell.
type manifestLine struct {
	ID string `json:"id"`
	Cell
}

// ErrOther is wrapped by the error of Create about a folder with other cells.
var ErrOther = errors.New("holds another sweep")

// Create makes the folder of a sweep over the cells that ReadGrid returned. A
// folder that holds a sweep already may be given a grid that has all its cells
// and more: cells that were computed stay computed. added is the number of new
// cells. Other grids are refused with an error that wraps ErrOther.
func Create(folder string, cells []Cell) (s *Sweep, added int, err error) {
	old, err := Open(folder)
	switch {
	case err == nil:
		known := make(map[Cell]bool, len(cells))
		for _, c := range cells {
			known[c] = true
		}
		for k := range old.Cells {
			if !known[old.Cells[k]] {
				return nil, 0, fmt.Errorf("%s %w: the grid lacks its cell with %s; add to the grid, or choose another folder", folder, ErrOther, old.Cells[k].describe())
			}
		}
		if added = len(cells) - len(old.Cells); added == 0 {
			return old, 0, nil
		}
	case errors.Is(err, fs.ErrNotExist):
		added = len(cells)
	default:
		return nil, 0, err
	}
	if err := os.MkdirAll(filepath.Join(folder, cellsFolder), 0o777); err != nil {
		return nil, 0, err
	}
	path := filepath.Join(folder, manifestFile)
	err = durable.WriteFile(path, func(w io.Writer) error {
		buffered := bufio.NewWriter(w)
		buffered.WriteString(manifestFormat + "\n") // Flush returns its error
		lines := json.NewEncoder(buffered)
		for k := range cells {
			if err := lines.Encode(manifestLine{cells[k].ID(), cells[k]}); err != nil {
				return err
			}
		}
		return buffered.Flush()
	})
	if err != nil {
		return nil, 0, err
	}
	return &Sweep{folder, cells}, added, nil
}

// Open reads the manifest of a sweep. The error names the file and the line; it
// wraps fs.ErrNotExist where there is none.
func Open(folder string) (*Sweep, error) {
	path := filepath.Join(folder, manifestFile)
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	cells, err := readManifest(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; make it again with init", path, err)
	}
	return &Sweep{folder, cells}, nil
}

func readManifest(r io.Reader) ([]Cell, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<12) // no line is longer
	if !lines.Scan() || lines.Text() != manifestFormat {
		return nil, errors.New("not the manifest of a sweep of this version: its first line is not " + manifestFormat)
	}
	var cells []Cell
	for lines.Scan() {
		var line manifestLine
		if err := strictJSON(lines.Bytes(), &line); err != nil {
			return nil, fmt.Errorf("line %d: %w", len(cells)+2, err)
		}
		if id := line.Cell.ID(); line.ID != id {
			return nil, fmt.Errorf("line %d: the cell is %s, not %q", len(cells)+2, id, line.ID)
		}
		if err := line.validate(); err != nil {
			return nil, fmt.Errorf("line %d: %w", len(cells)+2, err)
		}
		if len(cells) == MaxCells {
			return nil, fmt.Errorf("more than %d cells", MaxCells)
		}
		if n := len(cells); n > 0 && compare(&cells[n-1], &line.Cell) >= 0 {
			return nil, fmt.Errorf("line %d: cells are not in order", n+2)
		}
		cells = append(cells, line.Cell)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w", len(cells)+2, err)
	}
	if len(cells) == 0 {
		return nil, errors.New("no cells")
	}
	return cells, nil
}

// strictJSON decodes one object. All its keys must be known.
func strictJSON(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if rest, err := io.ReadAll(d.Buffered()); err != nil || len(bytes.TrimSpace(rest)) > 0 {
		return errors.New("something follows the object")
	}
	return nil
}

// A Shard is a share of the cells, the I-th of N counted from 0.
type Shard struct{ I, N int }

// All is the shard that holds every cell.
var All = Shard{0, 1}

// members returns the places of the shard's cells in Cells. Cells are dealt in
// the order of their names, which has nothing to do with what they cost.
func (s *Sweep) members(shard Shard) []int {
	if shard.N < 1 || shard.I < 0 || shard.I >= shard.N {
		panic(fmt.Sprintf("sweep: shard %d of %d", shard.I, shard.N))
	}
	sums, order := make([]uint64, len(s.Cells)), make([]int, len(s.Cells))
	for k := range s.Cells {
		sums[k], order[k] = s.Cells[k].sum(), k
	}
	slices.SortFunc(order, func(a, b int) int {
		if sums[a] < sums[b] {
			return -1
		}
		return 1
	})
	var mine []int
	for k := shard.I; k < len(order); k += shard.N {
		mine = append(mine, order[k])
	}
	return mine
}
