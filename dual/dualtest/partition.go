package dualtest

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"bethe/dual"
	"bethe/internal/contexttest"
	"bethe/rbm"
	"bethe/units"
)

// A Machine is a form of machine that a partition term serves, and how it is drawn.
type Machine struct {
	Form dual.Form
	// Offsets are drawn between ± these; 0 for a term that has no form with offsets.
	VisibleOffset, HiddenOffset float64
	Own                         int // parameters that only the kind of visible units has, of each of them
	Links                       int // 1, or 2 for a term that serves machines of several links too
}

// Partition holds a partition term that gives ln Z (dual.GivesLnZ) against itself: the
// derivatives by all posterior means, fields, couplings and own parameters must agree
// with differences of the term to tolerance max(1, |value|). Machines are all the forms
// that the term serves, and Serves must refuse all others. The term is also held to what
// its interfaces promise, as Engine holds an engine.
//
// Each call of term returns a fresh term, equal to the others. If a term draws
// something, fresh terms draw the same.
func Partition(t *testing.T, term func() dual.Partition[float64], tolerance float64, machines ...Machine) {
	t.Helper()
	PartitionLike(t, term, ValueOf(t, term), tolerance, machines...)
}

// A Value is what a partition term stands for: a function of the parameters and the
// posterior means, hidden x visible.
type Value func(params *rbm.Params, mean []float64) float64

// ValueOf returns the value that a fresh term gives (dual.GivesLnZ).
func ValueOf(t *testing.T, term func() dual.Partition[float64]) Value {
	t.Helper()
	if !dual.GivesLnZ(term()) {
		t.Fatal("a term that gives no ln Z has no value to be held against")
	}
	return func(params *rbm.Params, mean []float64) float64 {
		_, report, err := term().Rows(context.Background(), dual.NewGradient[float64](params), params, mean)
		if err != nil {
			t.Fatal(err)
		}
		return report.LnZ
	}
}

// MeanZ is the Value ln E_q Z of spins, from its definition: the sum over all synapses
// and states.
func MeanZ(params *rbm.Params, mean []float64) float64 {
	n, p := params.Visible(), params.Hidden()
	net := rbm.NewNetwork[float64](n, p)
	synapses, terms := make([]float64, n*p), make([]float64, 1<<(n*p))
	for xi, lnZ := range terms {
		for k, lambda := range mean {
			synapses[k] = spinOf(xi, k)
			lnZ += math.Log((1 + lambda*synapses[k]) / 2)
		}
		net.SetWeights(params, synapses)
		terms[xi] = lnZ + rbm.LogSumExp(lnWeights(net))
	}
	return rbm.LogSumExp(terms)
}

// PartitionLike is Partition with another value in the place of the term's own: its
// derivatives are held against differences of that value, and its ln Z, if it gives one,
// against the value.
func PartitionLike(t *testing.T, term func() dual.Partition[float64], value Value, tolerance float64, machines ...Machine) {
	t.Helper()
	if len(machines) == 0 {
		t.Fatal("no machines to try a term on")
	}
	serves(t, term(), machines)
	for k, machine := range machines {
		alike := func(m Machine) bool {
			m.Form.Synapses = machine.Form.Synapses
			return m == machine
		}
		if slices.ContainsFunc(machines[:k], alike) {
			continue // Rows is not told the kind of synapses
		}
		for _, shape := range [][2]int{{3, 2}, {2, 4}} {
			c := termTest{t, term, machine, [2]*drawn{machine.draw(shape, uint64(2*k)), machine.draw(shape, uint64(2*k+1))}}
			c.derivatives(value, tolerance)
			c.cancelled()
			c.undone()
			sameBytes(t, "a term", func() []float64 { return c.calls(c.term(), 0, 1) })
			if keeper, ok := term().(dual.Stateful); ok {
				restored(t, keeper, func() dual.Stateful { return term().(dual.Stateful) }, shape[0], shape[1],
					func(s dual.Stateful, k int) []float64 { return c.calls(s.(dual.Partition[float64]), k) })
			}
		}
	}
}

