package rbm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bethe/internal/npy"
	"bethe/spin"
)

// randomChain returns a chain of layers of the given sizes with everything it can have,
// whose links are those of kind: binary, learned, with a prior, or real.
func randomChain(kind string, sizes Folding, rng *rand.Rand) *Chain {
	c := &Chain{}
	for _, n := range sizes {
		layer := Layer{make([]float64, n), make([]float64, n)}
		for i := range n {
			layer.Field[i], layer.Offset[i] = 0.4*rng.NormFloat64(), 0.6*math.Tanh(rng.NormFloat64())
		}
		c.Layers = append(c.Layers, layer)
	}
	for l := range sizes.Depth() {
		n, p := sizes[l], sizes[l+1]
		q := NewPosterior[float32](n, p)
		for k := range q.Theta {
			q.Theta[k] = float32(rng.NormFloat64())
		}
		link := Between{Coupling: 0.2 + 0.3*rng.Float64()}
		switch kind {
		case "binary":
			link.Synapses = Binary(q.Sign())
		case "real":
			link.Synapses = RealValued(n, p, q.Theta)
		case "prior":
			q.PriorTheta = make([]float32, n*p)
			for k := range q.PriorTheta {
				q.PriorTheta[k] = float32(rng.NormFloat64())
			}
			fallthrough
		case "learned":
			link.Synapses = Learned(q.Sign(), q)
		}
		c.Links = append(c.Links, link)
	}
	return c
}

// lnWeight is the definition of a chain.
func (c *Chain) lnWeight(x [][]float64) (sum float64) {
	for l, layer := range c.Layers {
		sum += dot(layer.Field, x[l])
	}
	for l, link := range c.Links {
		n := len(x[l])
		w := Values(link.Synapses) // upper x lower
		for j, y := range x[l+1] {
			for i, v := range x[l] {
				sum += link.Coupling * (v - c.Layers[l].Offset[i]) * float64(w[j*n+i]) * (y - c.Layers[l+1].Offset[j])
			}
		}
	}
	return sum
}

// chainLnZ sums the weights of all states of a chain whose data layer is held at v, unless
// that is nil.
func chainLnZ(c *Chain, v []float64) float64 {
	total := 0
	for _, layer := range c.Layers {
		total += len(layer.Field)
	}
	var weights []float64
	for k := range 1 << total {
		s, x := state(k, total), [][]float64{}
		for _, layer := range c.Layers {
			x, s = append(x, s[:len(layer.Field)]), s[len(layer.Field):]
		}
		if v == nil || slices.Equal(x[0], v) {
			weights = append(weights, c.lnWeight(x))
		}
	}
	return lnSum(weights)
}

var chains = []Folding{{3, 2}, {3, 2, 2}, {2, 3, 1, 2}, {2, 1, 2, 2, 3}, {1, 2, 1, 2, 1, 2}}

