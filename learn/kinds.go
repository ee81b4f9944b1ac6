package learn

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"

	"bethe/causes"
	"bethe/dual"
	"bethe/evaluate"
	"bethe/rbm"
	"bethe/sample"
	"bethe/setting"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
	"bethe/variational"
)

// choose returns count samples in random order, none a second time before all were taken once.
func (d Data) choose(count int, rng *rand.Rand) Data {
	order := rng.Perm(d.Len())
	places := make([]int, count)
	for k := range places {
		places[k] = order[k%len(order)]
	}
	return d.some(places)
}

// learned returns samples as the objective sees them: numbers in units of the scale of the
// training data.
func (r *Run) learned(d Data) units.Data[float32] {
	if d.Missing != nil && d.Kind.Bits() {
		return units.NewIncomplete[float32](d.Samples, d.Kind, d.Missing)
	}
	if !d.Kind.Bits() {
		standard, err := r.scale.Standardised(d.Reals)
		if err != nil {
			panic(err) // shapes were checked
		}
		if d.Missing != nil {
			return units.NewIncompleteGauss(standard, r.scale.Rows(d.Missing))
		}
		return units.NewGauss(standard)
	}
	return units.NewFeatures[float32](d.Samples, d.Kind)
}

// redrawn is learned, but of levels that were kept batches are drawn anew in each epoch.
func (r *Run) redrawn(d Data, key stream.Key) units.Data[float32] {
	if d.Levels == nil {
		return r.learned(d)
	}
	return units.NewDrawn[float32](d.Samples, d.Levels, key)
}

// kinds returns those of the recipe's units. Check told words that are not known.
func (r *Recipe) kinds() (visible, hidden units.Kind) {
	visible, _ = units.ParseVisible(r.Units)
	hidden, _ = units.ParseKind(r.HiddenUnits)
	return visible, hidden
}

// spins reports whether all units are spins.
func (r *Recipe) spins() bool {
	visible, hidden := r.kinds()
	return visible == units.Kind{} && hidden == units.Kind{}
}

// features returns the number of hidden features.
func (r *Recipe) features() int {
	_, hidden := r.kinds()
	return r.Hidden * hidden.Features()
}

// checkKinds returns a *SettingError of kinds of units that do not go with each other or
// with other settings.
func (r *Recipe) checkKinds() error {
	visible, err := units.ParseVisible(r.Units)
	if err != nil {
		return setting.Errorf("units", r.Units, "%v", err)
	}
	hidden, err := units.ParseKind(r.HiddenUnits)
	if err != nil {
		return setting.Errorf("hidden_units", r.HiddenUnits, "%v", err)
	}
	if err := units.CheckPair(visible, hidden); err != nil {
		return setting.Errorf("hidden_units", r.HiddenUnits, "%v", err)
	}
	if r.spins() {
		return nil
	}
	switch {
	case r.Partition == quenched:
		return setting.Phrase("partition", "{partition quenched} is of spins, and units are %s and %s", visible, hidden)
	case r.Estep == "bethe" || r.Estep == "tap":
		return setting.Phrase("estep", "{estep %s} is of spins, and units are %s and %s: use exact or chains", r.Estep, visible, hidden)
	case r.directed():
		return setting.Phrase("model", "{model} is of spins, and units are %s and %s", visible, hidden)
	case r.Sampler != "":
		return setting.Phrase("sampler", "{sampler} is of spins, and units are %s and %s", visible, hidden)
	case r.LabelWeight > 0:
		return setting.Phrase("label_weight", "{label_weight} is of spins, and units are %s and %s", visible, hidden)
	}
	return nil
}

// checkData returns a *SettingError of data of another kind of units than the recipe's, sets
// the scale of real numbers, and tells which columns are left out.
func (r *Run) checkData() error {
	visible, hidden := r.recipe.kinds()
	d := &r.job.Data
	if r.job.Meter && !r.recipe.spins() {
		return setting.Phrase("meter", "{meter} is of spins, and units are %s and %s", visible, hidden)
	}
	if r.job.Meter && r.recipe.directed() {
		return setting.Phrase("meter", "{meter} is not of {model %s}, whose likelihood is exact", r.recipe.Model)
	}
	if r.job.Meter && r.recipe.deep() {
		return setting.Phrase("meter", "{meter} is of machines with one hidden layer, and {hidden %s} has more", r.recipe.Layers)
	}
	if d.Kind != visible {
		return setting.Errorf("units", r.recipe.Units, "%s was read as samples of %s units", d.Name, d.Kind)
	}
	if d.Weights != nil && r.recipe.directed() {
		return setting.Phrase("model", "{model %s} takes samples of equal weight", r.recipe.Model)
	}
	if d.Levels != nil && (d.Missing != nil || r.recipe.directed()) {
		return setting.Phrase("binarise", "{binarise dynamic} is of machines with hidden units, and of data with no value missing")
	}
	if d.Missing != nil {
		if err := r.checkMissing(); err != nil {
			return err
		}
	}
	if visible.Bits() {
		return nil
	}
	r.scale = shownScale{rbm.ScaleOf(d.Reals, d.Missing)}
	if len(r.scale.Kept()) == 0 {
		return setting.Errorf("units", visible, "%s: all columns are constant: there is nothing to learn", d.Name)
	}
	return nil
}

