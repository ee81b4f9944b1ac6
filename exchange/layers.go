package exchange

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"io"
	"math"
	"math/bits"
	"strings"

	"bethe/internal/fixed"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/spin"
)

// PackedLayers are the layers of a deep machine, or of a stack, in integers as Packed has them.
type PackedLayers struct {
	sizes    []int      // of the layers, the data's first
	field    [][]int64  // of each layer: twice the fields
	coupling []int64    // of each link: twice J
	synapses [][]uint32 // of each link: row j holds what unit j of the upper layer sees of the lower one, words(lower) words
	stack    bool
}

// PackLayers returns a machine of any number of hidden layers in integers. Errors are ErrReal and log-odds beyond 2^29.
func PackLayers(m *rbm.Machine) (*PackedLayers, error) {
	if _, ok := m.Synapses.(rbm.Signed); !ok {
		return nil, ErrReal
	}
	plain, _ := m.Plain()
	k, f, signs := &PackedLayers{sizes: m.Layers()}, m.Layers(), m.Signs()
	for l := range f {
		k.addField(plain.Field(l))
	}
	for l := range f.Depth() {
		lower, upper := f.Place(l), f.Place(l+1)
		k.addLink(m.Links[l].Coupling, f[l], f[l+1], func(i, j int) bool {
			if l%2 == 0 {
				return signs.At(lower.From+i, upper.From+j) > 0
			}
			return signs.At(upper.From+j, lower.From+i) > 0
		})
	}
	return k, k.check(plain.Links, plain.Field)
}

// PackStack returns a stack in integers. Errors are those of PackLayers.
func PackStack(s *rbm.Stack) (*PackedLayers, error) {
	k, machines := &PackedLayers{sizes: s.Sizes(), stack: true}, s.Machines()
	var fields [][]float64
	var links []rbm.Link
	for l, m := range machines {
		if _, ok := m.Synapses.(rbm.Signed); !ok {
			return nil, ErrReal
		}
		plain, _ := m.Plain()
		signs := m.Signs()
		fields, links = append(fields, plain.VisibleField), append(links, plain.Links[0])
		if l == len(machines)-1 {
			fields = append(fields, plain.HiddenField)
		}
		k.addLink(m.Coupling(), m.Visible(), m.Hidden(), func(i, j int) bool { return signs.At(i, j) > 0 })
	}
	for _, f := range fields {
		k.addField(f)
	}
	return k, k.check(links, func(l int) []float64 { return fields[l] })
}

func (k *PackedLayers) addField(field []float64) {
	var twice []int64
	for _, b := range field {
		twice = append(twice, fixedOf(2*b))
	}
	k.field = append(k.field, twice)
}

func (k *PackedLayers) addLink(coupling float64, lower, upper int, up func(i, j int) bool) {
	rows := make([]uint32, upper*words(lower))
	for j := range upper {
		for i := range lower {
			if up(i, j) {
				rows[j*words(lower)+i/32] |= 1 << (i % 32)
			}
		}
	}
	k.coupling, k.synapses = append(k.coupling, fixedOf(2*coupling)), append(k.synapses, rows)
}

// check returns an error where log-odds are beyond the integers.
func (k *PackedLayers) check(links []rbm.Link, field func(l int) []float64) error {
	for l := range k.sizes {
		var odds float64
		if l > 0 {
			odds += 2 * links[l-1].Coupling * float64(k.sizes[l-1])
		}
		if l < len(links) {
			odds += 2 * links[l].Coupling * float64(k.sizes[l+1])
		}
		for _, b := range field(l) {
			if total := odds + 2*math.Abs(b); !(total < 1<<29) {
				return fmt.Errorf("log-odds of a unit of layer %d reach %.3g, the limit in integers is %d: its couplings or fields are too strong", l, total, 1<<29)
			}
		}
	}
	return nil
}

// top is the uppermost layer.
func (k *PackedLayers) top() int { return len(k.sizes) - 1 }

// below reports whether the layer below has a say in how layer l is drawn: in a stack only for the topmost layer.
func (k *PackedLayers) below(l int) bool { return l > 0 && (!k.stack || l == k.top()) }

// first is the lowest layer that a sweep draws.
func (k *PackedLayers) first() int {
	if k.stack {
		return k.top() - 1
	}
	return 0
}

// A LayersSampler is a Gibbs chain on packed layers: the specification of the sampler in C source. Unit i of a layer is
// bit i%32 of word i/32, set where the spin is +1.
type LayersSampler struct {
	Layers [][]uint32

	machine *PackedLayers
	random  fixed.Random
}

// Sampler returns a chain. Of the layers that its sweeps draw, every second one from the second on starts at fair spins; all others
// start at -1. Its random numbers are fixed.Random of the seed.
func (k *PackedLayers) Sampler(seed uint64) *LayersSampler {
	s := &LayersSampler{machine: k, random: fixed.Seeded(seed)}
	for l, n := range k.sizes {
		layer := make([]uint32, words(n))
		if l >= k.first() && (l-k.first())%2 == 1 {
			for w := range layer {
				layer[w] = s.random.Next()
			}
			if n%32 != 0 {
				layer[len(layer)-1] &= 1<<(n%32) - 1
			}
		}
		s.Layers = append(s.Layers, layer)
	}
	return s
}

