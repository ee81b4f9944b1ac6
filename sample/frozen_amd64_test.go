package sample

import (
	"math"
	"testing"

	"bethe/internal/kernel"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// frozen are digests of what is drawn and computed, a kernel tier each where products in
// float32 enter, else one for all.
var frozen = map[string]map[string]uint64{
	"binary":          {"": 0xb2ab61310a49bd58},
	"real":            {"portable": 0xc279fba65f751038, "avx2": 0x898971ab308fdf95, "avx512": 0x39e16fd55854b45b},
	"network":         {"portable": 0xbb6ac37a4a637a16, "avx2": 0x66ef4c0512bc1743, "avx512": 0x6ac6155a7248d779},
	"coarse":          {"": 0x2afcb3bc36ec2732},
	"network64":       {"": 0xc6c491d61c52880c},
	"binary profile":  {"portable": 0x869279e9d353fd3f, "avx2": 0xca83f453b265c9fd, "avx512": 0xce63235f180f5f3},
	"binary forward":  {"portable": 0x27ad148398f3aad6, "avx2": 0x686c343ac9d02e83, "avx512": 0x2fe306d446d747f5},
	"binary reverse":  {"portable": 0xe1d721b1104c19fc, "avx2": 0xee992867cdf4cdb9, "avx512": 0x2b8822ef2ef14f39},
	"binary tempered": {"portable": 0xda51c8dd1c10db26, "avx2": 0x40c178e0d2cafba4, "avx512": 0x2f99874a881271b7},
	"real profile":    {"portable": 0xe944aefd88627e26, "avx2": 0x54233588a3f44467, "avx512": 0xd8c67b5ed08d7d7e},
	"real forward":    {"portable": 0x318475df4b8b9efd, "avx2": 0x6402799c09a4293, "avx512": 0x589e4e86bcd1dfb3},
	"real reverse":    {"portable": 0xdeebc84f7fc17e87, "avx2": 0x7886376a83230d77, "avx512": 0x7a5a5b59fd247d7b},
	"real tempered":   {"portable": 0x82cc91cfe82ac35e, "avx2": 0x83514d8674f1cb0a, "avx512": 0x8a91c209dc28617f},
	"tempered64":      {"": 0xbdad0fa9ad1dbee7},
}

// hold fails unless a digest is the frozen one.
func hold(t *testing.T, name string, digest stream.Key) {
	t.Helper()
	want, ok := frozen[name][""]
	if !ok {
		want, ok = frozen[name][kernel.Sums()]
	}
	if !ok || uint64(digest) != want {
		t.Errorf("%s on %s: %#x, not %#x as before", name, kernel.Tier(), uint64(digest), want)
	}
}

// digest gathers what is drawn.
type digest struct{ key stream.Key }

func (d *digest) spins(m *spin.Matrix) { d.key = d.key.Sub(m.Hash()) }
func numbers[T rbm.Real](d *digest, x []T) {
	for _, v := range x {
		d.key = d.key.Sub(math.Float64bits(float64(v)))
	}
}

// Draws, fields, ladders and log-weights are those of 0.2.0 to the bit. Other processors
// may fuse a product and a sum, so that last bits differ.
func TestFrozen(t *testing.T) {
	const n, p, count = 65, 37, 70
	m := testMachine(n, p, stream.New(11))
	realM := testMachine(n, p, stream.New(12))
	weights := make([]float32, n*p)
	rng := stream.New(13).Rand()
	for k := range weights {
		weights[k] = float32(0.3 * rng.NormFloat64())
	}
	realM.Synapses = rbm.RealValued(n, p, weights)
	m.SetCoupling(0.1)
	realM.SetCoupling(0.1)
	base := make([]float64, n)
	for i := range base {
		base[i] = 0.3 * rng.NormFloat64()
	}
	held := spin.Random(n, count, rng)
	chains32 := func(name string, c *SpinChains[float32]) {
		t.Helper()
		var d digest
		c.Sweep(2)
		d.spins(c.Visible)
		d.spins(c.Hidden)
		numbers(&d, c.HiddenFields())
		numbers(&d, c.VisibleFields())
		c.Clamp([]int{0, 7, 31}, held)
		c.Sweep(2)
		numbers(&d, c.VisibleFields())
		if err := c.Observe(held, 0.4); err != nil {
			t.Fatal(err)
		}
		c.StartAt(held)
		c.Sweep(2)
		d.spins(c.Visible)
		numbers(&d, c.VisibleFields())
		hold(t, name, d.key)
	}
	chains32("binary", NewChains(OnMachine(m), count, stream.New(1)))
	chains32("real", NewChains(OnMachine(realM), count, stream.New(1)))
	chains32("network", NewChains(OnNetwork(rbm.NetworkOf[float32](m)), count, stream.New(1)))
	chains32("coarse", NewChains(OnNetwork(rbm.NetworkOf[float32](m)).Rounded(), count, stream.New(1)))
	c64 := NewChains(OnNetwork(rbm.NetworkOf[float64](m)), count, stream.New(1))
	c64.Sweep(3)
	var d digest
	d.spins(c64.Visible)
	numbers(&d, c64.HiddenFields())
	hold(t, "network64", d.key)

	whole := func(name string, m *rbm.Machine) {
		d = digest{}
		profile, err := MeasureProfile(t.Context(), OnMachine(m).From(base), Measuring{Chains: 20, Steps: 500, Key: stream.New(2)})
		if err != nil {
			t.Fatal(err)
		}
		numbers(&d, profile.AnnealingLadder(9))
		hold(t, name+" profile", d.key)
		a := Annealing{Chains: count, Ladder: profile.AnnealingLadder(30), Key: stream.New(3)}
		f, err := AnnealedLnZ(t.Context(), OnMachine(m).From(base), a)
		if err != nil {
			t.Fatal(err)
		}
		numbers(&d, f.LogWeights)
		hold(t, name+" forward", d.key)
		r, err := ReverseLnZ(t.Context(), OnMachine(m).From(base), held, a)
		if err != nil {
			t.Fatal(err)
		}
		numbers(&d, r.LogWeights)
		hold(t, name+" reverse", d.key)
		e := NewTempered(OnMachine(m).From(base), Tempering{Chains: count, Ladder: profile.ExchangeLadder(1), Key: stream.New(4)})
		e.Sweep(12)
		d.spins(e.Top().Visible)
		d.spins(e.Rung(0).Hidden)
		w := make([]float64, count)
		e.LogWeights(w)
		numbers(&d, w)
		numbers(&d, []float64{e.LnZ(nil)})
		hold(t, name+" tempered", d.key)
	}
	whole("binary", m)
	whole("real", realM)
	net, other := rbm.NetworkOf[float64](m), rbm.NetworkOf[float64](realM)
	source := OnNetwork(net).From(base)
	e := NewTempered(source, Tempering{Chains: count, Ladder: []float64{0.1, 0.4, 0.7, 1}, Key: stream.New(5)})
	e.Sweep(3)
	e.Clamp([]int{2, 50}, held)
	e.Sweep(3)
	source.Set(other)
	e.Redraw()
	e.Sweep(3)
	d = digest{}
	for r := range 4 {
		d.spins(e.Rung(r).Visible)
		d.spins(e.Rung(r).Hidden)
	}
	numbers(&d, e.Exchanges.Rates())
	hold(t, "tempered64", d.key)
}
