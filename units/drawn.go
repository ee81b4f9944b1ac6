package units

import (
	"fmt"
	"math"

	"bethe/spin"
	"bethe/stream"
)

// Levels are probabilities of +1, in 255ths, of the spins of samples, such as grey levels.
type Levels struct {
	features int
	of       []uint8 // samples x features
}

// White is the level of a spin that is always +1.
const White = 255

// NewLevels returns levels of 0.
func NewLevels(features, samples int) *Levels {
	return &Levels{features, make([]uint8, features*samples)}
}

// Features and Len return the numbers of features and of samples.
func (l *Levels) Features() int { return l.features }

// Len returns the number of samples.
func (l *Levels) Len() int { return len(l.of) / max(1, l.features) }

// Of returns the levels of a sample, which may be set.
func (l *Levels) Of(sample int) []uint8 { return l.of[sample*l.features : (sample+1)*l.features] }

// Choose returns the levels of the given samples.
func (l *Levels) Choose(samples []int) *Levels {
	out := NewLevels(l.features, len(samples))
	for k, a := range samples {
		copy(out.Of(k), l.Of(a))
	}
	return out
}

// Turn puts in the place of each feature k of all samples the feature order[k].
func (l *Levels) Turn(order []int) {
	row := make([]uint8, l.features)
	for a := range l.Len() {
		of := l.Of(a)
		copy(row, of)
		for k, i := range order {
			of[k] = row[i]
		}
	}
}

// Draw draws the spins of the given samples into the columns of dst, features x len(samples). What is drawn of a
// sample depends on the key and its place alone.
func (l *Levels) Draw(dst *spin.Matrix, samples []int, key stream.Key) {
	if dst.Rows() != l.features || dst.Cols() != len(samples) {
		panic(fmt.Sprintf("units: Draw of %d samples of %d levels into %d x %d", len(samples), l.features, dst.Rows(), dst.Cols()))
	}
	packed := make([]byte, (l.features+7)/8)
	for k, a := range samples {
		clear(packed)
		rng := key.Sub(uint64(a)).Rand()
		for i, level := range l.Of(a) {
			if level == White || level > 0 && rng.Uint32() < uint32(level)*(math.MaxUint32/White) {
				packed[i/8] |= 1 << (i % 8)
			}
		}
		dst.SetColumn(k, packed)
	}
}

// Redrawn is implemented by data whose batches are drawn anew in each epoch.
type Redrawn interface {
	// Epoch has the batches that follow be those of an epoch, counted from 0.
	Epoch(epoch int)
}

// Drawn are spins that are drawn of levels: batches anew in each epoch (dynamic binarisation), and everything else is of one draw.
// They are Data and Redrawn.
type Drawn[T Real] struct {
	*Spins[T]
	levels *Levels
	key    stream.Key
	epoch  int
}

// NewDrawn returns the spins of levels; samples (visible x M) are one draw of them. It panics if shapes differ.
func NewDrawn[T Real](samples *spin.Matrix, levels *Levels, key stream.Key) *Drawn[T] {
	if levels.Features() != samples.Rows() || levels.Len() != samples.Cols() {
		panic(fmt.Sprintf("units: NewDrawn of %d x %d spins and levels of %d x %d", samples.Rows(), samples.Cols(), levels.Features(), levels.Len()))
	}
	return &Drawn[T]{Spins: NewSpins[T](samples), levels: levels, key: key}
}

// Epoch implements Redrawn.
func (d *Drawn[T]) Epoch(epoch int) { d.epoch = epoch }

// Batch implements Data.
func (d *Drawn[T]) Batch(last Samples[T], places []int) Samples[T] {
	batch := d.blank(last, len(places))
	d.levels.Draw(batch.samples, places, d.key.Sub(uint64(d.epoch)))
	batch.samples.Transpose(batch.across)
	return batch
}
