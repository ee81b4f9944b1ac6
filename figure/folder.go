package figure

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"bethe/causes"
	"bethe/internal/durable"
	"bethe/rbm"
	"bethe/runs"
	"bethe/setting"
)

// RunFigures are the names of the figures of a run folder, in order: those of
// RunCurve, and magnetisations, magnetisation-history, spectrum, units, synapses and
// samples.
var RunFigures = slices.Concat(RunCurves, []string{"magnetisations", "magnetisation-history", "spectrum", "units", "synapses", "samples"})

// ReadRun reads what figures of a run folder are drawn of. The error wraps
// runs.ErrNotRun if it is no run folder, fs.ErrNotExist if there is none; one about a
// file that cannot be read comes beside what could be read of all of them.
func ReadRun(folder string) (Run, error) {
	if _, err := os.Stat(folder); err != nil {
		return Run{}, err
	}
	info, err := runs.ReadInfo(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return Run{}, fmt.Errorf("%s: %w", folder, runs.ErrNotRun)
	}
	records, e := runs.ReadRecords(folder)
	return Run{Name: filepath.Base(folder), Info: info, Records: records}, errors.Join(err, e)
}

// CheckFigures returns a *setting.Error unless each name is one of RunFigures.
func CheckFigures(names []string) error {
	for _, name := range names {
		if !slices.Contains(RunFigures, name) {
			return setting.Errorf("only", strings.Join(names, ","), "no figure is called %q%s There are %s", name, cmp.Or(setting.Meant(name, RunFigures), "."), strings.Join(RunFigures, ", "))
		}
	}
	return nil
}

// Saved says which files SaveRun wrote.
type Saved struct {
	Files   []string `json:"files"`
	Without []string `json:"without,omitempty"` // figures that the run has no numbers for
	Problem string   `json:"problem,omitempty"` // of files of the run that could not be read
}

// SaveRun draws the figures of a run folder, all if no names are given, and writes
// each to the folder out as PNG and SVG. progress is called before each figure. The
// error is the context's, CheckFigures', a file's, or ReadRun's if
// nothing of the run can be read. Temporary files that an earlier call, killed, left
// in out are removed.
func SaveRun(ctx context.Context, folder, out string, names []string, progress func(fraction float64, name string)) (*Saved, error) {
	if err := CheckFigures(names); err != nil {
		return nil, err
	}
	run, err := ReadRun(folder)
	saved := &Saved{Files: []string{}}
	switch {
	case errors.Is(err, runs.ErrNotRun) || errors.Is(err, fs.ErrNotExist):
		return nil, err
	case err != nil:
		saved.Problem = err.Error()
	}
	if err := os.MkdirAll(out, 0o777); err != nil {
		return nil, err
	}
	if err := durable.RemoveStale(out, figureFiles()...); err != nil {
		return nil, err
	}
	for k, name := range RunFigures {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		progress(float64(k)/float64(len(RunFigures)), name)
		if len(names) > 0 && !slices.Contains(names, name) {
			continue
		}
		chart, err := RunFigure(name, folder, run)
		if err != nil {
			return nil, err
		}
		if chart == nil {
			saved.Without = append(saved.Without, name)
			continue
		}
		files, err := Save(filepath.Join(out, name), chart)
		if err != nil {
			return nil, err
		}
		saved.Files = append(saved.Files, files...)
	}
	return saved, nil
}

// RunFigure returns a figure of a run, nil if the run has no numbers for it. units,
// synapses and samples are drawn of the files in its folder. It panics if the name is
// none of RunFigures.
func RunFigure(name, folder string, run Run) (Chart, error) {
	switch name {
	case "magnetisations":
		return RunMagnetisations(run), nil
	case "magnetisation-history":
		return RunMagnetisationHistory(run), nil
	case "spectrum":
		return RunSpectrum(run), nil
	case "synapses", "units":
		model, err := runs.Open(folder, runs.ModelFile) // a regular file
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil // it still learns
		}
		if err != nil {
			return nil, err
		}
		model.Close()
		switch rbm.FamilyOf(filepath.Join(folder, runs.ModelFile)) {
		case "":
		case rbm.StackModel: // of the lowest machine
			stack, err := rbm.LoadStack(filepath.Join(folder, runs.ModelFile))
			switch {
			case err != nil:
				return nil, err
			case name == "units":
				return FileOverlaps(stack.Files[0]), nil
			}
			return FileTiles(stack.Files[0]), nil
		default:
			file, err := causes.Load(filepath.Join(folder, runs.ModelFile))
			if err != nil || name == "units" {
				return nil, err // causes are no units that overlap
			}
			return CauseTiles(file), nil
		}
		file, err := rbm.LoadKinds(filepath.Join(folder, runs.ModelFile))
		if err != nil {
			return nil, err
		}
		switch {
		case name == "units":
			return FileOverlaps(file), nil
		case run.Info.Verb == runs.Planted:
			return FileMatrix(file), nil
		}
		return FileTiles(file), nil
	case "samples":
		if logos, err := runSamples(folder); logos != nil || err != nil {
			return logos, err
		}
		data, err := readPNG(folder, runs.DataFile)
		if err != nil {
			return nil, err
		}
		samples, err := readPNG(folder, runs.SamplesFile)
		if err != nil {
			return nil, err
		}
		return SamplesBesideData(data, samples), nil
	}
	return RunCurve(name, run), nil
}

// figureFiles names all that SaveRun writes.
func figureFiles() (names []string) {
	for _, name := range RunFigures {
		names = append(names, name+".png", name+".svg")
	}
	return names
}

// readPNG reads a PNG file of a run; nil if there is none.
func readPNG(folder, name string) (image.Image, error) {
	f, err := runs.Open(folder, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	img, err := decodePNG(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	return img, nil
}

// decodePNG looks at the size of a picture before it is made.
func decodePNG(f io.ReadSeeker) (image.Image, error) {
	size, err := png.DecodeConfig(f)
	if err != nil {
		return nil, err
	}
	if size.Width > mostPictureDots/max(1, size.Height) {
		return nil, fmt.Errorf("%d x %d dots, more than %d", size.Width, size.Height, mostPictureDots)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return png.Decode(f)
}
