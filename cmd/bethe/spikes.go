package main

import (
	"context"

	"github.com/spf13/cobra"

	"bethe/apply"
	"bethe/runs"
	"bethe/spikes"
)

func newSpikesCommand(c *console) *cobra.Command {
	var j apply.Spiking
	var data dataFlags
	cmd := &cobra.Command{
		Use: "spikes MODEL", Short: "Run a machine as spiking neurons", Args: oneArgument("a model file or run folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			j.Model = runs.Model(args[0])
			if j.Noise == apply.SynapseNoise && !cmd.Flags().Changed("tau") {
				j.Tau = 1
			}
			return c.spikes(cmd.Context(), &j, &data)
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&j.Tau, "tau", 10, "steps of the refractory window: a neuron that spikes is on for this long; 1 is Gibbs sampling")
	flags.IntVar(&j.Steps, "steps", 1000, "steps that are counted")
	flags.IntVar(&j.Burn, "burn", 100, "steps before those that are counted")
	flags.IntVar(&j.Networks, "networks", 100, "networks that run at once; standard errors come from their differences")
	flags.IntVar(&j.Sweeps, "sweeps", 300, "sweeps of the tempered chains that networks take their first states from (directed machines start at exact draws)")
	flags.StringVar(&j.Noise, "noise", apply.NeuronNoise, "source of noise: neurons (exact), or synapses (these flip, neurons have a threshold: an approximation, and its error is measured)")
	flags.BoolVar(&j.Integers, "integers", false, "run as the source of export --to spikes-c does, bit for bit; network k starts silent with the seed --seed + k")
	flags.StringVar(&j.Clamp, "clamp", "", "visible units that are held: top, bottom, left or right (a half), units counted from 0 (0-9,20), or a rectangle, columns x rows (0-13x0-27)")
	flags.StringVar(&j.From, "from", "", "sample that --clamp takes the values from: DATA:K is number K of DATA, counted from 0")
	flags.StringVarP(&j.Out, "out", "o", "", "npz file with neuron, time and layer of each spike of the first network, tau, steps, and mean and mean_error of each neuron over all networks")
	flags.StringVar(&j.Raster, "raster", "", "picture of the spikes of the first network, .png or .svg")
	data.registerReading(cmd)
	return cmd
}

func (c *console) spikes(ctx context.Context, j *apply.Spiking, data *dataFlags) error {
	r, err := runJob(c, data, &j.Job, func() (*apply.SpikingReport, error) { return j.Run(ctx) })
	if err != nil {
		return err
	}
	c.printf("%d networks, %d steps, tau %d: %.4f spikes a neuron and step\n", r.Networks, r.Steps, r.Tau, r.Rate)
	tell := func(what string, k spikes.Comparison, autocorrelation float64) {
		c.printf("%-22s off by %.4f (rms; noise alone %.4f), at most %.3f; in standard errors %.2f (rms), at most %.1f; autocorrelation time %.1f steps\n", what, k.RMS, k.Expected, k.Max, k.RMSZ, k.MaxZ, autocorrelation)
	}
	c.printf("means, from 0 to 1, against %s:\n", r.Reference)
	tell("  decoded from spikes", r.Against, r.Autocorrelation)
	if r.Reference == "exact" {
		tell("  Gibbs", r.Gibbs, r.GibbsAutocorrelation)
	} else {
		c.printf("  Gibbs: autocorrelation time %.1f steps\n", r.GibbsAutocorrelation)
	}
	c.printFiles(r.Out, r.Raster)
	return c.object(r)
}
