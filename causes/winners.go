package causes

import (
	"context"
	"encoding/csv"
	"io"
	"slices"
	"strconv"

	"bethe/spin"
)

// Winners tell what the causes of a machine stand for: how often each is the most probable
// one, and how its share of the samples is divided among labels.
type Winners struct {
	Wins   []int
	Labels []int     // that there are, rising; none where samples have no labels
	Share  []float64 // sums of P(cause | sample) over the samples of each label, causes x labels
}

// CountWinners counts over samples (visible x M), whose labels may be nil. Missing values and errors are as in
// Infer.
func CountWinners(ctx context.Context, machine *Machine, samples, missing *spin.Matrix, labels []int) (*Winners, error) {
	w := &Winners{Wins: make([]int, machine.Causes())}
	w.Labels = slices.Clone(labels)
	slices.Sort(w.Labels)
	w.Labels = slices.Compact(w.Labels)
	w.Share = make([]float64, len(w.Wins)*len(w.Labels))
	err := machine.each(ctx, samples, missing, func(a int, posterior []float64) {
		w.Wins[largest(posterior)]++
		if len(w.Labels) == 0 {
			return
		}
		l, _ := slices.BinarySearch(w.Labels, labels[a])
		for k, p := range posterior {
			w.Share[k*len(w.Labels)+l] += p
		}
	})
	return w, err
}

// each calls visit with the posterior of the causes of each sample, valid until the next.
func (m *Machine) each(ctx context.Context, samples, missing *spin.Matrix, visit func(a int, posterior []float64)) error {
	posterior := make([]float64, m.Causes())
	return m.network().over(ctx, samples, missing, m.Patches, func(b *block, f *frame[float64]) {
		for a := range f.count {
			for k := range posterior {
				posterior[k] = f.top[k*f.count+a]
			}
			visit(b.first+a, posterior)
		}
	})
}

// largest returns the place of the first largest number.
func largest(x []float64) int {
	best := 0
	for k, v := range x {
		if v > x[best] {
			best = k
		}
	}
	return best
}

// Classify returns the label of each sample: the one with the largest sum over causes of
// P(cause | sample) P(label | cause). Errors are those of Infer.
func (w *Winners) Classify(ctx context.Context, machine *Machine, samples, missing *spin.Matrix) ([]int, error) {
	share := slices.Clone(w.Share)
	for k := range w.Wins {
		row, sum := share[k*len(w.Labels):(k+1)*len(w.Labels)], 0.0
		for _, v := range row {
			sum += v
		}
		for l := range row {
			row[l] /= max(sum, 1e-9)
		}
	}
	told, score := make([]int, samples.Cols()), make([]float64, len(w.Labels))
	err := machine.each(ctx, samples, missing, func(a int, posterior []float64) {
		clear(score)
		for k, p := range posterior {
			for l, v := range share[k*len(w.Labels) : (k+1)*len(w.Labels)] {
				score[l] += p * v
			}
		}
		told[a] = w.Labels[largest(score)]
	})
	return told, err
}

// Errors returns the share of samples whose label Classify tells wrong. Errors are those of
// Infer.
func (w *Winners) Errors(ctx context.Context, machine *Machine, samples, missing *spin.Matrix, labels []int) (float64, error) {
	told, err := w.Classify(ctx, machine, samples, missing)
	if err != nil {
		return 0, err
	}
	wrong := 0
	for a, l := range told {
		if l != labels[a] {
			wrong++
		}
	}
	return float64(wrong) / float64(len(told)), nil
}

// WriteCSV writes a row for each cause: its number, how many samples it wins, the label that
// it stands for (the one with the largest share), and its share of the samples of each label.
func (w *Winners) WriteCSV(to io.Writer) error {
	out := csv.NewWriter(to)
	header := []string{"cause", "wins", "label"}
	for _, l := range w.Labels {
		header = append(header, "label_"+strconv.Itoa(l))
	}
	rows := [][]string{header}
	for k, wins := range w.Wins {
		share := w.Share[k*len(w.Labels) : (k+1)*len(w.Labels)]
		row := []string{strconv.Itoa(k), strconv.Itoa(wins), strconv.Itoa(w.Labels[largest(share)])}
		for _, v := range share {
			row = append(row, strconv.FormatFloat(v, 'f', 2, 64))
		}
		rows = append(rows, row)
	}
	return out.WriteAll(rows)
}

// CauseMeans returns the mean of each visible unit given each cause, causes x visible: what
// the causes look like.
func (m *Machine) CauseMeans() []float64 { return m.upper.means(m) }
