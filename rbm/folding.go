package rbm

// A Folding is the sizes of the layers 0, 1, ..., L of a deep machine, the data's first,
// and the way in which they fold into a machine of two layers. Neighbours alone have
// synapses, so even layers, one after another, are its visible units and odd layers
// its hidden ones, with one link for each pair of neighbours: link l joins the layers
// l and l+1.
type Folding []int

// Depth returns L, the number of hidden layers.
func (f Folding) Depth() int { return len(f) - 1 }

// Data returns the number of units of the data's layer. They are the first visible units.
func (f Folding) Data() int { return f[0] }

// Visible returns the number of visible units of the folded machine: those of all even layers.
func (f Folding) Visible() int { return f.Place(f.Depth() &^ 1).To }

// Hidden returns the number of hidden units of the folded machine: those of all odd layers.
func (f Folding) Hidden() int { return f.Place((f.Depth() - 1) | 1).To }

// Place returns the units of layer l among the visible units of the folded machine if l
// is even, and among its hidden ones if l is odd.
func (f Folding) Place(l int) Range {
	from := 0
	for k := l & 1; k < l; k += 2 {
		from += f[k]
	}
	return Range{from, from + f[l]}
}

// Synapses returns the number of synapses of link l.
func (f Folding) Synapses(l int) int { return f[l] * f[l+1] }

// Total returns the number of synapses of all links.
func (f Folding) Total() (sum int) {
	for l := range f.Depth() {
		sum += f.Synapses(l)
	}
	return sum
}

// link returns link l with the given coupling.
func (f Folding) link(l int, coupling float64) Link {
	even, odd := l+l&1, l+1-l&1
	return Link{coupling, f.Place(even), f.Place(odd)}
}

// NewParams returns parameters of the folded machine, without fields and offsets, with
// the coupling of each link. It panics if there is not one for each link.
func (f Folding) NewParams(coupling []float64) Params {
	if len(coupling) != f.Depth() {
		panic("rbm: the couplings of a folding are not one a link")
	}
	p := NewParams(f.Visible(), f.Hidden(), 0)
	p.Links = p.Links[:0]
	for l, j := range coupling {
		p.Links = append(p.Links, f.link(l, j))
	}
	return p
}

// Folding returns the layers that fold into a machine of these parameters, and whether
// its links are those of such layers. A machine of one link between all units has two.
func (p *Params) Folding() (f Folding, ok bool) {
	if len(p.Links) == 0 {
		return nil, false
	}
	f = Folding{p.Links[0].Visible.Len(), p.Links[0].Hidden.Len()}
	for l := 1; l < len(p.Links); l++ {
		upper := p.Links[l].Visible
		if l%2 == 0 {
			upper = p.Links[l].Hidden
		}
		f = append(f, upper.Len())
	}
	for l, is := range p.Links {
		if is != f.link(l, is.Coupling) {
			return nil, false
		}
	}
	return f, f.Visible() == p.Visible() && f.Hidden() == p.Hidden()
}

// Layers returns Folding of parameters that are known to be those of layers. It panics
// if they are not.
func (p *Params) Layers() Folding {
	f, ok := p.Folding()
	if !ok {
		panic("rbm: links that are not those of layers")
	}
	return f
}

// Deep reports whether there is more than one link.
func (p *Params) Deep() bool { return len(p.Links) > 1 }

// Field returns the fields of layer l. They share their storage with p.
func (p *Params) Field(l int) []float64 { return p.layer(l, p.VisibleField, p.HiddenField) }

// Offset returns the offsets of layer l. They share their storage with p.
func (p *Params) Offset(l int) []float64 { return p.layer(l, p.VisibleOffset, p.HiddenOffset) }

func (p *Params) layer(l int, even, odd []float64) []float64 {
	at := p.Layers().Place(l)
	if l%2 == 0 {
		return even[at.From:at.To]
	}
	return odd[at.From:at.To]
}

// turned reports whether link l has its upper layer among the visible units.
func turned(l int) bool { return l%2 == 1 }

// Block copies the synapses of link l out of a matrix of the folded machine (hidden x
// visible) to dst, upper x lower: row j is what unit j of the upper layer sees of the
// lower one.
func Block[T any](f Folding, dst, matrix []T, l int) {
	link, n := f.link(l, 0), f.Visible()
	for h := range link.Hidden.Len() {
		row := matrix[(link.Hidden.From+h)*n:][link.Visible.From:link.Visible.To]
		if !turned(l) {
			copy(dst[h*len(row):], row)
			continue
		}
		for v, x := range row {
			dst[v*link.Hidden.Len()+h] = x
		}
	}
}

// SetBlock copies the synapses of link l, upper x lower, into a matrix of the folded
// machine, hidden x visible.
func SetBlock[T any](f Folding, matrix, src []T, l int) {
	link, n := f.link(l, 0), f.Visible()
	for h := range link.Hidden.Len() {
		row := matrix[(link.Hidden.From+h)*n:][link.Visible.From:link.Visible.To]
		if !turned(l) {
			copy(row, src[h*len(row):])
			continue
		}
		for v := range row {
			row[v] = src[v*link.Hidden.Len()+h]
		}
	}
}

// ClearUnjoined sets the thetas of pairs that no link joins to 0.
func (m *Model[T]) ClearUnjoined() {
	if m.Whole() {
		return
	}
	n, f := m.Visible(), m.Layers()
	joined := make([]T, len(m.Posterior.Theta))
	for l := range f.Depth() {
		block := make([]T, f.Synapses(l))
		Block(f, block, m.Posterior.Theta, l)
		SetBlock(f, joined, block, l)
	}
	copy(m.Posterior.Theta, joined[:n*m.Hidden()])
}
