package mnist_test

import (
	"fmt"

	"bethe/dataset/mnist"
)

func Example() {
	test := mnist.Test()
	fmt.Println(test.Len(), test.Visible(), test.Labels[:5])
	for y := 6; y < 28; y += 2 { // every second row and column of the first
		for x := 4; x < 24; x += 2 {
			fmt.Print(map[int8]string{1: "#", -1: "."}[test.Samples.At(y*28+x, 0)])
		}
		fmt.Println()
	}
	// Output:
	// 10000 784 [7 2 1 0 4]
	// ..........
	// .########.
	// ........#.
	// .......#..
	// .......#..
	// ......#...
	// ......#...
	// .....#....
	// ....#.....
	// ....#.....
	// ....#.....
}
