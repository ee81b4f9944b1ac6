package planted

import (
	"context"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"

	"bethe/internal/kernel"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// MostDeep is the largest first hidden layer whose states a DeepPosterior sums over for each sample.
const MostDeep = 6

// mostField is how large the field of a state of layer 1 can be, so that its exponential is a number.
const mostField = 600

// A DeepPosterior is the exact posterior of the synapses of a machine of two hidden layers without fields and offsets, of known
// couplings, given data and the uniform prior. Layer 2 is summed out for each state h of layer 1:
//
//	Z~(v) = sum_h exp(J_1 h.(xi_1^T v)) w(h),    w(h) = prod_k 2cosh(J_2 xi_2k.h)
//	ln P(xi | D) = sum_a ln Z~(v^a) - M ln sum_h w(h) prod_i 2cosh(J_1 xi_1i.h) + constant
//
// It is only read after it is made.
type DeepPosterior struct {
	visible, first, second, samples int
	lower, upper                    float64
	values                          []int8 // visible x samples
}

// CheckDeep returns an error that says why the sums of a DeepPosterior cannot be done, if they cannot.
func CheckDeep(visible, first, second int, lower float64) error {
	switch {
	case first < 1 || second < 1 || first > MostDeep:
		return fmt.Errorf("the Bayes optimum is found for two hidden layers, the first of at most %d units, not %d and %d", MostDeep, first, second)
	case lower*float64(visible*first) > mostField:
		return fmt.Errorf("the Bayes optimum is found where beta sqrt(N) times the units of the first hidden layer is at most %d", mostField)
	}
	return nil
}

// NewDeepPosterior returns the posterior given data, visible x samples. The error is CheckDeep's.
func NewDeepPosterior(data *spin.Matrix, first, second int, lower, upper float64) (*DeepPosterior, error) {
	n := data.Rows()
	if err := CheckDeep(n, first, second, lower); err != nil {
		return nil, err
	}
	p := &DeepPosterior{visible: n, first: first, second: second, samples: data.Cols(), lower: lower, upper: upper, values: make([]int8, n*data.Cols())}
	spin.Values(p.values, data)
	return p, nil
}

// A deepWalk is a set of synapses on its way.
type deepWalk struct {
	*DeepPosterior
	lowerRow []uint      // [i]: bit mu is 1 where xi_1 = +1
	upperRow []uint      // [k]: bit mu is 1 where xi_2 = +1
	field    [][]float64 // [mu][a]: exp(J_1 xi_1mu.v^a)
	energy   []float64   // [h]: sum_i ln 2cosh(J_1 xi_1i.h)
	local    []float64   // [d]: ln 2cosh(J_1 (P - 2d))
	above    []float64   // [d]: ln 2cosh(J_2 (P - 2d))
	weights  []float64   // scratch of states
	sample   []float64
	product  []float64
	total    []float64
}

func (p *DeepPosterior) walk(synapses [2]*spin.Matrix) *deepWalk {
	states := 1 << p.first
	w := &deepWalk{DeepPosterior: p, lowerRow: make([]uint, p.visible), upperRow: make([]uint, p.second), energy: make([]float64, states),
		weights: make([]float64, states), sample: make([]float64, states), product: make([]float64, states), total: make([]float64, states)}
	for d := range p.first + 1 {
		w.local = append(w.local, kernel.Log2Cosh(p.lower*float64(p.first-2*d)))
		w.above = append(w.above, kernel.Log2Cosh(p.upper*float64(p.first-2*d)))
	}
	for mu := range p.first {
		for i := range p.visible {
			w.lowerRow[i] |= uint(synapses[0].At(i, mu)+1) / 2 << mu
		}
		for k := range p.second {
			w.upperRow[k] |= uint(synapses[1].At(mu, k)+1) / 2 << mu
		}
		w.field = append(w.field, make([]float64, p.samples))
	}
	w.refresh()
	return w
}

// refresh computes sums afresh, so that rounding errors do not pile up.
func (w *deepWalk) refresh() {
	sums := make([]int, w.samples)
	for mu, field := range w.field {
		clear(sums)
		for i, row := range w.lowerRow {
			sign := int(2*(row>>mu&1)) - 1
			for a, v := range w.values[i*w.samples : (i+1)*w.samples] {
				sums[a] += sign * int(v)
			}
		}
		for a, s := range sums {
			field[a] = math.Exp(w.lower * float64(s))
		}
	}
	for h := range w.energy {
		w.energy[h] = 0
		for _, row := range w.lowerRow {
			w.energy[h] += w.local[bits.OnesCount(row^uint(h))]
		}
	}
}

// lnUpper sets dst to ln w(h) for given rows of layer 2.
func (w *deepWalk) lnUpper(dst []float64, rows []uint) {
	for h := range dst {
		dst[h] = 0
		for _, row := range rows {
			dst[h] += w.above[bits.OnesCount(row^uint(h))]
		}
	}
}

// factors sets dst to prod_mu f_mu^{h_mu} for each state h.
func factors(dst, f []float64) {
	dst[0] = 1
	for _, x := range f {
		dst[0] /= x
	}
	size := 1
	for _, x := range f {
		for h := range size {
			dst[size+h] = dst[h] * x * x
		}
		size *= 2
	}
}

// logLikelihood returns ln P(D | xi) in nats for given rows of layer 2.
func (w *deepWalk) logLikelihood(rows []uint) float64 {
	upper := make([]float64, len(w.energy))
	w.lnUpper(upper, rows)
	lnZ := make([]float64, len(upper))
	for h, u := range upper {
		lnZ[h] = u + w.energy[h]
		upper[h] = math.Exp(u)
	}
	f, sum := make([]float64, w.first), 0.
	for a := range w.samples {
		for mu := range f {
			f[mu] = w.field[mu][a]
		}
		factors(w.sample, f)
		var z float64
		for h, u := range upper {
			z += u * w.sample[h]
		}
		sum += math.Log(z)
	}
	return sum - float64(w.samples)*rbm.LogSumExp(lnZ)
}

// transform sets x to sum_h x[h] prod_mu exp(±J), the sign that of row bit times h bit, for each row.
func transform(x []float64, agree, differ float64) {
	for half := 1; half < len(x); half *= 2 {
		for lo := 0; lo < len(x); lo += 2 * half {
			a, b := x[lo:lo+half], x[lo+half:lo+2*half]
			for k, v := range a {
				a[k], b[k] = agree*v+differ*b[k], differ*v+agree*b[k]
			}
		}
	}
}

// sweep draws the synapses of each visible unit together, given all others, and then each synapse of layer 2, at an inverse temperature.
func (w *deepWalk) sweep(ctx context.Context, inverse float64, rng *rand.Rand) error {
	w.refresh()
	upper, grow := make([]float64, len(w.energy)), [2]float64{math.Exp(-w.lower), math.Exp(w.lower)}
	w.lnUpper(upper, w.upperRow)
	weight := make([]float64, len(upper))
	for h, u := range upper {
		weight[h] = math.Exp(u)
	}
	f := make([]float64, w.first)
	for i, row := range w.lowerRow {
		if err := ctx.Err(); err != nil {
			return err
		}
		v := w.values[i*w.samples : (i+1)*w.samples]
		clear(w.total)
		for h := range w.product {
			w.product[h] = 1
		}
		for a, s := range v {
			for mu := range f { // without this unit
				f[mu] = w.field[mu][a] * grow[(row>>mu&1)^uint(s+1)/2]
			}
			factors(w.sample, f)
			for h, u := range weight {
				w.sample[h] *= u
			}
			if s > 0 {
				transform(w.sample, grow[1], grow[0])
			} else {
				transform(w.sample, grow[0], grow[1])
			}
			scale := 1 / w.sample[row] // of the row that is there: the rest are near it
			for x, z := range w.sample {
				w.product[x] *= z * scale
			}
			if a%64 == 63 || a == len(v)-1 {
				for x, z := range w.product {
					w.total[x] += math.Log(z)
					w.product[x] = 1
				}
			}
		}
		top := math.Inf(-1)
		for h, e := range w.energy {
			w.weights[h] = upper[h] + e - w.local[bits.OnesCount(row^uint(h))]
			top = max(top, w.weights[h])
		}
		for h, e := range w.weights {
			w.weights[h] = math.Exp(e - top)
		}
		// 2cosh may be exp, as the weight is the same at h and -h
		transform(w.weights, grow[1], grow[0])
		for x, z := range w.weights {
			w.total[x] = inverse * (w.total[x] - float64(w.samples)*math.Log(z))
		}
		cumulate(w.total)
		w.setRow(i, uint(pick(w.total, rng.Float64())), grow)
	}
	now := w.logLikelihood(w.upperRow)
	for k := range w.upperRow {
		for mu := range w.first {
			if err := ctx.Err(); err != nil {
				return err
			}
			w.upperRow[k] ^= 1 << mu
			turned := w.logLikelihood(w.upperRow)
			if rng.Float64() < 1/(1+math.Exp(-inverse*(turned-now))) {
				now = turned
			} else {
				w.upperRow[k] ^= 1 << mu
			}
		}
	}
	return nil
}

// setRow sets the synapses of a visible unit.
func (w *deepWalk) setRow(i int, x uint, grow [2]float64) {
	old := w.lowerRow[i]
	if x == old {
		return
	}
	for h := range w.energy {
		w.energy[h] += w.local[bits.OnesCount(x^uint(h))] - w.local[bits.OnesCount(old^uint(h))]
	}
	for mu, field := range w.field {
		if (x^old)>>mu&1 == 0 {
			continue
		}
		for a, s := range w.values[i*w.samples : (i+1)*w.samples] {
			g := grow[(x>>mu&1)^uint(s+1)/2^1] // what the unit adds now
			field[a] *= g * g
		}
	}
	w.lowerRow[i] = x
}

// synapses returns the state, each link with the layer below in rows.
func (w *deepWalk) synapses() (links [2]*spin.Matrix) {
	links = [2]*spin.Matrix{spin.New(w.visible, w.first), spin.New(w.first, w.second)}
	for mu := range w.first {
		for i, row := range w.lowerRow {
			links[0].Set(i, mu, int8(2*(row>>mu&1))-1)
		}
		for k, row := range w.upperRow {
			links[1].Set(mu, k, int8(2*(row>>mu&1))-1)
		}
	}
	return links
}

// A DeepScore is what a run over the synapses of two layers found. Overlaps are of each link with the teacher.
type DeepScore struct {
	Overlap        []float64 `json:"overlap_layers"`            // of the signs of the posterior means
	SampleOverlap  []float64 `json:"sample_overlap_layers"`     // of a sample, mean over samples
	MeanLikelihood float64   `json:"log_likelihood_per_sample"` // ln P(D | xi), mean over samples, in nats per sample of the data
}

// A DeepYardstick is the Yardstick of a teacher of two hidden layers.
type DeepYardstick struct {
	FromTeacher DeepScore `json:"from_teacher"`
	FromRandom  DeepScore `json:"from_random"`
}

// DefaultDeepSchedule is that of NewDeepYardstick if nothing else is asked for.
var DefaultDeepSchedule = Schedule{BurnIn: 300, Temperature: 3, Keep: 700}

// NewDeepYardstick samples the posterior of the synapses given data (visible x samples), from the teacher's synapses and from random ones, heated
// at first. The error is the context's or that of NewDeepPosterior.
func NewDeepYardstick(ctx context.Context, teacher [2]*spin.Matrix, lower, upper float64, data *spin.Matrix, schedule Schedule, key stream.Key) (*DeepYardstick, error) {
	first, second := teacher[0].Cols(), teacher[1].Cols()
	post, err := NewDeepPosterior(data, first, second, lower, upper)
	if err != nil {
		return nil, err
	}
	y, rng := &DeepYardstick{}, key.Sub(stream.YardstickRandom).Rand()
	random := [2]*spin.Matrix{spin.Random(data.Rows(), first, rng), spin.Random(first, second, rng)}
	cold := schedule
	cold.Temperature = 1
	if y.FromTeacher, err = post.score(ctx, teacher, teacher, cold, key.Sub(stream.YardstickFromTeacher)); err != nil {
		return nil, err
	}
	y.FromRandom, err = post.score(ctx, random, teacher, schedule, key.Sub(stream.YardstickFromRandom))
	return y, err
}

// score runs from a start. Samples are aligned with the first that is kept.
func (p *DeepPosterior) score(ctx context.Context, start, teacher [2]*spin.Matrix, schedule Schedule, key stream.Key) (s DeepScore, err error) {
	w, rng := p.walk(start), key.Rand()
	cooling := schedule.BurnIn * 3 / 5
	s.SampleOverlap = make([]float64, 2)
	var reference [2]*spin.Matrix
	sums := [2][]float64{make([]float64, p.visible*p.first), make([]float64, p.first*p.second)}
	for sweep := range schedule.BurnIn + schedule.Keep {
		temperature := 1.0
		if sweep < cooling {
			temperature += (schedule.Temperature - 1) * float64(cooling-sweep) / float64(cooling)
		}
		if err := w.sweep(ctx, 1/temperature, rng); err != nil {
			return s, err
		}
		if sweep < schedule.BurnIn {
			continue
		}
		is := w.synapses()
		if sweep == schedule.BurnIn {
			reference = is
		}
		_, aligned := MatchLayers(is[:], reference[:])
		for l, m := range aligned {
			values := make([]int8, m.Rows()*m.Cols())
			spin.Values(values, m)
			for k, v := range values {
				sums[l][k] += float64(v)
			}
		}
		overlaps, _ := MatchLayers(is[:], teacher[:])
		for l, q := range overlaps {
			s.SampleOverlap[l] += q / float64(schedule.Keep)
		}
		s.MeanLikelihood += w.logLikelihood(w.upperRow) / float64(schedule.Keep*p.samples)
	}
	means := [2]*spin.Matrix{spin.FromSigns(p.visible, p.first, sums[0]), spin.FromSigns(p.first, p.second, sums[1])}
	s.Overlap, _ = MatchLayers(means[:], teacher[:])
	return s, nil
}

// MatchLayers matches the links of a student with those of a teacher, from the data up: units of a layer by their synapses with the one
// below, whose order and signs are carried to the next link. It returns the overlap of each link, and the student in the order and signs of
// the teacher.
func MatchLayers(student, teacher []*spin.Matrix) (overlaps []float64, aligned []*spin.Matrix) {
	var below *Matching
	for l, is := range student {
		n, p := is.Rows(), is.Cols()
		if below != nil {
			turned := spin.New(n, p)
			for nu, mu := range below.Unit {
				for k := range p {
					turned.Set(nu, k, below.Sign[nu]*is.At(mu, k))
				}
			}
			is = turned
		}
		below = Match(is, teacher[l])
		overlaps = append(overlaps, below.Mean())
		out := spin.New(n, p)
		for nu, mu := range below.Unit {
			for i := range n {
				out.Set(i, nu, below.Sign[nu]*is.At(i, mu))
			}
		}
		aligned = append(aligned, out)
	}
	return overlaps, aligned
}
