package trial

import (
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
	"sync"

	"bethe/infer"
	"bethe/planted"
	"bethe/setting"
	"bethe/spin"
	"bethe/stream"
)

// Messages is an experiment in which messages are passed on the posterior over
// planted synapses itself (package infer), for several densities of data.
type Messages struct {
	Setup     Setup // but for Alpha
	Alphas    []float64
	Instances int // teachers for each density
	Starts    int // random starts; the one with the most evidence is kept
	// Damping, Tolerance, Iterations and Pin are those of infer.Options.
	Damping    float64
	Tolerance  float64
	Iterations int
	Pin        bool
	Oracle     bool // also walk through the exact posterior and compare the means
	Seed       uint64
}

// A MessagePoint is what messages found at one density: means over instances.
type MessagePoint struct {
	Alpha   float64 `json:"alpha"`
	Samples int     `json:"samples"`
	Overlap float64 `json:"overlap"` // of the signs of the means
	Spread  float64 `json:"overlap_spread"`
	OfMeans float64 `json:"overlap_of_means"`
	// In machines of infinitely many units; only where hidden units are not correlated.
	OverlapLarge    *float64 `json:"overlap_large_limit,omitempty"`
	IterationsLarge *int     `json:"iterations_large_limit,omitempty"`
	Entropy         float64  `json:"entropy_per_synapse"` // nats
	Evidence        float64  `json:"evidence_per_sample"` // ln P(D)/M, nats
	Iterations      float64  `json:"iterations"`          // median over instances, of the first start
	Settled         int      `json:"settled"`             // instances whose messages did
	Growth          float64  `json:"growth"`              // of a small change in an iteration; mean
	GrowthMax       float64  `json:"growth_max"`          // over instances
	// With an oracle: the Bayes optimum by Monte Carlo, and how far messages' means are from its.
	Bayes      *float64 `json:"bayes_overlap,omitempty"`
	MarginalBy *float64 `json:"means_off_rms,omitempty"`
	MarginalAt *float64 `json:"means_off_largest_rms,omitempty"` // of the worst instance
	Seconds    float64  `json:"seconds"`
}

// A MessagesReport is what messages found at all densities.
type MessagesReport struct {
	Visible     int            `json:"visible"`
	Hidden      int            `json:"hidden"`
	Beta        float64        `json:"beta"`
	Correlation float64        `json:"correlation"`
	Instances   int            `json:"instances"`
	Seed        uint64         `json:"seed"`
	Transition  float64        `json:"transition"` // alpha_c = beta^-4
	Points      []MessagePoint `json:"points"`
	Files       []string       `json:"files,omitempty"`
}

// DefaultMessages are those of small machines around the transition.
func DefaultMessages() Messages {
	opt := infer.DefaultOptions(1, 1, 0)
	return Messages{Setup: Setup{Visible: 200, Hidden: 1, Beta: 1}, Alphas: []float64{0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 4, 5}, Instances: 5, Starts: 1,
		Damping: opt.Damping, Tolerance: opt.Tolerance, Iterations: opt.MaxIterations}
}

// Validate returns the *setting.Error of the first parameter out of range.
func (e *Messages) Validate() error {
	if len(e.Alphas) == 0 {
		return setting.Errorf("alpha", "", "at least one density is needed")
	}
	for _, alpha := range e.Alphas {
		s := e.Setup
		s.Alpha = alpha
		if err := s.Validate(); err != nil {
			return err
		}
	}
	if err := setting.AtLeastOne("each must be at least 1", setting.Count{Name: "instances", Value: e.Instances},
		setting.Count{Name: "restarts", Value: e.Starts}, setting.Count{Name: "iterations", Value: e.Iterations}); err != nil {
		return err
	}
	switch {
	case e.Setup.Hidden > infer.MaxHidden:
		return setting.Errorf("hidden", e.Setup.Hidden, "messages on the posterior are for 1 or %d hidden units", infer.MaxHidden)
	case !(e.Damping >= 0 && e.Damping < 1):
		return setting.Errorf("damping", e.Damping, "it must be at least 0 and below 1")
	case !(e.Tolerance > 0) || math.IsInf(e.Tolerance, 0):
		return setting.Errorf("tolerance", e.Tolerance, "it must be positive and finite")
	}
	if _, err := infer.New[float32](spin.New(e.Setup.Visible, 1), e.options(0)); err != nil { // the coupling's range
		return setting.Errorf("beta", e.Setup.Beta, "%v", err)
	}
	return nil
}

func (e *Messages) options(key stream.Key) infer.Options {
	opt := infer.DefaultOptions(e.Setup.Hidden, e.Setup.Coupling(), key)
	opt.Pin, opt.Damping, opt.Tolerance, opt.MaxIterations = e.Pin, e.Damping, e.Tolerance, e.Iterations
	return opt
}

