package evaluate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"

	"bethe/internal/parallel"
	"bethe/stream"
)

// A Classifier is a multinomial logistic regression: the class of inputs x is
// c with probability ∝ exp(Weights[c].x + Bias[c]).
type Classifier struct {
	Labels  []int     // of the classes, rising
	Weights []float64 // classes x features
	Bias    []float64 // of each class
	L2      float64   // the penalty that was chosen
	HeldOut []float64 // error rate on the samples held out, for each penalty; nil where there is one
}

// Fitting says how a classifier is fitted.
type Fitting struct {
	// L2 are the penalties tried: L2/2 times the sum of the squared weights is
	// added to the mean loss. Where there are several, the one with the fewest
	// errors on samples held out is taken, and the classifier then fitted to all.
	L2       []float64
	HeldOut  float64    // share of the samples that is held out, such as 1/6
	Key      stream.Key // chooses the samples that are held out
	Progress func(fraction float64)
}

// maxIterations ends a fit that does not settle; whitened, fits take some tens.
const maxIterations = 200

// FitClassifier fits a classifier to inputs and their labels, by L-BFGS in
// coordinates in which the inputs are white. Equal arguments give equal
// classifiers, whatever the number of threads. Errors are the context's, and of
// labels and penalties that do not fit.
func FitClassifier(ctx context.Context, in Inputs, labels []int, f Fitting) (*Classifier, error) {
	m, p := in.Size()
	classes := slices.Clone(labels)
	slices.Sort(classes)
	classes = slices.Compact(classes)
	switch {
	case len(labels) != m:
		return nil, fmt.Errorf("%d labels of %d samples", len(labels), m)
	case len(classes) < 2:
		return nil, fmt.Errorf("labels of %d classes: a classifier needs at least two", len(classes))
	case len(f.L2) == 0:
		return nil, fmt.Errorf("no penalty is named")
	}
	for _, l := range f.L2 {
		if !(l > 0) || math.IsInf(l, 0) {
			return nil, fmt.Errorf("a penalty of %v: it must be positive and finite", l)
		}
	}
	out := int(f.HeldOut * float64(m))
	if len(f.L2) > 1 && (out < 1 || out >= m) {
		return nil, fmt.Errorf("%d of %d samples held out: at least one must be, and one left", out, m)
	}
	if m < p && m <= mostSpanned {
		if c, ok, err := fitSpanned(ctx, in, labels, f); ok || err != nil {
			return c, err
		}
	}
	r := &regression{in: in, samples: m, features: p, classes: len(classes), class: make([]int, m), used: make([]bool, m),
		scores: make([]float32, len(classes)*m), means: make([]float64, p)}
	for a, l := range labels {
		r.class[a], _ = slices.BinarySearch(classes, l)
	}
	var products []float64
	var err error
	if r.means, products, err = in.Moments(ctx); err != nil {
		return nil, err
	}
	for i := range p {
		for j := range p {
			products[i*p+j] -= r.means[i] * r.means[j]
		}
	}
	r.covariance = mat.NewSymDense(p, products)
	fits, done := 1, 0
	if len(f.L2) > 1 {
		fits += len(f.L2)
	}
	step := func() {
		done++
		if f.Progress != nil {
			f.Progress(float64(done) / float64(fits))
		}
	}
	c := &Classifier{Labels: classes, L2: f.L2[0]}
	w := make([]float64, r.classes*(p+1))
	if len(f.L2) > 1 {
		order := f.Key.Rand().Perm(m)
		for k, a := range order {
			r.used[a] = k >= out
		}
		best := math.Inf(1)
		penalties := slices.Clone(f.L2)
		slices.SortFunc(penalties, func(a, b float64) int { return int(math.Copysign(1, b-a)) }) // strong ones first: each fit starts at the last
		c.HeldOut = make([]float64, len(f.L2))
		start := slices.Clone(w)
		for _, l := range penalties {
			if err := r.fit(ctx, start, l); err != nil {
				return nil, err
			}
			rate, err := r.errorRate(ctx, start, order[:out])
			if err != nil {
				return nil, err
			}
			c.HeldOut[slices.Index(f.L2, l)] = rate
			if rate < best {
				best, c.L2 = rate, l
				copy(w, start)
			}
			step()
		}
	}
	for a := range r.used {
		r.used[a] = true
	}
	if err := r.fit(ctx, w, c.L2); err != nil {
		return nil, err
	}
	step()
	c.Weights, c.Bias = make([]float64, r.classes*p), make([]float64, r.classes)
	for k := range r.classes {
		row := w[k*(p+1) : (k+1)*(p+1)]
		copy(c.Weights[k*p:], row[:p])
		c.Bias[k] = row[p]
		for i, mean := range r.means {
			c.Bias[k] -= row[i] * mean
		}
	}
	return c, nil
}

