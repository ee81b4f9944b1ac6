package anatomy

import (
	"context"
	"math"
	"testing"

	"bethe/rbm"
	"bethe/stream"
	"bethe/units"
)

// Two columns that one hidden unit reads are coupled. A constant added to all colours of a column changes nothing: the gauge takes it out.
func TestContacts(t *testing.T) {
	const columns, of, p, m = 6, 3, 3, 40
	n := columns * of
	params := rbm.NewParams(n, p, 0.7)
	params.VisibleKind = units.Kind{Word: units.Potts, States: of}
	rng := stream.New(3).Rand()
	synapses, samples := make([]float64, n*p), make([]float64, n*m)
	for k := range synapses {
		synapses[k] = 0.02 * rng.NormFloat64()
	}
	for mu, pair := range [][2]int{{0, 3}, {1, 5}} {
		for _, i := range pair {
			for k := range of {
				synapses[mu*n+i*of+k] = float64(k-1) * (1 - 0.3*float64(mu))
			}
		}
	}
	for k := range samples {
		samples[k] = -1
	}
	for i := range columns {
		for a := range m {
			samples[(i*of+rng.IntN(of))*m+a] = 1
		}
	}
	list, err := Contacts(context.Background(), &params, synapses, samples, m, 2)
	if err != nil || len(list) != 10 {
		t.Fatal(list, err)
	}
	if list[0].First != 0 || list[0].Second != 3 || list[1].First != 1 || list[1].Second != 5 || list[2].Score > list[1].Score/3 {
		t.Errorf("contacts %v", list[:3])
	}
	// The norm of all couplings but for the average product, by plain loops, where fields are 0: variances are 1.
	plain := append([]float64(nil), synapses...)
	for k := range samples {
		samples[k] = 0
	}
	list, _ = Contacts(context.Background(), &params, synapses, samples, m, 1)
	for mu := range p {
		for i := range columns {
			for k := range of {
				plain[mu*n+i*of+k] += float64(mu - i)
			}
		}
	}
	moved, err := Contacts(context.Background(), &params, plain, samples, m, 1)
	if err != nil {
		t.Fatal(err)
	}
	for k, c := range list {
		if moved[k].First != c.First || moved[k].Second != c.Second || math.Abs(moved[k].Score-c.Score) > 1e-9 {
			t.Errorf("contact %d is %v, and %v in another gauge", k, c, moved[k])
		}
	}
	params.HiddenKind = units.Kind{Word: units.Gauss}
	if _, err := Contacts(context.Background(), &params, synapses, samples, m, 1); err == nil {
		t.Error("contacts of Gaussian hidden units")
	}
}
