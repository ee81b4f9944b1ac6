package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"bethe/apply"
	"bethe/learn"
	"bethe/rbm"
	"bethe/runs"
	"bethe/sampler"
	"bethe/stream"
	"bethe/thermo"
	"bethe/trial"
)

// registerSampling registers how a sampler that is not ours takes part.
func registerSampling(flags *pflag.FlagSet, s *learn.Sampling, t *sampler.Transport) {
	flags.StringVar(&s.Sampler, "sampler", "", "`'PROGRAM ARGS'` that samples instead of our chains; in ARGS {reads} becomes --chains, the samples wanted for a step, and {seed} a seed")
	flags.StringVar(&t.Protocol, "sampler-protocol", "", "call (the default: a new process for each call) or stay (one process that is asked again and again)")
	flags.StringVar(&t.Folder, "sampler-dir", "", "`folder` to write problems to and to wait for samples in, instead of a program")
	flags.StringVar(&t.Format, "sampler-format", "", "format of the problems: coo (the default), dimod or bqpjson")
	flags.DurationVar(&t.Timeout, "sampler-timeout", sampler.DefaultTimeout, "longest time that a call may take")
	flags.Float64Var(&s.SamplerHRange, "sampler-h-range", 0, "largest field that the sampler accepts; 0: any")
	flags.Float64Var(&s.SamplerJRange, "sampler-j-range", 0, "largest coupling that the sampler accepts; 0: any")
	flags.IntVar(&s.SamplerBits, "sampler-bits", 0, "bits of its fields and couplings, the sign included; 0: full precision")
	flags.IntVar(&s.SamplerGauges, "sampler-gauges", 0, "parts to split the reads of a step into, each in a random gauge; 0: no gauges")
	flags.StringVar(&s.SamplerBeta, "sampler-beta", "", "inverse temperature of the sampler: auto (the default: read from its samples by pseudolikelihood), xu-oates, xu-oates:RATE, or a known number")
	flags.Float64Var(&s.MaxField, "max-field", 0, "largest field, in units of the coupling, for devices of limited range; use it with --no-centre, or offsets add to the fields that are sent (default: as large as the samples justify)")
}

func newThermometerCommand(c *console) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use: "thermometer MODEL", Short: "Read the temperature of anyone's samples of a model", Args: oneArgument("a model file or run folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if path == "" {
				return usagef("--samples: name a file of samples")
			}
			file, err := rbm.Load(runs.Model(args[0]))
			if err != nil {
				return err
			}
			r, err := during(c, "curve", func(progress func(float64)) (*apply.Thermometer, error) {
				return apply.ReadThermometer(cmd.Context(), file.Machine(), path, thermo.Sampling{Key: stream.New(c.seed), Progress: progress})
			})
			if err != nil {
				return err
			}
			c.printf("%s", r.Text())
			return c.object(r)
		},
	}
	cmd.Flags().StringVar(&path, "samples", "", "`FILE` of samples: rows of 1 and -1, visible units first, or .npy")
	return cmd
}

func newThermoCommand(c *console) *cobra.Command {
	t := apply.Thermodynamics{}
	cmd := &cobra.Command{
		Use: "thermo MODEL", Short: "Measure the thermodynamics of a model", Args: oneArgument("a model file or run folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			t.Model, t.Seed = runs.Model(args[0]), c.seed
			if err := t.Check(); err != nil {
				return inFlags(err)
			}
			var r *apply.ThermodynamicsReport
			err := c.inStages(func(progress trial.Progress) (err error) {
				t.Progress = progress
				r, err = t.Run(cmd.Context())
				return err
			})
			if err != nil {
				return err
			}
			c.printf("%s%s\n", r.Text(), strings.Join(r.Files, "  "))
			return c.object(r)
		},
	}
	cmd.Flags().Float64Var(&t.Most, "most", thermo.DefaultMost, "largest inverse temperature of the curves")
	cmd.Flags().IntVar(&t.Sweeps, "sweeps", thermo.DefaultSweeps, "sweeps of tempered chains")
	cmd.Flags().IntVar(&t.Temperatures, "temperatures", thermo.DefaultTemperatures, "temperatures on the way from independent spins to the model, and back")
	cmd.Flags().IntVar(&t.Chains, "chains", thermo.DefaultChains, "chains in each direction")
	cmd.Flags().StringVarP(&t.Out, "out", "o", "", "folder for the picture and its numbers")
	return cmd
}
