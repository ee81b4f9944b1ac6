package units_test

import (
	"math"
	"testing"

	"bethe/internal/gausstest"
	"bethe/spin"
	"bethe/units"
	"bethe/units/unitstest"
)

func gaussians[T units.Real](count, samples int, seed uint64) unitstest.Case[T] {
	v := unitstest.Normals[T](count, samples, seed)
	return unitstest.Gaussians(count, v, units.NewGauss(units.RealsOf(count, samples, v)))
}

func TestGaussianUnitsKeepTheContract(t *testing.T) {
	unitstest.Samples(t, gaussians[float64], 1e-7)
	unitstest.Samples(t, gaussians[float32], 1e-4)
}

// Products of matrices give what plain loops give.
func TestGaussianUnitsAgreeWithPlainLoops(t *testing.T) {
	const n, p, m = 7, 5, 33
	v := unitstest.Normals[float64](n, m, 3)
	own := unitstest.Normals[float64](2*n, 1, 4)
	mean, theta := make([]float64, n*p), make([]float64, n*p)
	for k := range mean {
		mean[k] = math.Tanh(math.Sin(float64(k)))
	}
	results := func(d units.Data[float64], known bool) (all []float64) {
		d.Prepare(own, false)
		w := &units.Block[float64]{Lo: 1, Rows: p - 1, First: make([]float64, p*m), Second: make([]float64, p*m), Extra: make([]float64, d.Extra(p-1)),
			Partition: make([]float64, n), Sums: make([]float64, 2*p), SecondSum: make([]float64, p)}
		l := &units.Link[float64]{Mean: mean, Theta: theta, Coupling: 0.4, Offset: make([]float64, n), Known: known, Second: true}
		d.Fields(w, l)
		for k := range w.Rows {
			fields, variance := make([]float64, m), make([]float64, m)
			d.Field(w, l, k, fields, variance, 0.3)
			all = append(append(all, fields...), variance...)
		}
		sums := make([]float64, w.Rows)
		for k := range w.Rows {
			for a := range m {
				w.First[k*m+a], w.Second[k*m+a] = math.Sin(float64(3*k+a)), 1+math.Cos(float64(k-a))
				sums[k] += w.First[k*m+a]
			}
		}
		d.Correlate(w, l)
		byOwn := make([]float64, 2*n)
		for k := range w.Rows {
			out := make([]float64, n)
			d.Slopes(out, w, l, k, sums[k], 1)
			all = append(all, out...)
			d.Own(byOwn, w, l, k, sums[k], 1)
		}
		return append(all, byOwn...)
	}
	for _, known := range []bool{false, true} {
		plain := results(gausstest.NewSamples(n, v), known)
		for k, x := range results(units.NewGauss(units.RealsOf(n, m, v)), known) {
			if math.Abs(x-plain[k]) > 1e-9*max(1, math.Abs(plain[k])) {
				t.Fatalf("number %d is %v, not %v", k, x, plain[k])
			}
		}
	}
}

func TestStandardised(t *testing.T) {
	v := units.RealsOf(2, 3, []float64{1, 2, 3, 5, 5, 8})
	mean, deviation := units.Moments(v)
	z := units.Standardised(v, mean, deviation)
	if m, d := units.Moments(z); math.Abs(m[1]) > 1e-12 || math.Abs(d[0]-1) > 1e-12 || math.Abs(mean[1]-6) > 1e-12 || math.Abs(deviation[1]-math.Sqrt2) > 1e-12 {
		t.Errorf("%v %v of %v %v", m, d, mean, deviation)
	}
	for k, x := range units.Restored(z, mean, deviation).Values() {
		if math.Abs(x-v.Values()[k]) > 1e-12 {
			t.Errorf("%v is restored as %v", v.Values()[k], x)
		}
	}
}

func TestKinds(t *testing.T) {
	for _, word := range []string{"spin", "gauss", "potts:4", "group:2", "group?:1", "group?:30"} {
		k, err := units.ParseKind(word)
		if err != nil || k.String() != word {
			t.Errorf("%s is read as %v, %v", word, k, err)
		}
	}
	for _, word := range []string{"ising", "potts", "potts:1", "potts?:3", "group", "group:1", "group?:0", "group:x", "gauss:3", "spin?", "spin:2", "potts:99999999"} {
		if k, err := units.ParseKind(word); err == nil {
			t.Errorf("%s is read as %v", word, k)
		}
	}
	gauss, potts, group := units.Kind{Word: units.Gauss}, units.Kind{Word: units.Potts, States: 3}, units.Kind{Word: units.Group, States: 3}
	for _, bad := range [][2]units.Kind{{gauss, gauss}, {group, {}}, {{}, potts}} {
		if units.CheckPair(bad[0], bad[1]) == nil {
			t.Errorf("%v is a pair", bad)
		}
	}
	if units.CheckPair(gauss, group) != nil || potts.Check(4) == nil || potts.LnStates(6) != 2*math.Log(3) {
		t.Error("kinds")
	}
}

// Sums and means over the states of a unit are those by enumeration.
func TestLogSumsOfKinds(t *testing.T) {
	f := []float64{0.3, -1.2, 2}
	for _, none := range []bool{false, true} {
		k := units.Kind{Word: units.Group, States: 3, None: none}
		total, on := 0.0, make([]float64, 3)
		for choice := range k.Choices() {
			e := 0.0
			for j, v := range f {
				if j == choice {
					e += v
				} else {
					e -= v
				}
			}
			total += math.Exp(e)
			if choice < 3 {
				on[choice] = math.Exp(e)
			}
		}
		means := make([]float64, 3)
		k.Means(means, f)
		if math.Abs(k.LogSum(f)-math.Log(total)) > 1e-12 {
			t.Errorf("%v: %v, not %v", k, k.LogSum(f), math.Log(total))
		}
		for j, v := range means {
			if math.Abs(v-(2*on[j]/total-1)) > 1e-12 {
				t.Errorf("%v: the mean of feature %d is %v", k, j, v)
			}
		}
	}
}

// Fields of colours give the shares of the samples, but for one sample more of each colour.
func TestFeatureFields(t *testing.T) {
	kind := units.Kind{Word: units.Potts, States: 3}
	s := spin.New(3, 10)
	for a := range 10 {
		s.Set([]int{0, 0, 0, 0, 0, 1, 1, 1, 2, 2}[a], a, 1)
	}
	means := make([]float64, 3)
	kind.Means(means, units.NewFeatures[float64](s, kind).MeanFields())
	for j, n := range []float64{5, 3, 2} {
		if want := 2*(n+1)/13 - 1; math.Abs(means[j]-want) > 1e-12 {
			t.Errorf("colour %d has the mean %v, not %v", j, means[j], want)
		}
	}
}