// odds sets the log-odds of the units of a word of layer l given its neighbours, and returns how many there are.
func (s *LayersSampler) odds(odds *[32]int64, l, word int) int {
	k := s.machine
	count := min(32, k.sizes[l]-32*word)
	copy(odds[:count], k.field[l][32*word:])
	if k.below(l) {
		stride := words(k.sizes[l-1])
		for i := range count {
			unlike := 0
			for w, x := range k.synapses[l-1][(32*word+i)*stride:][:stride] {
				unlike += bits.OnesCount32(x ^ s.Layers[l-1][w])
			}
			odds[i] += k.coupling[l-1] * int64(k.sizes[l-1]-2*unlike)
		}
	}
	if l < k.top() { // squares of 32 x 32 synapses are turned
		stride := words(k.sizes[l])
		var unlike [32]int
		for v, x := range s.Layers[l+1] {
			var square [32]uint32
			for j := range min(32, k.sizes[l+1]-32*v) {
				square[j] = k.synapses[l][(32*v+j)*stride+word]
			}
			transpose32(&square)
			for i, column := range square {
				unlike[i] += bits.OnesCount32(column ^ x)
			}
		}
		for i := range count {
			odds[i] += k.coupling[l] * int64(k.sizes[l+1]-2*unlike[i])
		}
	}
	return count
}

// Draw draws layer l given its neighbours.
func (s *LayersSampler) Draw(l int) {
	var odds [32]int64
	for w := range s.Layers[l] {
		var drawn uint32
		for i := range s.odds(&odds, l, w) {
			drawn |= s.random.Draw(odds[i]) << i
		}
		s.Layers[l][w] = drawn
	}
}

// Sweep draws every second layer from the lowest one on, then the others: of a deep machine all layers, of a stack the two topmost ones.
func (s *LayersSampler) Sweep() {
	for l := s.machine.first(); l < s.machine.first()+2; l++ {
		for at := l; at < len(s.Layers); at += 2 {
			s.Draw(at)
		}
	}
}

// Descend draws the layers below those of the sweeps, down to the data.
func (s *LayersSampler) Descend() {
	for l := s.machine.first() - 1; l >= 0; l-- {
		s.Draw(l)
	}
}

// Sample returns states of the data's layer (visible x chains), as Packed.Sample does.
func (k *PackedLayers) Sample(ctx context.Context, chains, sweeps int, seed uint64, progress func(float64)) (*spin.Matrix, error) {
	samplers, cost := make([]*LayersSampler, chains), 0
	for c := range samplers {
		samplers[c] = k.Sampler(seed + uint64(c))
	}
	for l, n := range k.sizes[1:] {
		cost += n * k.sizes[l] / 4
	}
	each := func(do func(s *LayersSampler)) {
		parallel.For(chains, parallel.Grain(cost), func(lo, hi int) {
			for _, s := range samplers[lo:hi] {
				do(s)
			}
		})
	}
	for t := range sweeps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		each((*LayersSampler).Sweep)
		if progress != nil {
			progress(float64(t+1) / float64(sweeps))
		}
	}
	each((*LayersSampler).Descend)
	out := spin.New(k.sizes[0], chains)
	for c, s := range samplers {
		for i := range k.sizes[0] {
			if s.Layers[0][i/32]>>(i%32)&1 == 1 {
				out.Set(i, c, 1)
			}
		}
	}
	return out, nil
}

//go:embed layers.h.tmpl
var templateLayers string

// A layersSource is what the template of layers is filled with.
type layersSource struct {
	*sourceHead
	Sizes                                           []int
	Layers, Words, TableEnd                         int
	First                                           int // layer of a sweep
	Stack                                           bool
	Kind                                            string
	Size, Place, FieldPlace, SynapsePlace, Coupling string
	Field, Synapses, Sigmoid                        string
}

// Size returns what the C source of the layers takes on a device, with numbers of type int of 32 bits.
func (k *PackedLayers) Size() Size {
	s := Size{Constants: 4*len(fixed.Sigmoid) + 8*len(k.coupling) + 4*(3*len(k.sizes)+len(k.coupling)), Chain: 4 * len(fixed.Random{})}
	for l, n := range k.sizes {
		s.Constants, s.Chain = s.Constants+8*n, s.Chain+4*words(n)
		if l < k.top() {
			s.Constants += 4 * len(k.synapses[l])
		}
	}
	return s
}

// WriteC writes a C99 header of packed layers with their sampler, as WriteC does. It panics if CheckName refuses the name.
func (k *PackedLayers) WriteC(w io.Writer, info *rbm.Info, name string) error {
	if err := CheckName(name); err != nil {
		panic("exchange: " + err.Error())
	}
	hex, plain := func(x uint32) string { return fmt.Sprintf("0x%08x", x) }, func(x int) string { return fmt.Sprint(x) }
	s := layersSource{sourceHead: &sourceHead{name, strings.ToUpper(name), origin(info)}, Sizes: k.sizes, Layers: len(k.sizes), First: k.first(), Stack: k.stack,
		TableEnd: fixed.End, Kind: "A deep Boltzmann machine", Sigmoid: list(fixed.Sigmoid, 8, hex), Coupling: list(k.coupling, 4, wideC), Size: list(k.sizes, 8, plain)}
	if k.stack {
		s.Kind = "A deep belief network"
	}
	var place, fieldPlace, synapsePlace []int
	var field []int64
	var synapses []uint32
	for l, n := range k.sizes {
		place, fieldPlace = append(place, s.Words), append(fieldPlace, len(field))
		s.Words += words(n)
		field = append(field, k.field[l]...)
		if l < k.top() {
			synapsePlace = append(synapsePlace, len(synapses))
			synapses = append(synapses, k.synapses[l]...)
		}
	}
	s.Place, s.FieldPlace, s.SynapsePlace = list(place, 8, plain), list(fieldPlace, 8, plain), list(synapsePlace, 8, plain)
	s.Field, s.Synapses = list(field, 4, wideC), list(synapses, 8, hex)
	var out bytes.Buffer
	execute(&out, commonC+templateLayers, s)
	_, err := w.Write(out.Bytes())
	return err
}
