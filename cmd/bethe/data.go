package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"bethe/dataset"
	"bethe/dataset/mnist"
	"bethe/stream"
)

// dataFlags choose data.
type dataFlags struct {
	name                string
	threshold           string
	binarise            string
	white               float64
	labels, labelColumn string
	array, labelArray   string
	header              string
	columns, drop       []string
	transpose           bool

	cmd *cobra.Command // whose standard input may be the data, and that says what was decided about them
}

func (d *dataFlags) register(cmd *cobra.Command, byDefault string) {
	f := cmd.Flags()
	f.StringVar(&d.name, "data", byDefault, "mnist, mnist:train, mnist:test, a file: IDX, npy, npz or CSV, or - for standard input; some of its samples, counted from 0, by :LIST, as mnist:train:0-49999")
	d.registerReading(cmd)
}

func (d *dataFlags) registerReading(cmd *cobra.Command) {
	d.cmd = cmd
	f := cmd.Flags()
	f.StringVar(&d.threshold, "threshold", "", "grey levels above it are +1, others -1")
	f.StringVar(&d.binarise, "binarise", "threshold", "how grey levels become spins: threshold, or stochastic (each level is the probability of +1; one draw, the same for equal files)")
	f.Float64Var(&d.white, "white", 0, "level that is always +1 where spins are drawn (default 255 for bytes, else 1)")
	f.StringVar(&d.labels, "labels", "", "file of the labels, if they are in one of their own")
	f.StringVar(&d.labelColumn, "label-column", "", "column of the labels in a CSV file, by name or number; a name goes before a number (default: one named label, class, target, y, ...)")
	f.StringVar(&d.header, "header", "auto", "whether the first row of a CSV file holds names: yes, no, or auto (decided from the whole file)")
	f.StringSliceVar(&d.columns, "columns", nil, "columns of the spins in a CSV file: names, numbers counted from 1, ranges such as 2-785, or all (default: all but row numbers, row names and labels)")
	f.StringSliceVar(&d.drop, "drop-column", nil, "columns of a CSV file to leave out, as in --columns")
	f.StringVar(&d.array, "array", "", "array of the samples in an npz file")
	f.StringVar(&d.labelArray, "label-array", "", "array of the labels in an npz file (default: y_train of x_train, train_labels of train_images, labels, y, ...)")
	f.BoolVar(&d.transpose, "transpose", false, "exchange the rows and columns of the pictures, as files of EMNIST and MATLAB need it")
}

// binariseKey names the stream of stochastic binarisation.
const binariseKey = 0x67726579 // "grey"

// load returns the data that the flags name.
func (d *dataFlags) load() (*dataset.Set, error) { return d.loadNamed(d.name) }

