package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// needed says what a flag takes, by the type of its value.
var needed = map[string]string{
	"int": "a whole number is needed", "uint64": "a whole number, 0 or more, is needed", "float64": "a number is needed",
	"float64Slice": "numbers are needed, split by commas", "intSlice": "whole numbers are needed, split by commas",
	"duration": "a time with its unit is needed, such as 10s or 5m", "bool": "it is true or false",
}

// flagError words what is wrong with the flags of a command.
func flagError(cmd *cobra.Command, err error) error {
	unknown, value := (*pflag.NotExistError)(nil), (*pflag.InvalidValueError)(nil)
	switch {
	case errors.As(err, &unknown) && len(unknown.GetSpecifiedName()) > 1:
		name, hint := unknown.GetSpecifiedName(), ""
		if near := nearFlags(cmd, name); len(near) > 0 {
			hint = "; did you mean --" + strings.Join(near, " or --") + "?"
		}
		err = fmt.Errorf("there is no flag --%s%s", name, hint)
	case errors.As(err, &value) && needed[value.GetFlag().Value.Type()] != "":
		err = fmt.Errorf("--%s %q: %s", value.GetFlag().Name, value.GetValue(), needed[value.GetFlag().Value.Type()])
	case errors.As(err, &value):
		err = fmt.Errorf("--%s %w", value.GetFlag().Name, value.Unwrap())
	}
	return usagef("%w\nsee: %s --help", err, cmd.CommandPath())
}

// nearFlags returns the flags whose names are like one that is not there.
func nearFlags(cmd *cobra.Command, name string) []string {
	names := &cobra.Command{SuggestionsMinimumDistance: 2}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		names.AddCommand(&cobra.Command{Use: f.Name, Run: func(*cobra.Command, []string) {}})
	})
	return names.SuggestionsFor(name)
}

// helpOf is the verb help.
func helpOf(cmd *cobra.Command, args []string) error {
	of, left, err := cmd.Root().Find(args)
	if err != nil || len(left) > 0 {
		return noArguments(cmd.Root(), args)
	}
	return of.Help()
}
