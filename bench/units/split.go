package main

import (
	"compress/gzip"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"bethe/internal/npy"
)

// A split says which rows of a table are held out, and which columns are left out where.
type split struct {
	Test        []int `json:"test_rows"`
	GaussDrop   []int `json:"gauss_dropped_columns"`
	BinaryDrops []int `json:"binarised_dropped_columns"`
}

// splitAll writes the files of both tables: breast0 is the given split and breast1 to breast3 are
// others; digits as grey numbers with noise, as four levels and as two.
func splitAll(from, to string) error {
	text, err := os.ReadFile(filepath.Join(from, "splits.json"))
	if err != nil {
		return err
	}
	var given map[string]split
	if err := json.Unmarshal(text, &given); err != nil {
		return fmt.Errorf("%s: %w", filepath.Join(from, "splits.json"), err)
	}
	breast, err := table(filepath.Join(from, "breast-cancer.csv.gz"), 30)
	if err != nil {
		return err
	}
	digits, err := table(filepath.Join(from, "digits.csv.gz"), 64)
	if err != nil {
		return err
	}
	same := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	errs := []error{write(to, "breast0", breast, given["breast"].Test, nil, same)}
	for k := range 3 {
		order := rand.New(rand.NewPCG(uint64(k+1), 0)).Perm(len(breast))
		errs = append(errs, write(to, fmt.Sprintf("breast%d", k+1), breast, order[len(breast)*4/5:], nil, same))
	}
	d, noise := given["digits"], rand.New(rand.NewPCG(5, 0))
	errs = append(errs,
		write(to, "grey", digits, d.Test, d.GaussDrop, func(v float64) string { return same((v + noise.Float64()) / 17) }),
		write(to, "levels", digits, d.Test, nil, func(v float64) string { return strconv.Itoa(level(v)) }),
		write(to, "binary", digits, d.Test, d.BinaryDrops, func(v float64) string {
			if v > 7 {
				return "1"
			}
			return "0"
		}))
	return errors.Join(errs...)
}

// level is one of four: 0-4, 5-8, 9-12, 13-16.
func level(v float64) int {
	if v <= 4 {
		return 0
	}
	return (int(v) - 1) / 4
}

// table reads the first columns of a table with a row of names.
func table(path string, columns int) ([][]float64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	records, err := csv.NewReader(z).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var rows [][]float64
	for _, r := range records[1:] {
		row := make([]float64, columns)
		for k := range row {
			if row[k], err = strconv.ParseFloat(r[k], 64); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// write writes NAME-train.csv and NAME-test.csv without the columns in drop.
func write(folder, name string, rows [][]float64, test, drop []int, cell func(v float64) string) error {
	var parts [2][][]string
	for k, row := range rows {
		var out []string
		for c, v := range row {
			if !slices.Contains(drop, c) {
				out = append(out, cell(v))
			}
		}
		part := 0
		if slices.Contains(test, k) {
			part = 1
		}
		parts[part] = append(parts[part], out)
	}
	for k, part := range []string{"train", "test"} {
		f, err := os.Create(filepath.Join(folder, name+"-"+part+".csv"))
		if err != nil {
			return err
		}
		if err := errors.Join(csv.NewWriter(f).WriteAll(parts[k]), f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// greyMNIST writes the grey levels of MNIST, of the four files of GoMNIST's data folder, as numbers
// (level + noise)/256 in mnist-grey-train.npy and mnist-grey-test.npy. So no column is
// constant.
func greyMNIST(from, to string) error {
	for k, file := range []string{"train-images-idx3-ubyte.gz", "t10k-images-idx3-ubyte.gz"} {
		pixels, err := idx(filepath.Join(from, file))
		if err != nil {
			return err
		}
		const size = 784
		count := len(pixels) / size
		rng, values := rand.New(rand.NewPCG(5, uint64(k))), make([]float32, count*size)
		for a, v := range pixels {
			values[a] = (float32(v) + rng.Float32()) / 256
		}
		name := filepath.Join(to, "mnist-grey-"+[]string{"train", "test"}[k]+".npy")
		f, err := os.Create(name)
		if err != nil {
			return err
		}
		if err := errors.Join(npy.Write(f, []int{count, size}, values), f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// idx reads the bytes of pictures.
func idx(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var header [4]uint32
	if err := binary.Read(z, binary.BigEndian, &header); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return io.ReadAll(z)
}
