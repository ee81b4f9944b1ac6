package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"bethe/dataset"
	"bethe/dataset/mnist"
	"bethe/dataset/source"
	"bethe/spin"
	"bethe/units"
)

// carried is the data that this program carries inside.
var carried = source.Catalogue{{Name: "mnist", Train: mnist.Train, Test: mnist.Test, Threshold: mnist.Threshold}}

// dataFlags choose data.
type dataFlags struct {
	name      string
	threshold string
	binarise  string
	header    string
	axis      string
	source.Reading

	cmd   *cobra.Command  // tells the decisions about the data
	said  map[string]bool // the texts that it told
	input io.Reader       // the data called "-"
}

func (d *dataFlags) register(cmd *cobra.Command, byDefault string) {
	f := cmd.Flags()
	f.StringVar(&d.name, "data", byDefault, "mnist, mnist:train, mnist:test, a file (IDX, npy, npz, CSV or FASTA), or - for standard input; add :LIST for some of its samples, counted from 0, as in mnist:train:0-49999")
	d.registerReading(cmd)
}

func (d *dataFlags) registerReading(cmd *cobra.Command) {
	d.cmd, d.said, d.input = cmd, map[string]bool{}, source.Replay(cmd.InOrStdin())
	f := cmd.Flags()
	f.StringVar(&d.threshold, "threshold", "", "grey level: those above it become +1, others -1")
	f.StringVar(&d.binarise, "binarise", "threshold", "how grey levels become spins: threshold; stochastic (a level is the probability of +1; drawn once, the same for equal files); or dynamic (train draws anew in each epoch, eval says how much the draw matters; other verbs as stochastic)")
	f.Float64Var(&d.White, "white", 0, "grey level of white, for --binarise stochastic and dynamic: it always becomes +1 (default 255 for bytes, else 1)")
	f.StringVar(&d.Labels, "labels", "", "file of the labels, if they have one of their own")
	f.StringVar(&d.LabelColumn, "label-column", "", "column of the labels in a table or an array, by name or else number (default: one named label, class, target, y, ...)")
	f.StringVar(&d.header, "header", "auto", "whether the first row of a CSV file holds names: yes, no, or auto (decide from the whole file)")
	f.StringSliceVar(&d.Missing, "missing", nil, "signs of a missing value, with commas between them: empty, nan, or a word or number such as ? or 9 (default: missing values are errors)")
	f.StringVar(&d.Alphabet, "alphabet", "", "letters of an alignment (FASTA), such as ACGT, in the order of the colours; the gap is added as the last (default: those of DNA or RNA if no others occur, else the 20 of proteins)")
	f.StringVar(&d.Gaps, "gaps", "", "what a gap of an alignment is: a colour (the default) or a missing value")
	f.Float64Var(&d.Identity, "identity", 0, "sequences of an alignment that agree in at least this share of the columns, such as 0.8, count together as one in learning (default 0: each counts)")
	f.StringSliceVar(&d.Columns, "columns", nil, "columns of the spins in a table, or in an array (samples, columns): names, numbers counted from 1, ranges such as 2-785, or all (default: all but row numbers, row names and labels)")
	f.StringSliceVar(&d.DropColumns, "drop-column", nil, "columns to leave out, as in --columns")
	f.StringVar(&d.axis, "samples-axis", "auto", "axis of an array that counts the samples: first, last (MATLAB), or auto (first, or an error if it may be last)")
	f.StringVar(&d.Array, "array", "", "array of the samples in an npz file")
	f.StringVar(&d.LabelArray, "label-array", "", "array of the labels in an npz file (default: one with a usual name, such as y_train beside x_train, labels or y)")
	f.BoolVar(&d.Transpose, "transpose", false, "exchange rows and columns of the pictures; files of EMNIST and MATLAB need it")
}

