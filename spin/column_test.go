package spin

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func TestSetColumn(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for rows := range 130 {
		m := Random(rows, 3, rng)
		want := m.Clone()
		packed := make([]byte, (rows+7)/8)
		for k := range packed {
			packed[k] = byte(rng.Uint32()) // the bits past the last row too
		}
		for i := range rows {
			want.Set(i, 1, int8(packed[i/8]>>(i%8)&1))
		}
		m.SetColumn(1, packed)
		if !m.Equal(want) {
			t.Fatalf("%d rows: SetColumn differs from Set", rows)
		}
	}
}

func TestSetColumnPanics(t *testing.T) {
	for _, c := range []struct {
		name, want string
		j, n       int
	}{
		{"column too large", "column 3 of a 9 x 3", 3, 2},
		{"column negative", "column -1 of a 9 x 3", -1, 2},
		{"too few bytes", "1 bytes, not 2", 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer func() {
				if s, _ := recover().(string); !strings.Contains(s, c.want) {
					t.Errorf("panic %q does not say %q", s, c.want)
				}
			}()
			New(9, 3).SetColumn(c.j, make([]byte, c.n))
		})
	}
}

func BenchmarkSetColumn(b *testing.B) {
	m := New(784, 4096)
	packed := make([]byte, 98)
	b.SetBytes(98)
	for k := range b.N {
		m.SetColumn(k%4096, packed)
	}
}
