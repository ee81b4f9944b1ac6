package exchange

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"

	"bethe/causes"
	"bethe/internal/kernel"
	"bethe/rbm"
)

// tables are those of PyNN: what its FromFileConnector reads, and biases. Units are 0 and 1:
//
//	log-odds of unit i = bias_i + sum_j weight_ji z_j
//
// In a winner-take-all group this is the logarithm of the unit's weight. The same weights hold
// both ways. PyNN wants positive and negative weights in tables of their own; an empty
// table is not written.
type tables struct{}

func (tables) About() About { return About{Name: "pynn", Folder: true} }

// A population is a layer of neurons.
type population struct {
	name string
	bias []float64
	size int // of each winner-take-all group; 0 of units that are on or off each alone
}

// A projection has the weights between two populations.
type projection struct {
	below, above *population
	weight       func(below, above int) float64 // NaN where there is no connection
}

// Machine writes a population for each layer.
func (tables) Machine(f *rbm.File, _ Options) ([]File, error) {
	m := f.Machine()
	net, layers := rbm.NetworkOf[float64](m), m.Layers()
	n := net.Visible()
	if err := finite(map[string][]float64{"visible": net.VisibleField, "hidden": net.HiddenField, "coupling": net.Coupling}); err != nil {
		return nil, err
	}
	sums := [2][]float64{make([]float64, n), make([]float64, net.Hidden())}
	for mu := range net.Hidden() {
		for i, k := range net.Coupling[mu*n : (mu+1)*n] {
			sums[0][i] += k
			sums[1][mu] += k
		}
	}
	var populations []*population
	for l := range layers {
		p := &population{name: "visible"}
		switch {
		case l > 0 && m.Deep():
			p.name = "hidden" + strconv.Itoa(l)
		case l > 0:
			p.name = "hidden"
		}
		fields, at := [2][]float64{net.VisibleField, net.HiddenField}[l%2], layers.Place(l)
		for i := at.From; i < at.To; i++ {
			p.bias = append(p.bias, 2*(fields[i]-sums[l%2][i]))
		}
		populations = append(populations, p)
	}
	var projections []projection
	for l := range layers.Depth() {
		even, odd := layers.Place(l+l&1).From, layers.Place(l+1-l&1).From
		projections = append(projections, projection{populations[l], populations[l+1], func(below, above int) float64 {
			if l%2 == 1 {
				below, above = above, below
			}
			return 4 * net.Coupling[(odd+above)*n+even+below]
		}})
	}
	return written(populations, projections), nil
}

// Causes writes the visible units, the groups, and the causes of a tree.
func (tables) Causes(f *causes.File, _ Options) ([]File, error) {
	m := f.Machine()
	n, states := m.Visible(), m.States
	levels := m.Levels()
	visible, group := &population{name: "visible", bias: make([]float64, n)}, make([]int, n)
	for i, b := range f.Field { // empty of real means
		visible.bias[i] = 2 * b
	}
	winners := &population{name: "causes", size: states}
	if levels.Two {
		winners.name = "groups"
	}
	for g, units := range m.Patches {
		for k := range states {
			bias := 0.0
			for _, i := range units {
				group[i] = g
				bias -= m.Fields[k*n+i] - visible.bias[i]/2 + kernel.Log2Cosh(m.Fields[k*n+i])
			}
			if !levels.Two {
				bias += levels.LnWeight[k]
			}
			winners.bias = append(winners.bias, bias)
		}
	}
	populations := []*population{visible, winners}
	projections := []projection{{visible, winners, func(i, at int) float64 {
		if at/states != group[i] {
			return math.NaN()
		}
		return 2*m.Fields[at%states*n+i] - visible.bias[i]
	}}}
	if levels.Two {
		top := &population{name: "causes", bias: levels.LnWeight, size: len(levels.LnWeight)}
		populations = append(populations, top)
		projections = append(projections, projection{winners, top, func(at, z int) float64 { return levels.LnGiven[at*top.size+z] }})
	}
	return written(populations, projections), nil
}

// delay is that of all connections, in milliseconds: a step of the chain.
const delay = "1.0"

// written returns the files.
func written(populations []*population, projections []projection) (files []File) {
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
	add := func(name, columns string, rows func(row func(values ...string))) {
		files = append(files, File{Name: name + ".txt", Write: func(w io.Writer) error {
			b := bufio.NewWriter(w)
			fmt.Fprintf(b, "# columns = [%s]\n", columns)
			rows(func(values ...string) {
				for k, v := range values {
					if k > 0 {
						b.WriteByte('\t')
					}
					b.WriteString(v)
				}
				b.WriteByte('\n')
			})
			return b.Flush()
		}})
	}
	for _, p := range populations {
		columns := `"i", "bias"`
		if p.size > 0 {
			columns += `, "group"`
		}
		add(p.name, columns, func(row func(values ...string)) {
			for i, b := range p.bias {
				values := []string{strconv.Itoa(i), number(b)}
				if p.size > 0 {
					values = append(values, strconv.Itoa(i/p.size))
				}
				row(values...)
			}
		})
	}
	for _, p := range projections {
		for _, up := range []bool{true, false} {
			for _, excites := range []bool{true, false} {
				pre, post, kind := p.below, p.above, "inhibitory"
				if !up {
					pre, post = post, pre
				}
				if excites {
					kind = "excitatory"
				}
				each := func(visit func(i, j int, weight float64)) {
					for i := range pre.bias {
						for j := range post.bias {
							below, above := i, j
							if !up {
								below, above = j, i
							}
							if w := p.weight(below, above); excites && w > 0 || !excites && w <= 0 {
								visit(i, j, w)
							}
						}
					}
				}
				count := 0
				each(func(int, int, float64) { count++ })
				if count == 0 {
					continue
				}
				add(pre.name+"-"+post.name+"-"+kind, `"i", "j", "weight", "delay"`, func(row func(values ...string)) {
					each(func(i, j int, weight float64) {
						row(strconv.Itoa(i), strconv.Itoa(j), number(weight), delay)
					})
				})
			}
		}
	}
	return files
}
