package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const sweepGrid = `visible = 20
hidden = [1, 2]
alpha = [2, 3.5]
beta = 1
instances = 1
restarts = 2
seed = [1, 2]
`

// sweepGridFile writes a grid and returns its name.
func sweepGridFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "grid.toml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestSweep goes from a grid to a table. A golden file holds the messages on the
// way, but for times and the tables' results, whose last bits are the
// processor's.
func TestSweep(t *testing.T) {
	grid, folder := sweepGridFile(t, sweepGrid), filepath.Join(t.TempDir(), "pd")
	seconds := regexp.MustCompile(`in [0-9.]+ s|"seconds": [0-9.e-]+`)
	var text strings.Builder
	say := func(want int, args ...string) string {
		t.Helper()
		status, stdout, stderr := bethe(t, t.Context(), append(args, "--quiet")...)
		if status != want {
			t.Errorf("bethe %v: status %d, not %d", args, status, want)
		}
		place := strings.NewReplacer(filepath.Dir(grid), "GRIDS", folder, "DIR")
		text.WriteString("$ bethe " + place.Replace(strings.Join(args, " ")) + "\n" +
			place.Replace(seconds.ReplaceAllString(stdout, "SECONDS")) + place.Replace(stderr) + "status " + string(rune('0'+status)) + "\n\n")
		return stdout
	}
	say(exitUsage, "sweep", "status", folder)
	say(exitUsage, "sweep", "init", sweepGridFile(t, strings.Replace(sweepGrid, "alpha", "alhpa", 1)), "-o", folder)
	say(exitDone, "sweep", "init", grid, "-o", folder)
	say(exitDone, "sweep", "init", grid, "-o", folder, "--json")
	say(exitIncomplete, "sweep", "status", folder)
	say(exitIncomplete, "sweep", "collect", folder)
	say(exitDone, "sweep", "run", folder, "--shard", "1/2")
	say(exitIncomplete, "sweep", "status", folder, "--json")
	say(exitDone, "sweep", "collect", folder, "--partial")
	say(exitDone, "sweep", "run", folder, "--json")
	cells, err := filepath.Glob(filepath.Join(folder, "cells", "*", "*.json"))
	if err != nil || len(cells) != 8 {
		t.Fatalf("%v, %v", cells, err)
	}
	if err := os.Truncate(cells[0], 100); err != nil {
		t.Fatal(err)
	}
	say(exitIncomplete, "sweep", "status", folder)
	_, _, stderr := bethe(t, t.Context(), "sweep", "run", folder)
	if !strings.Contains(stderr, cells[0]+": torn or damaged") || !strings.Contains(stderr, "computed again") {
		t.Errorf("a torn cell: %s", stderr)
	}
	say(exitDone, "sweep", "status", folder)
	say(exitDone, "sweep", "collect", folder)
	say(exitUsage, "sweep", "collect", folder, "-o", "table.xlsx")
	for _, engine := range []string{"slurm", "parallel", "k8s"} {
		say(exitDone, "sweep", "script", folder, "--engine", engine, "--shards", "4", "--command", "bethe", "--threads", "2")
	}
	say(exitUsage, "sweep", "script", folder, "--engine", "pbs")
	for _, shard := range []string{"2/2", "-1/2", "1", "a/b", "0/0"} {
		say(exitUsage, "sweep", "run", folder, "--shard="+shard)
	}
	say(exitUsage, "sweep", "init", sweepGridFile(t, strings.Replace(sweepGrid, "[1, 2]\n", "1\n", 1)), "-o", folder)
	golden(t, "sweep.txt", regexp.MustCompile(`GRIDS\S*/|/\S*/00[2-9]/`).ReplaceAllString(text.String(), "GRIDS/"))

	f, err := os.Open(filepath.Join(folder, "table.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) != 9 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	var parameters strings.Builder
	for _, row := range rows {
		parameters.WriteString(strings.Join(row[:11], ",") + "\n")
	}
	golden(t, "sweep.csv", parameters.String())

	job := filepath.Join(t.TempDir(), "job")
	v := object(t, "sweep", "script", folder, "-o", job)
	if written, err := os.ReadFile(job); err != nil || v["script"] != string(written) || v["engine"] != "slurm" {
		t.Errorf("%v, %v", v, err)
	}
}

// A cell is what planted does: the same numbers where it has the same key.
func TestSweepCellIsPlanted(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "one")
	grid := sweepGridFile(t, "visible = 30\nhidden = 2\nalpha = 8\nbeta = 1\ninstances = 2\nrestarts = 3\nseed = 1\noracle = true\n")
	object(t, "sweep", "init", grid, "-o", folder)
	object(t, "sweep", "run", folder)
	files, _ := filepath.Glob(filepath.Join(folder, "cells", "*", "*.json"))
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	var cell map[string]any
	if err := json.NewDecoder(strings.NewReader(string(text))).Decode(&cell); err != nil {
		t.Fatal(err)
	}
	// The name of the cell is a hash; its key is that of the seed of the same number.
	id := cell["id"].(string)
	v := object(t, "planted", "--visible", "30", "--hidden", "2", "--alpha", "8", "--instances", "2", "--restarts", "3", "--oracle", "--seed", "0x"+id)
	for _, key := range []string{"overlap", "overlap_best_start", "bound_per_sample", "bayes_overlap", "bayes_overlap_random_start"} {
		if cell[key] != v[key] || cell[key] == nil {
			t.Errorf("%s: %v, planted says %v", key, cell[key], v[key])
		}
	}
}

// A signal ends a run with 75, and the same command goes on.
func TestSweepInterrupted(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "pd")
	object(t, "sweep", "init", sweepGridFile(t, sweepGrid), "-o", folder)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	status, stdout, stderr := bethe(t, ctx, "sweep", "run", folder)
	if status != exitInterrupted || stdout != "" || !strings.Contains(stderr, "0 of 8 cells of shard 0/1 done; the same command goes on") {
		t.Errorf("status %d, %q, %q", status, stdout, stderr)
	}
	if v := object(t, "sweep", "run", folder); v["computed"] != 8.0 {
		t.Errorf("%v", v)
	}
}
