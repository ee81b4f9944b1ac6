// Command units makes the files and tables of docs/units.md:
//
//	go run ./bench/units split FROM TO     files of the splits, from breast-cancer.csv.gz, digits.csv.gz and splits.json
//	go run ./bench/units mnist FROM TO     grey levels of MNIST with noise, from the four files of GoMNIST's data folder
//	go run ./bench/units patches FROM TO   patches of natural pictures, from patches.npz, whole pictures held out
//	go run ./bench/units mixture MODEL CSV likelihood of 0/1 rows under a machine of one hidden group, and under it as a directed mixture
//	go run ./bench/units groups            what a step costs with hidden groups, against spins
//	go run ./bench/units alignment MODEL FASTA SWEEPS  coupled columns and pair frequencies of a machine of the 16S RNA alignment
//	go run ./bench/units sequences FASTA.gz TO NAME    a random fifth of the sequences held out
//	go run ./bench/units hide FROM.csv TO.csv          a table with a tenth of its values taken out
//
// bench/kinds runs all of it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
)

func main() {
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: units split FROM TO | mnist FROM TO | patches FROM TO | mixture MODEL CSV | groups | alignment MODEL FASTA SWEEPS | sequences FASTA.gz TO NAME | hide FROM.csv TO.csv")
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch {
	case flag.NArg() == 3 && flag.Arg(0) == "split":
		err = splitAll(flag.Arg(1), flag.Arg(2))
	case flag.NArg() == 3 && flag.Arg(0) == "mnist":
		err = greyMNIST(flag.Arg(1), flag.Arg(2))
	case flag.NArg() == 3 && flag.Arg(0) == "patches":
		err = patches(flag.Arg(1), flag.Arg(2))
	case flag.NArg() == 3 && flag.Arg(0) == "mixture":
		err = asMixture(ctx, flag.Arg(1), flag.Arg(2))
	case flag.NArg() == 1 && flag.Arg(0) == "groups":
		err = groupCost(ctx)
	case flag.NArg() == 4 && flag.Arg(0) == "alignment":
		var sweeps int
		if sweeps, err = strconv.Atoi(flag.Arg(3)); err == nil {
			err = alignment(ctx, flag.Arg(1), flag.Arg(2), sweeps)
		}
	case flag.NArg() == 4 && flag.Arg(0) == "sequences":
		err = sequences(flag.Arg(1), flag.Arg(2), flag.Arg(3))
	case flag.NArg() == 3 && flag.Arg(0) == "hide":
		err = hide(flag.Arg(1), flag.Arg(2))
	default:
		flag.Usage()
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "units:", err)
		os.Exit(1)
	}
}
