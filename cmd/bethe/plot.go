package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"bethe/figure"
	"bethe/internal/durable"
	"bethe/rbm"
	"bethe/runs"
)

// plotFlags are what plot is told.
type plotFlags struct {
	only []string
	out  string
}

// plotReport is the JSON object of plot.
type plotReport struct {
	Run     string   `json:"run"`
	Files   []string `json:"files"`
	Without []string `json:"without,omitempty"` // figures that the run has no numbers for
	Problem string   `json:"problem,omitempty"` // of the files of the run
}

// runFigures are the figures that plot draws, in order.
var runFigures = append(append([]string{}, figure.RunCurves...), "magnetisations", "magnetisation-history", "spectrum", "units", "synapses", "samples")

func newPlotCommand(c *console) *cobra.Command {
	var f plotFlags
	cmd := &cobra.Command{
		Use: "plot RUN", Short: "Draw the figures of a run", Args: oneArgument("a run folder"),
		Long: `Draws the figures of a run, finished or still learning, each as PNG and SVG:

  bound           the lower bound, with estimates of the log-likelihood
  terms           the terms of the bound; also data-term, partition-term
  kl              divergence of the posterior from the prior, a synapse
  polarised       share of decided synapses
  coupling, rate  the coupling, and the learning rate
  label-error     how often labels are told wrong (train --label-weight)
  overlap         overlap of hidden units with each other, along the run
  residual        of message passing or mean field; also iterations
  teacher         overlap with the teacher (planted runs)
  magnetisations  histogram of posterior means
  magnetisation-history  and how it came to be
  spectrum        singular values of the matrix of synapses
  units           overlap matrix of the hidden units
  synapses        synapses of each hidden unit, and how undecided they are
  samples         samples of the machine beside data

What the run has no numbers for is left out.`,
		Example: "  bethe plot runs/m500 -o figures\n  bethe plot runs/m500 --only synapses,bound -o figures",
		RunE:    func(cmd *cobra.Command, args []string) error { return c.plot(cmd.Context(), args[0], &f) },
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.only, "only", nil, "figures to draw, with commas between them (default all)")
	flags.StringVarP(&f.out, "out", "o", "", "folder for the figures (default figures in the run folder)")
	return cmd
}

func (c *console) plot(ctx context.Context, folder string, f *plotFlags) error {
	for _, name := range f.only {
		if !oneOf(name, runFigures...) {
			return usagef("--only %s: no figure is called %q; there are %s", strings.Join(f.only, ","), name, strings.Join(runFigures, ", "))
		}
	}
	if _, err := os.Stat(folder); err != nil {
		return err
	}
	info, err := runs.ReadInfo(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: not the folder of a run: it has no %s; bethe runs DIR lists runs", folder, runs.InfoFile)
	}
	records, e := runs.ReadRecords(folder)
	report := plotReport{Run: folder, Files: []string{}}
	if err = errors.Join(err, e); err != nil { // what can be read is drawn
		report.Problem = err.Error()
		c.logf("%v\n", err)
	}
	run := figure.Run{Name: filepath.Base(folder), Info: info, Records: records}
	if f.out == "" {
		f.out = filepath.Join(folder, "figures")
	}
	if err := os.MkdirAll(f.out, 0o777); err != nil {
		return err
	}
	if err := durable.RemoveStale(f.out, figureFiles()...); err != nil {
		return err
	}
	bar := c.progress("drawing")
	defer bar.done()
	for k, name := range runFigures {
		if err := ctx.Err(); err != nil {
			return err
		}
		bar.set(float64(k)/float64(len(runFigures)), name)
		if len(f.only) > 0 && !oneOf(name, f.only...) {
			continue
		}
		chart, err := runFigure(name, folder, run)
		if err != nil {
			return err
		}
		if chart == nil {
			report.Without = append(report.Without, name)
			continue
		}
		files, err := figure.Save(filepath.Join(f.out, name), chart)
		if err != nil {
			return err
		}
		report.Files = append(report.Files, files...)
	}
	bar.done()
	for _, file := range report.Files {
		c.printf("%s\n", file)
	}
	if len(report.Without) > 0 {
		c.logf("the run has no numbers for: %s\n", strings.Join(report.Without, ", "))
	}
	if len(report.Files) == 0 {
		return fmt.Errorf("%s: nothing to draw yet", folder)
	}
	return c.object(&report)
}

// runFigure returns a figure of a run, nil if it has no numbers for it.
func runFigure(name, folder string, run figure.Run) (figure.Chart, error) {
	switch name {
	case "magnetisations":
		return figure.RunMagnetisations(run), nil
	case "magnetisation-history":
		return figure.RunMagnetisationHistory(run), nil
	case "spectrum":
		return figure.RunSpectrum(run), nil
	case "synapses", "units":
		model, err := runs.Open(folder, runs.ModelFile) // a regular file
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil // it still learns
		}
		if err != nil {
			return nil, err
		}
		model.Close()
		file, err := rbm.Load(filepath.Join(folder, runs.ModelFile))
		if err != nil {
			return nil, err
		}
		if name == "units" {
			return figure.FileOverlaps(file), nil
		}
		return figure.FileTiles(file), nil
	case "samples":
		data, err := picture(folder, runs.DataFile)
		if err != nil {
			return nil, err
		}
		samples, err := picture(folder, runs.SamplesFile)
		if err != nil {
			return nil, err
		}
		return figure.SamplesBesideData(data, samples), nil
	}
	return figure.RunCurve(name, run), nil
}

// figureFiles names all that plot writes.
func figureFiles() (names []string) {
	for _, name := range runFigures {
		names = append(names, name+".png", name+".svg")
	}
	return names
}

// maxPictureDots limits a picture that is drawn again.
const maxPictureDots = 64 << 20

// picture reads a PNG file of a run; nil if there is none.
func picture(folder, name string) (image.Image, error) {
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
	if size.Width > maxPictureDots/max(1, size.Height) {
		return nil, fmt.Errorf("%d x %d dots, more than %d", size.Width, size.Height, maxPictureDots)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return png.Decode(f)
}
