package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"bethe/dataset/mnist"
	"bethe/hyperadam/evolve"
)

func newLearnRuleCommand(c *console) *cobra.Command {
	s, out, generations, resume := evolve.Default(), "rule.npz", 40, false
	cmd := &cobra.Command{
		Use: "learn-rule", Short: "Learn the weights of the rule hyperadam", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s.Seed = c.seed
			return c.learnRule(cmd.Context(), s, out, generations, resume)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&out, "out", "o", out, "rule `FILE`, an .npz archive")
	flags.IntVar(&generations, "generations", generations, "generations in all, those that the file has already included")
	flags.IntVar(&s.Pairs, "pairs", s.Pairs, "pairs of rules that a generation tries")
	flags.IntVar(&s.Tasks, "tasks", s.Tasks, "tasks that each pair is tried on")
	flags.Float64Var(&s.Sigma, "sigma", s.Sigma, "standard deviation of the difference between the rules of a pair")
	flags.Float64Var(&s.Rate, "rate", s.Rate, "rate at which the weights move")
	flags.Float64Var(&s.Planted, "planted", s.Planted, "share of tasks with planted synapses")
	flags.BoolVar(&resume, "resume", false, "go on from the file, or start if there is none")
	return cmd
}

func (c *console) learnRule(ctx context.Context, s evolve.Settings, out string, generations int, resume bool) error {
	bar := c.progress("learning a rule")
	defer bar.Done()
	r, err := evolve.Run(ctx, s, evolve.NewDigits(mnist.Train(), 50000), evolve.Work{File: out, Generations: generations, Resume: resume, Program: program(), Progress: func(done int, gain float64) {
		bar.Set(float64(done)/float64(generations), fmt.Sprintf("generation %d: %+.2f nats", done, gain))
	}})
	if interrupted := (*evolve.InterruptedError)(nil); errors.As(err, &interrupted) {
		return fmt.Errorf("%w after generation %d; nothing is lost: go on with the same command and --resume", errInterrupted, interrupted.Generations)
	}
	if err != nil {
		return err
	}
	c.printf("%s: %d generations, the last ten %+.2f nats better than Adam without momentum; sum %s\n", out, r.Generations, r.Gain, r.Hash)
	c.printFiles(r.Files...)
	return c.object(r)
}
