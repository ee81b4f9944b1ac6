package apply

import (
	"context"
	"slices"
	"strconv"

	"bethe/dataset"
	"bethe/evaluate"
	"bethe/setting"
	"bethe/stream"
)

// labelledDraws is how many draws of labelled samples there are.
const labelledDraws = 5

// A LabelledReport is how classifiers do that learn from few labels: of draws that have as
// many samples of each label as can be.
type LabelledReport struct {
	Samples int    `json:"labels"`
	Draws   int    `json:"draws"`
	Test    string `json:"test"`
	Linear  Spread `json:"classifier_test_error"` // of a linear classifier of the features, which are those of a model that learned without labels
	Raw     Spread `json:"raw_test_error"`        // of one of the visible units
	// Winners is that of the winners of a directed machine, nil for others.
	Winners *Spread `json:"winners_test_error,omitempty"`
}

// A Spread is the mean and the range of an error rate over draws.
type Spread struct {
	Mean float64 `json:"mean"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

func spread(x []float64) Spread {
	s := Spread{Low: slices.Min(x), High: slices.Max(x)}
	for _, v := range x {
		s.Mean += v / float64(len(x))
	}
	return s
}

// stratified returns so many places of samples, of each label as many as can be (one more of
// some), in an order that the key decides.
func stratified(labels []int, count int, key stream.Key) []int {
	of := map[int][]int{}
	for _, a := range key.Rand().Perm(len(labels)) {
		of[labels[a]] = append(of[labels[a]], a)
	}
	classes := slices.Sorted(func(yield func(int) bool) {
		for l := range of {
			if !yield(l) {
				return
			}
		}
	})
	var chosen []int
	for round := 0; len(chosen) < count; round++ {
		for _, l := range classes {
			if round < len(of[l]) && len(chosen) < count {
				chosen = append(chosen, of[l][round])
			}
		}
	}
	return chosen
}

// fewLabels scores classifiers that learn from few labels.
func (f *Featuring) fewLabels(ctx context.Context, m features, set, test *dataset.Set, name string, r *FeaturesReport) error {
	if f.Labelled > set.Len() {
		return setting.Errorf("labelled", strconv.Itoa(f.Labelled), "%s has %d samples", f.Name, set.Len())
	}
	report := &LabelledReport{Samples: f.Labelled, Draws: labelledDraws, Test: name}
	y, err := m.read(ctx, test, f.Gain)
	if err != nil {
		return err
	}
	inTest := evaluate.RealInputs(y, m.count())
	var linear, raw, won []float64
	progress := f.progress("classifiers")
	fits := 0.0 // that are done, of two a draw
	for draw := range labelledDraws {
		key := stream.New(f.Seed).Sub(stream.RunLabelled).Sub(uint64(draw))
		places := stratified(set.Labels, f.Labelled, key)
		some := set.Subset(places)
		score := func(in, inTest evaluate.Inputs) (float64, error) {
			c, err := evaluate.ScoreClassifier(ctx, evaluate.Labelled{Name: f.Name, Inputs: in, Labels: some.Labels}, evaluate.Labelled{Name: name, Inputs: inTest, Labels: test.Labels}, f.L2, key, func(done float64) { progress((fits + done) / (2 * labelledDraws)) })
			if err != nil {
				return 0, err
			}
			fits++
			return c.TestError, nil
		}
		x, err := m.read(ctx, some, f.Gain)
		if err != nil {
			return err
		}
		one, err := score(evaluate.RealInputs(x, m.count()), inTest)
		if err != nil {
			return err
		}
		linear = append(linear, one)
		if one, err = score(rawInputs(some, some), rawInputs(test, some)); err != nil {
			return err
		}
		raw = append(raw, one)
		told, err := winners(ctx, m, some, test)
		if err != nil {
			return err
		}
		if told != nil {
			won = append(won, *told)
		}
	}
	report.Linear, report.Raw = spread(linear), spread(raw)
	if len(won) > 0 {
		s := spread(won)
		report.Winners = &s
	}
	r.Labelled = report
	return nil
}
