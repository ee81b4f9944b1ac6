package main

import (
	"github.com/spf13/cobra"

	"bethe/exchange"
	"bethe/internal/durable"
	"bethe/rbm"
)

// importFlags are what import is told.
type importFlags struct {
	out           string
	width, height int
}

// importReport is the JSON object of import.
type importReport struct {
	Model   string `json:"model"`
	Visible int    `json:"visible"`
	Hidden  int    `json:"hidden"`

	Rounding float64 `json:"rounding"` // largest change of a weight by keeping it as a float32, as a share of the largest weight
}

func newImportCommand(c *console) *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use: "import FILE", Short: "Read a machine that another program learned", Args: oneArgument("an npz file of W, vbias and hbias"),
		RunE: func(_ *cobra.Command, args []string) error { return c.importMachine(args[0], &f) },
	}
	flags := cmd.Flags()
	flags.StringVarP(&f.out, "out", "o", "", "model file")
	flags.IntVar(&f.width, "width", 0, "width of a picture, if the visible units are one")
	flags.IntVar(&f.height, "height", 0, "height of a picture")
	return cmd
}

func (c *console) importMachine(path string, f *importFlags) error {
	if f.out == "" {
		return usagef("name the model file: --out model.npz")
	}
	read, err := exchange.Import(path)
	if err != nil {
		return err
	}
	machine := read.Machine
	n, p := machine.Visible(), machine.Hidden()
	if (f.width != 0 || f.height != 0) && (f.width < 1 || f.height < 1 || f.width*f.height != n) {
		return usagef("--width %d --height %d: the machine has %d visible units", f.width, f.height, n)
	}
	file := &rbm.File{Params: machine.Params, Synapses: machine.Synapses, Info: rbm.Info{Program: program(), Data: path, Width: f.width, Height: f.height}}
	if err := durable.MakeFolder(f.out); err != nil {
		return err
	}
	if err := file.Save(f.out); err != nil {
		return err
	}
	c.printf("%s: %d visible and %d hidden units, real synapses\n", f.out, n, p)
	if read.Rounding > 0 {
		c.logf("%s: weights are kept as float32, which changes them by up to %.1g of the largest\n", f.out, read.Rounding)
	}
	return c.object(importReport{f.out, n, p, read.Rounding})
}
