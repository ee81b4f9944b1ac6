// Package continual learns tasks one after the other, by several methods, and measures how much is remembered.
//
// A student that learns a task no longer sees those before it. It starts from the machine of the task before, and a
// Method says what else it takes along: nothing (fine-tuning), the posterior as the prior, the same to second order
// (elastic weight consolidation), or draws from the machine. Learning all tasks at once is the ceiling.
package continual

import (
	"slices"
	"strconv"
	"strings"

	"bethe/dataset"
	"bethe/learn"
	"bethe/setting"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// A Task is data to learn from, and data to measure with.
type Task struct {
	Name        string
	Train, Test learn.Data
}

// Measures say what became of tasks that were learned one after the other (C. Li, Z. Huang, W. Zou and H. Huang,
// Phys. Rev. E 108, 014309, have overlaps in the place of nats). R[i][j] is the value of task j after task i.
type Measures struct {
	Forgetting float64 `json:"forgetting"` // mean over all tasks but the last: the best value that it ever had, less that at the end
	Backward   float64 `json:"backward_transfer"`
	Forward    float64 `json:"forward_transfer"`
}

// Measure returns the measures of a square matrix of at least two tasks. Nothing is the value of each task under
// what has learned nothing: forward transfer is the mean, over all tasks but the first, of the value before the task was learned, less that; backward
// transfer, over all tasks but the last, of the value at the end less that just after the task.
func Measure(r [][]float64, nothing float64) (m Measures) {
	last := len(r) - 1
	for j, end := range r[last] {
		if j < last {
			best := r[j][j]
			for i := range last {
				best = max(best, r[i][j])
			}
			m.Forgetting += (best - end) / float64(last)
			m.Backward += (end - r[j][j]) / float64(last)
		}
		if j > 0 {
			m.Forward += (r[j-1][j] - nothing) / float64(last)
		}
	}
	return m
}

// Permuted returns count tasks: the data as they are, and then with their visible units in random orders, the same for
// all samples of a task. The error is a *setting.Error.
func Permuted(train, test learn.Data, count int, seed uint64) ([]Task, error) {
	if count < 2 {
		return nil, setting.Phrase("tasks", "{tasks permuted:%d}: there must be at least 2", count)
	}
	tasks := []Task{{"as they are", train, test}}
	for k := range count - 1 {
		order := stream.New(seed).Sub(stream.RunTasks).Sub(stream.TasksOrders).Sub(uint64(k)).Rand().Perm(train.Visible())
		tasks = append(tasks, Task{"permuted " + strconv.Itoa(k+1), permuted(train, order), permuted(test, order)})
	}
	return tasks, nil
}

// permuted returns the data with their visible units in another order.
func permuted(d learn.Data, order []int) learn.Data {
	set := *d.Set
	set.Levels = nil // tasks are of one draw
	across := spin.New(d.Len(), d.Visible())
	d.Samples.Transpose(across)
	turned := spin.New(d.Len(), d.Visible())
	across.Gather(turned, order)
	set.Samples = spin.New(d.Visible(), d.Len())
	turned.Transpose(set.Samples)
	d.Set = &set
	return d
}

// classes returns the labels that occur, rising.
func classes(labels []int) []int {
	highest := -1
	for _, l := range labels {
		highest = max(highest, l)
	}
	there := make([]bool, highest+1)
	for _, l := range labels {
		there[l] = true
	}
	var out []int
	for l, is := range there {
		if is {
			out = append(out, l)
		}
	}
	return out
}

// Split returns count tasks, each of samples of its own labels: of ten labels and five tasks 0 and 1, 2 and 3, and so on. Of
// a share of the training samples, chosen at random, no labels are looked at: they are spread evenly over the tasks. The error
// is a *setting.Error.
func Split(train, test learn.Data, count int, share float64, seed uint64) ([]Task, error) {
	of := classes(train.Labels)
	switch {
	case len(train.Labels) == 0 || len(test.Labels) == 0:
		return nil, setting.Phrase("tasks", "{tasks}: tasks of labels are of data that have labels: %s or %s has none", train.Name, test.Name)
	case count < 2 || count > len(of):
		return nil, setting.Phrase("tasks", "{tasks} of labels: %d tasks of %d labels: there must be at least 2 tasks, and a label for each", count, len(of))
	case !(share >= 0 && share < 1):
		return nil, setting.Errorf("mix", share, "it is a share of the samples, from 0 to less than 1")
	}
	taskOf := map[int]int{}
	for k, l := range of {
		taskOf[l] = k * count / len(of)
	}
	rng := stream.New(seed).Sub(stream.RunTasks).Sub(stream.TasksMixed).Rand()
	places := func(d learn.Data, share float64) [][]int {
		out := make([][]int, count)
		for a, l := range d.Labels {
			k, known := taskOf[l]
			if share > 0 && rng.Float64() < share {
				k, known = rng.IntN(count), true
			}
			if known {
				out[k] = append(out[k], a)
			}
		}
		return out
	}
	var tasks []Task
	learned, measured := places(train, share), places(test, 0)
	for k := range count {
		if len(learned[k]) == 0 || len(measured[k]) == 0 {
			return nil, setting.Phrase("tasks", "{tasks}: no samples of %s or %s have the labels of task %d", train.Name, test.Name, k+1)
		}
		name := "labels"
		for _, l := range of {
			if taskOf[l] == k {
				name += " " + label(train.Set, l)
			}
		}
		tasks = append(tasks, Task{name, some(train, learned[k]), some(test, measured[k])})
	}
	return tasks, nil
}

// some returns some of the samples.
func some(d learn.Data, places []int) learn.Data {
	d.Set = d.Subset(places)
	return d
}

// joined returns the samples of all data, one after the other, as data of the first.
func joined(all []learn.Data) learn.Data {
	d := all[0]
	sets := make([]*spin.Matrix, len(all))
	for k := range all {
		sets[k] = all[k].Samples
	}
	set := *d.Set
	set.Samples, set.Labels, set.Weights, set.Levels = concatenated(sets), nil, nil, nil
	d.Set = &set
	return d
}

// concatenated returns the columns of all matrices beside each other.
func concatenated(all []*spin.Matrix) *spin.Matrix {
	n, m := all[0].Rows(), 0
	for _, x := range all {
		m += x.Cols()
	}
	out := spin.New(n, m)
	at := 0
	for _, x := range all {
		out.Put(x, span(at, at+x.Cols()))
		at += x.Cols()
	}
	return out
}

// span returns the numbers from lo up to hi.
func span(lo, hi int) []int {
	out := make([]int, hi-lo)
	for k := range out {
		out[k] = lo + k
	}
	return out
}

// check returns the *setting.Error of tasks that cannot be learned one after the other.
func check(tasks []Task) error {
	if len(tasks) < 2 {
		return setting.Phrase("data", "{data}: continual learning is of at least two tasks")
	}
	n := tasks[0].Train.Visible()
	for _, t := range tasks {
		for _, d := range []learn.Data{t.Train, t.Test} {
			if d.Set != nil && d.Kind.Word != units.Spin && d.Kind.Word != "" || d.Missing != nil {
				return setting.Phrase("data", "{data}: %s: tasks are of spins, with no value missing", d.Name)
			}
			if d.Len() == 0 {
				return setting.Phrase("data", "{data}: %s has no samples", d.Name)
			}
			if d.Visible() != n {
				return setting.Phrase("data", "{data}: %s has samples of %d units, %s of %d", d.Name, d.Visible(), tasks[0].Train.Name, n)
			}
		}
	}
	return nil
}

// label returns the name of a label.
func label(set *dataset.Set, l int) string {
	if l < len(set.Classes) {
		return set.Classes[l]
	}
	return strconv.Itoa(l)
}

// Open returns the tasks of a word: permuted:K and split:K of one set of data, mixed:K, which is split with a share of the training
// samples spread over all tasks, or files: each set of data is a task. Read reads data of a name. There is one name of data to measure with for each to learn
// from, or none: then it is what testOf says, or the data themselves. The error is that of read, or a *setting.Error.
func Open(read func(name string) (learn.Data, error), word string, names, tests []string, share float64, seed uint64, testOf func(name string) (string, bool)) ([]Task, error) {
	kind, number, several := strings.Cut(word, ":")
	count, err := strconv.Atoi(number)
	files := kind == "files" && !several
	switch {
	case !files && (err != nil || !slices.Contains([]string{"permuted", "split", "mixed"}, kind)):
		return nil, setting.Phrase("tasks", "{tasks %s}: tasks are permuted:K, split:K or mixed:K, such as permuted:2, or files", word)
	case !files && len(names) != 1:
		return nil, setting.Phrase("tasks", "{tasks %s}: they are made of one set of data, not of %d: {tasks files} has a task of each", word, len(names))
	case len(tests) != 0 && len(tests) != len(names):
		return nil, setting.Phrase("test", "{test}: %d sets of data to measure with, where {data} has %d", len(tests), len(names))
	}
	var tasks []Task
	for k, name := range names {
		test := name
		if len(tests) > 0 {
			test = tests[k]
		} else if of, ok := testOf(name); ok {
			test = of
		}
		t := Task{Name: name}
		if t.Train, err = read(name); err != nil {
			return nil, err
		}
		if t.Test, err = read(test); err != nil {
			return nil, err
		}
		tasks = append(tasks, t)
	}
	switch only := tasks[0]; kind {
	case "permuted":
		return Permuted(only.Train, only.Test, count, seed)
	case "split":
		return Split(only.Train, only.Test, count, 0, seed)
	case "mixed":
		return Split(only.Train, only.Test, count, share, seed)
	}
	return tasks, nil
}

// DefaultRecipe returns the recipe of tasks: that of learn.Default, for fewer steps, and with no settling. Settling learns the signs
// alone, which no prior holds.
func DefaultRecipe() learn.Recipe {
	r := learn.Default()
	r.Steps, r.Settle = 1000, 0
	r.Suit("settle", "undecided")
	return r
}
