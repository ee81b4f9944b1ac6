// Package usage is what a command says if its words are wrong: arguments and flags of cobra.
package usage

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"bethe/runs"
	"bethe/setting"
)

// An Error is an error in the words of a command.
type Error struct{ Err error }

// Error implements error.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf is fmt.Errorf of an Error.
func Errorf(format string, args ...any) error { return &Error{fmt.Errorf(format, args...)} }

// Reword returns an error with other words for a part of its text; it still wraps the first. It is one in the words of a command if words is
// true.
func Reword(err error, part, other string, words bool) error {
	var reworded error = &rewordedError{strings.Replace(err.Error(), part, other, 1), err}
	if words {
		return &Error{Err: reworded}
	}
	return reworded
}

type rewordedError struct {
	text string
	err  error
}

func (e *rewordedError) Error() string { return e.text }
func (e *rewordedError) Unwrap() error { return e.err }

// NoArguments refuses arguments; of a command with verbs below it they are
// verbs it does not know.
func NoArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasAvailableSubCommands() {
		hint := ""
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			hint = fmt.Sprintf("; did you mean %q?", near[0])
		}
		return Errorf("there is no verb %q%s\nsee: %s --help", args[0], hint, cmd.CommandPath())
	}
	hint := ""
	if cmd.Flags().Lookup("data") != nil {
		hint = "; data are named by --data"
	}
	return Errorf("unexpected argument %q%s\nsee: %s --help", args[0], hint, cmd.CommandPath())
}

// OneArgument asks for exactly one argument of the given meaning.
func OneArgument(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return Errorf("%d arguments where %s is needed\nsee: %s --help", len(args), what, cmd.CommandPath())
		}
		return nil
	}
}

// needed says what a flag takes, by the type of its value.
var needed = map[string]string{
	"int": "a whole number is needed", "uint64": "a whole number, 0 or more, is needed", "float64": "a number is needed",
	"float64Slice": "numbers are needed, split by commas", "intSlice": "whole numbers are needed, split by commas",
	"duration": "a time with its unit is needed, such as 10s or 5m", "bool": "it is true or false",
}

// FlagError puts an error of a command's flags into words.
func FlagError(cmd *cobra.Command, err error) error {
	unknown, value, bare := (*pflag.NotExistError)(nil), (*pflag.InvalidValueError)(nil), (*pflag.ValueRequiredError)(nil)
	switch {
	case errors.As(err, &bare):
		what := needed[bare.GetFlag().Value.Type()]
		if what == "" {
			what = "a value is needed"
		}
		err = fmt.Errorf("--%s has no value: %s", bare.GetFlag().Name, what)
	case errors.As(err, &unknown):
		name, dashes := unknown.GetSpecifiedName(), "--"
		if short := unknown.GetSpecifiedShortnames(); short != "" {
			if name, dashes = short, "-"; cmd.Flags().Lookup("h"+short) != nil { // -h was taken for help
				name = "h" + short
			}
		}
		hint := ""
		if cmd.HasSubCommands() && !cmd.HasParent() {
			hint = "; flags of a verb stand after it, such as bethe train --hidden 100: bethe --help lists the verbs"
		}
		if near := nearFlags(cmd, name); len(near) > 0 {
			hint = "; did you mean --" + strings.Join(near, " or --") + "?"
		}
		err = fmt.Errorf("there is no flag %s%s%s", dashes, name, hint)
	case errors.As(err, &value) && needed[value.GetFlag().Value.Type()] != "":
		err = fmt.Errorf("--%s %q: %s", value.GetFlag().Name, value.GetValue(), needed[value.GetFlag().Value.Type()])
	case errors.As(err, &value):
		err = fmt.Errorf("--%s %w", value.GetFlag().Name, value.Unwrap())
	}
	return Errorf("%w\nsee: %s --help", err, cmd.CommandPath())
}

// Words returns the words of a command for a shell: its verbs and arguments, and the flags that were set, but for some.
func Words(cmd *cobra.Command, without ...string) string {
	words := strings.Fields(cmd.CommandPath())
	for _, arg := range cmd.Flags().Args() {
		words = append(words, runs.Quoted(arg))
	}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if slices.Contains(without, f.Name) {
			return
		}
		value := f.Value.String()
		if _, several := f.Value.(pflag.SliceValue); several {
			value = strings.TrimSuffix(strings.TrimPrefix(value, "["), "]")
		}
		switch {
		case f.Value.Type() == "bool" && value == "true":
			words = append(words, "--"+f.Name)
		case f.NoOptDefVal != "" || strings.HasPrefix(value, "-"):
			words = append(words, runs.Quoted("--"+f.Name+"="+value))
		default:
			words = append(words, "--"+f.Name, runs.Quoted(value))
		}
	})
	return strings.Join(words, " ")
}

// elsewhere are names that other programs have for flags.
var elsewhere = map[string][]string{
	"lr": {"rate"}, "learning-rate": {"rate"}, "batch-size": {"batch"}, "n-components": {"hidden"}, "units": {"hidden"}, "n-hidden": {"hidden"}, "iterations": {"steps"}, "n-iter": {"epochs"},
	"output": {"out"}, "output-dir": {"out"}, "outdir": {"out"}, "input": {"data"}, "dataset": {"data"}, "file": {"data"}, "data": {"from"}, "random-state": {"seed"}, "random-seed": {"seed"},
	"workers": {"threads"}, "jobs": {"threads"}, "n-jobs": {"threads"}, "cores": {"threads"}, "cpus": {"threads"}, "n-samples": {"count"}, "number": {"count"}, "num": {"count"},
	"silent": {"quiet"}, "na-values": {"missing"}, "gibbs-steps": {"sweeps"}, "k": {"sweeps"}, "cd-k": {"sweeps"}, "lambda": {"decay"}, "weight-decay": {"decay"}, "l2": {"decay"},
}

// nearFlags returns the flags whose names are like one that is not there, or that other programs call so.
func nearFlags(cmd *cobra.Command, name string) []string {
	name = strings.ReplaceAll(strings.ToLower(name), "_", "-")
	for _, other := range elsewhere[name] {
		if cmd.Flags().Lookup(other) != nil {
			return []string{other}
		}
	}
	if len(name) == 1 {
		return nil
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return setting.Near(name, names)
}

// HelpOf is what the verb help does.
func HelpOf(cmd *cobra.Command, args []string) error {
	of, left, err := cmd.Root().Find(args)
	if err != nil || len(left) > 0 {
		return NoArguments(cmd.Root(), args)
	}
	return of.Help()
}

// A List sets one number, or several.
type List[T int | float64] struct {
	First *T
	All   *[]T
	Name  string // of the values, in help
}

// Type implements pflag.Value.
func (f *List[T]) Type() string { return f.Name }

// String implements pflag.Value.
func (f *List[T]) String() string {
	if len(*f.All) == 0 {
		return fmt.Sprint(*f.First)
	}
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(*f.All), "[]"), " ", ",")
}

// Set implements pflag.Value.
func (f *List[T]) Set(text string) error {
	*f.All = nil
	for _, word := range strings.Split(text, ",") {
		var x T
		if err := json.Unmarshal([]byte(word), &x); err != nil {
			return fmt.Errorf("%q: a number is needed, or several split by commas", text)
		}
		*f.All = append(*f.All, x)
	}
	*f.First = (*f.All)[0]
	return nil
}
