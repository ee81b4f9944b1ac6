package runs_test

import (
	"fmt"
	"os"

	"bethe/runs"
)

// Write records as learning goes on, and read them while it does.
func Example() {
	folder, err := os.MkdirTemp("", "run")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	log, _, err := runs.OpenLog(folder, -1, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer log.Close()
	tail := runs.NewTail(folder)
	for step := range 3 {
		if err := log.Append(runs.Record{Step: step, Bound: &runs.Bound{Value: runs.Number(-200 + 10*step)}}); err != nil {
			fmt.Println(err)
			return
		}
		records, _, err := tail.Next()
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, r := range records {
			fmt.Println("step", r.Step, "bound", float64(r.Bound.Value))
		}
	}
	// Output:
	// step 0 bound -200
	// step 1 bound -190
	// step 2 bound -180
}
