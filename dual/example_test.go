package dual_test

import (
	"context"
	"fmt"

	"bethe/dual"
	"bethe/rbm"
)

// The equivalent network of a machine whose synapses are half known, and its
// moments by enumeration and by belief propagation, which is exact here: the
// graph is a tree.
func Example() {
	params := rbm.NewParams(3, 1, 1)
	net := dual.NewNetwork(&params, []float64{0.5, 0.5, -0.5}) // means of the synapses
	fmt.Printf("couplings %.4f\n", net.Coupling)
	for _, engine := range []dual.Engine[float64]{dual.Exact[float64]{}, dual.NewBethe[float64]()} {
		moments := rbm.NewMoments[float64](3, 1)
		report, err := engine.Moments(context.Background(), moments, net)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: <s h> = %.4f\n", report.Engine, moments.Correlation)
	}
	// Output:
	// couplings [0.4010 0.4010 -0.4010]
	// exact: <s h> = [0.3808 0.3808 -0.3808]
	// bethe: <s h> = [0.3808 0.3808 -0.3808]
}
