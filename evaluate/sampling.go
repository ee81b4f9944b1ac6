package evaluate

import (
	"context"
	"io"
	"math"

	"bethe/internal/npy"
	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// Sampling says how samples of a machine are drawn.
type Sampling struct {
	Count    int  // independent chains, a sample each
	Sweeps   int  // of each chain
	Tempered bool // each chain is the lowest of a ladder of temperatures that exchange states
	// Units are held at what they are in Held, visible x 1; none if Held is nil.
	Units    []int
	Held     *spin.Matrix
	HeldFile FileSamples  // the same of other units than spins (DrawFile), a sample in the units of the data
	From     *spin.Matrix // states of the data's layer that chains start at, units x Count; nil: random ones. Not of tempered chains
	Key      stream.Key   // of a seed
	Progress func(fraction float64)
}

// Samples are the states of chains.
type Samples struct {
	Chains       *sample.SpinChains[float32]
	Temperatures int // of a ladder; 0 where chains were not tempered
	Data         int // units of a sample, the first visible ones
}

// What the ladder of tempered samples is measured with, and how far apart its
// temperatures are: exchanges are then accepted about every other time.
const (
	profileChains = 50
	profileSteps  = 1000
	rungDistance  = 1.
)

// Sample draws samples by block Gibbs sampling, from chains that start at random or at
// given states.
// The error is the context's.
func Sample(ctx context.Context, machine *rbm.Machine, s Sampling) (*Samples, error) {
	chains := sample.NewChains(sample.OnMachine(machine), s.Count, s.Key)
	var held *spin.Matrix
	if s.Held != nil {
		held = spin.New(s.Held.Rows(), s.Count)
		s.Held.Gather(held, make([]int, s.Count))
		held = filledUp(machine, held, s.Key)
		chains.Clamp(s.Units, held)
	}
	if s.From != nil {
		chains.StartAt(filledUp(machine, s.From, s.Key))
	}
	if !s.Tempered {
		return &Samples{Chains: chains, Data: machine.Layers().Data()}, s.sweep(ctx, func() { chains.Sweep(1) })
	}
	// Offsets are the means of the data, which independent spins had better share.
	base := make([]float64, machine.Visible())
	for i, mean := range machine.VisibleOffset {
		const most = 1 - 1e-4
		base[i] = math.Atanh(max(-most, min(most, mean)))
	}
	rungs, err := tempering[float32, *spin.Matrix, *spin.Matrix]{sample.OnMachine(machine).From(base), chains, held, s.Units}.run(ctx, &s)
	if err != nil {
		return nil, err
	}
	return &Samples{chains, rungs, machine.Layers().Data()}, nil
}

// A tempering has the path to a machine, chains on it to take what comes of the path, and which units are held there.
type tempering[T rbm.Real, V units.States[V], H units.States[H]] struct {
	path   sample.Source[T, V, H]
	chains *sample.Chains[T, V, H]
	held   V // a column each; not read if there are no units
	units  []int
}

// run sweeps tempered chains, takes the chains of t to where they came and returns how many temperatures there were.
func (t tempering[T, V, H]) run(ctx context.Context, s *Sampling) (rungs int, err error) {
	profile, err := sample.MeasureProfile(ctx, t.path, sample.Measuring{Chains: profileChains, Steps: profileSteps, Key: s.Key.Sub(stream.ChainsProfile)})
	if err != nil {
		return 0, err
	}
	ladder := profile.ExchangeLadder(rungDistance)
	tempered := sample.NewTempered(t.path, sample.Tempering{Chains: s.Count, Ladder: ladder, Key: s.Key.Sub(stream.ChainsTempered)})
	if len(t.units) > 0 {
		tempered.Clamp(t.units, t.held)
	}
	if err := s.sweep(ctx, func() { tempered.Sweep(1) }); err != nil {
		return 0, err
	}
	// One more sweep, of chains that start there, shows the means.
	t.chains.StartAt(tempered.Top().Visible)
	t.chains.Sweep(1)
	return len(ladder), nil
}

// filledUp returns samples of the data's layer of a machine with its even hidden units, in
// random states, below them; of a machine of one hidden layer the samples themselves.
func filledUp(machine *rbm.Machine, samples *spin.Matrix, key stream.Key) *spin.Matrix {
	if !machine.Deep() {
		return samples
	}
	above := machine.Visible() - samples.Rows()
	return units.Below(samples, spin.Random(above, samples.Cols(), key.Sub(stream.ChainsAbove).Rand()))
}

// dataOf returns the first n units of states.
func dataOf(states *spin.Matrix, n int) *spin.Matrix {
	if states.Rows() == n {
		return states
	}
	return units.Rows(states, 0, n)
}

// sweep does all sweeps. Its only error is the context's.
func (s *Sampling) sweep(ctx context.Context, once func()) error {
	for k := range s.Sweeps {
		if err := ctx.Err(); err != nil {
			return err
		}
		once()
		if s.Progress != nil {
			s.Progress(float64(k+1) / float64(s.Sweeps))
		}
	}
	return nil
}

// Write writes an npz file: samples, int8, one per row, and visible_mean, float32,
// the mean of each visible unit given the hidden ones.
func (s *Samples) Write(w io.Writer) error {
	n, count := s.Data, s.Chains.Visible.Cols()
	means := make([]float32, n*count)
	for i := range n {
		for a, f := range s.Chains.VisibleFields()[i*count : (i+1)*count] {
			means[a*n+i] = float32(math.Tanh(float64(f)))
		}
	}
	return npy.WriteArchive(w, []npy.Array{sampleArray("samples", dataOf(s.Chains.Visible, n)), {Name: "visible_mean", Shape: []int{count, n}, Data: means}})
}

// WriteSamples writes an npz file of samples (visible x M), int8, one per row.
func WriteSamples(w io.Writer, samples *spin.Matrix) error {
	return npy.WriteArchive(w, []npy.Array{sampleArray("samples", samples)})
}

// sampleArray returns samples, a column each, as an array with one in each row.
func sampleArray(name string, samples *spin.Matrix) npy.Array {
	return npy.Array{Name: name, Shape: []int{samples.Cols(), samples.Rows()}, Data: rowsOf(samples)}
}

// rowsOf returns the columns of s, one after another.
func rowsOf(s *spin.Matrix) []int8 {
	across := spin.New(s.Cols(), s.Rows())
	s.Transpose(across)
	values := make([]int8, s.Rows()*s.Cols())
	spin.Values(values, across)
	return values
}