// checkMissing returns a *SettingError of a recipe that does not learn from data with missing values.
func (r *Run) checkMissing() error {
	f := &r.recipe
	const why = "takes complete data, and %s has missing values"
	switch {
	case f.directed() && f.Rule == causes.STDP:
		return setting.Phrase("rule", "{rule %s} "+why+": use {rule %s}", f.Rule, r.job.Data.Name, causes.EM)
	case f.Stack:
		return setting.Phrase("stack", "{stack} "+why+": leave it out, and all layers learn together", r.job.Data.Name)
	}
	return nil
}

// checkMeter returns a *SettingError of a meter that cannot read the likelihood of data with missing values.
func (r *Run) checkMeter() error {
	for _, d := range []Data{r.job.Data, r.job.Validation} {
		if !r.job.Meter || d.Set == nil || d.Missing == nil {
			continue
		}
		params := rbm.NewParams(r.job.Data.Visible(), r.recipe.Hidden, 1)
		if evaluate.CheckObserved(&params, min(meterSamples, d.Len())) != nil {
			return setting.Phrase("meter", "{meter}: %s has missing values, which the meter sums over by enumeration of hidden units, and {hidden %d} are too many", d.Name, r.recipe.Hidden)
		}
	}
	return nil
}

// visible returns the number of visible features of the machine.
func (r *Run) visible() int {
	if visible, _ := r.recipe.kinds(); !visible.Bits() {
		return len(r.scale.Kept())
	}
	return r.job.Data.Visible()
}

// Constant returns the columns of the data, counted from 0, that are no units of the machine
// because all their numbers are the same.
func (r *Run) Constant() []int { return r.scale.Constant() }

// Columns names columns, counted from 1, the first twenty of them.
func Columns(places []int) string {
	const most = 20
	var names []string
	for _, k := range places[:min(most, len(places))] {
		names = append(names, strconv.Itoa(k+1))
	}
	if len(places) > most {
		names = append(names, "...")
	}
	return strings.Join(names, ", ")
}

// The automatic choice enumerates every step if the enumerated layer has at most exactStates
// states, and these times the units of the other layer are at most exactWork.
const (
	exactStates = 1 << 12
	exactWork   = 1 << 18
)

// A choice is how expectations are found. A term that is no function of the moments of a network
// has no engine.
type choice struct {
	engine    dual.Engine[float32]
	partition dual.Partition[float32]
	why       string
}

// expect returns the partition term and its engine. start holds visible states of bits
// to start chains at; those of Gaussian visible units start at samples too.
func expect(r *Run, start *spin.Matrix, key, draws stream.Key) (choice, error) {
	f := &r.recipe
	n, p := r.visible(), f.features()
	if f.spins() {
		engine, why := expectation(r, start, key)
		return choice{engine, partitionOf(f, engine, draws), why}, nil
	}
	visible, hidden := f.kinds()
	ln, other, of := math.Inf(1), 0, ""
	for _, layer := range []struct {
		kind            units.Kind
		features, other int
		name            string
	}{{hidden, p, n, "hidden"}, {visible, n, p, "visible"}} {
		if layer.kind.Bits() && layer.kind.LnStates(layer.features) < ln {
			ln, other, of = layer.kind.LnStates(layer.features), layer.other, layer.name
		}
	}
	fits := fewStates(ln, other)
	gaussian := !visible.Bits() || !hidden.Bits()
	exact := f.Estep == "exact" || f.Estep == "auto" && fits
	why := fmt.Sprintf("exact: the %s layer has %.0f states", of, math.Exp(ln))
	switch {
	case exact && gaussian && f.kind().LogOdds():
		return choice{dual.Exact[float32]{}, dual.Gauss[float32]{}, why}, nil
	case exact:
		return choice{dual.Exact[float32]{}, dual.TermFor(f.kind(), dual.Engine[float32](dual.Exact[float32]{})), why}, nil
	case gaussian:
		why = fmt.Sprintf("chains: the %s layer has %.3g states, too many to enumerate every step", of, math.Exp(ln))
		var numbers *units.Reals[float32]
		if !visible.Bits() {
			some := r.job.Data.choose(f.Chains, key.Sub(stream.ChainsStart).Rand())
			var err error
			if numbers, err = r.scale.Standardised(some.Reals); err != nil {
				return choice{}, err
			}
			start = nil
		}
		if f.kind().LogOdds() {
			return choice{nil, &dual.GaussChains[float32]{Count: f.Chains, Sweeps: f.Sweeps, Key: key, InitialReals: numbers, InitialBits: start, Scouts: f.Scouts}, why}, nil
		}
		engine := &dual.RealChains{Count: f.Chains, Sweeps: f.Sweeps, Key: key, InitialReals: numbers, InitialBits: start, Scouts: f.Scouts}
		return choice{engine, dual.TermFor(f.kind(), dual.Engine[float32](engine)), why}, nil
	}
	engine := &dual.Chains[float32]{Count: f.Chains, Sweeps: f.Sweeps, Key: key, InitialVisible: start, Scouts: f.Scouts}
	return choice{engine, dual.TermFor(f.kind(), dual.Engine[float32](engine)), fmt.Sprintf("chains: %d x %d features are too many to enumerate every step", n, p)}, nil
}

