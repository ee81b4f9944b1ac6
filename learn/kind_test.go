package learn

import (
	"math"
	"testing"

	"bethe/stream"
	"bethe/variational"
)

// What learning climbs is called a bound only if its partition term is enumerated.
func TestBoundKind(t *testing.T) {
	for _, c := range []struct {
		synapses, partition, by string
		want                    BoundKind
	}{
		{"binary", annealed, "exact", TrueBound}, {"binary", annealed, "annealing", BoundEstimate}, {"binary", annealed, "bethe", BoundEstimate},
		{"real", annealed, "exact", ExactLikelihood}, {"sign", annealed, "annealing", LikelihoodEstimate}, {"binary", quenched, "exact", Quenched},
	} {
		r := Recipe{Synapses: c.synapses, Expectation: Expectation{Partition: c.partition}}
		if got := r.boundKind(c.by); got != c.want || got.Words() == "" {
			t.Errorf("%s synapses, %s term by %s: %q, not %q", c.synapses, c.partition, c.by, got, c.want)
		}
	}
	if in := boundInterval(variational.Terms{Data: 3, KL: 1}, stream.New(1)); in != nil {
		t.Errorf("interval %v of a bound that is no estimate", in)
	}
	in := boundInterval(variational.Terms{Data: 3, KL: 1, Partition: 5, Chains: []float64{4.9, 5, 5.1, 5}}, stream.New(1))
	if in == nil || !(in[0] < -3 && -3 < in[1]) || math.Abs(in[1]-in[0]) > 1 {
		t.Errorf("interval %v", in)
	}
}
