// Bethe trains, evaluates, samples and ships restricted Boltzmann machines
// whose synapses are binary. Run bethe help for its verbs.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"bethe/dashboard"
	"bethe/dataset"
	"bethe/dataset/source"
	"bethe/internal/durable"
	"bethe/internal/kernel"
	"bethe/internal/terminal"
	"bethe/internal/usage"
	"bethe/runs"
	"bethe/setting"
)

// Exit statuses.
const (
	exitDone        = 0
	exitFailed      = 1  // the work failed
	exitUsage       = 2  // the words were wrong
	exitIncomplete  = 3  // parts of the work are still to be done
	exitInterrupted = 75 // stopped by a signal, after saving a checkpoint
)

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
	ctx := heedSignals()
	c := &console{stdout: os.Stdout, stderr: os.Stderr}
	ended := make(chan int, 1)
	go func() { ended <- c.run(ctx, os.Args[1:]) }()
	select {
	case status := <-ended:
		os.Exit(status)
	case <-ctx.Done():
	}
	// Verbs that keep what they have done are waited for; another one ends now,
	// wherever it is.
	var over <-chan time.Time
	if !c.keeps.Load() {
		over = time.After(patience)
	}
	select {
	case status := <-ended:
		os.Exit(status)
	case <-over:
		durable.Abandon()
		os.Exit(report(os.Stderr, ctx.Err()))
	}
}

// garbagePercent is how much memory may wait to be collected, in per cent of
// the memory in use: a few large matrices that live as long as the run, so that
// collecting more often than by default costs nothing that can be measured.
const garbagePercent = 40

// run does what the arguments say and returns the exit status. A panic is a
// bug: it is reported with its trace, and the work has failed.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (status int) {
	return (&console{stdout: stdout, stderr: stderr}).run(ctx, args)
}

func (c *console) run(ctx context.Context, args []string) (status int) {
	stderr := c.stderr
	defer func() {
		if v := recover(); v != nil {
			fmt.Fprintf(stderr, "bethe: a bug, please report it: %v\n%s", v, debug.Stack())
			status = exitFailed
		}
	}()
	out := &terminal.Writer{To: c.stdout}
	c.stdout = out
	root := newRootCommand(c)
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(stderr)
	err := inFlags(root.ExecuteContext(ctx))
	if err == nil && out.Err != nil {
		err = fmt.Errorf("standard output: %w", out.Err)
	}
	return report(stderr, err)
}

// Words of commands.
type usageError = usage.Error

var usagef, noArguments, oneArgument = usage.Errorf, usage.NoArguments, usage.OneArgument

// report tells how a verb ended and returns the exit status.
func report(stderr io.Writer, err error) int {
	tell := func(text any) { fmt.Fprintf(stderr, "bethe: %s\n", terminal.Printable(fmt.Sprint(text))) }
	var words *usageError
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errInterrupted):
		tell(err)
		return exitInterrupted
	case errors.Is(err, errIncomplete):
		tell(err)
		return exitIncomplete
	case errors.Is(err, context.Canceled):
		tell("interrupted; nothing was saved")
		return exitFailed
	case errors.As(err, &words):
		tell(err)
		return exitUsage
	default:
		tell(err)
		return exitFailed
	}
}

// inFlags makes errors in what was asked of a library errors in the words of the
// command: a setting is a flag.
func inFlags(err error) error {
	if err == nil {
		return nil
	}
	if text, found := setting.Reworded(err, flagOf); found {
		return &usageError{Err: errors.New(text)}
	}
	if wrong := (*dataset.FileError)(nil); errors.As(err, &wrong) {
		text := wrong.Named(func(option string) string { return dataFlagOf[option] })
		return usage.Reword(err, wrong.Error(), text, errors.Is(err, fs.ErrNotExist))
	}
	name, address := (*source.NameError)(nil), (*dashboard.AddressError)(nil)
	if errors.As(err, &name) || errors.As(err, &address) {
		return &usageError{Err: err}
	}
	if gone, text := runs.Missing(err); gone != "" { // err is what was named, or went away during the work
		return usage.Reword(err, gone, text, err.Error() == gone)
	}
	return err
}

// errInterrupted is wrapped by errors of work that a signal ended with nothing lost.
var errInterrupted = errors.New("interrupted")

// errIncomplete is wrapped by errors of commands that found work still to be done.
var errIncomplete = errors.New("incomplete")

func newRootCommand(c *console) *cobra.Command {
	root := &cobra.Command{
		Use:           "bethe",
		Short:         "Learn restricted Boltzmann machines with binary synapses",
		Version:       describe(),
		SilenceErrors: true, SilenceUsage: true,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := kernel.Check(); err != nil {
				return &usageError{Err: err}
			}
			c.words = usage.Words(cmd, "out", "resume", "serve", "json", "quiet", "threads", "dry-run")
			c.keeps.Store(keeping[cmd.CommandPath()])
			if c.taken = outputTaken(cmd); c.taken && c.json {
				return usagef("--json and --out are both of standard output: name another file")
			}
			if c.threads < 0 {
				return usagef("--threads %d: it must be positive, or 0 for all", c.threads)
			}
			if c.threads > 0 {
				runtime.GOMAXPROCS(c.threads)
			}
			return nil
		},
	}
	flags := root.PersistentFlags()
	flags.BoolVar(&c.json, "json", false, "print one JSON object on standard output, and nothing else there")
	flags.BoolVar(&c.quiet, "quiet", false, "show no progress")
	flags.IntVar(&c.threads, "threads", 0, "processors to use, 0 for all; results do not depend on it")
	flags.Uint64Var(&c.seed, "seed", 1, "seed of everything random; equal seeds give equal results")
	root.SuggestionsMinimumDistance = 2
	root.SetFlagErrorFunc(usage.FlagError)
	root.SetVersionTemplate("{{.Version}}\n")
	root.AddCommand(
		newTrainCommand(c), newEvalCommand(c), newSampleCommand(c), newCompleteCommand(c), newDenoiseCommand(c),
		newFeaturesCommand(c), newLearnRuleCommand(c), newContinualCommand(c), newSpikesCommand(c), newPlantedCommand(c), newInferCommand(c),
		newReproduceCommand(c), newSweepCommand(c), newFigureCommand(c), newRunsCommand(c), newPlotCommand(c),
		newServeCommand(c), newExportCommand(c), newImportCommand(c), newVerifyCommand(c), newThermometerCommand(c),
		newThermoCommand(c), newDataCommand(c), newManCommand(c), newVersionCommand(c))
	root.SetOut(c.stdout) // where scripts of completion go
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "completion":
			cmd.Args, cmd.RunE = noArguments, func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		case "help":
			cmd.Args, cmd.RunE, cmd.Run = cobra.ArbitraryArgs, usage.HelpOf, nil
		}
	}
	explain(root)
	return root
}