// TermGivesUp is GivesUp of a partition term, on machines of the form and the numbers
// of units given.
func TermGivesUp(t *testing.T, term func() dual.Partition[float64], machine Machine, visible, hidden int) {
	t.Helper()
	d := machine.draw([2]int{visible, hidden}, 0)
	contexttest.GivesUp(t, "a partition term", given, func(ctx context.Context) error {
		_, _, err := term().Rows(ctx, dual.NewGradient[float64](&d.params), &d.params, d.mean)
		return err
	})
}

// serves tries all combinations of known kinds of synapses and units.
func serves(t *testing.T, term dual.Partition[float64], machines []Machine) {
	t.Helper()
	words := []string{units.Spin, units.Gauss, "another"}
	for _, m := range machines {
		words = append(words, m.Form.Visible, m.Form.Hidden)
	}
	for _, kind := range rbm.Kinds() {
		for _, visible := range words {
			for _, hidden := range words {
				form, served := dual.Form{Synapses: kind, Visible: visible, Hidden: hidden}, false
				for _, m := range machines {
					served = served || m.Form == form
				}
				switch err := term.Serves(form); {
				case served && err != nil:
					t.Errorf("%v: %v", form, err)
				case !served && !errors.Is(err, dual.ErrNotServed):
					t.Errorf("%v, which is not among the machines, is answered by %v and not by dual.ErrNotServed", form, err)
				}
			}
		}
	}
}

// drawn are parameters and posterior means.
type drawn struct {
	params rbm.Params
	mean   []float64
}

// draw draws a machine with all that the term serves.
func (m Machine) draw(shape [2]int, seed uint64) *drawn {
	rng := rand.New(rand.NewPCG(seed, 2))
	n, p := shape[0], shape[1]
	d := &drawn{rbm.NewParams(n, p, 0.6/math.Sqrt(float64(n))), make([]float64, n*p)}
	if m.Links > 1 {
		d.params.Links = []rbm.Link{
			{Coupling: 0.3, Visible: rbm.Range{From: 0, To: n - 1}, Hidden: rbm.Range{From: 0, To: p}},
			{Coupling: 0.5, Visible: rbm.Range{From: n - 1, To: n}, Hidden: rbm.Range{From: 0, To: p - 1}},
		}
	}
	d.params.VisibleKind, _ = units.ParseKind(m.Form.Visible) // others are known to the term alone
	d.params.HiddenKind, _ = units.ParseKind(m.Form.Hidden)
	d.params.VisibleOwn = make([]float64, n*m.Own)
	for _, f := range [][]float64{d.params.VisibleField, d.params.HiddenField, d.params.VisibleOwn} {
		for k := range f {
			f[k] = 0.4 * rng.NormFloat64()
		}
	}
	for k := range d.params.VisibleOffset {
		d.params.VisibleOffset[k] = m.VisibleOffset * (2*rng.Float64() - 1)
	}
	for k := range d.params.HiddenOffset {
		d.params.HiddenOffset[k] = m.HiddenOffset * (2*rng.Float64() - 1)
	}
	for k := range d.mean {
		d.mean[k] = math.Tanh(0.9 * rng.NormFloat64())
	}
	return d
}

// termTest is one term on two machines of one form.
type termTest struct {
	t        *testing.T
	term     func() dual.Partition[float64]
	machine  Machine
	machines [2]*drawn
}

// call returns all that a call tells.
func (c *termTest) call(ctx context.Context, term dual.Partition[float64], k int) (*dual.Gradient[float64], dual.Report, error) {
	d := c.machines[k]
	grad := dual.NewGradient[float64](&d.params)
	for _, x := range [][]float64{grad.Synapse, grad.VisibleField, grad.HiddenField, grad.Coupling, grad.VisibleOwn} {
		for i := range x {
			x[i] = math.NaN() // to be overwritten
		}
	}
	report, err := dual.Term(ctx, term, grad, &d.params, d.mean)
	return grad, report, err
}

