package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"bethe/dataset/mnist"
	"bethe/figure"
	"bethe/hyperadam/evolve"
	"bethe/internal/durable"
	"bethe/setting"
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
	flags.IntVar(&generations, "generations", generations, "generations, with those that the file has already")
	flags.IntVar(&s.Pairs, "pairs", s.Pairs, "pairs of rules that a generation tries")
	flags.IntVar(&s.Tasks, "tasks", s.Tasks, "tasks that it tries them on")
	flags.Float64Var(&s.Sigma, "sigma", s.Sigma, "standard deviation of the random steps that tell rules of a pair apart")
	flags.Float64Var(&s.Rate, "rate", s.Rate, "rate at which the weights move")
	flags.Float64Var(&s.Planted, "planted", s.Planted, "share of tasks with planted synapses")
	flags.BoolVar(&resume, "resume", false, "go on from the file, or start where there is none")
	return cmd
}

func (c *console) learnRule(ctx context.Context, s evolve.Settings, out string, generations int, resume bool) error {
	if generations < 1 {
		return setting.Phrase("generations", "{generations %d}: there must be at least 1", generations)
	}
	digits := evolve.NewDigits(mnist.Train(), 50000)
	l, err := evolve.New(s, digits)
	if err != nil {
		return err
	}
	if _, statErr := os.Stat(out); statErr == nil {
		if !resume {
			return setting.Phrase("out", "%s is there already: go on with {resume}, or choose another {out}", out)
		}
		if l, err = evolve.Resume(out, s, digits); err != nil {
			return err
		}
	}
	if err := durable.MakeFolder(out); err != nil {
		return err
	}
	bar := c.progress("learning a rule")
	defer bar.Done()
	for l.Generations() < generations {
		gain, err := l.Generation(ctx)
		if errors.Is(err, context.Canceled) {
			return fmt.Errorf("%w after generation %d; nothing is lost: go on with the same command and --resume", errInterrupted, l.Generations())
		}
		if err != nil {
			return err
		}
		if err := l.File(program()).Save(out); err != nil {
			return err
		}
		bar.Set(float64(l.Generations())/float64(generations), fmt.Sprintf("generation %d: %+.2f nats", l.Generations(), gain))
	}
	files, err := figure.Save(strings.TrimSuffix(out, filepath.Ext(out)), evolve.Chart(l.Gains()))
	if err != nil {
		return err
	}
	r := l.Report(out, files)
	c.printf("%s: %d generations, the last ten %+.2f nats better than Adam without momentum; sum %s\n", out, r.Generations, r.Gain, r.Hash)
	c.printFiles(files...)
	return c.object(r)
}
