package main

import (
	"fmt"
	"os"
	"strconv"
)

func main() {
	var err error
	switch {
	case len(os.Args) == 4 && os.Args[1] == "split":
		err = splitAll(os.Args[2], os.Args[3])
	case len(os.Args) == 4 && os.Args[1] == "mnist":
		err = greyMNIST(os.Args[2], os.Args[3])
	case len(os.Args) == 5 && os.Args[1] == "alignment":
		var sweeps int
		if sweeps, err = strconv.Atoi(os.Args[4]); err == nil {
			err = alignment(os.Args[2], os.Args[3], sweeps)
		}
	case len(os.Args) == 4 && os.Args[1] == "hide":
		err = hide(os.Args[2], os.Args[3])
	default:
		err = fmt.Errorf("split FROM TO, mnist FROM TO, hide FROM.csv TO.csv, or alignment MODEL FASTA SWEEPS")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "units:", err)
		os.Exit(1)
	}
}
