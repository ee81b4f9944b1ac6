// Package dualtest holds engines and partition terms against enumeration: what any
// implementation of dual.Engine and dual.Partition must keep, as tests to call.
package dualtest

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"bethe/dual"
	"bethe/internal/contexttest"
	"bethe/rbm"
)

// A Shape is that of the networks that an engine is tried on. Fields and couplings
// are drawn from normal distributions.
type Shape struct {
	Visible, Hidden int
	Coupling, Field float64 // standard deviations
}

// Engine holds an engine against enumeration of the 2^(visible + hidden) states of a
// network of each shape. Moments, and ln Z where dual.GivesLnZ says that reports hold
// it, must agree to tolerance max(1, |value|): for an engine of chains, state five or
// more standard errors. It also holds the engine to what its interfaces promise:
//
//   - a context that ends, before the call or at any look at it, gives the
//     context's error, and the next call gives the bytes of an engine that knows nothing of it;
//   - an engine that keeps something between calls is a dual.Undoer, and Undo takes
//     back the last call;
//   - the state of a dual.Stateful engine is a copy. Other engines go on from it to
//     the same bytes, and refuse it for networks of another size;
//   - the bytes do not depend on the number of threads.
//
// Each call of engine returns a fresh engine, equal to the others.
func Engine[T rbm.Real](t *testing.T, engine func() dual.Engine[T], tolerance float64, shapes ...Shape) {
	t.Helper()
	if len(shapes) == 0 {
		t.Fatal("no shapes to try an engine on")
	}
	for k, shape := range shapes {
		first, second := shape.network(uint64(2*k)), shape.network(uint64(2*k+1))
		e := engineTest[T]{t, engine, shape, [2]*rbm.Network[T]{convert[T](first), convert[T](second)}}
		e.moments(first, tolerance)
		e.cancelled()
		e.undone()
		e.restored()
		sameBytes(t, "moments", func() []float64 { return e.calls(e.engine(), 0, 1, 0) })
	}
}

// given is how long work goes on before its context ends.
const given = 3 * time.Millisecond

// GivesUp has an engine work on a network of the shape given, which must be so large
// that it takes a tenth of a second or more, and ends its context meanwhile. The engine
// must give up within 0.1 s. A loaded machine gets several tries.
func GivesUp[T rbm.Real](t *testing.T, engine func() dual.Engine[T], shape Shape) {
	t.Helper()
	net := convert[T](shape.network(0))
	contexttest.GivesUp(t, "an engine", given, func(ctx context.Context) error {
		_, err := engine().Moments(ctx, rbm.NewMoments[T](shape.Visible, shape.Hidden), net)
		return err
	})
}

// engineTest is one engine on two networks of one shape.
type engineTest[T rbm.Real] struct {
	t      *testing.T
	engine func() dual.Engine[T]
	shape  Shape
	nets   [2]*rbm.Network[T]
}

// call returns all that a call tells: its moments and, where it gives it, ln Z.
func (e *engineTest[T]) call(ctx context.Context, engine dual.Engine[T], k int) ([]float64, error) {
	m := rbm.NewMoments[T](e.shape.Visible, e.shape.Hidden)
	for _, x := range [][]T{m.Visible, m.Hidden, m.Correlation} {
		for i := range x {
			x[i] = T(math.NaN()) // to be overwritten
		}
	}
	report, err := engine.Moments(ctx, m, e.nets[k])
	if err != nil {
		return nil, err
	}
	all := append(append(widen(m.Visible), widen(m.Hidden)...), widen(m.Correlation)...)
	if dual.GivesLnZ(engine) {
		all = append(all, report.LnZ)
	}
	return all, nil
}

// calls returns what calls on the networks of the given numbers tell, one after another.
func (e *engineTest[T]) calls(engine dual.Engine[T], nets ...int) (all []float64) {
	e.t.Helper()
	for _, k := range nets {
		x, err := e.call(context.Background(), engine, k)
		if err != nil {
			e.t.Fatalf("%+v: %v", e.shape, err)
		}
		all = append(all, x...)
	}
	return all
}

