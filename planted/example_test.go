package planted_test

import (
	"context"
	"fmt"

	"bethe/planted"
	"bethe/stream"
)

// How well could anybody learn this teacher from 800 samples?
func ExampleNewYardstick() {
	ctx, key := context.Background(), stream.New(1)
	teacher, err := planted.NewTeacher(100, 2, 1, 0, key.Sub(0))
	if err != nil {
		fmt.Println(err)
		return
	}
	data, err := planted.Data(ctx, teacher, 800, key.Sub(1))
	if err != nil {
		fmt.Println(err)
		return
	}
	y, err := planted.NewYardstick(ctx, teacher, data, planted.DefaultSchedule, key.Sub(2))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("more than 80 %:", y.FromTeacher.Overlap.Mean() > 0.8)
	// Output: more than 80 %: true
}
