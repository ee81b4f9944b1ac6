package main

import (
	"github.com/spf13/cobra"

	"bethe/apply"
	"bethe/runs"
)

func newExportCommand(c *console) *cobra.Command {
	var j apply.Exporting
	cmd := &cobra.Command{
		Use: "export MODEL", Short: "Write a model for other programs", Args: oneArgument("a model file or run folder"),
		RunE: func(_ *cobra.Command, args []string) error {
			j.Model = runs.Model(args[0])
			r, err := j.Run()
			if err != nil {
				return err
			}
			c.printf("%s", r.Text())
			return c.object(r)
		},
	}
	cmd.Flags().StringVar(&j.To, "to", "", "format: "+apply.ExportFormats())
	cmd.Flags().StringVarP(&j.Out, "out", "o", "", "file for the result; for pynn a folder")
	cmd.Flags().StringVar(&j.Name, "name", "model", "first part of the names in a C header, name of the Verilog module or of the Go package")
	cmd.Flags().IntVar(&j.Tau, "tau", 0, "steps of the window of a neuron, for spikes-c (default 10)")
	return cmd
}
