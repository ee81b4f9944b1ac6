package main

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// sequences writes a random fifth of the sequences of a compressed alignment to NAME-test.fasta and the others to NAME-train.fasta.
func sequences(from, to, name string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	records := strings.SplitAfter(strings.TrimSpace(string(text)), "\n>")
	for k, r := range records { // each begins with > and ends with its line
		records[k] = strings.TrimSuffix(r, ">")
		if k > 0 {
			records[k] = ">" + records[k]
		}
	}
	order := rand.New(rand.NewPCG(1, 0)).Perm(len(records))
	var errs []error
	for k, part := range []string{"test", "train"} {
		some := order[:len(order)/5]
		if k == 1 {
			some = order[len(order)/5:]
		}
		var out strings.Builder
		for _, a := range some {
			out.WriteString(strings.TrimSpace(records[a]) + "\n")
		}
		errs = append(errs, os.WriteFile(filepath.Join(to, name+"-"+part+".fasta"), []byte(out.String()), 0o644))
	}
	return errors.Join(errs...)
}