func TestChainFolds(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, sizes := range chains {
		for _, kind := range []string{"binary", "learned", "prior", "real"} {
			c := randomChain(kind, sizes, rng)
			m, err := c.Fold()
			if err != nil {
				t.Fatal(err)
			}
			what := fmt.Sprintf("%v %s", sizes, kind)
			if f := m.Layers(); !slices.Equal(f, sizes) || f.Visible() != m.Visible() || f.Hidden() != m.Hidden() || m.Deep() != (len(sizes) > 2) {
				t.Errorf("%s folds into layers %v of %d x %d", what, f, m.Visible(), m.Hidden())
			}
			lnz, err := m.LnZ(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			near(t, what+" ln Z", lnz, chainLnZ(c, nil), 1e-9)
			v := state(1, sizes[0])
			weight, err := m.SampleLogWeight(t.Context(), v)
			if err != nil {
				t.Fatal(err)
			}
			near(t, what+" ln Z~", weight, chainLnZ(c, v), 1e-9)
			again := Unfold(m)
			for l, layer := range again.Layers {
				if !slices.Equal(layer.Field, c.Layers[l].Field) || !slices.Equal(layer.Offset, c.Layers[l].Offset) {
					t.Errorf("%s: layer %d is another one", what, l)
				}
			}
			for l, link := range again.Links {
				is := c.Links[l]
				if link.Coupling != is.Coupling || !slices.Equal(Values(link.Synapses), Values(is.Synapses)) || !slices.Equal(Expected(link.Synapses), Expected(is.Synapses)) {
					t.Errorf("%s: link %d is another one", what, l)
				}
				_, before := is.Synapses.(Uncertain)
				if u, after := link.Synapses.(Uncertain); before != after || after && !slices.Equal(u.Posterior().PriorTheta, is.Synapses.(Uncertain).Posterior().PriorTheta) {
					t.Errorf("%s: what is known of link %d is not what was", what, l)
				}
			}
		}
	}
}

func TestBelow(t *testing.T) {
	c := randomChain("learned", Folding{4, 3, 2}, rand.New(rand.NewPCG(4, 4)))
	m, err := c.Fold()
	if err != nil {
		t.Fatal(err)
	}
	b := m.Below()
	if b.Visible() != 4 || b.Hidden() != 3 || b.Coupling() != c.Links[0].Coupling || !slices.Equal(b.HiddenOffset, c.Layers[1].Offset) || !slices.Equal(Values(b.Synapses), Values(c.Links[0].Synapses)) {
		t.Errorf("%+v", b)
	}
	if b.Below() != b {
		t.Error("a machine of two layers has another one below")
	}
}

func TestFoldingOfOthers(t *testing.T) {
	p := Folding{3, 2, 2}.NewParams([]float64{1, 1})
	if f, ok := p.Folding(); !ok || !slices.Equal(f, Folding{3, 2, 2}) {
		t.Errorf("%v, %v", f, ok)
	}
	p.Links[1].Visible.From++
	if _, ok := p.Folding(); ok {
		t.Error("a gap between layers")
	}
	p.Links[1] = Link{1, Range{3, 5}, Range{0, 1}}
	if _, ok := p.Folding(); ok {
		t.Error("a link with half of a layer")
	}
	wantPanic(t, "rbm: links that are not those of layers", func() { p.Layers() })
	wantPanic(t, "rbm: the couplings of a folding are not one a link", func() { Folding{3, 2}.NewParams(nil) })
}

func TestChainValidate(t *testing.T) {
	for want, change := range map[string]func(c *Chain){
		"a chain of 1 layers and 2 links":                     func(c *Chain) { c.Layers = c.Layers[:1] },
		"layer 1 has 0 fields and 2 offsets":                  func(c *Chain) { c.Layers[1].Field = nil },
		"link 1 has 2 x 2 synapses between layers of 2 and 1": func(c *Chain) { c.Layers[2] = Layer{[]float64{0}, []float64{0}} },
		"coupling of link 1 is 0":                             func(c *Chain) { c.Links[1].Coupling = 0 },
		"hidden_offset[0] is 2":                               func(c *Chain) { c.Layers[1].Offset[0] = 2 },
	} {
		c := randomChain("binary", Folding{3, 2, 2}, rand.New(rand.NewPCG(1, 1)))
		change(c)
		if _, err := c.Fold(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}

// deepFile is a file of a machine of three hidden layers.
func deepFile(t testing.TB, kind string) *File {
	t.Helper()
	m, err := randomChain(kind, Folding{4, 2, 3, 2}, rand.New(rand.NewPCG(7, 7))).Fold()
	if err != nil {
		t.Fatal(err)
	}
	return &File{Params: m.Params, Synapses: m.Synapses, Info: Info{Program: "bethe test", Seed: 3, Width: 2, Height: 2}}
}

func TestDeepFile(t *testing.T) {
	for kind, names := range map[string]string{
		"binary": "posterior_mean_1 posterior_mean_2 posterior_mean_3 synapses_1 synapses_2 synapses_3",
		"prior":  "posterior_mean_1 posterior_mean_2 posterior_mean_3 prior_mean_1 prior_mean_2 prior_mean_3 synapses_1 synapses_2 synapses_3",
		"real":   "weights_1 weights_2 weights_3",
	} {
		f := deepFile(t, kind)
		path := save(t, f)
		a, err := npy.ReadArchive(path, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := strings.Join(a.Names(), " "), "coupling field_0 field_1 field_2 field_3 meta.json offset_0 offset_1 offset_2 offset_3 "+names; got != sorted(want) {
			t.Errorf("%s: arrays %s", kind, got)
		}
		if kind != "real" {
			signs, err := npy.Get[int8](a, "synapses_2", 2, 3)
			is := Unfold(f.Machine()).Links[1].Synapses.(Signed).Signs()
			if err != nil || signs[1*3+2] != is.At(1, 2) {
				t.Errorf("%s: synapses_2 %v: %v", kind, signs, err)
			}
		}
		g, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(g.Info.Layers, []int{4, 2, 3, 2}) || g.Info.Format != DeepFormat || !slices.Equal(g.Couplings(), f.Couplings()) || !slices.Equal(g.VisibleField, f.VisibleField) ||
			!slices.Equal(Values(g.Synapses), Values(f.Synapses)) {
			t.Errorf("%s: read %+v", kind, g)
		}
		again := filepath.Join(t.TempDir(), "again.npz")
		if err := g.Save(again); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(read(t, path), read(t, again)) {
			t.Errorf("%s: another file", kind)
		}
	}
}

func sorted(words string) string {
	list := strings.Fields(words)
	slices.Sort(list)
	return strings.Join(list, " ")
}

// rename adds an array under another name.
func rename(m map[string]npy.Array, from, to string) {
	x := m[from]
	x.Name = to
	m[to] = x
}

func TestDeepLoadStrict(t *testing.T) {
	type members = map[string]npy.Array
	meta := func(old, new string) func(members) {
		return func(m members) {
			m["meta.json"] = npy.Array{Name: "meta.json", Data: []byte(strings.Replace(string(m["meta.json"].Data.([]byte)), old, new, 1))}
		}
	}
	for want, change := range map[string]func(members){
		`layers of a deep machine (field_0) in a file of format 1`: meta(`"format":2`, `"format":1`),
		"0 layers: a file of format 2 has 3 to 64":                 meta(`,"layers":[4,2,3,2]`, ""),
		"2 layers: a file of format 2":                             meta(`[4,2,3,2]`, "[4,2]"),
		"layer 1 has 0 units":                                      meta(`[4,2,3,2]`, "[4,0,3,2]"),
		`array "field_2" has shape [3], not [4]`:                   meta(`[4,2,3,2]`, "[4,2,4,2]"),
		`there is no array "offset_3"`:                             func(m members) { delete(m, "offset_3") },
		`there is no array "synapses"`:                             func(m members) { delete(m, "synapses_2") },
		`no array "synapses_4"`:                                    func(m members) { rename(m, "synapses_3", "synapses_4") },
		`a model file has no array "synapses_04"`:                  func(m members) { rename(m, "synapses_3", "synapses_04") },
		"fold into": meta(`[4,2,3,2]`, "[4,2,3,2,1073741824]"),
		"coupling of link 1 is -1": func(m members) {
			m["coupling"] = npy.Array{Name: "coupling", Shape: []int{3}, Data: []float64{1, -1, 1}}
		},
		`array "coupling" has shape [2], not [3]`: func(m members) { m["coupling"] = npy.Array{Name: "coupling", Shape: []int{2}, Data: []float64{1, 1}} },
		"it must be 1 or -1":                      func(m members) { m["synapses_2"].Data.([]int8)[1] = 0 },
	} {
		path := editedFile(t, deepFile(t, "learned"), func(m map[string]npy.Array) { change(m) })
		if _, err := Load(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("error %v does not name the file and say %q", err, want)
		}
	}
	f := deepFile(t, "binary")
	f.Links = f.Links[:2]
	if err := f.Save(filepath.Join(t.TempDir(), "x.npz")); err == nil || !strings.Contains(err.Error(), "not those of up to 64 layers") {
		t.Errorf("links of no layers: %v", err)
	}
}

// A chain can be read back from what Python sees.
func ExampleChain() {
	up := spin.FromSigns(2, 1, []int8{1, -1})
	c := &Chain{
		Layers: []Layer{{[]float64{0.1, 0}, []float64{0, 0}}, {[]float64{0}, []float64{0}}, {[]float64{0.2}, []float64{0}}},
		Links:  []Between{{0.5, Binary(up)}, {0.8, Binary(spin.FromSigns(1, 1, []int8{1}))}},
	}
	m, err := c.Fold()
	if err != nil {
		panic(err)
	}
	fmt.Println(m.Layers(), m.Visible(), m.Hidden(), m.Links)
	// Output: [2 1 1] 3 1 [{0.5 {0 2} {0 1}} {0.8 {2 3} {0 1}}]
}
