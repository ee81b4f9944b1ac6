package baseline

import (
	"context"
	"errors"
	"fmt"
	"math"

	"bethe/evaluate"
	"bethe/internal/parallel"
	"bethe/spin"
	"bethe/units"
)

// penalty is the L2 penalty of the logistic regressions, beside their mean loss.
const penalty = 0.01

// Samples are samples of spins or colours, features x samples. Missing is nil, or +1 where a value is missing, units x samples.
type Samples struct{ Features, Missing *spin.Matrix }

// seen reports whether a unit is seen in a sample.
func (s Samples) seen(unit, sample int) bool {
	return s.Missing == nil || s.Missing.At(unit, sample) < 0
}

// Bits fits models of spins or colours to the known values of training samples and measures them on those of test
// samples: independent units, whose likelihood is exact, and each unit given all others, a logistic
// regression of all pairs, as pseudolikelihood learns them; others that are missing stand at their mean in the training samples.
// The error is the context's, or of no samples.
func Bits(ctx context.Context, fit, measure Samples, kind units.Kind) ([]Score, error) {
	train, test := fit.Features, measure.Features
	if kind.Word == units.Group || !kind.Bits() || train.Rows() != test.Rows() || train.Cols() < 2 || test.Cols() == 0 {
		return nil, fmt.Errorf("%d samples of %d features of %s units to fit models to, and %d of %d to measure them on", train.Cols(), train.Rows(), kind, test.Cols(), test.Rows())
	}
	of := kind.Features()
	n := train.Rows() / of
	choices := kind.Choices()
	share := make([]float64, n*choices) // of each state of each unit, half a sample added
	seen, met := labels(fit, kind), labels(measure, kind)
	for i := range n {
		m := 0.0
		for _, row := range seen {
			if row[i] != missing {
				m++
			}
		}
		for c := range choices {
			share[i*choices+c] = 0.5 / (m + 0.5*float64(choices))
		}
		for _, row := range seen {
			if row[i] != missing {
				share[i*choices+row[i]] += 1 / (m + 0.5*float64(choices))
			}
		}
	}
	alone := 0.0
	for _, row := range met {
		for i, c := range row {
			if c != missing {
				alone += math.Log(share[i*choices+c]) / float64(len(met))
			}
		}
	}
	scores := []Score{{Model: Independent, LogLikelihood: &alone, PseudoLikelihood: &alone, Samples: train.Cols()}}
	pairs := 0.0
	x, y := values(train), values(test)
	means := featureMeans(fit, kind)
	settle(x, fit, means, of)
	settle(y, measure, means, of)
	for i := range n {
		one, err := regression(ctx, i, kind, x, y, seen, met, share[i*choices:(i+1)*choices])
		if err != nil {
			return nil, err
		}
		pairs += one
	}
	return append(scores, Score{Model: Pairs, PseudoLikelihood: &pairs, Samples: train.Cols()}), nil
}

// missing is the label of a unit that is.
const missing = -1

// labels returns the states of the units of each sample, counted from 0.
func labels(samples Samples, kind units.Kind) [][]int {
	s := samples.Features
	of, rows := kind.Features(), make([][]int, s.Cols())
	for a := range rows {
		rows[a] = make([]int, s.Rows()/of)
		for i := range s.Rows() {
			if s.At(i, a) == 1 {
				rows[a][i/of] = i % of
				if !kind.OneHot() {
					rows[a][i] = 1
				}
			}
		}
		for unit := range rows[a] {
			if !samples.seen(unit, a) {
				rows[a][unit] = missing
			}
		}
	}
	return rows
}

// featureMeans returns the mean of each feature over the samples in which it is seen; 0 if it is in none.
func featureMeans(s Samples, kind units.Kind) []float32 {
	means, of := make([]float32, s.Features.Rows()), kind.Features()
	for i := range means {
		sum, count := 0, 0
		for a := range s.Features.Cols() {
			if s.seen(i/of, a) {
				sum += int(s.Features.At(i, a))
				count++
			}
		}
		means[i] = float32(sum) / float32(max(1, count))
	}
	return means
}

// settle puts missing features, samples x features, at their means.
func settle(x []float32, s Samples, means []float32, of int) {
	for k := range x {
		if i, a := k%len(means), k/len(means); !s.seen(i/of, a) {
			x[k] = means[i]
		}
	}
}

// values returns features as numbers, samples x features.
func values(s *spin.Matrix) []float32 {
	across := spin.New(s.Cols(), s.Rows())
	s.Transpose(across)
	x := make([]float32, s.Cols()*s.Rows())
	spin.Values(x, across)
	return x
}

// regression returns the mean of ln p of unit i of the test samples given the others, by the logistic
// regression of the training samples with a share of the unit's own frequencies in it: of a state
// that the training samples do not have.
func regression(ctx context.Context, i int, kind units.Kind, train, test []float32, seen, met [][]int, share []float64) (float64, error) {
	of := kind.Features()
	features := len(train) / len(seen)
	rest := features - of
	without := func(x []float32, count int) []float32 {
		out := make([]float32, 0, count*rest)
		for a := range count {
			row := x[a*features : (a+1)*features]
			out = append(append(out, row[:i*of]...), row[(i+1)*of:]...)
		}
		return out
	}
	own, sum := make([]int, 0, len(seen)), 0.0
	constant := true
	inputs := without(train, len(seen))
	for a, row := range seen {
		if row[i] != missing {
			copy(inputs[len(own)*rest:(len(own)+1)*rest], inputs[a*rest:(a+1)*rest])
			own = append(own, row[i])
			constant = constant && row[i] == own[0]
		}
	}
	if constant || rest == 0 {
		for _, row := range met {
			if row[i] != missing {
				sum += math.Log(share[row[i]]) / float64(len(met))
			}
		}
		return sum, nil
	}
	c, err := evaluate.FitClassifier(ctx, evaluate.RealInputs(inputs[:len(own)*rest], rest), own, evaluate.Fitting{L2: []float64{penalty}})
	if err != nil {
		return 0, err
	}
	mixed := 1 / float64(len(own)+1)
	x := without(test, len(met))
	parts := make([]float64, len(met))
	parallel.For(len(met), 64, func(lo, hi int) {
		p := make([]float64, len(c.Labels))
		for a := lo; a < hi; a++ {
			if met[a][i] == missing {
				continue
			}
			top, total := math.Inf(-1), 0.0
			for k := range p {
				p[k] = c.Bias[k]
				for f, v := range x[a*rest : (a+1)*rest] {
					p[k] += c.Weights[k*rest+f] * float64(v)
				}
				top = max(top, p[k])
			}
			for k := range p {
				p[k] = math.Exp(p[k] - top)
				total += p[k]
			}
			state := met[a][i]
			of := mixed * share[state]
			for k, label := range c.Labels {
				if label == state {
					of += (1 - mixed) * p[k] / total
				}
			}
			parts[a] = math.Log(of)
		}
	})
	for _, v := range parts {
		sum += v / float64(len(parts))
	}
	if math.IsNaN(sum) {
		return 0, errors.New("a logistic regression gave no number")
	}
	return sum, nil
}