// Classify returns the label of each sample. The error is the context's.
func (c *Classifier) Classify(ctx context.Context, in Inputs) ([]int, error) {
	m, p := in.Size()
	k := len(c.Labels)
	if len(c.Weights) != k*p {
		panic(fmt.Sprintf("evaluate: Classify of %d features, not %d", p, len(c.Weights)/k))
	}
	w := make([]float32, len(c.Weights))
	for i, v := range c.Weights {
		w[i] = float32(v)
	}
	scores := make([]float32, k*m)
	if err := in.Scores(ctx, scores, w, k); err != nil {
		return nil, err
	}
	labels := make([]int, m)
	for a := range labels {
		best := 0
		for c2 := 1; c2 < k; c2++ {
			if scores[c2*m+a]+float32(c.Bias[c2]) > scores[best*m+a]+float32(c.Bias[best]) {
				best = c2
			}
		}
		labels[a] = c.Labels[best]
	}
	return labels, nil
}

// ErrorRate returns the share of the samples whose label is not the given one. The error
// is the context's.
func (c *Classifier) ErrorRate(ctx context.Context, in Inputs, labels []int) (float64, error) {
	told, err := c.Classify(ctx, in)
	if err != nil {
		return 0, err
	}
	wrong := 0
	for a, l := range told {
		if l != labels[a] {
			wrong++
		}
	}
	return float64(wrong) / float64(len(labels)), nil
}

// A regression is a fit under way. Its weights are classes x (features + 1),
// those of centred inputs with the bias behind.
type regression struct {
	in                         Inputs
	samples, features, classes int
	class                      []int  // of each sample
	used                       []bool // samples that are fitted
	means                      []float64
	covariance                 *mat.SymDense
	scores                     []float32 // classes x samples; scratch
}

// fit moves the weights to the minimum of the mean loss plus the penalty.
func (r *regression) fit(ctx context.Context, w []float64, l2 float64) error {
	p, width := r.features, r.features+1
	// The loss curves by p (1 - p) of the classes' probabilities along the
	// covariance; some 0.05 of it here.
	const curvature = 0.05
	h := mat.NewSymDense(p, nil)
	h.CopySym(r.covariance)
	for i := range p {
		h.SetSym(i, i, h.At(i, i)+l2/curvature+1e-6)
	}
	upper, positive, err := cholesky(ctx, h)
	if err != nil {
		return err
	}
	if !positive {
		return fmt.Errorf("the inputs' covariance is not a number somewhere")
	}
	// v = U w of each class, so that w = U^-1 v; the bias stays.
	v := make([]float64, len(w))
	toWeights := func(w, v []float64) {
		for k := range r.classes {
			if ctx.Err() != nil {
				return
			}
			x := mat.NewVecDense(p, w[k*width:k*width+p])
			mustSolve(x.SolveVec(upper, mat.NewVecDense(p, v[k*width:k*width+p])))
			w[k*width+p] = v[k*width+p]
		}
	}
	for k := range r.classes {
		x := mat.NewVecDense(p, v[k*width:k*width+p])
		x.MulVec(upper, mat.NewVecDense(p, w[k*width:k*width+p]))
		v[k*width+p] = w[k*width+p]
	}
	grad, at := make([]float64, len(w)), make([]float64, len(w))
	seen, loss := slices.Clone(v), math.NaN()
	evaluate := func(x []float64) {
		if !math.IsNaN(loss) && slices.Equal(x, seen) {
			return
		}
		copy(seen, x)
		toWeights(at, x)
		var err error
		if loss, err = r.loss(ctx, grad, at, l2); err != nil {
			loss = math.NaN() // ends the search
		}
	}
	problem := optimize.Problem{
		Func: func(x []float64) float64 { evaluate(x); return loss },
		Grad: func(g, x []float64) {
			evaluate(x)
			for k := range r.classes {
				if ctx.Err() != nil {
					return
				}
				out := mat.NewVecDense(p, g[k*width:k*width+p])
				mustSolve(out.SolveVec(upper.T(), mat.NewVecDense(p, grad[k*width:k*width+p])))
				g[k*width+p] = grad[k*width+p]
			}
		},
	}
	result, err := optimize.Minimize(problem, v, &optimize.Settings{
		GradientThreshold: 1e-5, MajorIterations: maxIterations, Recorder: recorder{ctx},
		Converger: &optimize.FunctionConverge{Relative: 1e-6, Iterations: 5},
	}, &optimize.LBFGS{Store: 20})
	if e := ctx.Err(); e != nil {
		return e
	}
	// A line search that finds no descent is at the floor of float32 products.
	if err != nil && (result == nil || !errors.Is(err, optimize.ErrLinesearcherFailure) && !errors.Is(err, optimize.ErrNoProgress)) {
		return fmt.Errorf("fit of the classifier: %w", err)
	}
	toWeights(w, result.X)
	return nil
}

