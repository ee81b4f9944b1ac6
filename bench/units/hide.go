package main

import (
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
)

// hideShare is how many of the values of a table are taken out.
const hideShare = 0.1

// hide writes a table with a tenth of its values taken out, but for the column party.
func hide(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	rows, err := csv.NewReader(in).ReadAll()
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for k, row := range rows {
		for i := range row {
			if k > 0 && rows[0][i] != "party" && rng.Float64() < hideShare {
				row[i] = ""
			}
		}
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	w := csv.NewWriter(out)
	if err := w.WriteAll(rows); err != nil {
		return err
	}
	return out.Close()
}
