package dashboard

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"bethe/evaluate"
	"bethe/figure"
	"bethe/rbm"
	"bethe/runs"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
	machines "bethe/units"
)

// kinds are machines of other kinds of units than spins: their chains hold the known values.
type kinds struct{ *rbm.File }

// Visible is the number of values of a sample.
func (k kinds) Visible() int {
	if !k.VisibleKind.Bits() {
		return len(k.Scale.Mean)
	}
	return k.File.Visible() / k.VisibleKind.Features()
}

// complete takes ink for the last colour, or for two deviations above the mean, and paper for the first, or two below.
func (k kinds) complete(ctx context.Context, pixels string, draw uint64) *completed {
	in := k.unknown()
	for i, p := range []byte(pixels) {
		if p == '+' || p == '-' {
			sign := map[byte]float64{'+': 1, '-': -1}[p]
			if k.VisibleKind.Bits() {
				k.know(&in, i, float64(max(1, k.VisibleKind.States-1))*(1+sign)/2)
			} else {
				k.know(&in, i, k.Scale.Mean[i]+2*sign*k.Scale.Deviation[i])
			}
		}
	}
	return k.completed(ctx, in, draw, false)
}

// fill reads the values of a sample from text: letters of an alignment, or numbers between commas or blanks. A question mark stands for an unknown
// value. If the text is too short, the rest is unknown.
func (k kinds) fill(ctx context.Context, values string, draw uint64) (*completed, error) {
	in := k.unknown()
	var tokens []string
	switch values = strings.TrimSpace(values); {
	case k.Info.Alphabet != "":
		tokens = strings.Split(strings.Join(strings.Fields(values), ""), "")
	case strings.Contains(values, ","):
		tokens = strings.Split(values, ",")
	default:
		tokens = strings.Fields(values)
	}
	if n := k.Visible(); len(tokens) > n {
		return nil, fmt.Errorf("%d values for a machine of %d", len(tokens), n)
	}
	for i, t := range tokens {
		t = strings.TrimSpace(t)
		if t == "" || t == "?" {
			continue
		}
		v, err := k.value(t)
		if err != nil {
			return nil, fmt.Errorf("value %d: %w", i+1, err)
		}
		k.know(&in, i, v)
	}
	return k.completed(ctx, in, draw, true), nil
}

// value reads one.
func (k kinds) value(text string) (float64, error) {
	if letters := k.Info.Alphabet; letters != "" {
		c := strings.Index(letters, strings.ToUpper(text))
		if c < 0 {
			return 0, fmt.Errorf("%q is none of the letters %s; ? stands for one that is not known", text, letters)
		}
		return float64(c), nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("%q is no number; ? stands for one that is not known", text)
	}
	if choices := k.VisibleKind.Choices(); k.VisibleKind.Bits() && (v != math.Trunc(v) || v < 0 || v >= float64(choices)) {
		return 0, fmt.Errorf("%v is none of the %d states 0 to %d", v, choices, choices-1)
	}
	return v, nil
}

// unknown is a sample that nothing is known of, with the means of the data for numbers.
func (k kinds) unknown() (in evaluate.FileSamples) {
	n := k.Visible()
	in.Missing = spin.FromSigns(n, 1, make([]float32, n))
	if !k.VisibleKind.Bits() {
		in.Numbers = machines.NewReals[float32](n, 1)
		for i, m := range k.Scale.Mean {
			in.Numbers.Row(i)[0] = float32(m)
		}
		return in
	}
	in.Bits = spin.New(k.File.Visible(), 1)
	if of := k.VisibleKind.States; of > 0 {
		for i := range n {
			in.Bits.Set(i*of, 0, 1)
		}
	}
	return in
}

// know sets a value: of bits the number of the state.
func (k kinds) know(in *evaluate.FileSamples, i int, v float64) {
	in.Missing.Set(i, 0, -1)
	switch of := k.VisibleKind.States; {
	case in.Numbers != nil:
		in.Numbers.Row(i)[0] = float32(v)
	case of > 0:
		in.Bits.Set(i*of, 0, -1)
		in.Bits.Set(i*of+int(v), 0, 1)
	default:
		in.Bits.Set(i, 0, int8(2*v-1))
	}
}

