package mnist

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"bethe/dataset"
	"bethe/spin"
)

// The sums below were taken from the four files of the database with numpy,
// x being the pictures as an array of shape (samples, 784) and y the labels:
//
//	hashlib.sha256((x > 127).astype("uint8").tobytes())
//	hashlib.sha256(y.tobytes())
//	numpy.bincount(y)
//	(x > 127).sum(), (x > 127)[0].sum(), (x > 127)[-1].sum(), (x > 127)[:, i].sum()
var parts = []struct {
	name             string
	get              func() *dataset.Set
	samples          int
	pictures, labels string
	classes          []int
	pixels           int
	first, last      int
	at               map[int]int
}{
	{
		"mnist:train", Train, 60000,
		"210ad1bf32cee090abde584506d2888ffc9b75ce3db0857e1a6251cbcc4c2d50",
		"1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
		[]int{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949},
		6221431, 111, 82,
		map[int]int{0: 0, 210: 32060, 406: 31170, 407: 33785, 600: 29410},
	},
	{
		"mnist:test", Test, 10000,
		"89ba780dee8bae72a6e99d565e97bc93a9069e969c7ec81008f4a5cdf9e778a7",
		"ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
		[]int{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009},
		1052359, 71, 165,
		map[int]int{0: 0, 210: 5452, 406: 5308, 407: 5749, 600: 4973},
	},
}

func TestSums(t *testing.T) {
	for _, p := range parts {
		t.Run(p.name, func(t *testing.T) {
			set := p.get()
			if set != p.get() {
				t.Error("a second call returns another set")
			}
			if set.Name != p.name || set.Len() != p.samples || set.Visible() != 784 || set.Width != 28 || set.Height != 28 {
				t.Fatalf("%q: %d samples of %d spins, pictures of %d x %d", set.Name, set.Len(), set.Visible(), set.Width, set.Height)
			}
			if s := set.Source; s.Threshold == nil || *s.Threshold != 127 {
				t.Errorf("source %+v", s)
			}
			byLabel := make([]byte, p.samples)
			classes := make([]int, 10)
			for a, label := range set.Labels {
				byLabel[a] = byte(label)
				classes[label]++
			}
			if got := sum(byLabel); got != p.labels {
				t.Errorf("labels have SHA-256 %s", got)
			}
			if !slices.Equal(classes, p.classes) {
				t.Errorf("%v samples of each digit", classes)
			}
			bits := bitsOf(set.Samples)
			if got := sum(bits); got != p.pictures {
				t.Errorf("pictures have SHA-256 %s", got)
			}
			if got := count(bits); got != p.pixels {
				t.Errorf("%d pixels are +1", got)
			}
			if first, last := count(bits[:784]), count(bits[len(bits)-784:]); first != p.first || last != p.last {
				t.Errorf("%d and %d pixels are +1 in the first and last picture", first, last)
			}
			rows := make([]int, 784)
			set.Samples.RowSums(rows)
			for i, want := range p.at {
				if got := (rows[i] + p.samples) / 2; got != want {
					t.Errorf("pixel %d is +1 in %d pictures, not %d", i, got, want)
				}
			}
		})
	}
}

// bitsOf returns the samples one after another, a byte 0 or 1 per pixel.
func bitsOf(m *spin.Matrix) []byte {
	t := spin.New(m.Cols(), m.Rows())
	m.Transpose(t)
	signs := make([]int8, m.Rows()*m.Cols())
	spin.Values(signs, t)
	bits := make([]byte, len(signs))
	for k, s := range signs {
		bits[k] = byte(s+1) / 2
	}
	return bits
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

func count(bits []byte) int {
	n := 0
	for _, b := range bits {
		n += int(b)
	}
	return n
}

func TestDamagePanics(t *testing.T) {
	defer func() {
		if s, _ := recover().(string); !strings.Contains(s, "the embedded mnist:test is damaged") {
			t.Errorf("panic %q", s)
		}
	}()
	load("mnist:test", testTiles[:1000], 10000)
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		load("mnist:train", trainTiles, 60000)
		load("mnist:test", testTiles, 10000)
	}
}
