package spin

import (
	"math/rand/v2"
	"testing"
)

// TestBytes: bytes set what Set does, element by element, and come out again.
func TestBytes(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, shape := range [][3]int{{1, 1, 0}, {7, 5, 2}, {30, 17, 0}, {31, 40, 3}, {64, 1, 1}, {784, 133, 16}, {90, 0, 0}} {
		rows, count, first := shape[0], shape[1], shape[2]
		x := make([]byte, rows*count)
		for k := range x {
			x[k] = byte(rng.IntN(2))
		}
		m := Random(rows, first+count+2, rng)
		want := m.Clone()
		for k := range count {
			for i := range rows {
				want.Set(i, first+k, int8(2*int(x[k*rows+i])-1))
			}
		}
		if wrong := m.SetBytes(first, x); wrong != -1 || !m.Equal(want) {
			t.Errorf("%v: SetBytes returned %d, equal to Set: %v", shape, wrong, m.Equal(want))
		}
		back := make([]byte, len(x))
		m.Bytes(first, back)
		if string(back) != string(x) {
			t.Errorf("%v: other bytes come out than went in", shape)
		}
	}
}

// TestBytesWrong: a byte that is neither 0 nor 1 is found, wherever it is and whatever
// bit makes it so.
func TestBytesWrong(t *testing.T) {
	const rows, count = 45, 33
	m := New(rows, count)
	for k := range rows * count {
		x := make([]byte, rows*count)
		x[k] = 1 << (1 + k%7)
		if wrong := m.SetBytes(0, x); wrong != k {
			t.Fatalf("the wrong byte %d is said to be %d", k, wrong)
		}
	}
}

func TestBytesPanics(t *testing.T) {
	m := New(4, 2)
	for name, call := range map[string]func(){
		"half a column": func() { m.SetBytes(0, make([]byte, 6)) },
		"too many":      func() { m.SetBytes(1, make([]byte, 8)) },
		"before":        func() { m.Bytes(-1, make([]byte, 4)) },
		"of no rows":    func() { New(0, 3).Bytes(0, make([]byte, 1)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			call()
		}()
	}
}

func BenchmarkSetBytes(b *testing.B) {
	x := make([]byte, 60000*784)
	for k := range x {
		x[k] = byte(k>>3) & 1
	}
	m := New(784, 60000)
	b.SetBytes(int64(len(x)))
	for b.Loop() {
		m.SetBytes(0, x)
	}
}
