package planted

import (
	"context"
	"errors"
	"fmt"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// A Yardstick is the overlap with the teacher that the best possible student
// reaches, one that knows the exact posterior.
//
// The teacher is a draw from the posterior if its synapses are independent
// (correlation 0; else the uniform prior here ignores what could be known), so
// a run that starts at it is in equilibrium at once and only has to forget it,
// and its overlap is the Bayes-optimal one. A run that starts at random is the
// check: where its overlap and its MeanLogLikelihood are lower, the good state
// exists but was not found. On average over teachers and data a sample overlaps
// with the teacher as much as with an independent sample (the Nishimori
// condition; H. Nishimori, Statistical Physics of Spin Glasses and Information
// Processing, 2001), so SampleOverlap and Replicas should agree.
type Yardstick struct {
	FromTeacher, FromRandom Score
	// Replicas is the mean overlap of samples of one run with those of the
	// other, after matching.
	Replicas float64
}

// A Score is what a run found.
type Score struct {
	Run
	Mean []float64 // posterior mean of the synapses, hidden x visible, aligned without the teacher
	// Overlap is that of sign(Mean) with the teacher: its mean over hidden
	// units is the yardstick. MeanOverlap is that of Mean itself.
	Overlap, MeanOverlap *Matching
	SampleOverlap        float64 // of a sample with the teacher, mean over hidden units and samples
	MeanLogLikelihood    float64 // mean over samples, in nats
}

// DefaultSchedule was enough for 100 visible units at beta = 1 and 2 to 8
// samples per visible unit: of at least 50 random starts at each of 1, 2, 3, 5 and
// 8 hidden units, all but one came within 8 nats of the MeanLogLikelihood found
// from the teacher. Posterior means of two runs then overlap with the teacher equally
// well to 0.03 where data are few, to 0.01 from 4 samples per visible unit on (root mean
// square). A run takes about a second with 3 hidden units and 800 samples (one busy
// core of a 2020s server).
var DefaultSchedule = Schedule{BurnIn: 500, Temperature: 3, Keep: 6000}

// NewYardstick samples the posterior of the synapses given data (visible x
// samples), the teacher's coupling and the uniform prior. Both runs follow the
// schedule, but the one that starts at the teacher is not heated. One thread does
// the work; the cost is proportional to sweeps, synapses and samples. The error
// is the context's, or names a teacher with fields or offsets, or with more than
// MaxTracked hidden units. It panics if shapes do not fit.
func NewYardstick(ctx context.Context, teacher *rbm.Machine, data *spin.Matrix, schedule Schedule, key stream.Key) (*Yardstick, error) {
	checkMachine("NewYardstick", teacher)
	if data.Rows() != teacher.Visible() {
		panic(fmt.Sprintf("planted: NewYardstick with data of %d rows, for %d visible units", data.Rows(), teacher.Visible()))
	}
	if err := teacher.Validate(); err != nil {
		return nil, err
	}
	n, p := teacher.Visible(), teacher.Hidden()
	if teacher.HasFields() || teacher.Centred() {
		return nil, errors.New("a teacher with fields or offsets: the posterior of the synapses is sampled only without")
	}
	if p > MaxTracked {
		return nil, fmt.Errorf("a teacher of %d hidden units: the posterior of the synapses is sampled for at most %d", p, MaxTracked)
	}
	post := NewExactPosterior(data, p, teacher.Coupling())
	y := &Yardstick{}
	cold := schedule
	cold.Temperature = 1
	for _, start := range []struct {
		score    *Score
		synapses *spin.Matrix
		schedule Schedule
		label    uint64
	}{
		{&y.FromTeacher, teacher.Signs(), cold, stream.YardstickFromTeacher},
		{&y.FromRandom, spin.Random(n, p, key.Sub(stream.YardstickRandom).Rand()), schedule, stream.YardstickFromRandom},
	} {
		run, err := post.Run(ctx, start.synapses, start.schedule, key.Sub(start.label))
		if err != nil {
			return nil, err
		}
		if err := start.score.set(ctx, run, teacher.Signs()); err != nil {
			return nil, err
		}
	}
	for k, s := range y.FromTeacher.Samples {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		y.Replicas += Match(s, y.FromRandom.Samples[k]).Mean()
	}
	y.Replicas /= float64(schedule.Keep)
	return y, nil
}

// set scores a run. The error is the context's.
func (s *Score) set(ctx context.Context, run *Run, teacher *spin.Matrix) (err error) {
	s.Run = *run
	if s.Mean, err = AlignedMean(ctx, run.Samples); err != nil {
		return err
	}
	s.MeanOverlap = MatchMean(s.Mean, teacher)
	n, p := teacher.Rows(), teacher.Cols()
	sign := spin.New(n, p)
	spin.FromSigns(p, n, s.Mean).Transpose(sign)
	s.Overlap = Match(sign, teacher)
	for k, x := range run.Samples {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.SampleOverlap += Match(x, teacher).Mean() / float64(len(run.Samples))
		s.MeanLogLikelihood += run.LogLikelihood[k] / float64(len(run.Samples))
	}
	return nil
}
