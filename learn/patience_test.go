package learn

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"bethe/dataset"
	"bethe/rbm"
	"bethe/runs"
	"bethe/spin"
	"bethe/stream"
)

// prototypes draws samples of 25 units, each one of three prototypes with a quarter of its units flipped.
func prototypes(count int, seed uint64) *dataset.Set {
	const units = 25
	like := spin.Random(units, 3, stream.New(7).Rand())
	rng, samples := stream.New(seed).Rand(), spin.New(units, count)
	for a := range count {
		which := rng.IntN(3)
		for i := range units {
			s := like.At(i, which)
			if rng.IntN(4) == 0 {
				s = -s
			}
			samples.Set(i, a, s)
		}
	}
	return &dataset.Set{Samples: samples}
}

// patient returns a recipe and a job of a run with patience that overfits.
func patient(folder string, edit func(r *Recipe)) (Recipe, Job) {
	r := Default()
	r.Hidden, r.Batch, r.Chains, r.Estep, r.Patience, r.Synapses, r.Scouts = 5, 20, 40, "chains", 2, "real", 0
	if edit != nil {
		edit(&r)
	}
	r.Suit()
	return r, Job{Data: Data{Set: prototypes(60, 1), Name: "some"}, Validation: Data{Set: prototypes(400, 2), Name: "others"}, Seed: 3, Folder: folder, Resume: true, Meter: true,
		Checkpoints: Interval{Steps: 37}, MeasureEvery: 250}
}

// learnt runs a recipe; the error is that of the run.
func learnt(ctx context.Context, t *testing.T, r Recipe, job Job) (*Run, *Result, error) {
	t.Helper()
	run, err := Start(r, job)
	if err != nil {
		t.Fatal(err)
	}
	result, err := run.Run(ctx)
	return run, result, errors.Join(err, run.Close())
}

// A run that overfits ends soon after its best reading and ships the machine of that reading: its exact likelihood is the reading's, with
// the exact ln Z in the place of the meter's.
func TestPatience(t *testing.T) {
	folder := t.TempDir()
	r, job := patient(folder, nil)
	run, result, err := learnt(t.Context(), t, r, job)
	if err != nil {
		t.Fatal(err)
	}
	records, err := runs.ReadRecords(folder)
	if err != nil {
		t.Fatal(err)
	}
	p := result.Patience
	if p == nil || p.Best < 250 || p.Waited != 2 || p.ByLimit || p.Ending != 0 || p.Stopped != result.Steps || result.Steps > 20000 {
		t.Fatalf("%d steps, %+v", result.Steps, p)
	}
	best, since := math.Inf(-1), 0
	for _, e := range records {
		if e.Meter == nil {
			continue
		}
		low := float64(e.Meter.Validation.Low)
		if since++; low > best {
			best, since = low, 0
		}
		if (e.Step == p.Best) != (e.Patience.Waited == 0 && e.Patience.Best == p.Best) || e.Patience.Waited != since {
			t.Errorf("step %d: %+v", e.Step, e.Patience)
		}
		if e.Step == p.Best {
			want := float64(e.Meter.Validation.Value + e.Meter.LnZ.Value - *e.Meter.Exact)
			if got := float64(result.Validation.Mean()); math.Abs(got-want) > 1e-3 {
				t.Errorf("the machine has %.4f nats per sample, and the best reading was %.4f", got, want)
			}
			if e.Meter.Averaged != 50 {
				t.Errorf("the mean of %d models", e.Meter.Averaged)
			}
		}
	}
	if best != float64(p.Estimate.Low) {
		t.Errorf("the best low end was %v, and not %v", best, p.Estimate.Low)
	}
	if text := result.Text(); !strings.Contains(text, "held-out likelihood was best after step") || !strings.Contains(text, "2 readings since were no better") {
		t.Errorf("it says %s", text)
	}
	if _, err := os.Stat(filepath.Join(folder, runs.BestFile)); err == nil {
		t.Error("the state of the best reading stays")
	}
	job.Folder = ""
	alone, _, err := learnt(t.Context(), t, r, job)
	if err != nil {
		t.Fatal(err)
	}
	a, errA := run.File()
	b, errB := alone.File()
	if errA != nil || errB != nil || !reflect.DeepEqual(rbm.Values(a.Synapses), rbm.Values(b.Synapses)) {
		t.Errorf("without a folder another machine is learned (%v, %v)", errA, errB)
	}
	job.Folder, r.Steps = folder, 200000
	if _, err := Start(r, job); err == nil || !strings.Contains(err.Error(), "ended by itself") {
		t.Errorf("more steps: %v", err)
	}
}

