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

// Bits fits models of spins or colours to training samples and measures them on test samples, features
// x samples both: independent units, whose likelihood is exact, and each unit given all others, a logistic
// regression of all pairs, as pseudolikelihood learns them. The error is the context's, or of no
// samples.
func Bits(ctx context.Context, train, test *spin.Matrix, kind units.Kind) ([]Score, error) {
	if kind.Word == units.Group || !kind.Bits() || train.Rows() != test.Rows() || train.Cols() < 2 || test.Cols() == 0 {
		return nil, fmt.Errorf("%d samples of %d features of %s units to fit models to, and %d of %d to measure them on", train.Cols(), train.Rows(), kind, test.Cols(), test.Rows())
	}
	of := kind.Features()
	n, m := train.Rows()/of, float64(train.Cols())
	choices := kind.Choices()
	share := make([]float64, n*choices) // of each state of each unit, half a sample added
	seen, met := labels(train, kind), labels(test, kind)
	for k := range share {
		share[k] = 0.5 / (m + 0.5*float64(choices))
	}
	for _, row := range seen {
		for i, c := range row {
			share[i*choices+c] += 1 / (m + 0.5*float64(choices))
		}
	}
	alone := 0.0
	for _, row := range met {
		for i, c := range row {
			alone += math.Log(share[i*choices+c]) / float64(len(met))
		}
	}
	scores := []Score{{Model: Independent, LogLikelihood: &alone, PseudoLikelihood: &alone, Samples: train.Cols()}}
	pairs := 0.0
	x, y := values(train), values(test)
	for i := range n {
		one, err := regression(ctx, i, kind, x, y, seen, met, share[i*choices:(i+1)*choices])
		if err != nil {
			return nil, err
		}
		pairs += one
	}
	return append(scores, Score{Model: Pairs, PseudoLikelihood: &pairs, Samples: train.Cols()}), nil
}

// labels returns the states of the units of each sample, counted from 0.
func labels(s *spin.Matrix, kind units.Kind) [][]int {
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
	}
	return rows
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
	own, sum := make([]int, len(seen)), 0.0
	constant := true
	for a, row := range seen {
		own[a] = row[i]
		constant = constant && own[a] == own[0]
	}
	if constant || rest == 0 {
		for _, row := range met {
			sum += math.Log(share[row[i]]) / float64(len(met))
		}
		return sum, nil
	}
	c, err := evaluate.FitClassifier(ctx, evaluate.RealInputs(without(train, len(seen)), rest), own, evaluate.Fitting{L2: []float64{penalty}})
	if err != nil {
		return 0, err
	}
	mixed := 1 / float64(len(seen)+1)
	x := without(test, len(met))
	parts := make([]float64, len(met))
	parallel.For(len(met), 64, func(lo, hi int) {
		p := make([]float64, len(c.Labels))
		for a := lo; a < hi; a++ {
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