// completed sweeps until the context is done, or long enough, and answers in levels or in words.
func (k kinds) completed(ctx context.Context, given evaluate.FileSamples, draw uint64, worded bool) *completed {
	out := &completed{}
	for i := range given.Missing.Rows() {
		if given.Missing.At(i, 0) < 0 {
			out.Known++
		}
	}
	in, err := given.Incomplete(k.File)
	if err != nil {
		panic(err) // unknown made it
	}
	machine := k.Machine()
	var states evaluate.FileSamples
	var means []float32 // of features, features x completions
	switch {
	case !k.VisibleKind.Bits():
		numbers, m := swept(ctx, evaluate.OnGauss(machine).Source(in.Numbers), in.Numbers, in.Missing, draw, out)
		states.Numbers, means = k.Numbers(numbers), k.Numbers(machines.RealsOf(numbers.Units(), completions, m)).Values()
	case !k.HiddenKind.Bits():
		states.Bits, means = swept(ctx, evaluate.OnHopfield(machine).Source(in.Bits), in.Bits, in.Missing, draw, out)
	default:
		states.Bits, means = swept(ctx, evaluate.OnMachine(machine).Source(in.Bits), in.Bits, in.Missing, draw, out)
	}
	for a := range completions {
		levels, words := make([]int, k.Visible()), make([]string, k.Visible())
		for i := range levels {
			level, word := k.shown(states, means, i, a)
			levels[i], words[i] = int(math.Round(255*max(0, min(1, level)))), word
		}
		separator := ", "
		if k.Info.Alphabet != "" {
			separator = ""
		}
		if worded {
			out.Rows = append(out.Rows, strings.Join(words, separator))
		} else {
			out.Completions = append(out.Completions, levels)
		}
	}
	return out
}

// shown returns the level of a value, from 0 to 1, by its mean, and the drawn value as text.
func (k kinds) shown(states evaluate.FileSamples, means []float32, i, a int) (level float64, word string) {
	switch of := k.VisibleKind.States; {
	case states.Numbers != nil:
		v, level := states.Numbers.Row(i)[a], 0.5
		if d := k.Scale.Deviation[i]; d > 0 {
			level += (float64(means[i*completions+a]) - k.Scale.Mean[i]) / (4 * d)
		}
		return level, strconv.FormatFloat(float64(v), 'g', 4, 64)
	case of > 0:
		state := 0
		for c := range of {
			if states.Bits.At(i*of+c, a) > 0 {
				state = c
			}
			level += float64(c) / float64(max(1, of-1)) * (1 + float64(means[(i*of+c)*completions+a])) / 2
		}
		if k.Info.Alphabet != "" {
			return level, k.Info.Alphabet[state : state+1]
		}
		return level, strconv.Itoa(state)
	}
	return (1 + float64(means[i*completions+a])) / 2, strconv.Itoa(int(1+states.Bits.At(i, a)) / 2)
}

// swept returns the states of chains that hold the known units of a sample, and the means of their last draw; the mean of a known unit is its value.
func swept[V machines.States[V], H machines.States[H]](ctx context.Context, source sample.Source[float32, V, H], given V, missing *spin.Matrix, draw uint64, out *completed) (V, []float32) {
	chains := sample.NewChains(source, completions, stream.New(draw))
	each, of := given.Blank(completions), given.Units()/missing.Rows()
	given.Gather(each, make([]int, completions))
	var known []int
	for i := range given.Units() {
		if missing.At(i/of, 0) < 0 {
			known = append(known, i)
		}
	}
	if len(known) > 0 {
		chains.Clamp(known, each)
	}
	for out.Sweeps < mostSweeps && (out.Sweeps == 0 || ctx.Err() == nil) {
		chains.Sweep(1)
		out.Sweeps++
	}
	means := make([]float32, chains.Visible.Units()*completions)
	chains.VisibleMeans(means)
	return chains.Visible, means
}

// completes tells how a run's machine completes, and returns how many values a sample has.
func (p *pageRun) completes(info *runs.Info) (values int) {
	word, _ := info.Settings["units"].(string)
	hidden, _ := info.Settings["hidden_units"].(string)
	kind, err := machines.ParseVisible(word)
	p.Spiking = word == "" && hidden == ""
	values = info.Visible
	switch {
	case err != nil:
	case !kind.Bits(): // constant columns are no units, and are part of pictures
		if info.Width > 0 {
			values = info.Width * info.Height
		}
		p.Worded = !figure.Pictured(values, info.Width, info.Height)
	case kind.States > 0:
		values /= kind.States
		p.Worded = info.Width*info.Height != values
	}
	return values
}
