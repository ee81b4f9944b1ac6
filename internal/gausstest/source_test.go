package gausstest_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"bethe/internal/gausstest"
	"bethe/rbm"
	"bethe/sample"
	"bethe/sample/sampletest"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// machine has 3 visible and 2 hidden units, offsets and fields.
func machine() *gausstest.Machine {
	return &gausstest.Machine{
		Coupling:    0.6,
		Synapses:    [][]float64{{1, -1}, {1, 1}, {-1, 1}},
		Mean:        []float64{0.4, -1, 2},
		Deviation:   []float64{0.5, 1, 1.7},
		HiddenField: []float64{0.3, -0.2}, HiddenOffset: []float64{0.4, -0.3},
	}
}

// The base, in u, and where v of the first two units is cut into cells.
var (
	baseMean, baseVariance = []float64{0.3, -0.2, 0.1}, []float64{1.5, 0.9, 1.2}
	cuts                   = [][]float64{{0.1, 0.8}, {-1.6, -0.4}}
)

// normal is the distribution of one u given h.
type normal struct{ mean, variance float64 }

// at returns ln of the sum over u of the weight of hidden state h at t, but for fields,
// of unit i, and the distribution of its u.
func at(m *gausstest.Machine, i int, h [2]float64, t float64) (lnZ float64, u normal) {
	precision, linear := (1-t)/baseVariance[i]+t, (1-t)*baseMean[i]/baseVariance[i]
	for mu, xi := range m.Synapses[i] {
		linear += t * m.Coupling * xi * (h[mu] - m.HiddenOffset[mu])
	}
	return math.Log(2*math.Pi/precision)/2 + linear*linear/(2*precision), normal{linear / precision, 1 / precision}
}

func hiddenState(k int) [2]float64 {
	return [2]float64{float64(2*(k&1) - 1), float64(2*(k>>1) - 1)}
}

// below returns the probability that v_i of a normal u is below x.
func below(m *gausstest.Machine, i int, u normal, x float64) float64 {
	return math.Erfc(-((x-m.Mean[i])/m.Deviation[i]-u.mean)/math.Sqrt(2*u.variance)) / 2
}

// cells returns the probabilities of hidden state x cell of v_0 x cell of v_1, for
// distributions of u given each hidden state and exponents of those.
func cells(m *gausstest.Machine, exponents [4]float64, of [4][3]normal) []float64 {
	z := rbm.LogSumExp(exponents[:])
	var out []float64
	for k, e := range exponents {
		var share [2][3]float64
		for i := range share {
			low, high := below(m, i, of[k][i], cuts[i][0]), below(m, i, of[k][i], cuts[i][1])
			share[i] = [3]float64{low, high - low, 1 - high}
		}
		for _, a := range share[0] {
			for _, b := range share[1] {
				out = append(out, math.Exp(e-z)*a*b)
			}
		}
	}
	return out
}

func enumerated(m *gausstest.Machine, t float64) (exponents [4]float64, of [4][3]normal) {
	for k := range exponents {
		h := hiddenState(k)
		for mu, c := range m.HiddenField {
			exponents[k] += t * c * h[mu]
		}
		for i := range of[k] {
			var ln float64
			ln, of[k][i] = at(m, i, h, t)
			exponents[k] += ln
		}
	}
	return exponents, of
}

// TestSourceKeepsTheContract: Gaussian visible units keep the contract of a source.
func TestSourceKeepsTheContract(t *testing.T) {
	m := machine()
	sampletest.Run(t, sampletest.Case[float64, *units.Reals[float64], *spin.Matrix]{
		New: func() sample.Source[float64, *units.Reals[float64], *spin.Matrix] {
			return m.From(baseMean, baseVariance)
		},
		Cells: func(v *units.Reals[float64], h *spin.Matrix) []int {
			out := make([]int, v.Len())
			for l := range out {
				cell := int(h.At(0, l)+1)/2 + int(h.At(1, l)+1)
				for i, cut := range cuts {
					cell *= 3
					for _, x := range cut {
						if v.Row(i)[l] >= x {
							cell++
						}
					}
				}
				out[l] = cell
			}
			return out
		},
		Probabilities: func(t float64) []float64 {
			exponents, of := enumerated(m, t)
			return cells(m, exponents, of)
		},
		LnZ: func(t float64) float64 {
			exponents, _ := enumerated(m, t)
			return rbm.LogSumExp(exponents[:])
		},
		LogWeights: func(v *units.Reals[float64], t float64) []float64 {
			weights := make([]float64, v.Len())
			for l := range weights {
				var list [4]float64
				for k := range list {
					h := hiddenState(k)
					for mu, c := range m.HiddenField {
						list[k] += t * c * h[mu]
					}
					for i := range m.Mean {
						u := (v.Row(i)[l] - m.Mean[i]) / m.Deviation[i]
						list[k] += -(1-t)*u*u/(2*baseVariance[i]) + (1-t)*u*baseMean[i]/baseVariance[i] - t*u*u/2 - math.Log(m.Deviation[i])
						for mu, xi := range m.Synapses[i] {
							list[k] += t * m.Coupling * u * xi * (h[mu] - m.HiddenOffset[mu])
						}
					}
				}
				weights[l] = rbm.LogSumExp(list[:])
			}
			return weights
		},
		Values: func(v *units.Reals[float64]) []float64 { return v.Values() },
		Observed: func(y *units.Reals[float64], strength float64) []float64 {
			exponents, of := enumerated(m, 1)
			for k := range of {
				for i, u := range of[k] { // u is N(mean, variance), y in u's units has noise of 1/s
					s, seen := strength*m.Deviation[i]*m.Deviation[i], (y.Row(i)[0]-m.Mean[i])/m.Deviation[i]
					d := seen - u.mean
					exponents[k] += -d*d/(2*(u.variance+1/s)) - math.Log(u.variance+1/s)/2
					of[k][i] = normal{(u.mean/u.variance + s*seen) / (1/u.variance + s), 1 / (1/u.variance + s)}
				}
			}
			return cells(m, exponents, of)
		},
		Tolerance: 1e-10,
	})
}