// recorder ends an optimisation when its context is done.
type recorder struct{ ctx context.Context }

func (r recorder) Init() error { return r.ctx.Err() }

func (r recorder) Record(*optimize.Location, optimize.Operation, *optimize.Stats) error {
	return r.ctx.Err()
}

// mustSolve panics if a triangle with a positive diagonal cannot be solved.
func mustSolve(err error) {
	var condition mat.Condition
	if err != nil && !errors.As(err, &condition) {
		panic(fmt.Sprintf("evaluate: %v", err))
	}
}

// loss returns the mean loss of the used samples plus the penalty, and its
// gradient by the weights. The error is the context's.
func (r *regression) loss(ctx context.Context, grad, w []float64, l2 float64) (float64, error) {
	p, width, m := r.features, r.features+1, r.samples
	if err := r.setScores(ctx, w); err != nil {
		return 0, err
	}
	const grain = 1 << 12
	losses, counts := make([]float64, parallel.Pieces(m, grain)), make([]int, parallel.Pieces(m, grain))
	if err := parallel.ForContext(ctx, m, grain, func(lo, hi int) {
		share := make([]float64, r.classes)
		for a := lo; a < hi; a++ {
			if !r.used[a] {
				for k := range r.classes {
					r.scores[k*m+a] = 0
				}
				continue
			}
			top := float64(r.scores[a])
			for k := range r.classes {
				top = max(top, float64(r.scores[k*m+a]))
			}
			var sum float64
			for k := range r.classes {
				share[k] = math.Exp(float64(r.scores[k*m+a]) - top)
				sum += share[k]
			}
			losses[lo/grain] += math.Log(sum) + top - float64(r.scores[r.class[a]*m+a])
			counts[lo/grain]++
			for k := range r.classes {
				r.scores[k*m+a] = float32(share[k] / sum)
			}
			r.scores[r.class[a]*m+a]--
		}
	}); err != nil {
		return 0, err
	}
	var loss float64
	used := 0
	for k, l := range losses {
		loss += l
		used += counts[k]
	}
	product := make([]float64, r.classes*p)
	if err := r.in.Gradient(ctx, product, r.scores, r.classes); err != nil {
		return 0, err
	}
	loss /= float64(used)
	for k := range r.classes {
		var sum float64 // of the errors of the class's scores
		for _, v := range r.scores[k*m : (k+1)*m] {
			sum += float64(v)
		}
		for i, mean := range r.means {
			x := w[k*width+i]
			grad[k*width+i] = (product[k*p+i]-sum*mean)/float64(used) + l2*x
			loss += l2 / 2 * x * x
		}
		grad[k*width+p] = sum / float64(used)
	}
	return loss, nil
}

// setScores computes the scores of all samples. The error is the context's.
func (r *regression) setScores(ctx context.Context, w []float64) error {
	p, width, m := r.features, r.features+1, r.samples
	x, shift := make([]float32, r.classes*p), make([]float32, r.classes)
	for k := range r.classes {
		b := w[k*width+p]
		for i, mean := range r.means {
			x[k*p+i] = float32(w[k*width+i])
			b -= w[k*width+i] * mean
		}
		shift[k] = float32(b)
	}
	if err := r.in.Scores(ctx, r.scores, x, r.classes); err != nil {
		return err
	}
	for k, b := range shift {
		row := r.scores[k*m : (k+1)*m]
		for a := range row {
			row[a] += b
		}
	}
	return nil
}

// errorRate returns the share of the named samples that get another class. The error is
// the context's.
func (r *regression) errorRate(ctx context.Context, w []float64, samples []int) (float64, error) {
	if err := r.setScores(ctx, w); err != nil {
		return 0, err
	}
	wrong := 0
	for _, a := range samples {
		for k := range r.classes {
			if k != r.class[a] && r.scores[k*r.samples+a] >= r.scores[r.class[a]*r.samples+a] {
				wrong++
				break
			}
		}
	}
	return float64(wrong) / float64(len(samples)), nil
}