// otherUnits start at random synapses, hidden groups also at samples.
type otherUnits struct{ run *Run }

func (o otherUnits) model(_ rbm.Kind, start variational.Initial, _ *spin.Matrix) (*rbm.Model[float32], error) {
	visible, hidden := o.run.recipe.kinds()
	return variational.NewKindModel(start, o.run.learned(o.run.job.Data), visible, hidden)
}

// likelihood returns the log-likelihood of samples under the machine of a file: that of real
// numbers in units of the deviations of the training data.
func likelihood(ctx context.Context, file *rbm.File, d Data, met *spin.Matrix, opt evaluate.Options) (evaluate.LogLikelihood, error) {
	return evaluate.FileLikelihood(ctx, file, evaluate.FileSamples{Bits: d.Samples, Numbers: d.Reals, Missing: d.Missing}, met, opt)
}

// shown returns what a picture shows of samples.
func (r *Run) shown(d Data) units.Shown {
	switch {
	case !d.Kind.Bits():
		return r.scale.shown(d.Reals)
	case d.Kind.OneHot():
		return shownColours(d.Samples, d.Kind)
	}
	values := make([]float32, d.Visible()*d.Len())
	spin.Values(values, d.Samples)
	return units.Shown{Values: values, Count: d.Len()}
}

// shownColours spreads colours evenly from -1 to 1.
func shownColours(s *spin.Matrix, kind units.Kind) units.Shown {
	n := s.Rows() / kind.States
	values := make([]float32, n*s.Cols())
	for i := range s.Rows() {
		for a := range s.Cols() {
			if s.At(i, a) == 1 {
				values[i/kind.States*s.Cols()+a] = 2*float32(i%kind.States)/float32(max(1, kind.States-1)) - 1
			}
		}
	}
	return units.Shown{Values: values, Count: s.Cols()}
}

// shownScale is a scale that shows numbers.
type shownScale struct{ rbm.Scale }

// shown maps two deviations on either side of the mean to -1 and 1.
func (s shownScale) shown(v *units.Reals[float32]) units.Shown {
	out := make([]float32, len(s.Mean)*v.Len())
	for k, d := range s.Deviation {
		if d == 0 {
			continue
		}
		for a, x := range v.Row(k) {
			out[k*v.Len()+a] = float32(max(-1, min(1, (float64(x)-s.Mean[k])/(2*d))))
		}
	}
	return units.Shown{Values: out, Count: v.Len()}
}

// chains returns what chains on a machine show, at most so many, which start at samples and
// have swept. The error is the context's.
func (r *Run) chains(ctx context.Context, file *rbm.File, most, sweeps int, key stream.Key, progress func(fraction float64)) (units.Shown, error) {
	count := shownSamples(most, r.visible())
	starts := r.job.Data.choose(count, key.Rand())
	machine := file.Machine()
	switch {
	case !file.VisibleKind.Bits():
		u, err := file.Features(starts.Reals)
		if err != nil {
			return units.Shown{}, err
		}
		chains := sample.NewChains(evaluate.OnGauss(machine).Source(u), count, key)
		chains.StartAt(u)
		if err := sweep(ctx, chains.Sweep, sweeps, progress); err != nil {
			return units.Shown{}, err
		}
		chains.VisibleMeans(u.Values())
		return r.scale.shown(file.Numbers(u)), nil
	case !file.HiddenKind.Bits():
		chains := sample.NewChains(sample.OnHopfield(rbm.NetworkOf[float32](machine), make([]float64, file.Visible())), count, key)
		chains.StartAt(starts.Samples)
		if err := sweep(ctx, chains.Sweep, sweeps, progress); err != nil {
			return units.Shown{}, err
		}
		means := make([]float32, file.Visible()*count)
		chains.VisibleMeans(means)
		return units.Shown{Values: means, Count: count}, nil
	}
	chains := sample.NewChains(sample.OnMachine(machine), count, key)
	chains.StartAt(r.recipe.startStates(starts.Samples, key.Sub(stream.StartAboveStates)))
	if err := sweep(ctx, chains.Sweep, sweeps, progress); err != nil {
		return units.Shown{}, err
	}
	if file.VisibleKind.OneHot() {
		return shownColours(chains.Visible, file.VisibleKind), nil
	}
	means := make([]float32, r.visible()*count)
	for k, f := range chains.VisibleFields()[:len(means)] {
		means[k] = float32(math.Tanh(float64(f)))
	}
	return units.Shown{Values: means, Count: count}, nil
}

// sweep sweeps chains, and gives up where the context ends.
func sweep(ctx context.Context, one func(k int), sweeps int, progress func(fraction float64)) error {
	for k := range sweeps {
		if err := ctx.Err(); err != nil {
			return err
		}
		one(1)
		progress(float64(k+1) / float64(sweeps))
	}
	return nil
}
