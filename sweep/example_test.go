package sweep_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"bethe/sweep"
)

// Four cells in two shards, as two machines would compute them.
func Example() {
	folder, err := os.MkdirTemp("", "sweep")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	cells, err := sweep.ReadGrid(strings.NewReader(`
visible = 20
hidden = [1, 2]
alpha = [2, 4]
beta = 1
instances = 1
restarts = 2
seed = 1
`), "grid.toml")
	if err != nil {
		fmt.Println(err)
		return
	}
	grid, added, err := sweep.Create(filepath.Join(folder, "pd"), cells)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("cells:", added)
	for shard := range 2 {
		report, err := grid.Run(context.Background(), sweep.Shard{I: shard, N: 2}, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		status, err := grid.Status()
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("shard %d computed %d, %d are missing\n", shard, report.Computed, status.Missing)
	}
	// Output:
	// cells: 4
	// shard 0 computed 2, 2 are missing
	// shard 1 computed 2, 0 are missing
}
