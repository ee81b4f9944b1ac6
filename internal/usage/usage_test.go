package usage

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// command returns a root with a verb that has flags of several kinds.
func command() *cobra.Command {
	root := &cobra.Command{Use: "tool", SilenceErrors: true, SilenceUsage: true, Args: NoArguments, RunE: func(*cobra.Command, []string) error { return nil }}
	root.SetFlagErrorFunc(FlagError)
	root.SuggestionsMinimumDistance = 2
	verb := &cobra.Command{Use: "learn FILE", Args: OneArgument("a file"), RunE: func(*cobra.Command, []string) error { return nil }}
	var first int
	var all []int
	verb.Flags().Var(&List[int]{First: &first, All: &all, Name: "units"}, "hidden", "")
	verb.Flags().Int("steps", 1, "")
	verb.Flags().Float64("rate", 1, "")
	verb.Flags().Duration("time", 0, "")
	root.AddCommand(verb)
	root.SetOut(io.Discard)
	root.SetErr(io.Discard)
	return root
}

// TestWords: the Error says what would be right.
func TestWords(t *testing.T) {
	for words, want := range map[string]string{
		"lern":               `there is no verb "lern"; did you mean "learn"?`,
		"learn":              "0 arguments where a file is needed",
		"learn a b":          "2 arguments where a file is needed",
		"learn a --step 3":   "there is no flag --step; did you mean --steps?",
		"learn a --x 3":      "there is no flag --x",
		"learn a --steps":    "--steps has no value: a whole number is needed",
		"learn a --hidden":   "--hidden has no value: a value is needed",
		"learn a --steps x":  `--steps "x": a whole number is needed`,
		"learn a --rate x":   `--rate "x": a number is needed`,
		"learn a --time 5":   `--time "5": a time with its unit is needed`,
		"learn a --hidden x": `--hidden "x": a number is needed, or several`,
		"learn a --hidden 3,4 --rate 2 --time 5s --steps 2": "",
	} {
		root := command()
		root.SetArgs(strings.Fields(words))
		err := root.Execute()
		var of *Error
		switch {
		case want == "" && err == nil:
		case want == "" || !errors.As(err, &of) || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "\nsee: tool"):
			t.Errorf("%s: %v", words, err)
		}
	}
}

// TestHelpOf: help of a verb that is not there is an error.
func TestHelpOf(t *testing.T) {
	root := command()
	if err := HelpOf(root, []string{"learn"}); err != nil {
		t.Error(err)
	}
	if err := HelpOf(root, []string{"lern"}); err == nil || !strings.Contains(err.Error(), "did you mean") {
		t.Error(err)
	}
}

// TestList: a list sets its first number and all of them, and says itself.
func TestList(t *testing.T) {
	var first float64
	var all []float64
	l := &List[float64]{First: &first, All: &all, Name: "numbers"}
	if l.String() != "0" || l.Type() != "numbers" {
		t.Errorf("%s, %s", l, l.Type())
	}
	if err := l.Set("1.5,2"); err != nil || first != 1.5 || len(all) != 2 || l.String() != "1.5,2" {
		t.Errorf("%v, %v, %v", err, first, all)
	}
	if l.Set("1,") == nil || l.Set("a") == nil {
		t.Error("no numbers are no error")
	}
}

// TestGroup: help lists flags in groups and in their order; the rest follow; a name that is no flag is an error.
func TestGroup(t *testing.T) {
	root := command()
	verb, _, err := root.Find([]string{"learn"})
	if err != nil {
		t.Fatal(err)
	}
	if err := Group(verb, "First: time hidden\nThen: rate\n"); err != nil {
		t.Fatal(err)
	}
	usage, at := verb.UsageString(), -1
	for _, word := range []string{"First:", "--time", "--hidden", "Then:", "--rate", "Other flags:", "--help", "--steps"} {
		next := strings.Index(usage, word)
		if next <= at {
			t.Fatalf("%s is not after what stands before it:\n%s", word, usage)
		}
		at = next
	}
	for _, wrong := range []string{"First: none", "First: time\nThen: time"} {
		other := command()
		verb, _, _ := other.Find([]string{"learn"})
		if Group(verb, wrong) == nil {
			t.Errorf("%q is no error", wrong)
		}
	}
}
