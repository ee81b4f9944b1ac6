package variational

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bethe/internal/contexttest"
	"bethe/stream"
)

func TestSameBytesAfterAnInterruption(t *testing.T) {
	samples, _ := plantedSamples(20, 150, stream.New(5))
	opt := Options{Steps: 40, Batch: 40} // batches of an epoch: 3
	whole, _ := learner(t, samples, opt)
	if err := whole.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "checkpoint.npz")
	for _, stopAfter := range []int{0, 1, 2, 3, 17, 39, 40} {
		trainer, chains := learner(t, samples, opt)
		err := runUntil(t, trainer, stopAfter)
		if stopAfter < 40 && !errors.Is(err, context.Canceled) || trainer.Step() != stopAfter {
			t.Fatalf("stopped after step %d, not %d: %v", trainer.Step(), stopAfter, err)
		}
		if err := SaveCheckpoint(t.Context(), path, "a run", trainer, chains); err != nil {
			t.Fatal(err)
		}
		resumed, chains := learner(t, samples, opt)
		if err := LoadCheckpoint(path, "a run", resumed, chains); err != nil {
			t.Fatal(err)
		}
		if err := resumed.Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(modelBytes(t, whole.Model), modelBytes(t, resumed.Model)) {
			t.Errorf("stopped after step %d and resumed: another model", stopAfter)
		}
	}
}

// TestCheckpointWithoutTime: once the context is done, or where it gets done half way, a
// checkpoint is written all the same, larger, and learning goes on from it.
func TestCheckpointWithoutTime(t *testing.T) {
	samples, _ := plantedSamples(20, 150, stream.New(5))
	opt := Options{Steps: 4, Batch: 40}
	trainer, chains := learner(t, samples, opt)
	if err := trainer.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "checkpoint.npz")
	if err := SaveCheckpoint(t.Context(), path, "a run", trainer, chains); err != nil {
		t.Fatal(err)
	}
	packed, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, looks := range []int{0, 1, 2} {
		ctx := contexttest.EndAt(looks)
		if err := SaveCheckpoint(ctx, path, "a run", trainer, chains); err != nil || ctx.Err() == nil {
			t.Fatal(err, ctx.Err())
		}
		if info, err := os.Stat(path); err != nil || info.Size() <= packed.Size() {
			t.Errorf("%d looks: %d bytes, packed %d, %v", looks, info.Size(), packed.Size(), err)
		}
		fresh, chains := learner(t, samples, opt)
		if err := LoadCheckpoint(path, "a run", fresh, chains); err != nil || !bytes.Equal(modelBytes(t, fresh.Model), modelBytes(t, trainer.Model)) || fresh.Step() != 4 || fresh.Elapsed() != trainer.Elapsed() {
			t.Errorf("%d looks: step %d, %v", looks, fresh.Step(), err)
		}
	}
}

// TestCheckpointOfAnImpossibleStep: a checkpoint of a step that the run does not reach, or
// with an average of more models than it can have, is refused.
func TestCheckpointOfAnImpossibleStep(t *testing.T) {
	samples, _ := plantedSamples(20, 150, stream.New(6))
	path := filepath.Join(t.TempDir(), "checkpoint.npz")
	for _, c := range []struct {
		opt           Options
		step, average int
		want          string
	}{
		{Options{Steps: 4, Batch: 40}, 5, 0, "step 5 of a run that ends after 4"}, {Options{Epochs: 2, Batch: 40}, 7, 0, "step 7 of a run that ends after 6"},
		{Options{Steps: 40, Batch: 40}, 40, 9, "an average of 9 models"}, {Options{Steps: 40, Batch: 40}, -1, 0, "step -1"},
		{Options{Time: time.Second, Batch: 40}, 1 << 40, 0, ""}, {Options{Steps: 4, Epochs: 2, Batch: 40}, 4, 0, ""},
	} {
		trainer, chains := learner(t, samples, c.opt)
		trainer.state.step = c.step
		for range c.average {
			trainer.state.average.add(trainer.Model)
		}
		if err := SaveCheckpoint(t.Context(), path, "a run", trainer, chains); err != nil {
			t.Fatal(err)
		}
		fresh, chains := learner(t, samples, c.opt)
		if err := LoadCheckpoint(path, "a run", fresh, chains); (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path)) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// TestCheckpointOfAnotherSize: members of other sizes, and those of no checkpoint, are refused
// before they are read: the elements of these are not there.
func TestCheckpointOfAnotherSize(t *testing.T) {
	samples, _ := plantedSamples(20, 150, stream.New(6))
	for name, want := range map[string]string{"theta.npy": "not [3 20]", "visible_field.npy": "not [20]", "other.npy": "has none", "state0_other.npy": "has none"} {
		path := filepath.Join(t.TempDir(), "checkpoint.npz")
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		f, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		header := "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 20000000), }"
		header += strings.Repeat(" ", 117-len(header)) + "\n"
		fmt.Fprintf(f, "\x93NUMPY\x01\x00%c\x00%s", len(header), header)
		if err := errors.Join(z.Close(), os.WriteFile(path, b.Bytes(), 0o644)); err != nil {
			t.Fatal(err)
		}
		fresh, chains := learner(t, samples, Options{Steps: 4, Batch: 40})
		if err := LoadCheckpoint(path, "a run", fresh, chains); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckpointIsStrict(t *testing.T) {
	samples, _ := plantedSamples(20, 150, stream.New(6))
	opt := Options{Steps: 4, Batch: 40}
	trainer, chains := learner(t, samples, opt)
	if err := trainer.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "checkpoint.npz")
	if err := SaveCheckpoint(t.Context(), path, "a run", trainer, chains); err != nil {
		t.Fatal(err)
	}
	load := func(label string) error {
		fresh, chains := learner(t, samples, opt)
		return LoadCheckpoint(path, label, fresh, chains)
	}
	wants := func(err error, words ...string) {
		t.Helper()
		for _, w := range append(words, path) {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("error %v does not say %q", err, w)
			}
		}
	}
	wants(load("another run"), "another run", "a run")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write := func(text []byte) {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range []int{0, 10, len(whole) / 2, len(whole) - 1} {
		write(whole[:n])
		wants(load("a run"))
	}
	// Damage inside the archive is found by its checksums, or changes nothing
	// that is read (times in the directory).
	for k := 100; k < len(whole)-400; k += 97 {
		damaged := bytes.Clone(whole)
		damaged[k] ^= 0x10
		write(damaged)
		fresh, chains := learner(t, samples, opt)
		if err := LoadCheckpoint(path, "a run", fresh, chains); err == nil && !bytes.Equal(modelBytes(t, fresh.Model), modelBytes(t, trainer.Model)) {
			t.Errorf("byte %d damaged: read as another model", k)
		}
	}
	write(whole)
	other, _ := plantedSamples(21, 150, stream.New(6))
	fresh, otherChains := learner(t, other, opt)
	wants(LoadCheckpoint(path, "a run", fresh, otherChains), "theta")
}
