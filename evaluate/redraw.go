package evaluate

import (
	"context"
	"fmt"
	"math"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// redraws are how often grey levels are drawn again.
const redraws = 10

// Redrawn says what a likelihood of samples that were drawn of grey levels owes to the draw.
type Redrawn struct {
	Draws     int     `json:"draws"`
	Mean      float64 `json:"mean"`      // over the draws, nats per sample
	Deviation float64 `json:"deviation"` // standard deviation of one draw
}

// Redraw returns the mean over draws of the levels, by the ln Z of a likelihood of samples that are one draw of them. The
// error is the context's, or tells of samples of other units.
func Redraw(ctx context.Context, file *rbm.File, levels *units.Levels, l *LogLikelihood, key stream.Key) (*Redrawn, error) {
	r := &Redrawn{Draws: redraws}
	all := make([]int, levels.Len())
	for a := range all {
		all[a] = a
	}
	samples := spin.New(levels.Features(), levels.Len())
	var values []float64
	for k := range redraws {
		levels.Draw(samples, all, key.Sub(stream.EstimateRedrawn).Sub(uint64(k)))
		weights, err := FileLogWeights(ctx, file, FileSamples{Bits: samples}, key.Sub(stream.EstimateRedrawn).Sub(uint64(k)))
		if err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		value := l.Best - l.LogWeight
		for _, w := range weights {
			value += w / float64(len(weights))
		}
		values = append(values, value)
		r.Mean += value / redraws
	}
	for _, v := range values {
		r.Deviation += (v - r.Mean) * (v - r.Mean) / (redraws - 1)
	}
	r.Deviation = math.Sqrt(r.Deviation)
	return r, nil
}

// Text says it for a person.
func (r *Redrawn) Text() string {
	return fmt.Sprintf("  over %d draws of the grey levels %.3f; one draw decides %.3f of it (standard deviation)\n", r.Draws, r.Mean, r.Deviation)
}
