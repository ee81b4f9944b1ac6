package spikes

import (
	"fmt"
	"math"

	"bethe/causes"
	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
)

// A Population is a layer of neurons.
type Population struct {
	Name   string `json:"name"`
	Size   int    `json:"neurons"`
	Groups int    `json:"groups,omitempty"` // winner-take-all groups that they are divided among
}

// A Circuit is several networks that run the same machine. Neurons are numbered through its
// populations, the visible units first. A circuit is used by one goroutine at a time, and a
// function of its key, whatever the number of threads.
type Circuit interface {
	// Populations returns the layers, from the data up.
	Populations() []Population
	// Networks returns how many networks there are.
	Networks() int
	// Step does a step of all networks, a layer at a time.
	Step()
	// Spikes calls visit for each neuron of a network that spiked in the last step.
	Spikes(network int, visit func(neuron int))
	// Counts returns how often each neuron spiked since Forget, neurons x networks, valid until
	// the next step.
	Counts() []int32
	// Forget starts the count again.
	Forget()
	// Window returns tau: a neuron's mean, from 0 to 1, is tau times its spikes per step.
	Window() int
}

// Options say how a circuit starts.
type Options struct {
	Tau   int // steps of a window
	Key   stream.Key
	Clamp []int // visible units that are held at their first states
}

func (o *Options) check() {
	if o.Tau < 1 {
		panic(fmt.Sprintf("spikes: a window of %d steps", o.Tau))
	}
}

// layered is a machine with hidden units: its hidden neurons step, then the visible ones.
type layered struct {
	tau             int
	visible, hidden *neurons
	layers          sample.Conditionals[float32, *spin.Matrix, *spin.Matrix]
	key             stream.Key
	steps           uint64
}

// Layered returns the circuit of a machine with hidden units, whose networks start at visible
// states (visible x networks).
func Layered(machine *rbm.Machine, start *spin.Matrix, o Options) Circuit {
	return newLayered(machine, start, o)
}

func newLayered(machine *rbm.Machine, start *spin.Matrix, o Options) *layered {
	o.check()
	networks := start.Cols()
	source := sample.OnMachine(machine)
	hidden := source.NewHidden(networks)
	source.Conditionals(networks).DrawHidden(hidden, start, 1, o.Key.Sub(stream.SpikesStart))
	shifted := machine.Clone()
	// A spin in a field f is on with log-odds 2f: neurons spike with 2f - ln tau.
	for _, fields := range [][]float64{shifted.VisibleField, shifted.HiddenField} {
		for i := range fields {
			fields[i] -= math.Log(float64(o.Tau)) / 2
		}
	}
	l := &layered{tau: o.Tau, key: o.Key, layers: sample.OnMachine(shifted).Conditionals(networks),
		visible: newNeurons(start, o.Tau, o.Key.Sub(stream.SpikesVisibleWindows)), hidden: newNeurons(hidden, o.Tau, o.Key.Sub(stream.SpikesHiddenWindows))}
	l.visible.clamp(o.Clamp)
	return l
}

func (l *layered) Step() {
	l.steps++
	l.layers.DrawHidden(l.hidden.candidates, l.visible.on, 1, l.key.Sub(stream.SpikesHidden).Sub(l.steps))
	l.hidden.step()
	l.layers.DrawVisible(l.visible.candidates, l.hidden.on, 1, l.key.Sub(stream.SpikesVisible).Sub(l.steps))
	l.visible.step()
}

func (l *layered) Populations() []Population {
	return []Population{{Name: "visible", Size: l.visible.on.Rows()}, {Name: "hidden", Size: l.hidden.on.Rows()}}
}

func (l *layered) Networks() int { return l.visible.on.Cols() }
func (l *layered) Window() int   { return l.tau }

func (l *layered) Forget() {
	l.visible.forget()
	l.hidden.forget()
}

func (l *layered) Counts() []int32 {
	return append(append([]int32(nil), l.visible.tally.Counts()...), l.hidden.tally.Counts()...)
}

func (l *layered) Spikes(network int, visit func(neuron int)) {
	l.visible.spikes(network, visit)
	l.hidden.spikes(network, func(neuron int) { visit(l.visible.on.Rows() + neuron) })
}

