package thermo_test

import (
	"math"
	"testing"

	"bethe/dual"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/thermo"
)

// across returns a network with its layers exchanged, in float64: chains that store hidden states are those of its visible ones.
func across(net *rbm.Network[float32]) *rbm.Network[float64] {
	n, p := net.Visible(), net.Hidden()
	out := rbm.NewNetwork[float64](p, n)
	for mu := range p {
		out.VisibleField[mu] = float64(net.HiddenField[mu])
		for i := range n {
			out.Coupling[i*p+mu] = float64(net.Coupling[mu*n+i])
		}
	}
	for i, b := range net.VisibleField {
		out.HiddenField[i] = float64(b)
	}
	return out
}

// Chains of the engine that learning uses, in equilibrium at the first of some networks, do the work, dissipate and come as near to equilibrium
// as the exact averages of the protocol say, within five standard errors; work and heat add up to the change of Phi.
func TestChainWork(t *testing.T) {
	const n, p, chains, steps = 5, 4, 40000, 6
	rng := stream.New(3).Rand()
	net := rbm.NewNetwork[float32](n, p)
	var nets []*rbm.Network[float32]
	var exact []*rbm.Network[float64]
	for range steps + 1 {
		next := rbm.NewNetwork[float32](n, p)
		for k, list := range [][]float32{net.Coupling, net.VisibleField, net.HiddenField} {
			dst := [][]float32{next.Coupling, next.VisibleField, next.HiddenField}[k]
			for j, v := range list {
				dst[j] = v + float32(0.25*rng.NormFloat64())
			}
		}
		next.Constant = math.NaN() // as learning has it
		net = next
		nets, exact = append(nets, net), append(exact, across(net))
	}
	starts := spin.New(n, chains)
	first := thermo.Enumerate(widened(nets[0])).Probabilities()
	for a := range chains {
		u, k := rng.Float64(), 0
		for ; k < len(first)-1 && u > first[k]; k++ {
			u -= first[k]
		}
		for i := range n {
			starts.Set(i, a, int8(2*(k>>i&1)-1))
		}
	}
	engine := &dual.Chains[float32]{Count: chains, Sweeps: 1, Key: stream.New(4), InitialVisible: starts}
	account := thermo.NewChainWork(chains)
	engine.Watch(account)
	want, moments := thermo.Follow(exact, nil), rbm.NewMoments[float32](n, p)
	phi := func(net *rbm.Network[float64]) float64 {
		e, mean := thermo.Enumerate(net), 0.0
		h := engine.Hidden()
		for a := range chains {
			k := 0
			for mu := range p {
				k |= int(h.At(mu, a)+1) / 2 << mu
			}
			mean -= e.LogWeights[k] / chains
		}
		return mean
	}
	var before float64
	for k, net := range nets {
		if k == steps { // the last change, without a sweep
			total := account.TotalTo(net, engine.Hidden())
			if d := total.Work + want.LnZRatio - want.Dissipated; math.Abs(d) > 5*total.WorkError || total.WorkError > 0.01 {
				t.Errorf("dissipated %.4f ± %.4f, exactly %.4f", total.Work+want.LnZRatio, total.WorkError, want.Dissipated)
			}
			if want.KLEnd > want.Dissipated {
				t.Errorf("%.4f nats from equilibrium, and %.4f dissipated", want.KLEnd, want.Dissipated)
			}
			continue
		}
		if _, err := engine.Moments(t.Context(), moments, net); err != nil {
			t.Fatal(err)
		}
		total, step := account.Total(), account.Step()
		if k == 0 {
			before = phi(exact[0]) - total.Heat
			if step.Chains != 0 || total.Work != 0 {
				t.Errorf("work before any change: %+v", step)
			}
			continue
		}
		s := want.Steps[k-1]
		if d := total.Work - s.MeanWork; math.Abs(d) > 5*total.WorkError {
			t.Errorf("step %d: work %.4f ± %.4f, exactly %.4f", k, total.Work, total.WorkError, s.MeanWork)
		}
		if variance := total.WorkError * total.WorkError * chains; math.Abs(variance/s.WorkVariance-1) > 0.1 {
			t.Errorf("step %d: variance %.4f, exactly %.4f", k, variance, s.WorkVariance)
		}
		if k == 1 { // from equilibrium: the divergence of the first network from the second
			if d := step.Dissipated - s.KLAfterWork; math.Abs(d) > 0.1*s.KLAfterWork {
				t.Errorf("the first change dissipates %.4f, exactly %.4f", step.Dissipated, s.KLAfterWork)
			}
		}
		if d := phi(exact[k]) - before - total.Work - total.Heat; math.Abs(d) > 1e-4 {
			t.Errorf("step %d: work and heat are off by %v from the change of Phi", k, d)
		}
	}
	account.Begin(nets[2], engine.Hidden())
	if total := account.TotalTo(nets[2], engine.Hidden()); math.Abs(total.Work) > 1e-6 || total.WorkError > 1e-6 || total.Heat != 0 {
		t.Errorf("an account that begins and ends at a network: %+v", total)
	}
	account.Restart()
	if account.Step().Chains != 0 || account.Total().Work != 0 {
		t.Error("an account that begins anew has work in it")
	}
}

// widened returns a network in float64.
func widened(net *rbm.Network[float32]) *rbm.Network[float64] {
	a := across(net)
	n, p := net.Visible(), net.Hidden()
	out := rbm.NewNetwork[float64](n, p)
	copy(out.VisibleField, a.HiddenField)
	copy(out.HiddenField, a.VisibleField)
	for mu := range p {
		for i := range n {
			out.Coupling[mu*n+i] = a.Coupling[i*p+mu]
		}
	}
	return out
}

// Chains that others take the place of do no work at that step, and are left out of the errors.
func TestChainWorkReplaced(t *testing.T) {
	net := rbm.NewNetwork[float32](3, 2)
	net.Coupling[1] = 0.5
	other := rbm.NewNetwork[float32](3, 2)
	other.HiddenField[0] = 1
	up, down := spin.FromSigns(2, 3, []int8{1, 1, 1, 1, 1, 1}), spin.FromSigns(2, 3, []int8{1, -1, 1, 1, 1, 1})
	w := thermo.NewChainWork(10)
	w.Changed(net, up, nil)
	w.Swept(net, up)
	w.Changed(other, down, []int{1})
	step, total := w.Step(), w.Total()
	// ln 2cosh 0.5 and two ln 2 before, 1 and three ln 2 after
	want := math.Log(2*math.Cosh(0.5)) - math.Ln2 - 1
	if step.Chains != 2 || math.Abs(step.Work-want) > 1e-6 || total.Replaced != 1 || math.Abs(total.Work-want) > 1e-6 || total.WorkError > 1e-6 {
		t.Errorf("%+v, %+v, not %v", step, total, want)
	}
}
