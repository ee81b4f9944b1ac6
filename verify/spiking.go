package verify

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"bethe/causes"
	"bethe/rbm"
	"bethe/spikes"
	"bethe/spin"
)

// spikingCase are the keys of the cases of spiking neurons.
type spikingCase struct {
	Hidden               int             `json:"hidden"`
	Refractory           int             `json:"refractory"`
	HiddenField          []float64       `json:"hidden_field"`
	Mean                 []float64       `json:"mean"`
	StationaryMean       []float64       `json:"stationary_mean"`
	Stationary           []float64       `json:"stationary"`
	Predicted            []float64       `json:"predicted"`
	SpikeRate            []float64       `json:"spike_rate"`
	SynchronousMean      []float64       `json:"synchronous_mean"`
	SynchronousVariation float64         `json:"synchronous_total_variation"`
	Autocorrelation      numberOrNumbers `json:"autocorrelation"`
	GibbsAutocorrelation []float64       `json:"gibbs_autocorrelation"`
	Winner               []float64       `json:"winner"`
	VisibleMean          []float64       `json:"visible_mean"`
	Residual             float64         `json:"residual"`
	LogOdds              float64         `json:"log_odds"`
	On                   float64         `json:"on"`
}

// mostChainStates limits the chains that are written out.
const mostChainStates = 512

// chainStates returns how many states so many neurons have, or an error if they are too many.
func (c *spikeCase) chainStates(neurons int) (int, error) {
	if c.Refractory < 1 || c.Refractory > 100 || neurons < 1 || neurons > maxUnits {
		return 0, fmt.Errorf("%d neurons with windows of %d steps: at least 1 of each is needed, and few", neurons, c.Refractory)
	}
	states := 1
	for range neurons {
		if states *= c.Refractory + 1; states > mostChainStates {
			return 0, fmt.Errorf("more than %d states of a chain", mostChainStates)
		}
	}
	return states, nil
}

// plain returns the machine of a case with spins on both sides.
func (c *spikeCase) plain() (*rbm.Machine, error) {
	n, p := c.Visible, c.Hidden
	if n < 1 || p < 1 || n > maxUnits || p > maxUnits || !(c.Coupling > 0) || c.Coupling > 100 {
		return nil, fmt.Errorf("%d visible and %d hidden units, coupling %v: sizes must be at least 1 and small, the coupling positive", n, p, c.Coupling)
	}
	if err := (shapes{{"synapses", c.Synapses, n, p}, {"field", [][]float64{c.Field}, 1, n}, {"hidden_field", [][]float64{c.HiddenField}, 1, p}}).check(); err != nil {
		return nil, err
	}
	synapses := spin.New(n, p)
	for i, row := range c.Synapses {
		for mu, v := range row {
			if v != 1 && v != -1 {
				return nil, fmt.Errorf("synapses[%d][%d] is %v, not ±1", i, mu, v)
			}
			synapses.Set(i, mu, int8(v))
		}
	}
	params := rbm.NewParams(n, p, c.Coupling)
	params.VisibleField, params.HiddenField = c.Field, c.HiddenField
	return &rbm.Machine{Params: params, Synapses: rbm.Binary(synapses)}, params.Validate()
}

func (c *spikeCase) spiking(ctx context.Context, r *Result) error {
	machine, err := c.plain()
	if err != nil {
		return err
	}
	n := c.Visible + c.Hidden
	states, err := c.chainStates(n)
	if err != nil {
		return err
	}
	one := func(x []float64) [][]float64 { return [][]float64{x} }
	if err := (shapes{{"mean", one(c.Mean), 1, n}, {"stationary_mean", one(c.StationaryMean), 1, n}, {"stationary", one(c.Stationary), 1, states}, {"predicted", one(c.Predicted), 1, states},
		{"spike_rate", one(c.SpikeRate), 1, n}, {"synchronous_mean", one(c.SynchronousMean), 1, n}, {"autocorrelation", one(c.Autocorrelation), 1, n}, {"gibbs_autocorrelation", one(c.GibbsAutocorrelation), 1, n}}).check(); err != nil {
		return err
	}
	moments := rbm.NewMoments[float64](c.Visible, c.Hidden)
	if _, err := rbm.NetworkOf[float64](machine).ExactMoments(ctx, moments); err != nil {
		return err
	}
	exact := append(append([]float64(nil), moments.Visible...), moments.Hidden...)
	r.record("correlation", exact, c.Mean)
	rates := make([]float64, n)
	for k, m := range exact {
		rates[k] = (1 + m) / float64(2*c.Refractory)
	}
	r.record("spike_rate", rates, c.SpikeRate)
	chain := spikes.NewChain(machine, c.Refractory, false)
	predicted := chain.Predicted(machine)
	r.record("stationary", chain.Stationary, c.Stationary)
	r.record("stationary", predicted, c.Predicted)
	r.record("stationary", meansUnder(chain.Stationary, chain.Columns()), c.StationaryMean)
	r.record("autocorrelation", spikes.Autocorrelations(chain.T, chain.Stationary, chain.Columns()), c.Autocorrelation)
	gibbs := spikes.NewChain(machine, 1, false)
	r.record("autocorrelation", spikes.Autocorrelations(gibbs.T, gibbs.Stationary, gibbs.Columns()), c.GibbsAutocorrelation)
	together := spikes.NewChain(machine, c.Refractory, true)
	variation := 0.0
	for k, p := range together.Stationary {
		variation += math.Abs(p-predicted[k]) / 2
	}
	r.record("synchronous", meansUnder(together.Stationary, together.Columns()), c.SynchronousMean)
	r.record("synchronous", []float64{variation}, []float64{c.SynchronousVariation})
	return nil
}