// TestKnownSynapses: ln Z, likelihoods and both conditionals are those of the oracle for
// the machine whose synapses are the signs of the posterior means, to its twelve digits.
func TestKnownSynapses(t *testing.T) {
	text, err := os.ReadFile("testdata/oracle-units.json")
	if err != nil {
		t.Fatal(err)
	}
	var oracle struct {
		Cases []struct {
			Name, Visible, Hidden string
			Coupling              float64
			PosteriorMean         [][]float64 `json:"posterior_mean"`
			HiddenField           []float64   `json:"hidden_field"`
			HiddenOffset          []float64   `json:"hidden_offset"`
			Mean                  []float64
			LnSigma               []float64 `json:"ln_sigma"`
			Samples               [][]float64
			Fixed                 struct {
				LnZ          float64     `json:"ln_z"`
				LnLikelihood []float64   `json:"ln_likelihood"`
				HiddenMeans  [][]float64 `json:"hidden_given_samples"`
				HiddenStates [][]float64 `json:"hidden_states"`
				VisibleMeans [][]float64 `json:"visible_given_hidden"`
			}
		}
	}
	if err := json.Unmarshal(text, &oracle); err != nil {
		t.Fatal(err)
	}
	machines := 0
	near := func(name, what string, got, want, tolerance float64) {
		t.Helper()
		if !(math.Abs(got-want) <= tolerance*(1+math.Abs(want))) {
			t.Errorf("%s: %s %.13g, not %.13g", name, what, got, want)
		}
	}
	for _, c := range oracle.Cases {
		if c.Visible != "gauss" || c.Hidden != "spin" {
			continue // other kinds of units
		}
		machines++
		m := &gausstest.Machine{Coupling: c.Coupling, Synapses: c.PosteriorMean, Mean: c.Mean, HiddenField: c.HiddenField, HiddenOffset: c.HiddenOffset}
		for _, row := range m.Synapses {
			for mu, lambda := range row {
				row[mu] = 1
				if lambda < 0 {
					row[mu] = -1
				}
			}
		}
		for _, l := range c.LnSigma {
			m.Deviation = append(m.Deviation, math.Exp(l))
		}
		lnz, err := m.LnZ(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		near(c.Name, "ln Z", lnz, c.Fixed.LnZ, 1e-11)
		samples := columns(c.Samples)
		for a, w := range m.LogWeights(samples) {
			near(c.Name, "ln likelihood", w-lnz, c.Fixed.LnLikelihood[a], 1e-11)
		}
		means := make([]float32, m.Hidden()*samples.Len())
		m.HiddenMeans(means, samples, 1)
		for a, row := range c.Fixed.HiddenMeans {
			for mu, want := range row {
				near(c.Name, "hidden mean", float64(means[mu*samples.Len()+a]), want, 1e-6) // which is a float32
			}
		}
		states := columns(c.Fixed.HiddenStates)
		h := spin.FromSigns(states.Units(), states.Len(), states.Values())
		layers := m.Source(samples).Conditionals(h.Cols())
		layers.DrawVisible(units.NewReals[float64](m.Visible(), h.Cols()), h, 1, stream.New(1))
		shown := make([]float64, m.Visible()*h.Cols())
		layers.VisibleMeans(shown, layers.VisibleFields())
		for a, row := range c.Fixed.VisibleMeans {
			for i, want := range row {
				near(c.Name, "visible mean", shown[i*h.Cols()+a], want, 1e-11)
			}
		}
	}
	if machines != 5 {
		t.Errorf("%d machines, not 5", machines)
	}
}

// columns returns rows of numbers as columns of states.
func columns(rows [][]float64) *units.Reals[float64] {
	r := units.NewReals[float64](len(rows[0]), len(rows))
	for l, row := range rows {
		for i, v := range row {
			r.Row(i)[l] = v
		}
	}
	return r
}