// opener returns what opens data as the flags say.
func (d *dataFlags) opener() (o source.Opener, err error) {
	r := d.Reading
	if d.threshold != "" {
		v, err := strconv.ParseFloat(d.threshold, 64)
		if err != nil {
			return o, usagef("--threshold %q is not a number", d.threshold)
		}
		r.Threshold = &v
	}
	r.Stochastic, r.Dynamic = d.binarise != "threshold", d.binarise == "dynamic"
	header, known := headers[d.header]
	r.Header = header
	axis, fits := axes[d.axis]
	r.SamplesAxis = axis
	switch {
	case !fits:
		return o, usagef("--samples-axis %q: it is first, last or auto", d.axis)
	case !known:
		return o, usagef("--header %q: it is yes, no or auto", d.header)
	case !oneOf(d.binarise, "threshold", "stochastic", "dynamic"):
		return o, usagef("--binarise %q: it is threshold, stochastic or dynamic", d.binarise)
	case !r.Stochastic && d.White != 0:
		return o, usagef("--white is of --binarise stochastic")
	case r.Stochastic && r.Threshold != nil:
		return o, usagef("--threshold and --binarise stochastic: only one of them can make spins of grey levels")
	}
	return source.Opener{Carried: carried, Reading: r, Input: d.input, Notes: d.say}, nil
}

// states opens data that are states of units, unless their name is none.
func (d *dataFlags) states(name string) (*spin.Matrix, string, error) {
	if name == "none" {
		return nil, "", nil
	}
	o, err := d.opener()
	if err != nil {
		return nil, "", err
	}
	set, err := o.Open("--starts", name)
	if err != nil {
		return nil, "", err
	}
	return set.Samples, name, nil
}

// headers are what --header may be.
var headers = map[string]dataset.Header{"auto": dataset.HeaderAuto, "yes": dataset.HeaderYes, "no": dataset.HeaderNo}

// axes are what --samples-axis may be.
var axes = map[string]dataset.Axis{"auto": dataset.AxisAuto, "first": dataset.AxisFirst, "last": dataset.AxisLast}

// say says what was decided about data, unless told to be quiet.
func (d *dataFlags) say(name string, notes []string) {
	text := name + ": " + strings.Join(notes, "; ")
	if quiet, _ := d.cmd.Flags().GetBool("quiet"); !quiet && !d.said[text] {
		fmt.Fprintln(d.cmd.ErrOrStderr(), text)
		d.said[text] = true
	}
}

// dataFlagOf are the flags of the options that errors of data name.
var dataFlagOf = map[string]string{
	"Threshold": "--threshold", "Draw.White": "--white", "SamplesAxis": "--samples-axis", "Header": "--header", "Columns": "--columns", "DropColumns": "--drop-column",
	"LabelPath": "--labels", "LabelColumn": "--label-column", "LabelArray": "--label-array", "Array": "--array", "Missing": "--missing", "Units": "--units", "Alphabet": "--alphabet", "Gaps": "--gaps", "Identity": "--identity",
}

// load returns the data that the flags name.
func (d *dataFlags) load() (*dataset.Set, error) { return d.loadNamed(d.name) }

func (d *dataFlags) loadNamed(name string) (*dataset.Set, error) {
	o, err := d.opener()
	if err != nil {
		return nil, err
	}
	return o.Open("data", name)
}

func newDataCommand(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use: "data", Short: "Look at data", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var d dataFlags
	kind := ""
	info := &cobra.Command{
		Use: "info DATA", Short: "Say what a data set holds", Args: oneArgument("a file or mnist, mnist:train, mnist:test"),
		RunE: func(_ *cobra.Command, args []string) (err error) {
			if d.Units, err = units.ParseVisible(kind); err != nil {
				return usagef("--units: %w", err)
			}
			set, err := d.loadNamed(args[0])
			if err != nil {
				return err
			}
			r := set.Info()
			c.printf("%s", r.Text(args[0]))
			return c.object(struct {
				Data string `json:"data"`
				dataset.Info
			}{args[0], r})
		},
	}
	d.registerReading(info)
	d.Incomplete = true
	info.Flags().StringVar(&kind, "units", units.Spin, "kind of units that the numbers become, as in bethe train")
	cmd.AddCommand(info)
	return cmd
}
