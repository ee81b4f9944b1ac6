package rbm

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"bethe/internal/npy"
)

// MaxLayers limits the layers of a deep machine in a file.
const MaxLayers = 64

// deepMembers are the names of arrays of a deep machine, by layer or link.
var deepMembers = regexp.MustCompile(`^(field|offset|synapses|posterior_mean|prior_mean|weights)_(0|[1-9]\d?)$`)

// deepMember returns the dimensions of an array of a deep machine, and whether it is one.
func deepMember(name string) (dimensions int, ok bool) {
	m := deepMembers.FindStringSubmatch(name)
	switch {
	case m == nil:
		return 0, false
	case m[1] == "field" || m[1] == "offset":
		return 1, true
	}
	return 2, true
}

// deepNames returns the first of the names that is one of a deep machine, or "".
func deepNames(names []string) string {
	if k := slices.IndexFunc(names, deepMembers.MatchString); k >= 0 {
		return names[k]
	}
	return ""
}

// deepArrays is Arrays of a deep machine.
func (f *File) deepArrays() ([]npy.Array, error) {
	sizes, ok := f.Folding()
	if !ok || len(sizes) > MaxLayers {
		return nil, fmt.Errorf("a machine of %d links that are not those of up to %d layers: model files hold no others", len(f.Links), MaxLayers)
	}
	var arrays []npy.Array
	info := f.Info
	info.Format, info.Layers = DeepFormat, sizes
	for l := range f.Links {
		e, ok := sizes.Between(f.Synapses, l).(encoder)
		if !ok {
			return nil, fmt.Errorf("synapses of a kind that model files do not hold")
		}
		kind, list, err := e.encode()
		if err != nil {
			return nil, fmt.Errorf("link %d: %w", l+1, err)
		}
		info.Synapses = kind
		for _, x := range list {
			x.Name = fmt.Sprintf("%s_%d", x.Name, l+1)
			arrays = append(arrays, x)
		}
	}
	if err := f.checkSums(); err != nil {
		return nil, err
	}
	meta, err := json.Marshal(info)
	if err != nil {
		return nil, err
	}
	arrays = slices.Insert(arrays, 0, npy.Array{Name: "meta.json", Data: meta})
	for l, n := range sizes {
		arrays = append(arrays,
			npy.Array{Name: fmt.Sprintf("field_%d", l), Shape: []int{n}, Data: slices.Clone(f.Field(l))},
			npy.Array{Name: fmt.Sprintf("offset_%d", l), Shape: []int{n}, Data: slices.Clone(f.Offset(l))})
	}
	return append(arrays, npy.Array{Name: "coupling", Shape: []int{len(f.Links)}, Data: f.Couplings()}), nil
}

// loadDeep reads the arrays of a deep machine, whose meta.json was read.
func (f *File) loadDeep(a *npy.Archive, path string, kind decoder) error {
	sizes := Folding(f.Info.Layers)
	if len(sizes) < 3 || len(sizes) > MaxLayers {
		return fmt.Errorf("%s: meta.json: %d layers: a file of format %d has 3 to %d", path, len(sizes), DeepFormat, MaxLayers)
	}
	for l, n := range sizes {
		if n < 1 || n > maxModelBytes {
			return fmt.Errorf("%s: meta.json: layer %d has %d units", path, l, n)
		}
	}
	if folded := float64(sizes.Visible()) * float64(sizes.Hidden()); folded > maxModelBytes/4 {
		return fmt.Errorf("%s: layers that fold into %d x %d synapses, more than the %d that are read", path, sizes.Visible(), sizes.Hidden(), maxModelBytes/4)
	}
	known := []string{"coupling", "meta.json"}
	c := &Chain{}
	for l, n := range sizes {
		part := fmt.Sprintf("_%d", l)
		field, err := npy.Get[float64](a, "field"+part, n)
		if err != nil {
			return err
		}
		offset, err := npy.Get[float64](a, "offset"+part, n)
		if err != nil {
			return err
		}
		c.Layers = append(c.Layers, Layer{field, offset})
		known = append(known, "field"+part, "offset"+part)
	}
	coupling, err := npy.Get[float64](a, "coupling", len(sizes)-1)
	if err != nil {
		return err
	}
	for l, j := range coupling {
		part := fmt.Sprintf("_%d", l+1)
		synapses, err := kind.decode(a.Part(part), fmt.Sprintf("%s (arrays ...%s)", path, part), sizes[l], sizes[l+1])
		if err != nil {
			return err
		}
		c.Links = append(c.Links, Between{j, synapses})
		for _, name := range [...]string{kind.shape, "posterior_mean", "prior_mean"} {
			if !slices.Contains(kind.others, name) {
				known = append(known, name+part)
			}
		}
	}
	for _, name := range a.Names() {
		if !slices.Contains(known, name) {
			return fmt.Errorf("%s: a machine of layers %s has no array %q", path, strings.Trim(fmt.Sprint(f.Info.Layers), "[]"), name)
		}
	}
	machine, err := c.Fold()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	f.Params, f.Synapses = machine.Params, machine.Synapses
	if err := f.checkSums(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
