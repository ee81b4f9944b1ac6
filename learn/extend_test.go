package learn_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bethe/learn"
	"bethe/runs"
)

// TestExtend: a run that is over goes on with more steps from where it ended, at its final
// rate and in its last phase, to the same bytes if it is interrupted on the way, also
// before the first step; again after that; and says so in its files.
func TestExtend(t *testing.T) {
	recipe := func(steps int) learn.Recipe {
		r := quick(`, "settle": 0.3, "final_sweeps": 3`)
		r.Steps, r.Rate = steps, 0.02
		return r
	}
	// run learns in a folder to so many steps; interrupted after each of stops.
	run := func(folder string, steps int, stops ...int) (*learn.Run, *diary) {
		t.Helper()
		for _, stop := range append(stops, -1) {
			run := start(t, recipe(steps), learn.Job{Data: small(), Seed: 3, Folder: folder, Resume: true})
			ctx, cancel := context.WithCancel(t.Context())
			d := &diary{after: stop, stop: cancel}
			if stop == 0 {
				cancel()
			}
			result, err := run.Run(ctx, d)
			cancel()
			if stop < 0 {
				if err != nil || result.Steps != steps {
					t.Fatalf("%+v, %v", result, err)
				}
				return run, d
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("stopped after %d: %v", stop, err)
			}
			if err := run.Close(); err != nil {
				t.Fatal(err)
			}
		}
		panic("not reached")
	}
	var models [2][]any
	for k, stops := range [][]int{nil, {0, 3, 5}} {
		folder := filepath.Join(t.TempDir(), "run")
		first, _ := run(folder, 40)
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		second, d := run(folder, 60, stops...)
		if b := d.began[0]; b.Extended != 40 || !b.Resumed {
			t.Errorf("%+v", b)
		}
		for _, p := range d.steps {
			if want := recipe(60).Rate * recipe(60).FinalRate; p.Rate < 0.999*want || p.Rate > 1.001*want {
				t.Errorf("step %d at the rate %v, not %v", p.Step, p.Rate, want)
			}
		}
		if k == 0 && (len(d.steps) != 20 || d.steps[0].Step != 41) {
			t.Errorf("%d steps from %d", len(d.steps), d.steps[0].Step)
		}
		if err := second.Close(); err != nil {
			t.Fatal(err)
		}
		again := start(t, recipe(60), learn.Job{Data: small(), Seed: 3, Folder: folder, Resume: true})
		if !again.Finished() {
			t.Error("the longer run is not over")
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
		third, _ := run(folder, 70)
		file, err := third.File()
		if err != nil {
			t.Fatal(err)
		}
		models[k] = arrays(t, file)
		info, err := runs.ReadInfo(folder)
		if err != nil || fmt.Sprint(info.Settings["extended"]) != "[40 60]" || fmt.Sprint(file.Info.Settings["extended"]) != "[40 60]" {
			t.Errorf("%v, %v, %v", info.Settings, file.Info.Settings, err)
		}
		var result struct{ Result learn.Result }
		if err := json.Unmarshal(must(os.ReadFile(filepath.Join(folder, runs.ResultFile))), &result); err != nil || !slices.Equal(result.Result.Extended, []int{40, 60}) {
			t.Errorf("%+v, %v", result.Result, err)
		}
		if r, _, err := learn.ReadRecipe(filepath.Join(folder, runs.InfoFile)); err != nil || r.Steps != 70 { // of another run
			t.Errorf("%+v, %v", r, err)
		}
		records, err := runs.ReadRecords(folder)
		if err != nil || !slices.IsSortedFunc(records, func(a, b runs.Record) int { return a.Step - b.Step }) || records[len(records)-1].Step != 70 {
			t.Errorf("%d records, %v", len(records), err)
		}
		if err := third.Close(); err != nil {
			t.Fatal(err)
		}
		// Fewer steps than were done, or another setting, is another run.
		other := recipe(80)
		other.Rate *= 2
		for _, c := range []struct {
			recipe learn.Recipe
			want   string
		}{{recipe(50), "steps was 70 and is 50"}, {other, "rate was"}} {
			if _, err := learn.Start(c.recipe, learn.Job{Data: small(), Seed: 3, Folder: folder, Resume: true}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v", err)
			}
		}
	}
	if !slices.EqualFunc(models[0], models[1], same) {
		t.Error("interrupted on the way: another machine")
	}
	several := recipe(40)
	several.Restarts = 2
	folder := filepath.Join(t.TempDir(), "run")
	two := start(t, several, learn.Job{Data: small(), Seed: 3, Folder: folder})
	if _, err := two.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := two.Close(); err != nil {
		t.Fatal(err)
	}
	several.Steps = 60
	if _, err := learn.Start(several, learn.Job{Data: small(), Seed: 3, Folder: folder, Resume: true}); err == nil || !strings.Contains(err.Error(), "restarts 2") {
		t.Error(err)
	}
}
