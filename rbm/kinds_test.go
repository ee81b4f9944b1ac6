package rbm

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// Words of the kinds of units of two layers, with features that are whole units.
var kindPairs = []struct {
	visible, hidden string
	n, p            int
}{
	{"gauss", "spin", 2, 2}, {"gauss", "group?:2", 2, 4}, {"gauss", "group:3", 2, 3}, {"spin", "gauss", 3, 2}, {"potts:3", "gauss", 6, 1},
	{"potts:3", "spin", 6, 3}, {"potts:3", "group:2", 6, 2}, {"spin", "group?:3", 3, 6}, {"spin", "group:2", 2, 6},
}

func mustKind(t testing.TB, word string) units.Kind {
	t.Helper()
	k, err := units.ParseKind(word)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// A choice is one state of a unit: the numbers that hold its features, and ln of its weight
// without fields.
type choice struct {
	held     []float64
	lnWeight float64
}

// choices are those of a unit. A Gaussian unit has a grid so fine that its sums are integrals
// to all digits.
func choices(k units.Kind) (list []choice) {
	if k.Word == units.Gauss {
		const step = 0.25
		for x := -10.0; x <= 10; x += step {
			list = append(list, choice{[]float64{x}, math.Log(step) - x*x/2})
		}
		return list
	}
	if k.States == 0 {
		return []choice{{[]float64{-1}, 0}, {[]float64{1}, 0}}
	}
	off := slices.Repeat([]float64{-1}, k.States)
	for j := range off {
		one := slices.Clone(off)
		one[j] = 1
		list = append(list, choice{one, 0})
	}
	if k.None {
		list = append(list, choice{off, 0})
	}
	return list
}

// layerStates are those of a layer of so many features.
func layerStates(k units.Kind, features int) []choice {
	list := []choice{{}}
	for len(list[0].held) < features {
		var longer []choice
		for _, s := range list {
			for _, c := range choices(k) {
				longer = append(longer, choice{slices.Concat(s.held, c.held), s.lnWeight + c.lnWeight})
			}
		}
		list = longer
	}
	return list
}

func kindMachine(t testing.TB, visible, hidden string, n, p int, seed uint64) *Machine {
	rng := rand.New(rand.NewPCG(seed, 5))
	m := randomMachine(n, p, 0.35, true, true, rng)
	m.VisibleKind, m.HiddenKind = mustKind(t, visible), mustKind(t, hidden)
	if !m.VisibleKind.Bits() {
		clear(m.VisibleOffset)
	}
	if !m.HiddenKind.Bits() {
		clear(m.HiddenOffset)
	}
	return m
}

// bruteKinds returns ln Z, moments and the probabilities of the hidden states of a machine by
// sums over all joint states of its definition.
func bruteKinds(m *Machine) (lnz float64, moments *Moments[float64], ofHidden []float64) {
	vs, hs := layerStates(m.VisibleKind, m.Visible()), layerStates(m.HiddenKind, m.Hidden())
	weights := make([]float64, 0, len(vs)*len(hs))
	w := Values(m.Synapses)
	n := m.Visible()
	for _, v := range vs {
		for _, h := range hs {
			sum := v.lnWeight + h.lnWeight
			for mu, y := range h.held {
				sum += m.HiddenField[mu] * y
				for i, s := range v.held {
					sum += m.Coupling() * (s - m.VisibleOffset[i]) * float64(w[mu*n+i]) * (y - m.HiddenOffset[mu])
				}
			}
			weights = append(weights, sum+dot(m.VisibleField, v.held))
		}
	}
	lnz, moments, ofHidden = lnSum(weights), NewMoments[float64](n, m.Hidden()), make([]float64, len(hs))
	for a, v := range vs {
		for b, h := range hs {
			p := math.Exp(weights[a*len(hs)+b] - lnz)
			ofHidden[b] += p
			for i, s := range v.held {
				moments.Visible[i] += p * s
			}
			for mu, y := range h.held {
				moments.Hidden[mu] += p * y
				for i, s := range v.held {
					moments.Correlation[mu*n+i] += p * s * y
				}
			}
		}
	}
	return lnz, moments, ofHidden
}

func TestExactSumsOfOtherKinds(t *testing.T) {
	for k, c := range kindPairs {
		t.Run(c.visible+" "+c.hidden, func(t *testing.T) {
			m := kindMachine(t, c.visible, c.hidden, c.n, c.p, uint64(k))
			lnz, moments, _ := bruteKinds(m)
			net := NetworkOf[float64](m)
			got, err := net.LnZ(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			near(t, "ln Z", got, lnz, 1e-11)
			exact := NewMoments[float64](c.n, c.p)
			if got, err = net.ExactMoments(t.Context(), exact); err != nil {
				t.Fatal(err)
			}
			near(t, "ln Z with moments", got, lnz, 1e-11)
			nearMoments(t, "moments", exact, moments, 1e-10)
		})
	}
}

// More states than one piece holds give the sum of a recursion over units: without couplings
// each unit stands alone.
func TestExactSumsInPiecesOfOtherKinds(t *testing.T) {
	const groups = 7
	net := NewNetwork[float64](1, 3*groups)
	net.VisibleKind, net.HiddenKind = mustKind(t, "gauss"), mustKind(t, "group?:3") // 4^7 states
	want := math.Log(2*math.Pi) / 2
	for f := range net.HiddenField {
		net.HiddenField[f] = math.Sin(float64(f))
	}
	for g := range groups {
		var each []float64
		for _, c := range choices(net.HiddenKind) {
			each = append(each, dot(net.HiddenField[3*g:3*g+3], c.held))
		}
		want += lnSum(each)
	}
	got, err := net.LnZ(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	near(t, "ln Z", got, want, 1e-12)
	moments := NewMoments[float64](1, 3*groups)
	if _, err := net.ExactMoments(t.Context(), moments); err != nil {
		t.Fatal(err)
	}
	for g := range groups {
		var z, mean float64
		for _, c := range choices(net.HiddenKind) {
			w := math.Exp(dot(net.HiddenField[3*g:3*g+3], c.held))
			z, mean = z+w, mean+w*c.held[1]
		}
		near(t, "mean", moments.Hidden[3*g+1], mean/z, 1e-11)
	}
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := net.LnZ(interrupted); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	if _, err := net.ExactMoments(interrupted, moments); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted moments: %v", err)
	}
	if _, err := net.DrawHidden(interrupted, 1, stream.New(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted draws: %v", err)
	}
}

func TestTooLargeOfOtherKinds(t *testing.T) {
	net := NewNetwork[float64](40, 39)
	net.HiddenKind = mustKind(t, "group?:3") // 4^13 = 2^26 states
	if _, err := net.LnZ(t.Context()); !errors.Is(err, ErrTooLarge) {
		t.Errorf("LnZ: %v", err)
	}
	if _, err := net.ExactMoments(t.Context(), NewMoments[float64](40, 39)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("ExactMoments: %v", err)
	}
	if _, err := net.DrawHidden(t.Context(), 1, stream.New(1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("DrawHidden: %v", err)
	}
	net.HiddenKind = mustKind(t, "gauss")
	if _, err := net.DrawHidden(t.Context(), 1, stream.New(1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("DrawHidden of Gaussian units: %v", err)
	}
}

// Frequencies of hidden states are their probabilities within 5 standard errors.
func TestDrawHidden(t *testing.T) {
	const count = 20000
	for k, c := range kindPairs {
		m := kindMachine(t, c.visible, c.hidden, c.n, c.p, uint64(k))
		if !m.HiddenKind.Bits() {
			continue
		}
		_, _, want := bruteKinds(m)
		h, err := NetworkOf[float64](m).DrawHidden(t.Context(), count, stream.New(uint64(k)))
		if err != nil {
			t.Fatal(err)
		}
		place := map[string]int{}
		key := func(at func(int) float64) string {
			text := make([]byte, c.p)
			for i := range text {
				text[i] = byte('1' + at(i))
			}
			return string(text)
		}
		for b, s := range layerStates(m.HiddenKind, c.p) {
			place[key(func(i int) float64 { return s.held[i] })] = b
		}
		counts := make([]float64, len(want))
		for a := range count {
			b, ok := place[key(func(i int) float64 { return float64(h.At(i, a)) })]
			if !ok {
				t.Fatalf("%s hidden units in an impossible state", c.hidden)
			}
			counts[b]++
		}
		for b, p := range want {
			if e := math.Sqrt(count * p * (1 - p)); math.Abs(counts[b]-count*p) > 5*e+1 {
				t.Errorf("%s %s: state %d is drawn %v times, not %.1f ± %.1f", c.visible, c.hidden, b, counts[b], count*p, e)
			}
		}
	}
}

// Sums and means of single units are those of sums over their states.
func TestLogSumsAndMeans(t *testing.T) {
	const m = 5
	for _, word := range []string{"spin", "gauss", "potts:3", "group?:2"} {
		kind := mustKind(t, word)
		of := kind.Features()
		fields := make([]float64, 2*of*m)
		for k := range fields {
			fields[k] = 1.5 * math.Sin(float64(3*k+1))
		}
		for _, at := range []float64{1, 0.4} {
			dst, want := []float64{7, 7, 7}, []float64{7, 7, 7} // columns 1, 2 and 3
			means := make([]float64, len(fields))
			SetMeans(means, fields, kind, m)
			for row := 0; row < 2*of; row += of {
				for a := range want {
					var lnw []float64
					sum, mean := 0.0, make([]float64, of)
					for _, c := range choices(kind) {
						w, w1 := c.lnWeight, c.lnWeight
						for j, x := range c.held {
							w += at * fields[(row+j)*m+1+a] * x
							w1 += fields[(row+j)*m+1+a] * x
						}
						lnw, sum = append(lnw, w), sum+math.Exp(w1)
						add(mean, math.Exp(w1), c.held)
					}
					want[a] += lnSum(lnw)
					for j := range mean {
						near(t, word+": mean", means[(row+j)*m+1+a], mean[j]/sum, 1e-11)
					}
				}
			}
			AddLogSums(dst, fields, kind, m, 1, at)
			nearAll(t, word+": log-sums", dst, want, 1e-11)
		}
	}
}

// Log-weights of spins add up over the states of hidden units of another kind.
func TestLogWeightsOfGroups(t *testing.T) {
	for hidden, p := range map[string]int{"group?:3": 3, "group:3": 3, "gauss": 2} {
		m := kindMachine(t, "spin", hidden, 3, p, 4)
		net := NetworkOf[float64](m)
		got := make([]float64, 8)
		net.LogWeights(got, columns(3))
		for k := range got {
			s := state(k, 3)
			var lnw []float64
			for _, h := range layerStates(m.HiddenKind, p) {
				lnw = append(lnw, h.lnWeight+net.lnWeight(s, h.held))
			}
			near(t, hidden+": log-weight", got[k], lnSum(lnw), 1e-11)
		}
	}
}

// SetWeights makes of a network what NetworkOf makes anew, also for links and kinds.
func TestSetWeights(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for name, m := range map[string]*Machine{
		"plain": randomMachine(4, 3, 0.4, true, true, rng), "linked": linkedMachine(randomMachine(4, 3, 0.4, true, true, rng)),
		"groups": kindMachine(t, "potts:3", "group:2", 6, 4, 3),
	} {
		n, p := m.Visible(), m.Hidden()
		net, w := NewNetwork[float64](n, p), make([]float64, n*p)
		for k := range net.Coupling {
			net.Coupling[k] = 99
		}
		for k, v := range Values(m.Synapses) {
			w[k] = float64(v)
		}
		net.SetWeights(&m.Params, w)
		want := NetworkOf[float64](m)
		near(t, name+": constant", net.Constant, want.Constant, 1e-13)
		nearAll(t, name+": couplings", net.Coupling, want.Coupling, 1e-13)
		nearAll(t, name+": visible fields", net.VisibleField, want.VisibleField, 1e-13)
		nearAll(t, name+": hidden fields", net.HiddenField, want.HiddenField, 1e-13)
		if net.VisibleKind != m.VisibleKind || net.HiddenKind != m.HiddenKind {
			t.Errorf("%s: units %s and %s", name, net.VisibleKind, net.HiddenKind)
		}
	}
	wantPanic(t, "rbm: SetWeights of 3 synapses of 4 x 3 units in a network of 4 x 3", func() {
		params := NewParams(4, 3, 1)
		NewNetwork[float64](4, 3).SetWeights(&params, make([]float64, 3))
	})
}

// Sizes of a folding by plain counts, and thetas between layers that are no neighbours.
func TestFoldingClearsWhatNoLinkJoins(t *testing.T) {
	f := Folding{3, 2, 4, 5} // visible units 3 and 4, hidden ones 2 and 5
	if f.Data() != 3 || f.Synapses(0) != 6 || f.Synapses(1) != 8 || f.Synapses(2) != 20 || f.Total() != 34 {
		t.Errorf("%d data, %d, %d, %d and in all %d synapses", f.Data(), f.Synapses(0), f.Synapses(1), f.Synapses(2), f.Total())
	}
	m := &Model[float64]{f.NewParams([]float64{1, 1, 1}), NewPosterior[float64](7, 7)}
	want := make([]float64, 49)
	for k := range want {
		m.Posterior.Theta[k] = float64(k + 1)
		if i, mu := k%7, k/7; i >= 3 || mu < 2 { // the data and the third hidden layer are no neighbours
			want[k] = float64(k + 1)
		}
	}
	m.ClearUnjoined()
	nearAll(t, "thetas", m.Posterior.Theta, want, 0)
	whole := &Model[float64]{NewParams(7, 7, 1), m.Posterior}
	whole.Posterior.Theta[2*7] = 9
	whole.ClearUnjoined()
	if whole.Posterior.Theta[2*7] != 9 {
		t.Error("a machine of one link has lost a theta")
	}
}

// A machine of units 0 and 1 and its translation to spins have the same probabilities.
func TestFromZeroOne(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	z := ZeroOne{W: make([]float64, 6), Visible: make([]float64, 3), Hidden: make([]float64, 2)}
	for _, x := range [][]float64{z.W, z.Visible, z.Hidden} {
		for k := range x {
			x[k] = rng.NormFloat64()
		}
	}
	m, rounding := FromZeroOne(&z)
	if !(rounding > 0 && rounding < 1e-7) {
		t.Errorf("rounding of float32 is %v", rounding)
	}
	shift := zeroOneLnWeight(z, 0, 0) - m.lnWeight(state(0, 3), state(0, 2))
	for k := range 8 {
		for l := range 4 {
			near(t, "ln weight", m.lnWeight(state(k, 3), state(l, 2))+shift, zeroOneLnWeight(z, k, l), 1e-6)
		}
	}
	if _, rounding := FromZeroOne(&ZeroOne{W: make([]float64, 2), Visible: make([]float64, 2), Hidden: make([]float64, 1)}); rounding != 0 {
		t.Errorf("weights of 0 are rounded by %v", rounding)
	}
}

// Words, draws and synapses of the kinds of synapses.
func TestKindsOfSynapses(t *testing.T) {
	q := NewPosterior[float32](2, 3)
	copy(q.Theta, []float32{3, -0.2, 0, 0.1, -3, 0.7})
	for word, want := range map[string]struct {
		known, odds bool
		pull        float64
		settled     Kind
		real        bool
	}{
		"binary": {false, true, 2, SignKind, false}, "real": {true, false, 5, RealKind, true},
		"sampled": {true, true, 0, SampledKind, false}, "sign": {true, true, 0, SignKind, false},
	} {
		k, err := KindOf(word)
		if err != nil {
			t.Fatal(err)
		}
		if k.String() != word || k.Known() != want.known || k.LogOdds() != want.odds || k.Pull(2, 5) != want.pull || k.Settled() != want.settled || KindOr(k) != k {
			t.Errorf("%s: %v known %v, odds %v, pull %v, settles as %v", word, k, k.Known(), k.LogOdds(), k.Pull(2, 5), k.Settled())
		}
		got := make([]float32, 6)
		k.Write(q.WriterTo(got), stream.New(4))
		for j, theta := range q.Theta {
			sign := float32(math.Copysign(1, float64(theta)))
			ok := map[string]bool{"binary": math.Abs(float64(got[j])-math.Tanh(float64(theta))) < 1e-6, "real": got[j] == theta,
				"sampled": got[j] == 1 || got[j] == -1, "sign": got[j] == sign}[word]
			if !ok {
				t.Errorf("%s: theta %v is written as %v", word, theta, got[j])
			}
		}
		if word == "sampled" {
			draws, at := q.Sample(stream.New(4)), make([]float32, 6)
			spin.Values(at, transposed(draws))
			nearAll(t, "draws", got, at, 0)
		}
		signs, ship := q.Sign(), k.Ship(q, false, stream.New(5))
		values := Values(ship)
		for j, theta := range q.Theta {
			if want.real && values[j] != theta || !want.real && values[j] != float32(signs.At(j%2, j/2)) {
				t.Errorf("%s: theta %v is shipped as %v", word, theta, values[j])
			}
		}
		if !want.real {
			typical := k.Ship(q, true, stream.New(5))
			if !typical.(Signed).Signs().Equal(q.Typical(stream.New(5))) {
				t.Errorf("%s: typical synapses are others", word)
			}
			if ship.Bits() != 1 {
				t.Errorf("%s: %d bits", word, ship.Bits())
			}
		} else if ship.Bits() != 32 {
			t.Errorf("%s: %d bits", word, ship.Bits())
		}
	}
	if len(Kinds()) != 4 || KindOr(nil) != BinaryKind {
		t.Error("there are four kinds, and binary is that of none")
	}
	if _, err := KindOf("ternary"); err == nil || err.Error() != `synapses of the kind "ternary" are not known: they are binary, real, sampled or sign` {
		t.Errorf("a kind that is not known: %v", err)
	}
}
