package exchange

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bethe/causes"
	"bethe/internal/npy"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// causesFile learns a directed machine of 12 units; of a tree in patches of 6 and 6.
func causesFile(t *testing.T, o causes.Options) *causes.File {
	t.Helper()
	rng := stream.New(4).Rand()
	samples := spin.Random(12, 200, rng)
	for a := range 200 {
		for i := range 12 {
			if rng.Float64() < 0.7 {
				samples.Set(i, a, int8(2*((a%3+i)%3>>1)-1))
			}
		}
	}
	o.Patches, o.States, o.Coupling, o.Key = causes.Tiles(4, 3, 2, 3), 3, 0.7, stream.New(5)
	l, err := causes.NewLearner(samples, o)
	if err != nil {
		t.Fatal(err)
	}
	for l.Done() < l.Steps() {
		if _, err := l.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return l.File(rbm.Info{Program: "bethe test", Seed: 7, Data: "a */ b", Samples: 200})
}

// folder writes the files of the format pynn.
func folder(t *testing.T, files []File, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	path := t.TempDir()
	for _, f := range files {
		var b bytes.Buffer
		if err := f.Write(&b); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(path, f.Name), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// samplesOfState are how many states log-odds are compared at.
const samplesOfState = 6

// matrix is an array of samplesOfState rows.
func matrix(name string, x []float64) npy.Array {
	return npy.Array{Name: name, Shape: []int{samplesOfState, len(x) / samplesOfState}, Data: x}
}

// TestPyNN: what PyNN's own connectors read gives the log-odds of the machine: with one hidden layer,
// deep, with real synapses, a mixture and a tree.
func TestPyNN(t *testing.T) {
	t.Parallel()
	var s script
	rng := rand.New(rand.NewPCG(3, 3))
	chain := &rbm.Chain{}
	sizes := []int{7, 4, 3, 2}
	for l, p := range sizes {
		layer := rbm.Layer{Field: make([]float64, p), Offset: make([]float64, p)}
		for i := range p {
			layer.Field[i], layer.Offset[i] = rng.NormFloat64(), rng.Float64()
		}
		chain.Layers = append(chain.Layers, layer)
		if l > 0 {
			chain.Links = append(chain.Links, rbm.Between{Coupling: 0.4, Synapses: rbm.Binary(spin.Random(sizes[l-1], p, rng))})
		}
	}
	deep, err := chain.Fold()
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]*rbm.Machine{"one": testMachine(9, 5, 0.3, 1), "real": realMachine(6, 4, 2), "deep": deep} {
		layers := m.Layers()
		v, h := spin.Random(m.Visible(), samplesOfState, rng), spin.Random(m.Hidden(), samplesOfState, rng)
		on, means := [2]*spin.Matrix{v, h}, [2][]float64{m.VisibleMeans(h), m.HiddenMeans(v)}
		var arrays []npy.Array
		for l := range layers {
			at, population := layers.Place(l), "hidden"
			switch {
			case l == 0:
				population = "visible"
			case m.Deep():
				population += string(rune('0' + l))
			}
			var state, odds []float64
			for a := range samplesOfState {
				for i := at.From; i < at.To; i++ {
					state = append(state, float64(on[l%2].At(i, a)+1)/2)
					odds = append(odds, 2*math.Atanh(means[l%2][i*samplesOfState+a]))
				}
			}
			arrays = append(arrays, matrix("state_"+population, state), matrix("odds_"+population, odds))
		}
		files, err := tables{}.Machine(fileOf(m), Options{})
		if want := 2*layers.Depth()*2 + len(layers); len(files) != want && name != "deep" {
			t.Errorf("%s: %d files, not %d", name, len(files), want)
		}
		s.add("pynn", folder(t, files, err), archive(t, arrays...))
	}
	for model, o := range map[string]causes.Options{
		"mixture": {Model: causes.MixtureModel, Rule: causes.EM, Causes: 4, Passes: 5},
		"real":    {Model: causes.MixtureModel, Rule: causes.EM, Causes: 4, Passes: 5, Real: true},
		"tree":    {Model: causes.TreeModel, Rule: causes.EM, Causes: 5, Passes: 24},
	} {
		f := causesFile(t, o)
		m, levels := f.Machine(), f.Machine().Levels()
		visible := spin.Random(12, samplesOfState, rng)
		evidence := m.Evidence(visible)
		var seen, seenOdds, state, stateOdds, cause, causeOdds []float64
		for a := range samplesOfState {
			z := rng.IntN(len(levels.LnWeight))
			winners := make([]int, len(m.Patches))
			for g := range winners {
				winners[g] = rng.IntN(m.States)
			}
			fields := make([]float64, 12)
			for g, units := range m.Patches {
				for _, i := range units {
					fields[i] = m.Fields[winners[g]*12+i]
				}
				for k := range m.States {
					u := evidence[(g*m.States+k)*samplesOfState+a]
					if levels.Two {
						u += levels.LnGiven[(g*m.States+k)*m.Causes()+z]
					} else {
						u += levels.LnWeight[k]
					}
					state, stateOdds = append(state, 0), append(stateOdds, u)
				}
				state[len(state)-m.States+winners[g]] = 1
			}
			for i, f := range fields {
				seen, seenOdds = append(seen, float64(visible.At(i, a)+1)/2), append(seenOdds, 2*f)
			}
			for k, w := range levels.LnWeight {
				for g := range winners {
					if levels.Two {
						w += levels.LnGiven[(g*m.States+winners[g])*m.Causes()+k]
					}
				}
				cause, causeOdds = append(cause, 0), append(causeOdds, w)
			}
			cause[len(cause)-m.Causes()+z] = 1
		}
		arrays := []npy.Array{matrix("state_visible", seen), matrix("odds_visible", seenOdds)}
		if levels.Two {
			arrays = append(arrays, matrix("state_groups", state), matrix("odds_groups", stateOdds), matrix("state_causes", cause), matrix("odds_causes", causeOdds))
		} else {
			arrays = append(arrays, matrix("state_causes", state), matrix("odds_causes", stateOdds))
		}
		files, err := tables{}.Causes(f, Options{})
		if err == nil && model == "tree" && !strings.HasPrefix(files[1].Name, "groups") {
			t.Errorf("%s: %v", model, files)
		}
		s.add("pynn", folder(t, files, err), archive(t, arrays...))
	}
	s.run(t)
}
