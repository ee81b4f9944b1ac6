package learn_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"bethe/learn"
	"bethe/runs"
)

// counting counts the records of a run.
type counting struct {
	learn.Silent
	records int
}

func (c *counting) Recorded(*runs.Record) error {
	c.records++
	return nil
}

// Learn into a run folder, watch, and read the settings back from it.
func Example() {
	parent, err := os.MkdirTemp("", "learn")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(parent)
	folder := filepath.Join(parent, "run")
	recipe := learn.Default()
	recipe.Hidden, recipe.Batch, recipe.Steps = 3, 50, 20
	run, err := learn.Start(recipe, learn.Job{Data: small(), Seed: 1, Folder: folder, MeasureEvery: 5})
	if err != nil {
		log.Fatal(err)
	}
	defer run.Close()
	watching := &counting{}
	result, err := run.Run(context.Background(), watching)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Steps, "steps,", watching.records, "records in", filepath.Base(result.Model))

	again, _, err := learn.ReadRecipe(filepath.Join(folder, runs.InfoFile))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(again.Hidden, "hidden units, settling in the last", again.Settle)
	// Output:
	// 20 steps, 5 records in model.npz
	// 3 hidden units, settling in the last 0.3
}
