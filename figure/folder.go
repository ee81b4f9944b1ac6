package figure

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"bethe/rbm"
	"bethe/runs"
	"bethe/setting"
)

// RunFigures are the names of the figures of a run folder, in order: those of
// RunCurve, and magnetisations, magnetisation-history, spectrum, units, synapses and
// samples.
var RunFigures = slices.Concat(RunCurves, []string{"magnetisations", "magnetisation-history", "spectrum", "units", "synapses", "samples"})

// ReadRun reads what figures of a run folder are drawn of. The error wraps
// runs.ErrNotRun if it is no run folder.
func ReadRun(folder string) (Run, error) {
	info, err := runs.ReadInfo(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return Run{}, fmt.Errorf("%s: %w", folder, runs.ErrNotRun)
	}
	if err != nil {
		return Run{}, err
	}
	records, err := runs.ReadRecords(folder)
	return Run{Name: filepath.Base(folder), Info: info, Records: records}, err
}

// CheckFigures returns a *setting.Error unless each name is one of RunFigures.
func CheckFigures(names []string) error {
	for _, name := range names {
		if !slices.Contains(RunFigures, name) {
			return setting.Errorf("only", strings.Join(names, ","), "no figure is called %q; there are %s", name, strings.Join(RunFigures, ", "))
		}
	}
	return nil
}

// Saved says which files SaveRun wrote.
type Saved struct {
	Files   []string `json:"files"`
	Without []string `json:"without,omitempty"` // figures that the run has no numbers for
}

// SaveRun draws the figures of a run folder, all if no names are given, and writes
// each to the folder out as PNG and SVG. progress is called before each figure. The
// error is the context's, that of ReadRun or CheckFigures, or of a file.
func SaveRun(ctx context.Context, folder, out string, names []string, progress func(fraction float64, name string)) (*Saved, error) {
	if err := CheckFigures(names); err != nil {
		return nil, err
	}
	run, err := ReadRun(folder)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return nil, err
	}
	saved := &Saved{Files: []string{}}
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
		file, err := rbm.Load(filepath.Join(folder, runs.ModelFile))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil // it still learns
		}
		if err != nil {
			return nil, err
		}
		if name == "units" {
			return FileOverlaps(file), nil
		}
		return FileTiles(file), nil
	case "samples":
		data, err := readPNG(filepath.Join(folder, runs.DataFile))
		if err != nil {
			return nil, err
		}
		samples, err := readPNG(filepath.Join(folder, runs.SamplesFile))
		if err != nil {
			return nil, err
		}
		return SamplesBesideData(data, samples), nil
	}
	return RunCurve(name, run), nil
}

// readPNG reads a PNG file; nil if there is none.
func readPNG(path string) (image.Image, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return img, nil
}