// moments holds the first call against enumeration.
func (e *engineTest[T]) moments(net *rbm.Network[float64], tolerance float64) {
	e.t.Helper()
	want, lnZ := enumerate(net)
	engine := e.engine()
	m := rbm.NewMoments[T](e.shape.Visible, e.shape.Hidden)
	report, err := engine.Moments(context.Background(), m, e.nets[0])
	if err != nil {
		e.t.Fatalf("%+v: %v", e.shape, err)
	}
	if report.Engine == "" {
		e.t.Error("a report does not name the engine")
	}
	near(e.t, e.shape, "<s>", widen(m.Visible), want.Visible, tolerance)
	near(e.t, e.shape, "<h>", widen(m.Hidden), want.Hidden, tolerance)
	near(e.t, e.shape, "<s h>", widen(m.Correlation), want.Correlation, tolerance)
	if dual.GivesLnZ(engine) {
		near(e.t, e.shape, "ln Z", []float64{report.LnZ}, []float64{lnZ}, tolerance)
	}
}

// cancelled ends the context before a second call, and at its first, second, fourth ...
// look at the context, until the call is done before that.
func (e *engineTest[T]) cancelled() {
	e.t.Helper()
	want := e.calls(e.engine(), 0, 1)
	for looks := 0; ; looks = max(1, 2*looks) {
		engine := e.engine()
		first := e.calls(engine, 0)
		_, err := e.call(contexttest.EndAt(looks), engine, 1)
		if err == nil && looks > 0 {
			return
		}
		if !errors.Is(err, context.Canceled) {
			e.t.Errorf("%+v: a context that ended at look %d gave the error %v", e.shape, looks, err)
			return
		}
		same(e.t, "a call after one that gave up", append(first, e.calls(engine, 1)...), want)
	}
}

// undone takes back a call.
func (e *engineTest[T]) undone() {
	e.t.Helper()
	engine := e.engine()
	dual.Undo(engine) // of no call
	got := e.calls(engine, 0)
	if _, ok := engine.(dual.Undoer); !ok {
		same(e.t, "calls of an engine without Undo, which must keep nothing between them,", append(e.calls(engine, 1), e.calls(engine, 0)...), append(e.calls(e.engine(), 1), got...))
		return
	}
	e.calls(engine, 1)
	dual.Undo(engine)
	same(e.t, "calls after Undo", append(got, e.calls(engine, 0, 1)...), e.calls(e.engine(), 0, 0, 1))
	engine = e.engine()
	e.calls(engine, 1)
	dual.Undo(engine)
	same(e.t, "calls after Undo of the first", e.calls(engine, 0, 1), e.calls(e.engine(), 0, 1))
}

// restored has other engines go on from a state.
func (e *engineTest[T]) restored() {
	e.t.Helper()
	engine := e.engine()
	keeper, ok := engine.(dual.Stateful)
	if !ok {
		return
	}
	restored(e.t, keeper, func() dual.Stateful { return e.engine().(dual.Stateful) }, e.shape.Visible, e.shape.Hidden,
		func(s dual.Stateful, k int) []float64 { return e.calls(s.(dual.Engine[T]), k) })
}

// restored takes the state of a fresh engine or term before its first call and after
// some, and has others go on.
func restored(t *testing.T, keeper dual.Stateful, fresh func() dual.Stateful, visible, hidden int, call func(s dual.Stateful, k int) []float64) {
	t.Helper()
	for _, before := range [][]int{{}, {0, 1}} {
		for _, k := range before {
			call(keeper, k)
		}
		state := keeper.State()
		want := append(call(keeper, 1), call(keeper, 0)...) // leaves the state as it is
		for range 2 {
			other := fresh()
			call(other, 0) // is forgotten
			if err := other.Restore(visible, hidden, state); err != nil {
				t.Errorf("a state is not taken back: %v", err)
				return
			}
			same(t, "calls after Restore", append(call(other, 1), call(other, 0)...), want)
		}
		if state.States == nil && state.Numbers == nil {
			continue // nothing that has a size
		}
		if err := fresh().Restore(visible, hidden+1, state); err == nil {
			t.Error("a state of other numbers of units is taken without an error")
		}
	}
}

// network draws a network of the shape.
func (s Shape) network(seed uint64) *rbm.Network[float64] {
	rng := rand.New(rand.NewPCG(seed, 1))
	net := rbm.NewNetwork[float64](s.Visible, s.Hidden)
	net.Constant = 0.3
	for k := range net.Coupling {
		net.Coupling[k] = s.Coupling * rng.NormFloat64()
	}
	for _, f := range [][]float64{net.VisibleField, net.HiddenField} {
		for k := range f {
			f[k] = s.Field * rng.NormFloat64()
		}
	}
	return net
}
