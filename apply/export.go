package apply

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"bethe/exchange"
	"bethe/internal/durable"
	"bethe/setting"
)

// Exporting writes a model in the format of another program.
type Exporting struct {
	Model string
	To    string // format, one of exchange.Formats
	Out   string // file, or folder
	Name  string // what the names of a source begin with
	Tau   int    // steps of the window of neurons; 0 for DefaultTau, where the format has them
}

// DefaultTau is the window of neurons if nothing is asked for.
const DefaultTau = 10

// An ExportReport lists what was written.
type ExportReport struct {
	Model   string   `json:"model"`
	To      string   `json:"to"`
	Out     string   `json:"out"`
	Bytes   int64    `json:"bytes"`
	Files   []string `json:"files,omitempty"` // of a folder
	Visible int      `json:"visible"`
	Hidden  int      `json:"hidden"`
	// Bytes that C source with a sampler takes on a device, beside its code: constants, and the memory of each chain.
	Constants int `json:"constants_bytes,omitempty"`
	Chain     int `json:"chain_bytes,omitempty"`
}

// Text returns the report in lines.
func (r *ExportReport) Text() string {
	text := fmt.Sprintf("%s: %d x %d synapses as %s, %d bytes\n", r.Out, r.Visible, r.Hidden, r.To, r.Bytes)
	if r.Constants > 0 {
		text += fmt.Sprintf("on a device, beside its code: %d bytes of constants, and %d bytes of memory for each chain\n", r.Constants, r.Chain)
	}
	return text
}

// exports are models that formats are written of.
type exports interface {
	model
	Visible() int
	count() int
	// in returns what writes the files of a format, and whether it is of such models.
	in(to exchange.Format) (files func(exchange.Options) ([]exchange.File, error), ok bool)
}

func (f layered) in(to exchange.Format) (func(exchange.Options) ([]exchange.File, error), bool) {
	of, ok := to.(exchange.OfMachines)
	return func(o exchange.Options) ([]exchange.File, error) { return of.Machine(f.File, o) }, ok
}

// in is that of formats that hold all kinds of units.
func (f mixed) in(to exchange.Format) (func(exchange.Options) ([]exchange.File, error), bool) {
	of, ok := to.(exchange.OfMachines)
	return func(o exchange.Options) ([]exchange.File, error) { return of.Machine(f.File, o) }, ok && to.About().Kinds
}

func (d directed) in(to exchange.Format) (func(exchange.Options) ([]exchange.File, error), bool) {
	of, ok := to.(exchange.OfCauses)
	return func(o exchange.Options) ([]exchange.File, error) { return of.Causes(d.File, o) }, ok
}

// ExportFormats returns the names of the formats, for a sentence.
func ExportFormats() string {
	return formatNames(func(exchange.Format) bool { return true })
}

// formatNames returns the names of some formats.
func formatNames(of func(exchange.Format) bool) string {
	var names []string
	for _, f := range exchange.Formats {
		if of(f) {
			names = append(names, f.About().Name)
		}
	}
	if len(names) == 1 {
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// Run writes the files. It returns a *setting.Error, or an error if the model cannot be read, if the format cannot
// hold it, or if a file cannot be written.
func (e *Exporting) Run() (*ExportReport, error) {
	at := slices.IndexFunc(exchange.Formats, func(f exchange.Format) bool { return f.About().Name == e.To })
	if at < 0 {
		return nil, setting.Phrase("to", "{to %q}: it is %s", e.To, ExportFormats())
	}
	format := exchange.Formats[at]
	about, o := format.About(), exchange.Options{Name: e.Name, Tau: e.Tau}
	if e.Out == "" {
		return nil, setting.Phrase("out", "name a file for the result: {out FILE}")
	}
	if e.Out == "-" {
		return nil, setting.Errorf("out", e.Out, "it takes the name of a file")
	}
	if err := exchange.CheckName(e.Name); err != nil {
		return nil, setting.Phrase("name", "{name} %v", err)
	}
	switch {
	case e.Tau != 0 && !about.Tau:
		return nil, setting.Phrase("tau", "{tau %d} is of neurons with windows, not of {to %s}", e.Tau, e.To)
	case e.Tau < 0 || e.Tau > exchange.MaxTau:
		return nil, setting.Errorf("tau", e.Tau, "it must be from 1 to %d", exchange.MaxTau)
	case e.Tau == 0:
		o.Tau = DefaultTau
	}
	m, err := able[exports](&Job{Model: e.Model}, "export", e.Out)
	if err != nil {
		return nil, err
	}
	write, ok := m.in(format)
	if !ok {
		return nil, setting.Phrase("to", "{to %s} is not for a %s, which is exported to %s", e.To, m.family(), formatNames(func(f exchange.Format) bool {
			_, ok := m.in(f)
			return ok
		}))
	}
	files, err := write(o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.Model, err)
	}
	r := &ExportReport{Model: e.Model, To: e.To, Out: e.Out, Visible: m.Visible(), Hidden: m.count()}
	if about.Folder {
		if err := os.MkdirAll(e.Out, 0o777); err != nil {
			return nil, err
		}
	}
	for _, f := range files {
		path := e.Out
		if about.Folder {
			path = filepath.Join(e.Out, f.Name)
			r.Files = append(r.Files, f.Name)
		}
		if err := durable.WriteOutput(path, f.Write); err != nil {
			return nil, fmt.Errorf("%s: not written to %s: %w", e.Model, path, err)
		}
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		r.Bytes += info.Size()
		if f.Size != nil {
			size, err := f.Size()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", e.Model, err)
			}
			r.Constants, r.Chain = size.Constants, size.Chain
		}
	}
	return r, nil
}
