// Package sweep runs the planted experiment over a grid of parameters in
// shards, on as many machines as share a folder.
//
// A grid becomes a manifest of cells. A cell is named by its parameters, draws
// its random numbers from its name alone, and leaves a file of its own, written
// as a whole: so cells can be computed in any order, by any number of processes
// at once, killed and begun again, and the collected table is the same to the
// last byte. There is no scheduler here: Script writes what Slurm, GNU parallel
// and Kubernetes need.
package sweep

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"

	"bethe/stream"
	"bethe/trial"
)

// A Cell is one combination of parameters: the mean over some instances.
type Cell struct {
	Visible     int     `json:"visible"`
	Hidden      int     `json:"hidden"`
	Alpha       float64 `json:"alpha"`
	Beta        float64 `json:"beta"`
	Correlation float64 `json:"correlation"`
	Instances   int     `json:"instances"` // teachers
	Restarts    int     `json:"restarts"`  // random starts of each learner
	Seed        uint64  `json:"seed"`
	Oracle      bool    `json:"oracle"` // also find the Bayes-optimal overlap
	Sets
}

func (c *Cell) setup() trial.Setup {
	return trial.Setup{Visible: c.Visible, Hidden: c.Hidden, Alpha: c.Alpha, Beta: c.Beta, Correlation: c.Correlation}
}

// algorithm is part of every cell's name; it changes when cells of the same
// parameters get other results for another reason than the last bits of sums.
const algorithm = "bethe planted 2"

// sum is a hash of the parameters, written canonically: as decimal numbers
// with the fewest digits that tell a float64 from its neighbours.
func (c *Cell) sum() uint64 {
	float := func(x float64) string { return strconv.FormatFloat(x+0, 'g', -1, 64) }
	text := fmt.Sprintf("%s visible=%d hidden=%d alpha=%s beta=%s correlation=%s instances=%d restarts=%d seed=%d oracle=%t%s", algorithm,
		c.Visible, c.Hidden, float(c.Alpha), float(c.Beta), float(c.Correlation), c.Instances, c.Restarts, c.Seed, c.Oracle, c.text())
	hash := sha256.Sum256([]byte(text))
	return binary.BigEndian.Uint64(hash[:8])
}

// ID returns the name of the cell: 16 hexadecimal digits that depend on its
// parameters alone.
func (c *Cell) ID() string { return fmt.Sprintf("%016x", c.sum()) }

// cost is proportional to the time that a cell takes, roughly.
func (c *Cell) cost() float64 {
	return float64(c.Instances) * float64(c.Restarts+1) * float64(c.Visible) * float64(c.setup().Samples()) * float64(c.Hidden) * float64(max(1, 3*c.Tasks))
}

// compare orders cells by their parameters, in the order of the table's columns.
func compare(a, b *Cell) int {
	oracle := func(c *Cell) int {
		if c.Oracle {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(a.Visible, b.Visible), cmp.Compare(a.Hidden, b.Hidden), cmp.Compare(a.Alpha, b.Alpha), cmp.Compare(a.Beta, b.Beta),
		cmp.Compare(a.Correlation, b.Correlation), cmp.Compare(a.Instances, b.Instances), cmp.Compare(a.Restarts, b.Restarts),
		cmp.Compare(a.Seed, b.Seed), cmp.Compare(oracle(a), oracle(b)), cmp.Compare(a.Tasks, b.Tasks), cmp.Compare(a.TaskAlpha, b.TaskAlpha),
		cmp.Compare(a.TaskCorrelation, b.TaskCorrelation), cmp.Compare(a.PriorScale, b.PriorScale), cmp.Compare(a.PriorStrength, b.PriorStrength))
}

// A Result is what a cell found: means over its instances (trial.Summary). A cell of several sets has
// Samples and Sets alone.
type Result struct {
	Samples          int     `json:"samples"`
	Overlap          float64 `json:"overlap"`
	OverlapSpread    float64 `json:"overlap_spread"` // standard deviation between instances
	OverlapBestStart float64 `json:"overlap_best_start"`
	OverlapOfMeans   float64 `json:"overlap_of_means"`
	Bound            float64 `json:"bound_per_sample"`
	// The Bayes-optimal overlap, where it was asked for: from the teacher, and from a random start.
	Bayes            *float64 `json:"bayes_overlap,omitempty"`
	BayesRandomStart *float64 `json:"bayes_overlap_random_start,omitempty"`
	// What a cell of several sets found.
	Sets *SetsResult `json:"sets,omitempty"`
}

// instanceKey is that of instance k of a cell.
func instanceKey(c *Cell, k int) stream.Key { return stream.New(c.sum()).Sub(uint64(k)) }

// compute does the work of a cell. It depends on the cell alone.
func (c *Cell) compute(ctx context.Context) (*Result, error) {
	if c.several() {
		return c.computeSets(ctx)
	}
	setup := c.setup()
	learner := trial.DefaultLearner(setup, c.Restarts)
	trials := make([]*trial.Trial, c.Instances)
	for k := range trials {
		t, err := trial.Plant(ctx, setup, instanceKey(c, k))
		if err == nil {
			err = t.Learn(ctx, learner)
		}
		if err == nil && c.Oracle {
			err = t.BayesOptimum(ctx)
		}
		if err != nil {
			return nil, err
		}
		t.Teacher, t.Data = nil, nil // the scores are enough from here on
		trials[k] = t
	}
	s := trial.Summarise(trials)
	r := &Result{Samples: setup.Samples(), Overlap: s.Overlap, OverlapSpread: s.OverlapSpread,
		OverlapBestStart: s.OverlapBestStart, OverlapOfMeans: s.OverlapOfMeans, Bound: s.Bound}
	if c.Oracle {
		r.Bayes, r.BayesRandomStart = &s.Bayes, &s.BayesRandomStart
	}
	return r, r.check(c)
}

// check returns an error unless the result is a possible one of the cell.
func (r *Result) check(c *Cell) error {
	numbers := []float64{r.Overlap, r.OverlapSpread, r.OverlapBestStart, r.OverlapOfMeans, r.Bound}
	if c.several() != (r.Sets != nil) {
		return fmt.Errorf("a result of several sets of a cell of one, or of one of several")
	}
	if c.several() {
		numbers = append(numbers, r.Sets.numbers()...)
	}
	if c.Oracle != (r.Bayes != nil) || c.Oracle != (r.BayesRandomStart != nil) {
		return fmt.Errorf("a Bayes-optimal overlap where none was asked for, or none where one was")
	}
	if c.Oracle {
		numbers = append(numbers, *r.Bayes, *r.BayesRandomStart)
	}
	if samples := c.setup().Samples(); r.Samples != samples {
		return fmt.Errorf("%d samples, not %d", r.Samples, samples)
	}
	if k := slices.IndexFunc(numbers, func(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) }); k >= 0 {
		return fmt.Errorf("a result that is not finite: %v", numbers[k])
	}
	return nil
}