func (d *dataFlags) loadNamed(name string) (*dataset.Set, error) {
	if cut := strings.LastIndexByte(name, ':'); cut > 0 && isList(name[cut+1:]) && !exists(name) {
		set, err := d.loadNamed(name[:cut])
		if err != nil {
			return nil, err
		}
		samples, err := parseList("--data", name[cut+1:], "sample", set.Len())
		if err != nil {
			return nil, err
		}
		return set.Subset(samples), nil
	}
	opt := dataset.Options{LabelPath: d.labels, LabelColumn: d.labelColumn, Array: d.array, LabelArray: d.labelArray,
		Columns: d.columns, DropColumns: d.drop, Transpose: d.transpose}
	switch d.header {
	case "auto":
	case "yes":
		opt.Header = dataset.HeaderYes
	case "no":
		opt.Header = dataset.HeaderNo
	default:
		return nil, usagef("--header %q: it is yes, no or auto", d.header)
	}
	if d.threshold != "" {
		v, err := strconv.ParseFloat(d.threshold, 64)
		if err != nil {
			return nil, usagef("--threshold %q is not a number", d.threshold)
		}
		opt.Threshold = &v
	}
	switch {
	case !oneOf(d.binarise, "threshold", "stochastic"):
		return nil, usagef("--binarise %q: it is threshold or stochastic", d.binarise)
	case d.binarise == "threshold" && d.white != 0:
		return nil, usagef("--white is of --binarise stochastic")
	case !(d.white >= 0) || math.IsInf(d.white, 0):
		return nil, usagef("--white %v: it must be positive and finite", d.white)
	case d.binarise == "stochastic" && opt.Threshold != nil:
		return nil, usagef("--threshold and --binarise stochastic: only one of them can make spins of grey levels")
	case d.binarise == "stochastic":
		// The draw is part of the data, not of a run: it does not follow the seed,
		// so that models are compared on the same spins.
		opt.Draw = &dataset.Draw{Key: stream.New(binariseKey), White: d.white}
	}
	if name == "mnist" || strings.HasPrefix(name, "mnist:") {
		if opt.Threshold != nil && *opt.Threshold != mnist.Threshold {
			return nil, usagef("--threshold %s: the digits carried inside are already cut at %v; for another threshold name the file of grey levels", d.threshold, mnist.Threshold)
		}
		if opt.Draw != nil {
			return nil, usagef("--binarise stochastic: the digits carried inside are already cut at %v; name the files of their grey levels", mnist.Threshold)
		}
		if d.transpose {
			return nil, usagef("--transpose: the digits carried inside stand upright")
		}
		switch name {
		case "mnist", "mnist:train":
			return mnist.Train(), nil
		case "mnist:test":
			return mnist.Test(), nil
		}
		return nil, usagef("there is no data %q: the parts of mnist are mnist:train and mnist:test", name)
	}
	var set *dataset.Set
	var err error
	switch {
	case name == "-":
		set, err = dataset.DecodeStream("standard input", d.cmd.InOrStdin(), opt)
	case !exists(name):
		return nil, usagef("there is no file %s; data is mnist, mnist:train, mnist:test or a path", name)
	default:
		set, err = dataset.Read(name, opt)
	}
	if wrong, ok := errors.AsType[*dataset.FileError](err); ok {
		return nil, flagged{wrong}
	}
	if err != nil {
		return nil, err
	}
	if quiet, _ := d.cmd.Flags().GetBool("quiet"); !quiet && len(set.Source.Notes) > 0 {
		fmt.Fprintf(d.cmd.ErrOrStderr(), "%s: %s\n", name, strings.Join(set.Source.Notes, "; "))
	}
	return set, nil
}

// A flagged error names the options of its remedy as flags.
type flagged struct{ *dataset.FileError }

var flagOf = map[string]string{
	"Threshold": "--threshold", "Draw.White": "--white", "Header": "--header", "Columns": "--columns", "DropColumns": "--drop-column",
	"LabelPath": "--labels", "LabelColumn": "--label-column", "LabelArray": "--label-array", "Array": "--array",
}

func (e flagged) Error() string { return e.Named(func(option string) string { return flagOf[option] }) }
func (e flagged) Unwrap() error { return e.FileError }

// isList reports whether a text looks like a list of numbers and ranges.
func isList(text string) bool { return text != "" && strings.Trim(text, "0123456789,-") == "" }

func exists(path string) bool {
	_, err := os.Stat(path)
	return !os.IsNotExist(err) && !errors.Is(err, syscall.ENAMETOOLONG) // a long list of samples
}

// splitIndex splits DATA:K into the name and the sample's index, counted from 0.
func splitIndex(name string) (data string, index int, err error) {
	cut := strings.LastIndexByte(name, ':')
	if cut < 0 {
		return "", 0, usagef("--from %q: it must be DATA:K, the K-th sample of DATA counted from 0, such as mnist:test:3", name)
	}
	index, err = strconv.Atoi(name[cut+1:])
	if err != nil || index < 0 {
		return "", 0, usagef("--from %q: %q is not the number of a sample, counted from 0", name, name[cut+1:])
	}
	return name[:cut], index, nil
}

// alike numbers the labels of other as those of set are, where they are words.
func alike(set, other *dataset.Set, name, otherName string) error {
	if (set.Classes == nil) != (other.Classes == nil) {
		return usagef("the labels of %s and %s: those of one are words, those of the other numbers", name, otherName)
	}
	if set.Classes == nil {
		return nil
	}
	if unknown, ok := other.Relabel(set.Classes); !ok {
		return usagef("%s has samples of %q, a class that %s does not have", otherName, unknown, name)
	}
	return nil
}

