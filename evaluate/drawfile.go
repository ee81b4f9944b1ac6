package evaluate

import (
	"context"
	"fmt"
	"math"

	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/units"
)

// DrawFile draws samples of a machine of other kinds of units than spins, by block Gibbs sampling from chains that start at
// random, or at given states if there are as many of them as s.Count (else from is empty), or tempered. s.Units, of the data, are held at s.HeldFile.
// The error is the context's, or tells of states of other units.
func DrawFile(ctx context.Context, file *rbm.File, from FileSamples, s Sampling) (*FileDrawn, error) {
	if from.Bits != nil || from.Numbers != nil {
		if err := checkFile(file, from); err != nil {
			return nil, err
		}
	}
	held, features, err := s.heldFeatures(file)
	if err != nil {
		return nil, err
	}
	machine := file.Machine()
	if !file.VisibleKind.Bits() {
		var start *units.Reals[float32]
		if from.Numbers != nil {
			if start, err = file.Features(from.Numbers); err != nil {
				return nil, err
			}
		}
		net, ones := rbm.NetworkOf[float32](machine), make([]float64, file.Visible())
		mean, variance := make([]float64, len(ones)), make([]float64, len(ones))
		own := file.Scale.InUnitsOfDeviations(file.VisibleOwn) // ln sigma, then means
		for i := range ones {                                  // the data have mean 0 and variance 1 in deviations
			ones[i], mean[i], variance[i] = 1, -own[len(ones)+i]*math.Exp(-own[i]), math.Exp(-2*own[i])
		}
		chains, rungs, err := drawOn(ctx, sample.OnGauss(net, mean, variance, ones), start, start != nil, held.Numbers, features, &s)
		if err != nil {
			return nil, err
		}
		means := chains.Visible.Clone()
		chains.VisibleMeans(means.Values())
		return &FileDrawn{FileSamples{Numbers: file.Numbers(chains.Visible)}, file.Numbers(means), rungs}, nil
	}
	if !file.HiddenKind.Bits() {
		return drawBits(ctx, sample.OnHopfield(rbm.NetworkOf[float32](machine), meanFields(file)), from.Bits, held.Bits, features, &s)
	}
	return drawBits(ctx, sample.OnMachine(machine).From(meanFields(file)), from.Bits, held.Bits, features, &s)
}

// meanFields returns the fields that give independent visible units of bits the means of the data, that is the offsets; 0 without offsets.
func meanFields(file *rbm.File) []float64 {
	base, kind := make([]float64, file.Visible()), file.VisibleKind
	const most = 1 - 1e-4
	if !kind.OneHot() {
		for i, mean := range file.VisibleOffset {
			base[i] = math.Atanh(max(-most, min(most, mean)))
		}
		return base
	}
	for unit := 0; unit < len(base); unit += kind.States {
		total := 0.0
		for _, mean := range file.VisibleOffset[unit : unit+kind.States] {
			total += (1 + mean) / 2
		}
		if math.Abs(total-1) > 0.5 { // features have no offsets
			continue
		}
		for k, mean := range file.VisibleOffset[unit : unit+kind.States] {
			base[unit+k] = math.Log(max(1e-4, (1+mean)/2)) / 2
		}
	}
	return base
}

// heldFeatures returns the sample that units are held at, as the machine has it, and the features that are held.
func (s *Sampling) heldFeatures(file *rbm.File) (held Incomplete, features []int, err error) {
	if len(s.Units) == 0 {
		return held, nil, nil
	}
	if err := checkFile(file, s.HeldFile); err != nil {
		return held, nil, err
	}
	if file.VisibleKind.Bits() {
		if held.Bits = s.HeldFile.Bits; held.Bits.Cols() != 1 {
			return held, nil, fmt.Errorf("%d samples, where units are held at one", held.Bits.Cols())
		}
		of := file.VisibleKind.Features()
		for _, i := range s.Units {
			for k := range of {
				features = append(features, i*of+k)
			}
		}
		return held, features, nil
	}
	if held.Numbers, err = file.Features(s.HeldFile.Numbers); err != nil {
		return held, nil, err
	}
	if n := held.Numbers.Len(); n != 1 {
		return held, nil, fmt.Errorf("%d samples, where units are held at one", n)
	}
	place := map[int]int{} // constant columns are no units
	for i, k := range file.Scale.Kept() {
		place[k] = i
	}
	for _, k := range s.Units {
		if i, ok := place[k]; ok {
			features = append(features, i)
		}
	}
	return held, features, nil
}

// drawBits draws visible units of bits.
func drawBits[H units.States[H]](ctx context.Context, path sample.Source[float32, *spin.Matrix, H], from, held *spin.Matrix, features []int, s *Sampling) (*FileDrawn, error) {
	chains, rungs, err := drawOn(ctx, path, from, from != nil, held, features, s)
	if err != nil {
		return nil, err
	}
	means := units.NewReals[float32](chains.Visible.Rows(), chains.Visible.Cols())
	chains.VisibleMeans(means.Values())
	return &FileDrawn{FileSamples{Bits: chains.Visible}, means, rungs}, nil
}

// drawOn sweeps chains on a path, from given states if there are any, with the features held, tempered if s says so.
func drawOn[T rbm.Real, V units.States[V], H units.States[H]](ctx context.Context, path sample.Source[T, V, H], from V, given bool, one V, features []int, s *Sampling) (chains *sample.Chains[T, V, H], rungs int, err error) {
	chains = sample.NewChains(path, s.Count, s.Key)
	if given {
		chains.StartAt(from)
	}
	held := chains.Visible.Blank(s.Count)
	if len(features) > 0 {
		one.Gather(held, make([]int, s.Count))
		chains.Clamp(features, held)
	}
	if !s.Tempered {
		return chains, 0, s.sweep(ctx, func() { chains.Sweep(1) })
	}
	rungs, err = tempering[T, V, H]{path, chains, held, features}.run(ctx, s)
	return chains, rungs, err
}
