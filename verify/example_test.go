package verify_test

import (
	"context"
	"fmt"

	"bethe/dual"
	"bethe/verify"
)

// This build's arithmetic against numbers that another program found by brute force.
func ExampleRead() {
	results, err := verify.Read(context.Background(), "testdata/oracle.json", func(_, _ int) dual.Engine[float64] { return dual.Exact[float64]{} })
	if err != nil {
		fmt.Println(err)
		return
	}
	worst, within := 0.0, true
	for _, r := range results {
		for quantity, off := range r.Errors {
			within = within && off <= verify.Limit(quantity)
		}
		worst = max(worst, r.Errors["ln_z"])
	}
	fmt.Printf("%d cases, all within their limits: %v; ln Z to 1e-10: %v\n", len(results), within, worst < 1e-10)
	// Output: 8 cases, all within their limits: true; ln Z to 1e-10: true
}