func (c *termTest) calls(term dual.Partition[float64], machines ...int) (all []float64) {
	c.t.Helper()
	for _, k := range machines {
		grad, report, err := c.call(context.Background(), term, k)
		if err != nil {
			c.t.Fatalf("%+v: %v", c.machine, err)
		}
		for _, x := range [][]float64{grad.Synapse, grad.VisibleField, grad.HiddenField, grad.Coupling, grad.VisibleOwn} {
			all = append(all, x...)
		}
		if dual.GivesLnZ(term) {
			all = append(all, report.LnZ)
		}
	}
	return all
}

// derivatives holds the gradient against differences of a value.
func (c *termTest) derivatives(value Value, tolerance float64) {
	c.t.Helper()
	d := c.machines[0]
	lnZ := func() float64 { return value(&d.params, d.mean) }
	term := c.term()
	grad, report, err := c.call(context.Background(), term, 0)
	if err != nil {
		c.t.Fatalf("%+v: %v", c.machine, err)
	}
	if dual.GivesLnZ(term) {
		near(c.t, c.machine, "ln Z", []float64{report.LnZ}, []float64{lnZ()}, tolerance)
	}
	by := func(x *float64) float64 {
		const e = 2e-3
		at := *x
		defer func() { *x = at }()
		sum := 0.0
		for _, s := range [][2]float64{{1, 8}, {-1, -8}, {2, -1}, {-2, 1}} { // error e^4/30 of the fifth derivative
			*x = at + s[0]*e
			sum += s[1] * lnZ()
		}
		return sum / (12 * e)
	}
	couplings := make([]float64, len(d.params.Links))
	for k := range couplings {
		couplings[k] = by(&d.params.Links[k].Coupling)
	}
	near(c.t, c.machine, "derivative by the coupling of link", grad.Coupling, couplings, tolerance)
	for _, x := range []struct {
		by        string
		got, what []float64
	}{
		{"posterior mean", grad.Synapse, d.mean}, {"visible field", grad.VisibleField, d.params.VisibleField},
		{"hidden field", grad.HiddenField, d.params.HiddenField}, {"own parameter", grad.VisibleOwn, d.params.VisibleOwn},
	} {
		want := make([]float64, len(x.what))
		for k := range want {
			want[k] = by(&x.what[k])
		}
		near(c.t, c.machine, "derivative by "+x.by, x.got, want, tolerance)
	}
}

// cancelled ends the context at looks further and further on, until the term is done before.
func (c *termTest) cancelled() {
	c.t.Helper()
	want := c.calls(c.term(), 0, 1)
	for looks := 0; ; looks = max(1, 2*looks) {
		term := c.term()
		first := c.calls(term, 0)
		_, _, err := c.call(contexttest.EndAt(looks), term, 1)
		if err == nil && looks > 0 {
			return
		}
		if !errors.Is(err, context.Canceled) {
			c.t.Errorf("%+v: a context that ended at look %d gave the error %v", c.machine, looks, err)
			return
		}
		same(c.t, "a call after one that gave up", append(first, c.calls(term, 1)...), want)
	}
}

// undone takes back a call. A term without Undo must keep nothing.
func (c *termTest) undone() {
	c.t.Helper()
	term := c.term()
	dual.Undo(term) // of no call
	got := c.calls(term, 0, 1)
	dual.Undo(term)
	same(c.t, "calls after Undo", append(got, c.calls(term, 0, 1)...), c.undoneTwin())
}

// undoneTwin returns what calls 0, 1, undone, 0, 1 of a term tell.
func (c *termTest) undoneTwin() []float64 {
	whole, twin := c.calls(c.term(), 0, 1), c.calls(c.term(), 0, 0, 1)
	return append(whole, twin[len(whole)/2:]...)
}
