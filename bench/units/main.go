package main

import (
	"fmt"
	"os"
)

func main() {
	var err error
	switch {
	case len(os.Args) == 4 && os.Args[1] == "split":
		err = splitAll(os.Args[2], os.Args[3])
	case len(os.Args) == 4 && os.Args[1] == "mnist":
		err = greyMNIST(os.Args[2], os.Args[3])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "units:", err)
		os.Exit(1)
	}
}