// directed is a machine of package causes: the cause steps, then the groups of a tree, then
// the visible neurons.
type directed struct {
	tau     int
	machine *causes.Machine
	levels  causes.Levels
	visible *neurons
	groups  *groups // of states; of a mixture the one group of causes
	top     *groups // of a tree; of a mixture no group
	key     stream.Key
	steps   uint64
	fields  []float32 // visible x networks
}

// Directed returns the circuit of a directed machine, whose networks start at drawn states.
func Directed(machine *causes.Machine, start *causes.Draw, o Options) Circuit {
	o.check()
	networks := start.Visible.Cols()
	d := &directed{tau: o.Tau, machine: machine, levels: machine.Levels(), key: o.Key, visible: newNeurons(start.Visible, o.Tau, o.Key.Sub(stream.SpikesVisibleWindows)),
		groups: newGroups(start.States, len(machine.Patches), machine.States, networks, o.Tau), fields: make([]float32, start.Visible.Rows()*networks)}
	d.top = newGroups(nil, 0, machine.Causes(), networks, o.Tau)
	if d.levels.Two {
		d.top = newGroups(start.Causes, 1, machine.Causes(), networks, o.Tau)
	}
	d.visible.clamp(o.Clamp)
	return d
}

func (d *directed) Step() {
	d.steps++
	networks, states, z := d.Networks(), d.machine.States, d.machine.Causes()
	d.top.step(d.key.Sub(stream.SpikesCauses).Sub(d.steps), func(_, network int, to []float64) {
		copy(to, d.levels.LnWeight)
		for g := range d.groups.count {
			k := d.groups.winner[g*networks+network]
			for at := range to {
				to[at] += d.levels.LnGiven[(g*states+k)*z+at]
			}
		}
	})
	var evidence []float64
	if d.groups.anyDue() {
		evidence = d.machine.Evidence(d.visible.on)
	}
	d.groups.step(d.key.Sub(stream.SpikesHidden).Sub(d.steps), func(g, network int, to []float64) {
		for k := range to {
			to[k] = evidence[(g*states+k)*networks+network]
			if d.levels.Two {
				to[k] += d.levels.LnGiven[(g*states+k)*z+d.top.winner[network]]
			} else {
				to[k] += d.levels.LnWeight[k]
			}
		}
	})
	n := d.visible.on.Rows()
	less := math.Log(float64(d.tau)) / 2
	for g, units := range d.machine.Patches {
		for a, k := range d.groups.winner[g*networks : (g+1)*networks] {
			for _, i := range units {
				d.fields[i*networks+a] = float32(d.machine.Fields[k*n+i] - less)
			}
		}
	}
	spin.Draw(d.visible.candidates, d.fields, d.key.Sub(stream.SpikesVisible).Sub(d.steps))
	d.visible.step()
}

func (d *directed) Populations() []Population {
	p := []Population{{Name: "visible", Size: d.visible.on.Rows()}, {Name: "groups", Size: d.groups.count * d.groups.states, Groups: d.groups.count}}
	if d.levels.Two {
		return append(p, Population{Name: "causes", Size: d.top.states, Groups: 1})
	}
	p[1].Name = "causes"
	return p
}

func (d *directed) Networks() int { return d.visible.on.Cols() }
func (d *directed) Window() int   { return d.tau }

func (d *directed) Forget() {
	d.visible.forget()
	clear(d.groups.tally)
	clear(d.top.tally)
}

func (d *directed) Counts() []int32 {
	return append(append(append([]int32(nil), d.visible.tally.Counts()...), d.groups.tally...), d.top.tally...)
}

func (d *directed) Spikes(network int, visit func(neuron int)) {
	d.visible.spikes(network, visit)
	first := d.visible.on.Rows()
	d.groups.spikes(network, func(neuron int) { visit(first + neuron) })
	first += d.groups.count * d.groups.states
	d.top.spikes(network, func(neuron int) { visit(first + neuron) })
}

// choose returns a place with probability ∝ exp of its logarithm, for u evenly from 0 to 1.
func choose(u float64, logs, scratch []float64) int {
	top := math.Inf(-1)
	for _, v := range logs {
		top = max(top, v)
	}
	sum := 0.0
	for k, v := range logs {
		sum += math.Exp(v - top)
		scratch[k] = sum
	}
	for k, v := range scratch {
		if u*sum < v {
			return k
		}
	}
	return len(logs) - 1
}