// meansUnder returns the means of functions (functions x states) under a distribution.
func meansUnder(p []float64, functions [][]float64) []float64 {
	means := make([]float64, len(functions))
	for k, f := range functions {
		for a, v := range f {
			means[k] += p[a] * v
		}
	}
	return means
}

func (c *spikeCase) neuron(_ context.Context, r *Result) error {
	states, err := c.chainStates(1)
	if err != nil {
		return err
	}
	if len(c.Stationary) != states || len(c.Autocorrelation) != 1 || !(math.Abs(c.LogOdds) < 100) {
		return fmt.Errorf("stationary has %d numbers, not %d, autocorrelation %d, not one, or the log-odds are %v", len(c.Stationary), states, len(c.Autocorrelation), c.LogOdds)
	}
	chain := spikes.NewNeuron(c.LogOdds, c.Refractory)
	on := 1 / (1 + math.Exp(-c.LogOdds))
	r.record("stationary", chain.Stationary, c.Stationary)
	r.record("stationary", []float64{on}, []float64{c.On})
	r.record("autocorrelation", spikes.Autocorrelations(chain.T, chain.Stationary, chain.Columns()), c.Autocorrelation)
	r.record("autocorrelation", []float64{1 + float64(c.Refractory-1)*(1-on)}, c.Autocorrelation)
	return nil
}

// winnerSpiking writes out the chain of a group: its winner stays for a window, then is drawn
// given the visible spins, which are drawn afresh in every step.
func (c *spikeCase) winnerSpiking(ctx context.Context, r *Result) error {
	if len(c.Groups) != 1 {
		return fmt.Errorf("%d groups, not one", len(c.Groups))
	}
	n, k, tau := c.Visible, c.Groups[0], c.Refractory
	if n < 1 || k < 1 || n > 6 || k > 6 || tau < 1 || k*tau<<n > mostChainStates || !(c.Coupling > 0) || c.Coupling > 100 {
		return fmt.Errorf("%d visible units, %d states, windows of %d steps: too few or too many", n, k, tau)
	}
	one := func(x []float64) [][]float64 { return [][]float64{x} }
	if err := (shapes{{"synapses", c.Synapses, n, k}, {"field", one(c.Field), 1, n}, {"hidden_field", one(c.HiddenField), 1, k}, {"winner", one(c.Winner), 1, k},
		{"visible_mean", one(c.VisibleMean), 1, n}, {"spike_rate", one(c.SpikeRate), 1, k}, {"autocorrelation", one(c.Autocorrelation), 1, k}}).check(); err != nil {
		return err
	}
	bits := causes.NewBits(causes.Layer{Patches: [][]int{upTo(n)}, States: k}, c.Coupling)
	copy(bits.Field, c.Field)
	values := make([]int8, n*k)
	for at, v := range byHidden(c.Synapses) {
		if v != 1 && v != -1 {
			return fmt.Errorf("a synapse is %v, not ±1", v)
		}
		values[at] = int8(v)
	}
	// As a directed machine it has the weights e^c_k prod 2cosh(b + J xi).
	weights := make([]float64, k)
	for j := range weights {
		weights[j] = c.HiddenField[j]
		for i := range n {
			u := c.Field[i] + c.Coupling*float64(values[j*n+i])
			weights[j] += math.Log(2 * math.Cosh(u))
		}
	}
	total := rbm.LogSumExp(weights)
	for j := range weights {
		weights[j] -= total
	}
	machine := causes.MixtureOf(bits, values, weights)
	all := spin.New(n, 1<<n)
	for a := range 1 << n {
		for i := range n {
			all.Set(i, a, int8(1-2*(a>>i&1)))
		}
	}
	inferred, err := machine.Infer(ctx, all, nil)
	if err != nil {
		return err
	}
	given, evidence := inferred.Causes, machine.Evidence(all)
	count := 1 << n
	place := func(s, j, left int) int { return (s*k+j)*tau + left - 1 }
	t, keeps := mat.NewDense(count*k*tau, count*k*tau, nil), make([]float64, count*k*tau)
	means, functions := make([]float64, n), make([][]float64, k)
	for j := range functions {
		functions[j] = make([]float64, len(keeps))
	}
	for s := range count {
		for j := range k {
			p := math.Exp(weights[j] + evidence[j*count+s])
			for i := range n {
				means[i] += p * float64(all.At(i, s))
			}
			for left := 1; left <= tau; left++ {
				from := place(s, j, left)
				keeps[from], functions[j][from] = p/float64(tau), 1
				for next := range k {
					to, chance := left-1, 0.0
					switch {
					case left == 1:
						to, chance = tau, given[next*count+s]
					case next == j:
						chance = 1
					}
					for seen := range count {
						if chance > 0 {
							t.Set(from, place(seen, next, to), chance*math.Exp(evidence[next*count+seen]))
						}
					}
				}
			}
		}
	}
	var after mat.Dense
	after.Mul(mat.NewDense(1, len(keeps), keeps), t)
	residual := 0.0
	for a, p := range keeps {
		residual = max(residual, math.Abs(after.At(0, a)-p))
	}
	winner, rates := exponentials(weights), make([]float64, k)
	for j, p := range winner {
		rates[j] = p / float64(tau)
	}
	r.record("winner", winner, c.Winner)
	r.record("correlation", means, c.VisibleMean)
	r.record("spike_rate", rates, c.SpikeRate)
	r.record("stationary", []float64{residual}, []float64{c.Residual})
	r.record("autocorrelation", spikes.Autocorrelations(t, keeps, functions), c.Autocorrelation)
	return nil
}

func exponentials(x []float64) []float64 {
	y := make([]float64, len(x))
	for k, v := range x {
		y[k] = math.Exp(v)
	}
	return y
}
