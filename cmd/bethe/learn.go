package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"bethe/dataset"
	"bethe/figure"
	"bethe/internal/durable"
	"bethe/rbm"
	"bethe/runs"
	"bethe/stream"
)

// A learning is one call of train.
type learning struct {
	*console
	f        *trainFlags
	set      *dataset.Set
	out      string
	prior    *rbm.Posterior[float32] // of --prior; nil for the uniform one
	from     *rbm.File               // of --init; nil for random synapses
	settings map[string]any
	label    string // the settings as text: what a checkpoint must match
}

func (c *console) train(ctx context.Context, f *trainFlags) error {
	set, err := f.data.load()
	if err != nil {
		return err
	}
	switch {
	case f.labels == 0:
	case set.Labels == nil:
		return usagef("--label-weight: %s has no labels: name their file with --labels", f.data.name)
	case len(set.Labels) > 0 && slices.Min(set.Labels) == slices.Max(set.Labels):
		return usagef("--label-weight: the labels of %s are all %d: there is nothing to tell apart", f.data.name, set.Labels[0])
	}
	f.setBeta(set.Visible())
	r := &learning{console: c, f: f, set: set, out: f.out}
	if r.prior, err = f.earlier.load(set.Visible(), f.hidden); err != nil {
		return err
	}
	if r.from, err = f.from.load(set.Visible(), f.hidden); err != nil {
		return err
	}
	if err := r.describe(); err != nil {
		return err
	}
	if r.out == "" {
		r.out = filepath.Join("runs", fmt.Sprintf("%s-h%d-s%d", stem(f.data.name), f.hidden, c.seed))
		if !f.resume {
			r.out = unused(r.out)
		}
	}
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return err
	}
	lock, err := durable.LockFolder(r.out)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Release() }() // the process's end releases it too
	finished, err := r.finished()
	if err != nil || finished != nil {
		if finished != nil {
			err = r.tell(finished)
		}
		return err
	}
	if err := durable.RemoveLeftovers(r.out, r.files()...); err != nil {
		return err
	}
	if err := r.writeInfo(); err != nil {
		return err
	}
	return c.serving(ctx, r.out, f.serve, func() error {
		best, report, err := r.learnAll(ctx)
		if err != nil {
			return err
		}
		if err := r.finish(ctx, best, report); err != nil {
			return err
		}
		return r.tell(report)
	})
}

// describe sets the settings that go into the model file and the label. Those that 0.2.0
// wrote are always there. A later setting is there only where it differs from what 0.2.0
// did: models keep their bytes, and checkpoints of 0.2.0 can be resumed.
func (r *learning) describe() error {
	f := r.f
	s := f.schedule
	r.settings = map[string]any{
		"synapses": f.synapses, "decay": f.decay, "prior_strength": f.prior, "hidden": f.hidden, "beta": f.beta,
		"epochs": f.epochs, "steps": f.steps, "time": f.time.String(), "batch": f.batch, "rule": f.rule, "restarts": f.restarts,
		"rate": f.rate, "fall": s.fall, "final_rate": s.finalRate, "warmup": s.warmup, "average": s.average, "settle": s.settle, "max_theta": s.maxTheta,
		"coupling_rate": s.coupling, "final_sweeps": s.finalSweeps,
		"estep": f.engine.estep, "partition": f.engine.partition, "chains": f.engine.chains, "sweeps": f.engine.sweeps, "draws": f.engine.draws, "scouts": f.engine.scouts,
		"centre": !f.noCentre, "fields": !f.noFields, "learn_coupling": !f.fixedCoupling, "undecided": f.undecided,
	}
	if f.labels > 0 {
		r.settings["label_weight"], r.settings["labels_hash"] = f.labels, hashLabels(r.set.Labels)
	}
	f.earlier.describe(r.settings, r.prior)
	if err := f.from.describe(r.settings, r.from); err != nil {
		return err
	}
	text, err := json.Marshal(map[string]any{"data": f.data.name, "threshold": f.data.threshold, "binarise": f.data.binarise, "samples": r.set.Len(), "visible": r.set.Visible(), "hash": fmt.Sprintf("%016x", r.set.Samples.Hash()),
		"seed": r.seed, "settings": r.settings})
	if err != nil {
		panic(err) // numbers, words and truths always have a JSON form
	}
	r.label = string(text)
	return nil
}

// hashLabels tells labels from others.
func hashLabels(labels []int) string {
	h := fnv.New64a()
	for _, l := range labels {
		_, _ = h.Write(binary.LittleEndian.AppendUint64(nil, uint64(l))) // never fails
	}
	return fmt.Sprintf("%016x", h.Sum64())
}

// writeInfo writes what the run is of, and a picture of some data, unless an
// earlier call has.
func (r *learning) writeInfo() error {
	if _, err := runs.ReadInfo(r.out); err == nil && r.f.resume {
		return nil
	}
	some := r.set.Samples.Choose(100, stream.New(r.seed).Sub(streamPictures).Rand())
	if err := figure.WritePNG(filepath.Join(r.out, runs.DataFile), figure.Samples(some, r.set.Width, r.set.Height)); err != nil {
		return err
	}
	return runs.WriteInfo(r.out, runs.Info{
		Verb: "train", Program: program(), Data: r.f.data.name, Samples: r.set.Len(), Visible: r.set.Visible(), Hidden: r.f.hidden,
		Width: r.set.Width, Height: r.set.Height, Seed: r.seed, Settings: r.settings, Began: time.Now().UTC().Truncate(time.Second),
	})
}

// learnAll learns from every start and returns the model with the best bound.
func (r *learning) learnAll(ctx context.Context) (*rbm.Model[float32], *trainReport, error) {
	var best *rbm.Model[float32]
	var bestReport *trainReport
	var seconds float64
	for k := range r.f.restarts {
		l, err := r.newLearner(k)
		if err != nil {
			return nil, nil, err
		}
		report, err := l.learn(ctx)
		if err != nil {
			return nil, nil, err
		}
		seconds += report.Seconds
		if best == nil || *report.Bound > *bestReport.Bound || math.IsNaN(*bestReport.Bound) {
			best, bestReport = l.trainer.Result(), report
		}
		if r.f.restarts > 1 {
			r.logf("start %d of %d: bound %.3f nats a sample\n", k+1, r.f.restarts, *report.Bound)
		}
	}
	bestReport.Seconds = seconds
	return best, bestReport, nil
}
