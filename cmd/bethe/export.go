package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"bethe/exchange"
	"bethe/internal/durable"
	"bethe/rbm"
	"bethe/runs"
)

// exportReport is the JSON object of export.
type exportReport struct {
	Model string `json:"model"`
	To    string `json:"to"`
	Out   string `json:"out"`
	Bytes int64  `json:"bytes"`
}

func newExportCommand(c *console) *cobra.Command {
	var to, out, name string
	cmd := &cobra.Command{
		Use: "export MODEL", Short: "Write a model for other programs", Args: oneArgument("a model file or run folder"),
		RunE: func(_ *cobra.Command, args []string) error {
			for _, f := range exchange.Formats {
				if f.Name != to {
					continue
				}
				if out == "" {
					return usagef("name a file for the result: --out FILE")
				}
				if err := exchange.CheckName(name); err != nil {
					return usagef("--name %w", err)
				}
				return c.export(runs.Model(args[0]), to, out, func(w io.Writer, file *rbm.File) error { return f.Write(w, file, name) })
			}
			return usagef("--to %q: it is safetensors, rbm01, ising, c or go", to)
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "format: safetensors, rbm01, ising, c or go")
	cmd.Flags().StringVarP(&out, "out", "o", "", "file for the result")
	cmd.Flags().StringVar(&name, "name", "model", "what the names of a C header begin with, or the Go package")
	return cmd
}

func (c *console) export(path, to, out string, write func(w io.Writer, f *rbm.File) error) error {
	file, err := rbm.Load(path)
	if err != nil {
		return err
	}
	if err := durable.WriteOutput(out, func(w io.Writer) error { return write(w, file) }); err != nil {
		return fmt.Errorf("%s: not written to %s: %w", path, out, err)
	}
	info, err := os.Stat(out)
	if err != nil {
		return err
	}
	c.printf("%s: %d x %d synapses as %s, %d bytes\n", out, file.Visible(), file.Hidden(), to, info.Size())
	return c.object(exportReport{path, to, out, info.Size()})
}
