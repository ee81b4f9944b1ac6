package sampletest

import (
	"reflect"
	"slices"
	"testing"

	"bethe/stream"
	"bethe/units"
)

// States holds a type to the contract of units.States. s are any states of at least
// two units in at least eight columns that differ.
func States[S units.States[S]](t *testing.T, s S) {
	t.Helper()
	n, m := s.Units(), s.Len()
	if n < 2 || m < 8 {
		t.Fatalf("states of %d units in %d columns: at least 2 and 8 are needed", n, m)
	}
	hash := s.Hash()
	column := func(x S, l int) uint64 {
		one := x.Blank(1)
		x.Gather(one, []int{l})
		return one.Hash()
	}
	columns := func(x S) []uint64 {
		list := make([]uint64, x.Len())
		for l := range list {
			list[l] = column(x, l)
		}
		return list
	}
	was := columns(s)
	if slices.Sort(slices.Clone(was)); len(slices.Compact(slices.Sorted(slices.Values(was)))) < 4 {
		t.Fatal("fewer than four columns differ: too few to tell")
	}
	same := func(what string, got, want []uint64) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: other columns than expected", what)
		}
	}

	blank := s.Blank(3)
	if blank.Units() != n || blank.Len() != 3 || s.Blank(0).Len() != 0 {
		t.Errorf("Blank(3) has %d units in %d columns, not %d in 3", blank.Units(), blank.Len(), n)
	}
	clone := s.Clone()
	if clone.Units() != n || clone.Len() != m || clone.Hash() != hash {
		t.Error("Clone: other states")
	}

	// Columns move as they are named.
	take := []int{m - 1, 0, 3, 3}
	some := s.Blank(len(take))
	s.Gather(some, take)
	same("Gather", columns(some), pick(was, take))
	put := []int{2, m - 1, 1, 4}
	clone.Put(some, put)
	want := slices.Clone(was)
	for k, l := range put {
		want[l] = was[take[k]]
	}
	same("Put", columns(clone), want)
	if s.Hash() != hash {
		t.Fatal("a change of the clone changes the states")
	}
	if want := columns(clone); !slices.Equal(want, was) && clone.Hash() == hash {
		t.Error("Hash: the same of other states")
	}

	// An exchange of all columns but two, twice, is none; once, it is that of both.
	other := units.Choose(s, m, stream.New(1).Rand())
	theirs := columns(other)
	mine, named := s.Clone(), seq(m)[1:m-1]
	mine.Swap(other, named)
	wantMine, wantOther := slices.Clone(was), slices.Clone(theirs)
	for _, l := range named {
		wantMine[l], wantOther[l] = theirs[l], was[l]
	}
	same("Swap", columns(mine), wantMine)
	same("the other side of Swap", columns(other), wantOther)
	mine.Swap(other, named)
	same("Swap back", columns(mine), was)

	same("Swap back on the other side", columns(other), theirs)

	// One unit from another side is the same as all others from this one.
	yours := other.Clone()
	mine.CopyUnits(other, []int{0})
	yours.CopyUnits(s, seq(n)[1:])
	same("CopyUnits of one unit and of all others", columns(mine), columns(yours))
	mine.CopyUnits(other, seq(n)[1:])
	same("CopyUnits of all units", columns(mine), theirs)

	stored(t, s, other)
	chosen(t, s, was, column)
}

// stored holds Store and Load.
func stored[S units.States[S]](t *testing.T, s, other S) {
	t.Helper()
	n, m, hash := s.Units(), s.Len(), s.Hash()
	store := s.Store()
	if !slices.Equal(store.Shape, []int{n, m}) {
		t.Errorf("Store has shape %v, not %d x %d", store.Shape, n, m)
	}
	if length := reflect.ValueOf(store.Data).Len(); length%max(1, n*m) != 0 || length == 0 {
		t.Errorf("Store has %d elements of %d units in %d columns", length, n, m)
	}
	loaded := s.Blank(m)
	if err := loaded.Load(store); err != nil || loaded.Hash() != hash {
		t.Errorf("Load of what Store returned: other states, error %v", err)
	}
	changing := s.Clone()
	kept := changing.Store()
	changing.CopyUnits(other, seq(n))
	again := s.Blank(m)
	if err := again.Load(kept); err != nil || again.Hash() != hash {
		t.Errorf("what Store returned changes with the states (error %v)", err)
	}
	loaded.CopyUnits(other, seq(n))
	if err := again.Load(store); err != nil || again.Hash() != hash {
		t.Errorf("what Load was given changes with the states (error %v)", err)
	}
	for what, bad := range map[string]units.Stored{
		"nothing":                {Shape: []int{n, m}},
		"another type":           {Shape: []int{n, m}, Data: make([]string, n*m)},
		"a transposed shape":     {Shape: []int{m, n}, Data: store.Data},
		"one dimension":          {Shape: []int{n * m}, Data: store.Data},
		"another number of them": s.Blank(m + 1).Store(),
	} {
		if n == m && what == "a transposed shape" {
			continue // which is the same
		}
		if err := again.Load(bad); err == nil {
			t.Errorf("Load of %s: no error", what)
		} else if again.Hash() != hash {
			t.Errorf("Load of %s changes the states", what)
		}
	}
}

// chosen holds units.Choose.
func chosen[S units.States[S]](t *testing.T, s S, was []uint64, column func(S, int) uint64) {
	t.Helper()
	m := s.Len()
	counts := map[uint64]int{}
	x := units.Choose(s, 2*m, stream.New(2).Rand())
	for l := range x.Len() {
		counts[column(x, l)]++
	}
	for _, h := range was {
		counts[h] -= 2
	}
	for _, c := range counts {
		if c != 0 {
			t.Fatal("twice as many columns as there are, chosen, are not each twice")
		}
	}
}

func pick(list []uint64, which []int) []uint64 {
	out := make([]uint64, len(which))
	for k, l := range which {
		out[k] = list[l]
	}
	return out
}

// seq returns 0 ... n-1.
func seq(n int) []int {
	list := make([]int, n)
	for k := range list {
		list[k] = k
	}
	return list
}
