package rbm

import (
	"fmt"
	"math"
	"slices"

	"bethe/internal/npy"
	"bethe/spin"
	"bethe/units"
)

// A Scale is that of the columns of data of real numbers: their means and standard deviations.
// Columns of deviation 0 are constant and no units of a machine.
type Scale struct{ Mean, Deviation []float64 }

// ScaleOf returns the scale of numbers, columns x samples, but for those that are missing: +1 in a
// matrix of that shape, nil if none is.
func ScaleOf(v *units.Reals[float32], missing *spin.Matrix) Scale {
	mean, deviation := units.Moments(v)
	if missing != nil {
		for k := range mean {
			var seen []float32
			for a, x := range v.Row(k) {
				if missing.At(k, a) < 0 {
					seen = append(seen, x)
				}
			}
			mean[k], deviation[k] = 0, 0
			if len(seen) > 0 {
				m, d := units.Moments(units.RealsOf(1, len(seen), seen))
				mean[k], deviation[k] = m[0], d[0]
			}
		}
	}
	for k, d := range deviation {
		if d <= 1e-6*math.Abs(mean[k]) { // rounding of float32
			deviation[k] = 0
		}
	}
	return Scale{mean, deviation}
}

// Kept returns the columns that are units.
func (s Scale) Kept() (columns []int) {
	for k, d := range s.Deviation {
		if d > 0 {
			columns = append(columns, k)
		}
	}
	return columns
}

// Constant returns the columns that are not.
func (s Scale) Constant() (columns []int) {
	for k, d := range s.Deviation {
		if d == 0 {
			columns = append(columns, k)
		}
	}
	return columns
}

// Rows returns the rows of a matrix of all columns that are units.
func (s Scale) Rows(m *spin.Matrix) *spin.Matrix {
	kept := s.Kept()
	out := spin.New(len(kept), m.Cols())
	for i, k := range kept {
		for a := range m.Cols() {
			out.Set(i, a, m.At(k, a))
		}
	}
	return out
}

// LnDeviation returns the sum of ln deviation over the units: by so much the log-density
// in units of the deviations is above that in units of the data.
func (s Scale) LnDeviation() (sum float64) {
	for _, k := range s.Kept() {
		sum += math.Log(s.Deviation[k])
	}
	return sum
}

// Standardised returns the numbers of the units in units of the scale, units x samples. The
// error tells of another number of columns.
func (s Scale) Standardised(v *units.Reals[float32]) (*units.Reals[float32], error) {
	return s.relative(v, func(_, column int) (mean, deviation float64) { return s.Mean[column], s.Deviation[column] })
}

func (s Scale) relative(v *units.Reals[float32], to func(unit, column int) (mean, deviation float64)) (*units.Reals[float32], error) {
	if v.Units() != len(s.Mean) {
		return nil, fmt.Errorf("samples of %d numbers for a machine that learned from %d columns", v.Units(), len(s.Mean))
	}
	kept := s.Kept()
	out := units.NewReals[float32](len(kept), v.Len())
	for i, k := range kept {
		mean, deviation := to(i, k)
		row := out.Row(i)
		for a, x := range v.Row(k) {
			row[a] = float32((float64(x) - mean) / deviation)
		}
	}
	return out, nil
}

// Features returns the features u = (v - mean)/sigma of numbers in the units of the data,
// columns x samples. The error tells of another number of columns.
func (f *File) Features(v *units.Reals[float32]) (*units.Reals[float32], error) {
	n := f.Visible()
	return f.Scale.relative(v, func(unit, _ int) (mean, deviation float64) {
		return f.VisibleOwn[n+unit], math.Exp(f.VisibleOwn[unit])
	})
}

// Numbers is the inverse of Features; constant columns have their mean.
func (f *File) Numbers(u *units.Reals[float32]) *units.Reals[float32] {
	n := f.Visible()
	out := units.NewReals[float32](len(f.Scale.Mean), u.Len())
	for _, k := range f.Scale.Constant() {
		row := out.Row(k)
		for a := range row {
			row[a] = float32(f.Scale.Mean[k])
		}
	}
	for i, k := range f.Scale.Kept() {
		row, sigma := out.Row(k), math.Exp(f.VisibleOwn[i])
		for a, x := range u.Row(i) {
			row[a] = float32(f.VisibleOwn[n+i] + sigma*float64(x))
		}
	}
	return out
}

// InUnitsOf converts own parameters (ln sigma, then means) from standardised numbers to the
// units of the data.
func (s Scale) InUnitsOf(own []float64) []float64 {
	kept := s.Kept()
	n := len(kept)
	out := make([]float64, 2*n)
	for i, k := range kept {
		out[i] = own[i] + math.Log(s.Deviation[k])
		out[n+i] = s.Mean[k] + s.Deviation[k]*own[n+i]
	}
	return out
}

// InUnitsOfDeviations is the inverse of InUnitsOf.
func (s Scale) InUnitsOfDeviations(own []float64) []float64 {
	kept := s.Kept()
	n := len(kept)
	out := make([]float64, 2*n)
	for i, k := range kept {
		out[i] = own[i] - math.Log(s.Deviation[k])
		out[n+i] = (own[n+i] - s.Mean[k]) / s.Deviation[k]
	}
	return out
}

