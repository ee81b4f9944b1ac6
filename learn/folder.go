package learn

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"bethe/internal/durable"
	"bethe/internal/npy"
	"bethe/rbm"
	"bethe/runs"
	"bethe/setting"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// FolderOf names the run folder of data, hidden units and a seed if nobody does:
// runs/DATA-hHIDDEN-sSEED, and unless it is resumed the first of its kind that
// holds nothing.
func FolderOf(data string, hidden int, seed uint64, resume bool) string {
	return folderOf(data, fmt.Sprintf("h%d", hidden), seed, resume)
}

func folderOf(data, machine string, seed uint64, resume bool) string {
	folder := filepath.Join("runs", fmt.Sprintf("%s-%s-s%d", runs.Stem(data), machine, seed))
	if resume {
		return folder
	}
	return runs.Unused(folder)
}

// A folder keeps a run in its run folder.
type folder struct {
	*Run
	path     string
	lock     io.Closer // others out
	pictures pictures
}

// Pictures are drawn, or are not.
type pictures interface {
	Illustrator
	drawn() bool
}

// drawing is what the caller draws with.
type drawing struct{ Illustrator }

func (drawing) drawn() bool { return true }

// noPictures draws none.
type noPictures struct{}

func (noPictures) drawn() bool                                     { return false }
func (noPictures) DrawData(string, units.Shown, int, int) error    { return nil }
func (noPictures) DrawSynapses(string, *rbm.File) error            { return nil }
func (noPictures) DrawSamples(string, units.Shown, int, int) error { return nil }

// locked releases a lock.
type locked struct{ *durable.Lock }

// Close implements io.Closer.
func (l locked) Close() error { return l.Release() }

// unlocked holds no lock.
type unlocked struct{}

// Close implements io.Closer.
func (unlocked) Close() error { return nil }

func newFolder(r *Run) *folder {
	f := &folder{Run: r, path: r.job.Folder, lock: unlocked{}, pictures: noPictures{}}
	if r.job.Pictures != nil {
		f.pictures = drawing{r.job.Pictures}
	}
	return f
}

func (f *folder) in(name string) string { return filepath.Join(f.path, name) }

func (f *folder) where() string { return f.path }

func (f *folder) model() string { return f.in(runs.ModelFile) }

func (f *folder) open() (*Result, error) {
	if err := os.MkdirAll(f.path, 0o755); err != nil {
		return nil, err
	}
	lock, err := durable.LockFolder(f.path)
	if err != nil {
		return nil, err
	}
	f.lock = locked{lock} // the process's end releases it too
	if err := f.wasExtended(); err != nil {
		return nil, err
	}
	f.adopt()
	finished, err := f.result()
	if finished != nil || err != nil {
		return finished, err
	}
	files, err := f.files()
	if err != nil {
		return nil, err
	}
	if err := durable.RemoveLeftovers(f.path, files...); err != nil {
		return nil, err
	}
	return nil, f.writeInfo()
}

func (f *folder) close() error {
	lock := f.lock
	f.lock = unlocked{}
	return lock.Close()
}

// savedResult is the content of result.json.
type savedResult struct {
	Label  json.RawMessage   `json:"run"`
	Result *Result           `json:"result"`
	Sums   map[string]string `json:"sha256"` // of the files that came of it
}

// result returns the result of a run that is over already, nil if it is not.
// Without Resume, a folder with results is an error.
func (f *folder) result() (*Result, error) {
	if entries, err := os.ReadDir(f.path); err == nil && !f.job.Resume {
		for _, e := range entries {
			if name := e.Name(); name == runs.ResultFile || name == runs.ModelFile || strings.HasPrefix(name, "checkpoint") {
				return nil, setting.Phrase("out", "%s holds a run already (%s): go on with {resume}, or choose another {out}", f.path, name)
			}
		}
	}
	path := f.in(runs.ResultFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var saved savedResult
	if err := json.Unmarshal(text, &saved); err != nil {
		return nil, fmt.Errorf("%s: not the result of a run: %w; remove it to learn again", path, err)
	}
	if saved.Result == nil {
		return nil, fmt.Errorf("%s: not the result of a run; remove it to learn again", path)
	}
	if string(saved.Label) != f.label {
		if extends, err := f.extends(&saved); extends || err != nil {
			return nil, err
		}
		return nil, setting.Phrase("out", "%s: the result of another run: %s\nchoose another {out}", path, differences(string(saved.Label), f.label))
	}
	saved.Result.Model = f.model() // the folder may have moved
	if !maps.Equal(f.sums(), saved.Sums) || f.job.Evaluation.Asked && saved.Result.LogLikelihood == nil || f.job.Validation.Set != nil && saved.Result.Validation == nil {
		return nil, nil // the checkpoint is at the end of learning; missing or damaged results are made again from it
	}
	return saved.Result, nil
}

// sums returns the SHA-256 of the model and the pictures of the run, those that
// are there.
func (f *folder) sums() map[string]string {
	sums := map[string]string{}
	for _, name := range []string{runs.ModelFile, runs.ScoutsFile, runs.SynapsesFile, runs.SamplesFile} {
		if content, err := os.ReadFile(f.in(name)); err == nil {
			sums[name] = fmt.Sprintf("%x", sha256.Sum256(content))
		}
	}
	return sums
}

// files names all that the run writes to its folder, with the checkpoints of those starts
// that have left something there: there may be a thousand million starts.
func (f *folder) files() ([]string, error) {
	names := []string{runs.InfoFile, runs.MetricsFile, runs.ModelFile, runs.ScoutsFile, runs.ResultFile, runs.SynapsesFile, runs.SamplesFile, runs.DataFile, runs.LiveFile, runs.WinnersFile, runs.DictionaryFile, runs.CheckpointFile, runs.BestFile}
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		name, _, left := strings.Cut(strings.TrimPrefix(e.Name(), "."), ".tmp")
		digits, numbered := strings.CutPrefix(name, "checkpoint-")
		if !numbered {
			digits, numbered = strings.CutPrefix(name, "best-")
		}
		if start, err := strconv.Atoi(strings.TrimSuffix(digits, ".npz")); left && numbered && err == nil && start >= 0 && start < f.recipe.Restarts {
			names = append(names, name)
		}
	}
	return names, nil
}

