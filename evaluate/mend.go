package evaluate

import (
	"context"
	"fmt"
	"io"
	"math"

	"bethe/internal/npy"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// A Channel makes samples noisy.
type Channel struct {
	Flip  float64 // probability that a spin is turned, or that a unit of colours gets another one, each as likely
	Noise float64 // standard deviation of the noise on real numbers, in deviations of their columns
}

// Check returns an error if the channel, for units of a kind, says nothing of them.
func (c Channel) Check(kind units.Kind) error {
	if !kind.Bits() {
		if !(c.Noise > 0 && c.Noise < math.Inf(1)) {
			return fmt.Errorf("noise of %v deviations: it must be positive", c.Noise)
		}
		return nil
	}
	if most := 1 - 1/float64(kind.Choices()); !(c.Flip > 0 && c.Flip < most) {
		return fmt.Errorf("a unit of %d states has another one with probability %v: it must lie between 0 and %.4g", kind.Choices(), c.Flip, most)
	}
	return nil
}

// strength is that of sample.Chains.Observe: of colours the field of one-hot features, which differ in two of them.
func (c Channel) strength(kind units.Kind) float64 {
	if !kind.Bits() {
		return 1 / (c.Noise * c.Noise)
	}
	odds := math.Log((1 - c.Flip) / c.Flip * float64(kind.Choices()-1))
	if kind.OneHot() {
		return odds / 4
	}
	return odds / 2
}

// Through returns what the channel makes of the samples of a machine's file, in the units of the data.
func (c Channel) Through(file *rbm.File, samples FileSamples, key stream.Key) FileSamples {
	out := FileSamples{Missing: samples.Missing}
	switch kind := file.VisibleKind; {
	case !kind.Bits():
		out.Numbers = samples.Numbers.Clone()
		for i := range out.Numbers.Units() {
			rng, deviation := key.Sub(uint64(i)).Rand(), float32(c.Noise*file.Scale.Deviation[i])
			for a := range out.Numbers.Len() {
				out.Numbers.Row(i)[a] += deviation * float32(rng.NormFloat64())
			}
		}
	case kind.OneHot():
		out.Bits = samples.Bits.Clone()
		for unit := range out.Bits.Rows() / kind.States {
			rng := key.Sub(uint64(unit)).Rand()
			for a := range out.Bits.Cols() {
				if rng.Float64() >= c.Flip {
					continue
				}
				was := stateOf(out.Bits, unit, a, kind.States)
				to := rng.IntN(kind.States - 1)
				if to >= was {
					to++
				}
				out.Bits.Set(unit*kind.States+was, a, -1)
				out.Bits.Set(unit*kind.States+to, a, 1)
			}
		}
	default:
		out.Bits = samples.Bits.Clone()
		Flip(out.Bits, c.Flip, key)
	}
	return out
}

// stateOf returns the state of a one-hot unit.
func stateOf(s *spin.Matrix, unit, a, states int) int {
	for k := range states {
		if s.At(unit*states+k, a) > 0 {
			return k
		}
	}
	return 0
}

// FileMended is what a machine of any kind of units infers of noisy samples. Samples are in the units of the data.
type FileMended struct {
	Seen, Restored FileSamples // the noisy ones, and the likeliest states given them, or the means of numbers
	Mean           []float32   // of features of bits as they are held, features x samples; nil for numbers
	// Before and After are of the values of Seen and Restored, where none is missing: the share that is wrong, of numbers the root
	// mean square of the error in deviations of their columns; nil where the truth is not known. Changed is the same of Restored against Seen.
	Before, After *float64
	Changed       float64
	RHat          []float64 // as Restoration has it
}

// MendFile sends samples through a channel, unless they are noisy already, and infers from what comes out alone, and the machine as
// the prior, what they were: exact Bayes. Missing values tell nothing, and are inferred too. The error is the context's, of the channel's Check, or tells what does not fit.
func MendFile(ctx context.Context, file *rbm.File, samples FileSamples, c Channel, noisy bool, key stream.Key, r Restoring) (*FileMended, error) {
	kind := file.VisibleKind
	if err := c.Check(kind); err != nil {
		return nil, err
	}
	if err := checkFile(file, samples); err != nil {
		return nil, err
	}
	out := &FileMended{Seen: samples}
	if !noisy {
		out.Seen = c.Through(file, samples, key.Sub(stream.MendNoise))
	}
	r.Key = key.Sub(stream.MendChains)
	machine, strength := file.Machine(), c.strength(kind)
	var err error
	switch {
	case !kind.Bits():
		err = out.numbers(ctx, file, strength, r)
	case !file.HiddenKind.Bits():
		restored, failed := recovered(ctx, OnHopfield(machine), out.Seen.Bits, whole, out.Seen.Missing, strength, r)
		err = out.bits(file, restored, failed)
	default:
		n := out.Seen.Bits.Rows()
		restored, failed := recovered(ctx, OnMachine(machine), filledUp(machine, out.Seen.Bits, r.Key), func(each *spin.Matrix) *spin.Matrix { return dataOf(each, n) }, out.Seen.Missing, strength, r)
		err = out.bits(file, restored, failed)
	}
	if err != nil {
		return nil, err
	}
	out.Changed = out.Restored.apart(out.Seen, file)
	if !noisy {
		before, after := out.Seen.apart(samples, file), out.Restored.apart(samples, file)
		out.Before, out.After = &before, &after
	}
	return out, nil
}

// whole is what went through a channel where all of it did.
func whole[V any](each V) V { return each }

// numbers infers numbers.
func (out *FileMended) numbers(ctx context.Context, file *rbm.File, strength float64, r Restoring) error {
	u, err := file.Features(out.Seen.Numbers)
	if err != nil {
		return err
	}
	machine, holes := file.Machine(), out.Seen.Missing
	machine.VisibleOwn = file.Scale.InUnitsOfDeviations(machine.VisibleOwn) // as the noise is
	if holes != nil {
		holes = file.Scale.Rows(holes)
	}
	restored, err := recovered(ctx, OnGauss(machine), u, whole, holes, strength, r)
	if err != nil {
		return err
	}
	out.RHat = restored.RHat
	out.Restored = FileSamples{Numbers: file.Numbers(units.RealsOf(u.Units(), u.Len(), restored.Mean)), Missing: out.Seen.Missing}
	return nil
}

// bits fills in the restored bits.
func (out *FileMended) bits(file *rbm.File, r *SpinRestoration, err error) error {
	if err != nil {
		return err
	}
	n, m, of := out.Seen.Bits.Rows(), out.Seen.Bits.Cols(), file.VisibleKind.States
	r = cut(r, n)
	out.Mean, out.RHat = r.Mean, r.RHat
	out.Restored = FileSamples{Bits: spin.FromSigns(n, m, r.Mean), Missing: out.Seen.Missing}
	if of == 0 {
		return nil
	}
	out.Restored.Bits = spin.New(n, m)
	for unit := range n / of {
		for a := range m {
			best := unit * of
			for k := best; k < (unit+1)*of; k++ {
				if r.Mean[k*m+a] > r.Mean[best*m+a] {
					best = k
				}
			}
			out.Restored.Bits.Set(best, a, 1)
		}
	}
	return nil
}

// apart returns how far samples are from others, as FileMended.Changed tells it, where none of the others is missing.
func (s FileSamples) apart(from FileSamples, file *rbm.File) float64 {
	sum, count := 0.0, 0
	known := func(i, a int) bool {
		if from.Missing != nil && from.Missing.At(i, a) > 0 {
			return false
		}
		count++
		return true
	}
	if s.Numbers != nil {
		for i, deviation := range file.Scale.Deviation {
			for a, v := range s.Numbers.Row(i) {
				if deviation > 0 && known(i, a) {
					d := float64(v-from.Numbers.Row(i)[a]) / deviation
					sum += d * d
				}
			}
		}
		return math.Sqrt(sum / max(1, float64(count)))
	}
	of := file.VisibleKind.Features()
	for unit := range s.Bits.Rows() / of {
		for a := range s.Bits.Cols() {
			if !known(unit, a) {
				continue
			}
			for k := unit * of; k < (unit+1)*of; k++ {
				if s.Bits.At(k, a) != from.Bits.At(k, a) {
					sum++
					break
				}
			}
		}
	}
	return sum / max(1, float64(count))
}

// Write writes an npz file: seen and restored, one sample a row, int8 of spins and colours, float32 of numbers; of spins mean and of colours
// probability, float32; and missing, int8, 1 where a value was missing, if any was.
func (out *FileMended) Write(w io.Writer, kind units.Kind) error {
	list := []npy.Array{out.Seen.array("seen", kind), out.Restored.array("restored", kind)}
	if out.Mean != nil {
		m := out.Seen.Bits.Cols()
		n := len(out.Mean) / m
		values, name, shape := make([]float32, len(out.Mean)), "mean", []int{m, n}
		for k := range values {
			values[k] = out.Mean[k%n*m+k/n]
		}
		if of := kind.States; of > 0 {
			name, shape = "probability", []int{m, n / of, of}
			for k, v := range values {
				values[k] = (1 + v) / 2
			}
		}
		list = append(list, npy.Array{Name: name, Shape: shape, Data: values})
	}
	if holes := out.Seen.Missing; holes != nil {
		values := rowsOf(holes)
		for k, v := range values {
			values[k] = (1 + v) / 2
		}
		list = append(list, npy.Array{Name: "missing", Shape: []int{holes.Cols(), holes.Rows()}, Data: values})
	}
	return npy.WriteArchive(w, list)
}

// array returns samples, a row each.
func (s FileSamples) array(name string, kind units.Kind) npy.Array {
	switch {
	case s.Numbers != nil:
		n, m := s.Numbers.Units(), s.Numbers.Len()
		values := make([]float32, n*m)
		for k := range values {
			values[k] = s.Numbers.Row(k % n)[k/n]
		}
		return npy.Array{Name: name, Shape: []int{m, n}, Data: values}
	case kind.States > 0:
		m, n := s.Bits.Cols(), s.Bits.Rows()/kind.States
		values := make([]int8, n*m)
		for k := range values {
			values[k] = int8(stateOf(s.Bits, k%n, k/n, kind.States))
		}
		return npy.Array{Name: name, Shape: []int{m, n}, Data: values}
	}
	return sampleArray(name, s.Bits)
}