// features returns fields and offsets of features, given those of the spins that hold them,
// or the inverse.
func features(field, offset []float64, kind units.Kind, held bool) (fields, offsets []float64) {
	if !kind.OneHot() {
		return field, offset
	}
	fields, offsets = slices.Clone(field), slices.Clone(offset)
	for k := range fields {
		if held {
			fields[k], offsets[k] = 2*field[k], (offset[k]+1)/2
		} else {
			fields[k], offsets[k] = field[k]/2, 2*offset[k]-1
		}
	}
	return fields, offsets
}

// stored returns the parameters as a file has them, and the arrays of the kinds of units, and
// notes the kinds in info.
func (f *File) stored(info *Info) (Params, []npy.Array, error) {
	params := f.Params
	params.VisibleField, params.VisibleOffset = features(f.VisibleField, f.VisibleOffset, f.VisibleKind, true)
	params.HiddenField, params.HiddenOffset = features(f.HiddenField, f.HiddenOffset, f.HiddenKind, true)
	params.Links = slices.Clone(f.Links)
	params.SetCoupling(f.Coupling() * f.VisibleKind.Scale() * f.HiddenKind.Scale())
	info.Units, info.Hidden = "", ""
	if f.VisibleKind != (units.Kind{}) {
		info.Units = f.VisibleKind.String()
	}
	if f.HiddenKind != (units.Kind{}) {
		info.Hidden = f.HiddenKind.String()
	}
	if f.VisibleKind.Bits() {
		return params, nil, nil
	}
	n := f.Visible()
	if err := f.checkScale(); err != nil {
		return params, nil, err
	}
	sigma := make([]float64, n)
	for i, s := range f.VisibleOwn[:n] {
		sigma[i] = math.Exp(s)
	}
	return params, []npy.Array{
		{Name: "visible_sigma", Shape: []int{n}, Data: sigma}, {Name: "visible_mean", Shape: []int{n}, Data: f.VisibleOwn[n:]},
		{Name: "data_mean", Shape: []int{len(f.Scale.Mean)}, Data: f.Scale.Mean}, {Name: "data_deviation", Shape: []int{len(f.Scale.Mean)}, Data: f.Scale.Deviation},
	}, nil
}

func (f *File) checkScale() error {
	n, s := f.Visible(), &f.Scale
	switch {
	case len(f.VisibleOwn) != 2*n:
		return fmt.Errorf("%d own parameters of %d Gaussian units: they are ln sigma and the means", len(f.VisibleOwn), n)
	case len(s.Mean) != len(s.Deviation) || len(s.Kept()) != n:
		return fmt.Errorf("data_mean and data_deviation of %d and %d columns, %d of which are no constants, for %d Gaussian units", len(s.Mean), len(s.Deviation), len(s.Kept()), n)
	}
	for k, d := range s.Deviation {
		if !(d >= 0) || math.IsInf(d, 0) || math.IsNaN(s.Mean[k]) || math.IsInf(s.Mean[k], 0) {
			return fmt.Errorf("data_mean[%d] is %v, and data_deviation %v: they must be finite, and the latter not negative", k, s.Mean[k], d)
		}
	}
	return nil
}

// read reads the arrays of the kinds of units, and makes parameters of features those of the
// spins that hold them.
func (f *File) read(a *npy.Archive, params *Params) (err error) {
	if params.VisibleKind, err = units.ParseKind(f.Info.Units); err != nil {
		return fmt.Errorf("meta.json: %w", err)
	}
	if params.HiddenKind, err = units.ParseKind(f.Info.Hidden); err != nil {
		return fmt.Errorf("meta.json: %w", err)
	}
	if err := units.CheckPair(params.VisibleKind, params.HiddenKind); err != nil {
		return fmt.Errorf("meta.json: %w", err)
	}
	params.VisibleField, params.VisibleOffset = features(params.VisibleField, params.VisibleOffset, params.VisibleKind, false)
	params.HiddenField, params.HiddenOffset = features(params.HiddenField, params.HiddenOffset, params.HiddenKind, false)
	params.SetCoupling(params.Coupling() / params.VisibleKind.Scale() / params.HiddenKind.Scale())
	if params.VisibleKind.Bits() {
		for _, name := range []string{"visible_sigma", "visible_mean", "data_mean", "data_deviation"} {
			if a.Has(name) {
				return fmt.Errorf("array %q is of gauss units, and these are %s", name, params.VisibleKind)
			}
		}
		return nil
	}
	n := params.Visible()
	sigma, err := npy.Get[float64](a, "visible_sigma", n)
	if err != nil {
		return err
	}
	mean, err := npy.Get[float64](a, "visible_mean", n)
	if err != nil {
		return err
	}
	for i, s := range sigma {
		if !(s > 0) || math.IsInf(s, 0) {
			return fmt.Errorf("visible_sigma[%d] is %v: it must be positive and finite", i, s)
		}
		params.VisibleOwn = append(params.VisibleOwn, math.Log(s))
	}
	params.VisibleOwn = append(params.VisibleOwn, mean...)
	columns := a.Shape("data_mean")
	if len(columns) != 1 {
		return fmt.Errorf("array \"data_mean\" has shape %v, not a number for each column", columns)
	}
	if f.Scale.Mean, err = npy.Get[float64](a, "data_mean", columns[0]); err != nil {
		return err
	}
	if f.Scale.Deviation, err = npy.Get[float64](a, "data_deviation", columns[0]); err != nil {
		return err
	}
	whole := File{Params: *params, Scale: f.Scale}
	return whole.checkScale()
}
