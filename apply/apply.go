// Package apply applies a saved machine to data, from files to files: it draws
// samples, completes and mends them, and reads features. Models and data are named by
// words, as on a command line; each job returns a report with JSON keys.
package apply

import (
	"image"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"bethe/dataset/source"
	"bethe/figure"
	"bethe/internal/durable"
	"bethe/internal/memory"
	"bethe/rbm"
	"bethe/setting"
)

// A Job is what all jobs have.
type Job struct {
	Model    string // model file
	Data     source.Opener
	Seed     uint64
	Progress func(stage string, fraction float64, note string)
}

// progress returns what tells how far a stage is.
func (j *Job) progress(stage string) func(fraction float64) {
	j.Progress(stage, 0, "")
	return func(fraction float64) { j.Progress(stage, fraction, "") }
}

// A count is a setting that is one.
type count struct {
	name  string
	value int
}

// fits returns the *setting.Error of a count if so many chains of it, for each of some
// samples, take more memory than there is. things are what the count is of; written
// says that states of chains go into a file.
func (c count) fits(machine *rbm.Machine, samples int, things string, written bool) error {
	if err := memory.CheckChains(machine.Visible(), machine.Hidden(), float64(c.value)*float64(samples), written, things, c.value); err != nil {
		return setting.Errorf(c.name, c.value, "%v", err)
	}
	return nil
}

// A Files names the files that a job writes; an empty name is not written.
type Files struct {
	Out string `json:"out,omitempty"` // arrays: npz, or npy
	PNG string `json:"png,omitempty"` // picture
}

// check returns a *setting.Error if both names are the same, or promise another format.
func (f *Files) check() error {
	if f.Out != "" && f.Out == f.PNG {
		return setting.Phrase("png", "{out} and {png} name the same file, %s", f.Out)
	}
	if strings.EqualFold(filepath.Ext(f.Out), ".png") {
		return setting.Phrase("out", "{out %s}: {out} is for arrays, in an npz file; for a picture name {png %s}", f.Out, f.Out)
	}
	if err := promises("out", f.Out, ".npz"); err != nil {
		return err
	}
	return promises("png", f.PNG, ".png")
}

// endings are those that promise a format.
var endings = []string{".npz", ".npy", ".csv", ".tsv", ".txt", ".json", ".png", ".svg", ".jpg", ".jpeg", ".gif", ".pdf", ".h5", ".hdf5", ".mat", ".parquet", ".fasta", ".fa"}

// promises returns a *setting.Error if the name of a file ends as files of another format do.
func promises(name, path, ending string) error {
	if path == "-" {
		return setting.Errorf(name, path, "it takes the name of a file")
	}
	if got := strings.ToLower(filepath.Ext(path)); got != ending && slices.Contains(endings, got) {
		return setting.Errorf(name, path, "the file that is written is of the format %s: name it %s", ending[1:], path[:len(path)-len(got)]+ending)
	}
	return nil
}

// needed is check for a job that is of no use without a file.
func (f *Files) needed(what string) error {
	if f.Out == "" && f.PNG == "" {
		return setting.Phrase("out", "name a file for the %s: {out FILE.npz} or {png FILE.png}", what)
	}
	return f.check()
}

// sequences reports whether the name of a file is that of an alignment.
func sequences(path string) bool {
	ending := strings.ToLower(filepath.Ext(path))
	return ending == ".fasta" || ending == ".fa"
}

// neededOrSequences is needed for a job that can write an alignment.
func (f *Files) neededOrSequences(what string) error {
	if !sequences(f.Out) {
		return f.needed(what)
	}
	return (&Files{PNG: f.PNG}).check()
}

// write writes the files that have names.
func (f *Files) write(arrays func(io.Writer) error, picture func() image.Image) error {
	if f.Out != "" {
		if err := durable.WriteOutput(f.Out, arrays); err != nil {
			return err
		}
	}
	if f.PNG != "" {
		if err := durable.MakeFolder(f.PNG); err != nil {
			return err
		}
		return figure.WritePNG(f.PNG, picture())
	}
	return nil
}

// shape returns the width and height of a picture: the model's, or else the data's.
func shape(about *rbm.Info, width, height int) (int, int) {
	if about.Width > 0 {
		return about.Width, about.Height
	}
	return width, height
}