// writeInfo writes what the run is of, and a picture of some data, unless an
// earlier call has.
func (f *folder) writeInfo() error {
	if _, err := runs.ReadInfo(f.path); err == nil && f.job.Resume {
		return nil
	}
	d := &f.job.Data
	some := f.shown(d.choose(shownSamples(100, d.Visible()), f.key().Sub(stream.RunPictures).Rand()))
	if err := f.pictures.DrawData(f.in(runs.DataFile), some, d.Width, d.Height); err != nil {
		return err
	}
	return runs.WriteInfo(f.path, runs.Info{
		Verb: runs.Train, Program: f.job.Program, Command: f.job.Command, Data: d.Name, Samples: d.Len(), Visible: f.visible(), Hidden: f.recipe.columns(), Layers: f.recipe.Layers.Sizes(),
		Width: d.Width, Height: d.Height, Seed: f.job.Seed, Settings: f.settings, Began: time.Now().UTC().Truncate(time.Second),
	})
}

func (f *folder) records(start, step int) (recorder, []runs.Record, error) {
	log, kept, err := runs.OpenLog(f.path, start, step)
	if err != nil {
		return nil, nil, err
	}
	return log, kept, nil
}

func (f *folder) keepPictures(records []runs.Record) error {
	folder := f.in(runs.PicturesFolder)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	named := map[string]bool{}
	for _, r := range records {
		named[r.Synapses], named[r.Samples] = true, true
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !named[e.Name()] && filepath.Ext(e.Name()) == ".png" {
			if err := os.Remove(filepath.Join(folder, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// saveModel writes a model file as File.Save does, until the context is done: a large one
// takes seconds.
func saveModel(ctx context.Context, path string, file *rbm.File) error {
	arrays, err := file.Arrays()
	if err != nil {
		return fmt.Errorf("%s: not written: %w", path, err)
	}
	return durable.WriteFile(path, func(w io.Writer) error { return npy.WriteArchive(durable.Until(ctx, w), arrays) })
}

func (f *folder) drawAlong(ctx context.Context, r *runs.Record, file *rbm.File, chains func() (units.Shown, error)) error {
	if err := saveModel(ctx, f.in(runs.LiveFile), file); err != nil {
		return err
	}
	if !f.pictures.drawn() {
		return nil
	}
	name := func(what string) string {
		if f.recipe.Restarts > 1 {
			what = fmt.Sprintf("%s-start%d", what, r.Start)
		}
		return fmt.Sprintf("%s-%08d.png", what, r.Step)
	}
	r.Synapses, r.Samples = name("synapses"), name("samples")
	folder := f.in(runs.PicturesFolder)
	if err := f.pictures.DrawSynapses(filepath.Join(folder, r.Synapses), file); err != nil {
		return err
	}
	drawn, err := chains()
	if err != nil {
		return err
	}
	return f.pictures.DrawSamples(filepath.Join(folder, r.Samples), drawn, file.Info.Width, file.Info.Height)
}

func (f *folder) ship(ctx context.Context, file *rbm.File, met *spin.Matrix) error {
	if err := saveModel(ctx, f.model(), file); err != nil {
		return err
	}
	if err := saveScouts(f.in(runs.ScoutsFile), met); err != nil {
		return err
	}
	if err := os.Remove(f.in(runs.LiveFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return f.pictures.DrawSynapses(f.in(runs.SynapsesFile), file)
}

func (f *folder) drawSamples(chains func() (units.Shown, error)) error {
	if !f.pictures.drawn() {
		return nil
	}
	drawn, err := chains()
	if err != nil {
		return err
	}
	return f.pictures.DrawSamples(f.in(runs.SamplesFile), drawn, f.job.Data.Width, f.job.Data.Height)
}

func (f *folder) finish(result *Result) error {
	for k := 0; f.recipe.Patience > 0 && k < f.recipe.Restarts; k++ { // the checkpoint is that of the end
		if err := os.Remove(bestPath(f.path, &f.recipe, k)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	text, err := json.Marshal(savedResult{json.RawMessage(f.label), result, f.sums()})
	if err != nil {
		return err
	}
	return durable.WriteFile(f.in(runs.ResultFile), func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
}
