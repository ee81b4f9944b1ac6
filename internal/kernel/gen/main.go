// Command gen writes the assembly of package kernel, one group of functions a
// run: go generate in that package runs it for each.
package main

import (
	"flag"
	"fmt"
	"os"

	. "github.com/mmcloughlin/avo/build"
)

var groups = map[string]func(m machine){
	"mul":         mulTiles,
	"coarse":      coarse,
	"draw":        drawing,
	"elementwise": elementwise,
	"gauss":       gaussFunctions,
	"transpose":   transposition,
	"adam":        adam,
	"hyperadam":   hyperAdam,
	"edge":        edgeFunctions,
	"bitmatrix":   transposeBits,
	"real":        realTiles,
	"count":       counting,
	"row":         rowFunctions,
	"onehot":      oneHot,
	"tile":        tiles,
	"whole":       wholeFunctions,
	"join":        joinFunctions,
}

func main() {
	group := flag.String("group", "", "group of functions to write")
	flag.Parse()
	write, ok := groups[*group]
	if !ok {
		fmt.Fprintf(os.Stderr, "gen: no group %q\n", *group)
		os.Exit(2)
	}
	ConstraintExpr("!purego")
	for _, m := range []machine{avx2, avx512} {
		write(m)
	}
	Generate()
}
