package evaluate

import (
	"math"
	"testing"

	"bethe/rbm"
	"bethe/stream"
	"bethe/units"
)

// What is inferred of noisy samples, some values missing, is the mean of enumeration with the machine as the prior (fixed seeds; errors
// of some 0.01 by 400 chains of 60 sweeps).
func TestMendFile(t *testing.T) {
	potts, gauss, group := units.Kind{Word: units.Potts, States: 3}, units.Kind{Word: units.Gauss}, units.Kind{Word: units.Group, States: 2, None: true}
	for _, c := range []struct{ visible, hidden units.Kind }{{units.Kind{}, group}, {potts, units.Kind{}}, {gauss, units.Kind{}}, {units.Kind{}, gauss}} {
		const count, m = 3, 2
		machine := incompleteMachine(c.visible, c.hidden, count, 2)
		file := &rbm.File{Params: machine.Params, Synapses: machine.Synapses}
		in := randomIncomplete(machine, count, m)
		samples := FileSamples{Bits: in.Bits, Missing: in.Missing}
		channel := Channel{Flip: 0.2, Noise: 0.7}
		want := make([]float64, machine.Visible()*m)
		if c.visible.Bits() {
			bitsBehind(machine, in, channel, want)
		} else {
			file.Scale = rbm.Scale{Mean: []float64{1, 2, 3}, Deviation: []float64{2, 1, 0.5}}
			machine.VisibleOwn = file.Scale.InUnitsOf(machine.VisibleOwn)
			file.VisibleOwn = machine.VisibleOwn
			samples.Numbers = file.Numbers(in.Numbers)
			numbersBehind(machine, in, channel, want)
		}
		out, err := MendFile(t.Context(), file, samples, channel, true, stream.New(2), Restoring{Chains: 400, Sweeps: 60})
		if err != nil {
			t.Fatal(err)
		}
		for k, w := range want {
			got := 0.0
			if out.Mean != nil {
				got = float64(out.Mean[k])
			} else {
				u, err := file.Features(out.Restored.Numbers)
				if err != nil {
					t.Fatal(err)
				}
				got = float64(u.Values()[k])
			}
			if math.Abs(got-w) > 0.05 {
				t.Errorf("%v: mean %d behind the noise is %v, by enumeration %v", c, k, got, w)
			}
		}
		if out.Before != nil || out.After != nil {
			t.Errorf("%v: errors of samples whose truth is not known", c)
		}
	}
}

// bitsBehind sums over all states of visible bits.
func bitsBehind(machine *rbm.Machine, in Incomplete, c Channel, mean []float64) {
	kind, of, m := machine.VisibleKind, machine.VisibleKind.Features(), in.Bits.Cols()
	choices, n := kind.Choices(), machine.Visible()/of
	states := in.Bits.Blank(int(math.Pow(float64(choices), float64(n))))
	for k := range states.Cols() {
		for i, left := 0, k; i < n; i, left = i+1, left/choices {
			if on := left % choices; of > 1 {
				states.Set(i*of+on, k, 1)
			} else {
				states.Set(i, k, int8(2*on-1))
			}
		}
	}
	weights := OnMachine(machine).LogWeights(states)
	if !machine.HiddenKind.Bits() {
		weights = OnHopfield(machine).LogWeights(states)
	}
	for a := range m {
		some := append([]float64(nil), weights...)
		for k := range some {
			for i := range n {
				if in.Missing.At(i, a) > 0 {
					continue
				}
				same := true
				for f := i * of; f < (i+1)*of; f++ {
					same = same && states.At(f, k) == in.Bits.At(f, a)
				}
				if same {
					some[k] += math.Log(1 - c.Flip)
				} else {
					some[k] += math.Log(c.Flip / float64(choices-1))
				}
			}
		}
		total := rbm.LogSumExp(append([]float64(nil), some...))
		for k, w := range some {
			for i := range machine.Visible() {
				mean[i*m+a] += math.Exp(w-total) * float64(states.At(i, k))
			}
		}
	}
}

// numbersBehind sums over all states of hidden bits.
func numbersBehind(machine *rbm.Machine, in Incomplete, c Channel, mean []float64) {
	net := rbm.NetworkOf[float64](machine)
	n, p, m := machine.Visible(), machine.Hidden(), in.Numbers.Len()
	for a := range m {
		var weights []float64
		var means [][]float64
		for state := range 1 << p {
			w, x := 0.0, make([]float64, n)
			h := func(mu int) float64 { return float64(2*(state>>mu&1) - 1) }
			for mu := range p {
				w += net.HiddenField[mu] * h(mu)
			}
			for i := range n {
				linear, precision := net.VisibleField[i], 1.0
				for mu := range p {
					linear += net.Coupling[mu*n+i] * h(mu)
				}
				if in.Missing.At(i, a) < 0 { // noise in deviations of the data, of u that are in units of sigma = 1 deviation
					precision += 1 / (c.Noise * c.Noise)
					linear += float64(in.Numbers.Row(i)[a]) / (c.Noise * c.Noise)
				}
				x[i] = linear / precision
				w += linear*linear/(2*precision) - math.Log(precision)/2
			}
			weights, means = append(weights, w), append(means, x)
		}
		total := rbm.LogSumExp(append([]float64(nil), weights...))
		for k, w := range weights {
			for i, x := range means[k] {
				mean[i*m+a] += math.Exp(w-total) * x
			}
		}
	}
}