// Report returns the report without points.
func (e *Messages) Report() *MessagesReport {
	return &MessagesReport{Visible: e.Setup.Visible, Hidden: e.Setup.Hidden, Beta: e.Setup.Beta, Correlation: e.Setup.Correlation,
		Instances: e.Instances, Seed: e.Seed, Transition: math.Pow(e.Setup.Beta, -4)}
}

// Points computes the densities one after another. It ends with an error: that of
// Validate, the context's, or that of Monte Carlo.
func (e *Messages) Points(ctx context.Context, progress Progress) iter.Seq2[MessagePoint, error] {
	return func(yield func(MessagePoint, error) bool) {
		if err := e.Validate(); err != nil {
			yield(MessagePoint{}, err)
			return
		}
		for k, alpha := range e.Alphas {
			p, err := e.point(ctx, alpha, stream.New(e.Seed).Sub(uint64(k)), progress)
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

// inferred is what messages found in one instance.
type inferred struct {
	*infer.Result
	iterations       int // of the first start
	overlap, ofMeans float64
	bayes, off       float64 // off: root mean square distance of the means from Monte Carlo's
}

// inParallel is the largest number of messages from samples if several instances are
// inferred at a time. Beyond it memory counts, and one instance takes all threads.
const inParallel = 1 << 20

// point infers all instances at one density.
func (e *Messages) point(ctx context.Context, alpha float64, key stream.Key, progress Progress) (MessagePoint, error) {
	setup := e.Setup
	setup.Alpha = alpha
	found := make([]inferred, e.Instances)
	var one sync.Mutex
	seconds, err := Each(fmt.Sprintf("alpha %g", alpha), e.Instances, progress, func(k int) error {
		if setup.Visible*setup.Samples() > inParallel {
			one.Lock()
			defer one.Unlock()
		}
		x, err := Plant(ctx, setup, key.Sub(uint64(k)))
		if err == nil {
			err = e.infer(ctx, &found[k], x)
		}
		return err
	})
	if err != nil {
		return MessagePoint{}, err
	}
	p := MessagePoint{Alpha: alpha, Samples: setup.Samples(), Seconds: seconds}
	share := 1 / float64(e.Instances)
	var iterations []int
	var bayes, square, worst float64
	for _, x := range found {
		p.Overlap += share * x.overlap
		p.OfMeans += share * x.ofMeans
		p.Entropy += share * x.Entropy / float64(setup.Visible*setup.Hidden)
		p.Evidence += share * x.Evidence / float64(p.Samples)
		p.Growth += share * x.Growth
		p.GrowthMax = max(p.GrowthMax, x.Growth)
		iterations = append(iterations, x.iterations)
		if x.Converged {
			p.Settled++
		}
		bayes += share * x.bayes
		square += share * x.off * x.off
		worst = max(worst, x.off)
	}
	for _, x := range found {
		p.Spread += share * (x.overlap - p.Overlap) * (x.overlap - p.Overlap)
	}
	p.Spread = math.Sqrt(p.Spread)
	slices.Sort(iterations)
	p.Iterations = float64(iterations[len(iterations)/2]+iterations[(len(iterations)-1)/2]) / 2
	if setup.Correlation == 0 {
		large := infer.LargeLimit(alpha, setup.Beta)
		p.OverlapLarge, p.IterationsLarge = &large.Overlap, &large.Iterations
	}
	if e.Oracle {
		off := math.Sqrt(square)
		p.Bayes, p.MarginalBy, p.MarginalAt = &bayes, &off, &worst
	}
	return p, nil
}

// infer infers the synapses of a trial from all starts.
func (e *Messages) infer(ctx context.Context, found *inferred, x *Trial) error {
	for k := range e.Starts {
		messages, err := infer.New[float32](x.Data, e.options(x.key.Sub(stream.TrialMessages).Sub(uint64(k))))
		if err != nil {
			return err
		}
		r, err := messages.Run(ctx, nil)
		if err != nil {
			return err
		}
		if k == 0 {
			found.iterations = r.Iterations
		}
		if found.Result == nil || r.Evidence > found.Evidence {
			found.Result = r
		}
	}
	n, p := x.Setup.Visible, x.Setup.Hidden
	signs := spin.New(n, p)
	spin.FromSigns(p, n, found.Mean).Transpose(signs)
	found.overlap = planted.Match(signs, x.Teacher.Signs()).Mean()
	match := planted.MatchMean(found.Mean, x.Teacher.Signs())
	found.ofMeans = match.Mean()
	if !e.Oracle {
		return nil
	}
	y, err := planted.NewYardstick(ctx, x.Teacher, x.Data, planted.DefaultSchedule, x.key.Sub(stream.TrialWalk))
	if err != nil {
		return err
	}
	found.bayes = y.FromTeacher.Overlap.Mean()
	mine := match.Ordered(found.Mean)
	var square float64
	for k, v := range y.FromTeacher.MeanOverlap.Ordered(y.FromTeacher.Mean) {
		square += (v - mine[k]) * (v - mine[k])
	}
	found.off = math.Sqrt(square / float64(n*p))
	return nil
}
