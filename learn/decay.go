package learn

import "math"

// completeDecay sets the decay of thetas, rare units and the rate if they are what suits. Goes says that learning goes on from a machine.
func (r *Recipe) completeDecay(samples int, goes bool) {
	helps := r.decayHelps() && !goes
	if r.ThetaDecay == Suited {
		r.ThetaDecay = 0
		if helps {
			r.ThetaDecay = suitedDecay(r.Hidden)
		}
	}
	if r.Rare == Suited {
		r.Rare = 0
		if helps && r.ThetaDecay > 0 {
			r.Rare = Rare
		}
	}
	if r.Rate == 0 {
		r.Rate = r.suitedRate(samples)
	}
}

// decayHelps reports whether thetas had better decay: where the signs of spins' synapses settle by Adam without
// momentum, from random ones. Other cases were not found to be better with it.
func (r *Recipe) decayHelps() bool {
	return r.spins() && r.Settle > 0 && r.decays() && r.Momentum == 0 && r.Patience == 0 && r.Init == "" && r.Prior == "" && !r.deep()
}

// suitedDecay returns the decay that suits so many hidden units.
func suitedDecay(hidden int) float64 {
	return decimal(ThetaDecay * min(1, DecayHidden/float64(hidden)))
}

// decimal rounds to few decimals, as people write numbers.
func decimal(x float64) float64 { return math.Round(x*1e5) / 1e5 }

// suitedRate returns the rate that suits the other settings and so many samples.
func (r *Recipe) suitedRate(samples int) float64 {
	switch {
	case !r.kind().LogOdds():
		return RealRate
	case r.decays() && r.ThetaDecay > 0 && r.Settle > 0:
		return max(BinaryRate, decimal(DecayRate*math.Sqrt(min(1, float64(samples)/DecaySamples))))
	}
	return BinaryRate
}

// RateFor returns the rate of learning from so many samples, from random synapses: the recipe's, or what suits (docs/digits.md).
func (r *Recipe) RateFor(samples int) float64 {
	whole := *r
	whole.completeDecay(samples, false)
	return whole.Rate
}

// decays reports whether there are thetas that can decay.
func (r *Recipe) decays() bool { return r.Rule == "adam" && r.kind().LogOdds() }

// holdsRare reports whether synapses of spins that hardly ever change can keep random signs.
func (r *Recipe) holdsRare() bool { return r.spins() && r.kind().LogOdds() }
