package variational

import (
	"context"

	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/units"
)

// DefaultFill is how often the fill of missing values moves in a step. Learning gains nothing from more.
const DefaultFill = 2

// fillShare is how far it moves but for the first time: together units would overshoot.
const fillShare = 0.5

// moved is the share of the way that a fill is moved the k-th time, counted from 0.
func moved(k int) float64 {
	if k == 0 {
		return 1
	}
	return fillShare
}

// fill finds the fill of samples with missing values, once the objective was prepared. The error is
// the context's.
func (o *Objective[T]) fill(ctx context.Context, model *rbm.Model[T], samples units.Samples[T], coarse bool) error {
	f, ok := samples.(units.Filling[T])
	if !ok {
		return nil
	}
	f.Start(model.VisibleField)
	p, m, together, link := model.Hidden(), samples.Len(), o.Hidden.Together(), o.link(model, coarse)
	var first, second []T
	if o.Fill > 0 {
		first, second = make([]T, p*m), make([]T, p*m)
	}
	for k := range o.Fill {
		if err := parallel.ForContext(ctx, p, o.rows(samples), func(lo, hi int) {
			w := o.block(samples)
			defer o.work.Put(w)
			w.Lo, w.Rows = lo, hi-lo
			samples.Fields(w, link)
			for k := 0; k < w.Rows && ctx.Err() == nil; k += together {
				variance := o.field(w, link, samples, k, &model.Params)
				o.Hidden.Averages(first[(lo+k)*m:(lo+k+together)*m], second[(lo+k)*m:(lo+k+together)*m], w.Mean, variance, m)
			}
			for mu := lo; mu < hi; mu++ {
				nu := T(model.HiddenOffset[mu])
				for a := range first[mu*m : (mu+1)*m] {
					first[mu*m+a] -= nu
				}
			}
		}); err != nil {
			return err
		}
		f.Refill(link, model.VisibleField, first, second, moved(k))
	}
	return nil
}
