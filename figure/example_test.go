package figure_test

import (
	"fmt"
	"os"
	"path/filepath"

	"bethe/figure"
)

func ExampleSave() {
	folder, err := os.MkdirTemp("", "figure")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	names, err := figure.Save(filepath.Join(folder, "overlap"), &figure.Curves{
		Title: "Overlap with the teacher", X: figure.Axis{Label: "data density"}, Y: figure.Axis{Label: "overlap", Min: 0, Max: 1},
		Series: []figure.Series{
			{Name: "ours", X: []float64{1, 2, 3}, Y: []float64{0.3, 0.5, 0.7}, Low: []float64{0.2, 0.4, 0.6}, High: []float64{0.4, 0.6, 0.8}},
			{Name: "published, read off by eye", X: []float64{1, 2, 3}, Y: []float64{0.3, 0.47, 0.62}, Points: true},
		},
	})
	for _, name := range names {
		fmt.Println(filepath.Base(name))
	}
	fmt.Println(err)
	// Output:
	// overlap.png
	// overlap.svg
	// <nil>
}