func newDataCommand(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use: "data", Short: "Look at data", Args: noArguments,
		Example: "  bethe data info digits.npz",
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var d dataFlags
	info := &cobra.Command{
		Use: "info DATA", Short: "Say what a data set holds", Args: oneArgument("a file or mnist, mnist:train, mnist:test"),
		Long: `Reads DATA as train would and says what it holds. The kind of a file is told by
its content; - is standard input.

Whether the first row of a CSV file is a header, and which columns are no spins
but number or name the rows, or hold labels, is decided from the whole file and
said on standard error. Where that is open, it is an error that asks.`,
		Example: `  bethe data info mnist:test
  bethe data info train-images-idx3-ubyte.gz --threshold 127 --json
  bethe data info digits.csv --threshold 127 --header yes --label-column digit --drop-column id`,
		RunE: func(_ *cobra.Command, args []string) error {
			set, err := d.loadNamed(args[0])
			if err != nil {
				return err
			}
			return c.dataInfo(args[0], set)
		},
	}
	d.registerReading(info)
	cmd.AddCommand(info)
	return cmd
}

// dataReport is the JSON object of data info.
type dataReport struct {
	Data      string         `json:"data"`
	Format    string         `json:"format"`
	Samples   int            `json:"samples"`
	Visible   int            `json:"visible"`
	Width     int            `json:"width,omitempty"`
	Height    int            `json:"height,omitempty"`
	White     float64        `json:"white,omitempty"` // where spins were drawn of grey levels
	Threshold *float64       `json:"threshold,omitempty"`
	Header    *bool          `json:"header,omitempty"`          // of text: whether the first row holds names
	Dropped   []string       `json:"dropped_columns,omitempty"` // columns of text that were left out without being asked
	LabelsIn  string         `json:"labels_in,omitempty"`       // column or array of the labels
	Range     *[2]float64    `json:"range,omitempty"`           // smallest and largest number in the file
	UpShare   float64        `json:"up_share"`                  // share of spins that are +1
	Constant  int            `json:"constant_spins"`
	Labels    map[string]int `json:"labels,omitempty"` // samples of each
}

func (c *console) dataInfo(name string, set *dataset.Set) error {
	r := dataReport{Data: name, Format: set.Source.Format, Samples: set.Len(), Visible: set.Visible(),
		Width: set.Width, Height: set.Height, Threshold: set.Source.Threshold, White: set.Source.White}
	if set.Source.Element == "text" {
		r.Header = &set.Source.Header
	}
	r.Dropped, r.LabelsIn = set.Source.Dropped, set.Source.Labels
	if low, high := set.Source.Low, set.Source.High; low != 0 || high != 0 {
		r.Range = &[2]float64{low, high}
	}
	sums := make([]int, set.Visible())
	set.Samples.RowSums(sums)
	for _, s := range sums {
		r.UpShare += (1 + float64(s)/float64(set.Len())) / 2 / float64(set.Visible())
		if s == set.Len() || s == -set.Len() {
			r.Constant++
		}
	}
	r.UpShare = math.Round(1e6*r.UpShare) / 1e6
	if set.Labels != nil {
		r.Labels = map[string]int{}
		for _, l := range set.Labels {
			name := strconv.Itoa(l)
			if set.Classes != nil {
				name = set.Classes[l]
			}
			r.Labels[name]++
		}
	}
	c.printf("%s: %s\n", name, r.Format)
	c.printf("  %d samples of %d spins", r.Samples, r.Visible)
	if r.Width > 0 {
		c.printf(", pictures of %d x %d", r.Width, r.Height)
	}
	c.printf("\n  %.1f %% of the spins are +1; %d spins never change\n", 100*r.UpShare, r.Constant)
	if r.Range != nil {
		c.printf("  numbers from %v to %v\n", r.Range[0], r.Range[1])
	}
	if r.Threshold != nil {
		c.printf("  grey levels above %v are +1\n", *r.Threshold)
	}
	if r.White > 0 {
		c.printf("  spins were drawn of grey levels, as shares of %v\n", r.White)
	}
	if r.Labels != nil {
		c.printf("  labels of %d classes\n", len(r.Labels))
	}
	return c.object(r)
}