// An interrupting context ends when it is asked for the n-th time.
type interrupting struct {
	context.Context
	mu   sync.Mutex
	left int
	end  context.CancelFunc
}

func (c *interrupting) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left--; c.left == 0 {
		c.end()
	}
	return c.Context.Err()
}

// A run with patience that is interrupted again and again, in steps, in readings, after the best one and while it settles, comes to the same
// bytes; so does one whose process was killed, which goes on from an old checkpoint.
func TestPatienceResumes(t *testing.T) {
	edit := func(r *Recipe) { r.Synapses, r.Steps, r.Patience = "binary", 1600, 1 }
	whole := t.TempDir()
	r, job := patient(whole, edit)
	counting := &interrupting{Context: t.Context(), left: -1}
	_, want, err := learnt(counting, t, r, job)
	if err != nil {
		t.Fatal(err)
	}
	if want.Patience.Ending == 0 || want.Steps != want.Patience.Stopped+want.Patience.Ending {
		t.Errorf("%d steps, %+v", want.Steps, want.Patience)
	}
	asked, again := -counting.left, t.TempDir()
	job.Folder = again
	interrupted := 0
	var got *Result
	for k := 1; got == nil; k++ {
		ctx, cancel := context.WithCancel(t.Context())
		if interrupted > 60 {
			t.Fatal("it comes to no end")
		}
		_, result, err := learnt(&interrupting{Context: ctx, left: asked/17 + 13*k, end: cancel}, t, r, job)
		cancel()
		var stopped *InterruptedError
		switch {
		case err == nil:
			got = result
		case errors.As(err, &stopped):
			interrupted++
			if k%3 == 0 { // killed a little later: there is an earlier checkpoint, perhaps a later best one
				if err := os.Rename(filepath.Join(again, "before"), filepath.Join(again, runs.CheckpointFile)); err != nil {
					t.Fatal(err)
				}
			}
			text, err := os.ReadFile(filepath.Join(again, runs.CheckpointFile))
			if err == nil {
				err = os.WriteFile(filepath.Join(again, "before"), text, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		default:
			t.Fatal(err)
		}
	}
	if interrupted < 10 {
		t.Errorf("only %d interruptions", interrupted)
	}
	a, errA := os.ReadFile(filepath.Join(whole, runs.ModelFile))
	b, errB := os.ReadFile(filepath.Join(again, runs.ModelFile))
	if errA != nil || errB != nil || !bytes.Equal(a, b) || !reflect.DeepEqual(got.Patience, want.Patience) {
		t.Errorf("another machine (%v, %v): %+v, not %+v", errA, errB, got.Patience, want.Patience)
	}
}

// A stopping observer ends a context after a step, and notes where a run began.
type stopping struct {
	Silent
	step, began int
	end         context.CancelFunc
}

func (s *stopping) Began(b Beginning) error {
	s.began = b.Step
	return nil
}

func (s *stopping) Stepped(p Progress) {
	if p.Step == s.step {
		s.end()
	}
}

// The state of the best reading may be younger than the checkpoint, if a run was killed soon after it: the run goes on from there, to the
// same bytes.
func TestPatienceKilled(t *testing.T) {
	edit := func(r *Recipe) { r.Synapses, r.Steps, r.Patience = "binary", 714, 1 } // the best is the mean of the models since step 250
	whole, again := t.TempDir(), t.TempDir()
	r, job := patient(whole, edit)
	r.Rate = 0.002
	if _, _, err := learnt(t.Context(), t, r, job); err != nil {
		t.Fatal(err)
	}
	job.Folder, job.Checkpoints = again, Interval{Steps: 1 << 20}
	path := filepath.Join(again, runs.CheckpointFile)
	var old []byte
	for _, stop := range []int{240, 260, 0} {
		ctx, cancel := context.WithCancel(t.Context())
		run, err := Start(r, job)
		if err != nil {
			t.Fatal(err)
		}
		watch := &stopping{step: stop, end: cancel}
		if _, err = run.Run(ctx, watch); (err == nil) != (stop == 0) {
			t.Fatal(err)
		}
		cancel()
		if err := run.Close(); err != nil {
			t.Fatal(err)
		}
		switch stop {
		case 240:
			if old, err = os.ReadFile(path); err != nil {
				t.Fatal(err)
			}
		case 260:
			if err := os.WriteFile(path, old, 0o600); err != nil {
				t.Fatal(err)
			}
		case 0:
			if watch.began != 250 {
				t.Errorf("it goes on after step %d, and the state of 250 is there", watch.began)
			}
		}
	}
	a, errA := os.ReadFile(filepath.Join(whole, runs.ModelFile))
	b, errB := os.ReadFile(filepath.Join(again, runs.ModelFile))
	if errA != nil || errB != nil || !bytes.Equal(a, b) {
		t.Errorf("another machine (%v, %v)", errA, errB)
	}
}

// Patience without what it judges by is refused, and a damaged state of the meter.
func TestPatienceErrors(t *testing.T) {
	for text, edit := range map[string]func(r *Recipe, j *Job){
		"add validation":     func(_ *Recipe, j *Job) { j.Validation = Data{} },
		"add meter":          func(_ *Recipe, j *Job) { j.Meter = false },
		"must not be":        func(r *Recipe, _ *Job) { r.Patience = -1 },
		"nothing is left to": func(r *Recipe, _ *Job) { r.Settle, r.Synapses, r.Undecided = 1, "binary", "sign" },
	} {
		r, job := patient("", nil)
		edit(&r, &job)
		if _, err := Start(r, job); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v", text, err)
		}
	}
	r, job := patient("", nil)
	if _, err := StartOnline(r, job); err == nil || !strings.Contains(err.Error(), "patience") {
		t.Errorf("batches that come one by one: %v", err)
	}
	run, err := Start(r, job)
	if err != nil {
		t.Fatal(err)
	}
	l, err := newLearner(run, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := l.follower.(*searching)
	if _, err := s.step(t.Context(), l, 250, false); err != nil {
		t.Fatal(err)
	}
	good := s.State()
	for name, damage := range map[string]func() error{
		"no numbers": func() error { x := s.State(); x.Numbers = nil; return s.Restore(25, 5, x) },
		"no ladder":  func() error { x := s.State(); x.Numbers = x.Numbers[:1]; return s.Restore(25, 5, x) },
		"falling":    func() error { x := s.State(); x.Numbers[1][1] = 2; return s.Restore(25, 5, x) },
		"half":       func() error { x := s.State(); x.Numbers[0][keptBest] = 0.5; return s.Restore(25, 5, x) },
		"units":      func() error { return s.Restore(24, 5, s.State()) },
		"chains":     func() error { x := s.State(); x.States[0] = spin.New(25, 3).Store(); return s.Restore(25, 5, x) },
	} {
		if damage() == nil {
			t.Errorf("%s: taken", name)
		}
		if err := s.Restore(25, 5, good); err != nil {
			t.Fatal(err)
		}
	}
}
