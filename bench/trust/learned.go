package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"bethe/dataset/mnist"
	"bethe/internal/npy"
	bethelearn "bethe/learn"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// ways are how machines are learned; overfitted ones see few of the samples.
var ways = []struct {
	name    string
	samples int // learned from, 0 for all
	args    string
}{
	{"default", 0, "--steps 500"},
	{"overfitted", 60, "--steps 1500 --rate 0.05"},
	{"without centre", 0, "--steps 500 --no-centre"},
	{"without fields", 0, "--steps 500 --no-centre --no-fields"},
	{"real", 0, "--steps 500 --synapses real"},
	{"real, overfitted", 60, "--steps 1500 --synapses real"},
	{"sign", 0, "--steps 500 --synapses sign"},
	{"sampled", 0, "--steps 500 --synapses sampled"},
}

// Learned machines are small enough for exact sums, and see so many samples at most.
const (
	learnedHidden  = 12
	learnedSamples = 2000
)

// learned calls with machines that the bethe program learns from the embedded digits and from
// the data of a folder.
func learned(ctx context.Context, s *settings, each func(string, func() (*built, error)) error) error {
	work, err := os.MkdirTemp("", "trust")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	sets := map[string]*spin.Matrix{"mnist": mnist.Train().Samples.Choose(learnedSamples, stream.New(1).Rand())}
	names := []string{"mnist"}
	if s.data != "" {
		paths, err := filepath.Glob(filepath.Join(s.data, "*.gz"))
		if err != nil {
			return err
		}
		for _, path := range paths {
			set, err := readSet(path)
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			name := strings.SplitN(filepath.Base(path), ".", 2)[0]
			if set.Rows() < learnedHidden || set.Cols() < samplesBuilt {
				continue // labels of another file, or too few
			}
			sets[name] = set.Choose(min(learnedSamples, set.Cols()), stream.New(1).Rand())
			names = append(names, name)
		}
	}
	for _, name := range names {
		for _, way := range ways {
			title := fmt.Sprintf("%s %s seed %d", name, way.name, s.seed)
			if err := each("learned, "+way.name, func() (*built, error) {
				b, err := learn(ctx, s, work, sets[name], way.samples, way.args)
				if err == nil {
					b.name = title
				}
				return b, err
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

// learn lets the bethe program learn a machine, and returns it with some of the samples.
func learn(ctx context.Context, s *settings, work string, set *spin.Matrix, samples int, args string) (*built, error) {
	train := set
	if samples > 0 {
		train = set.Choose(samples, stream.New(s.seed).Rand())
	}
	data, out := filepath.Join(work, "data.npy"), filepath.Join(work, "run")
	if err := write(data, train); err != nil {
		return nil, err
	}
	if err := os.RemoveAll(out); err != nil {
		return nil, err
	}
	words := append([]string{"train", "--data", data, "--hidden", strconv.Itoa(learnedHidden), "--seed", strconv.FormatUint(s.seed, 10),
		"--batch", "100", "--chains", "100", "--quiet", "--threads", "1", "--out", out}, strings.Fields(args)...)
	cmd := exec.CommandContext(ctx, s.bethe, words...)
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s: %w: %s", strings.Join(words, " "), err, text)
	}
	file, err := rbm.Load(filepath.Join(out, "model.npz"))
	if err != nil {
		return nil, err
	}
	met, _, err := bethelearn.Scouted(filepath.Join(out, "model.npz"), train.Rows())
	if err != nil {
		return nil, err
	}
	some := train.Choose(min(samplesBuilt, train.Cols()), stream.New(s.seed).Sub(1).Rand())
	return &built{machine: file.Machine(), samples: some, met: met}, nil
}

// write writes samples as an npy file, a row each.
func write(path string, set *spin.Matrix) error {
	values := make([]int8, set.Cols()*set.Rows())
	for a := range set.Cols() {
		for i := range set.Rows() {
			values[a*set.Rows()+i] = set.At(i, a)
		}
	}
	var b bytes.Buffer
	if err := npy.Write(&b, []int{set.Cols(), set.Rows()}, values); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

// readSet reads a table of numbers under gzip, each column split at its median, or aligned
// sequences, whose purines, or amino acids that avoid water, are up.
func readSet(path string) (*spin.Matrix, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(bufio.NewReader(f))
	if err != nil {
		return nil, err
	}
	var rows [][]float64
	if strings.HasSuffix(path, ".fasta.gz") {
		rows, err = sequences(bufio.NewScanner(z), strings.Contains(filepath.Base(path), "rna"))
	} else {
		var table [][]string
		if table, err = csv.NewReader(z).ReadAll(); err == nil {
			rows = numbers(table[1:])
		}
	}
	if err != nil || len(rows) == 0 {
		return nil, errors.Join(err, errors.New("no numbers"))
	}
	set := spin.New(len(rows[0]), len(rows))
	for i := range rows[0] {
		column := make([]float64, len(rows))
		for a := range rows {
			column[a] = rows[a][i]
		}
		middle, largest := slices.Sorted(slices.Values(column))[(len(column)-1)/2], slices.Max(column)
		for a, v := range column {
			set.Set(i, a, -1)
			if v > middle || v == middle && v == largest {
				set.Set(i, a, 1)
			}
		}
	}
	return set, nil
}

// numbers returns the columns of a table that hold numbers only. An empty field is 0.
func numbers(table [][]string) (rows [][]float64) {
	var columns []int
	for i := range table[0] {
		if slices.ContainsFunc(table, func(row []string) bool {
			_, err := strconv.ParseFloat(row[i], 64)
			return row[i] != "" && err != nil
		}) {
			continue
		}
		columns = append(columns, i)
	}
	for _, row := range table {
		var values []float64
		for _, i := range columns {
			v, _ := strconv.ParseFloat(row[i], 64)
			values = append(values, v)
		}
		rows = append(rows, values)
	}
	return rows
}

func sequences(lines *bufio.Scanner, rna bool) (rows [][]float64, err error) {
	up := "AVILMFWC"
	if rna {
		up = "AG"
	}
	for lines.Scan() {
		text := lines.Text()
		if strings.HasPrefix(text, ">") {
			rows = append(rows, nil)
			continue
		}
		for _, c := range text {
			v := 0.0
			if strings.ContainsRune(up, c) {
				v = 1
			}
			rows[len(rows)-1] = append(rows[len(rows)-1], v)
		}
	}
	return rows, lines.Err()
}
