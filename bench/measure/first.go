package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"bethe/evaluate"
	"bethe/internal/kernel"
	"bethe/internal/npy"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// first measures how soon there is an answer: of a machine that is loaded, of the command, of learning with many units.
func (b *bench) first() error {
	rows, err := b.childRows(b.tiers[0], "first")
	if err != nil {
		return err
	}
	if b.bethe == "" {
		b.Missing = append(b.Missing, "first answers of the command: the program was not named (-bethe)")
	} else {
		for _, arg := range []string{"version", "--help"} {
			r := row{What: "bethe " + arg, Unit: "ms", Limit: 30}
			for range b.Rounds {
				start := time.Now()
				if err := exec.Command(b.bethe, arg).Run(); err != nil {
					return fmt.Errorf("bethe %s: %w", arg, err)
				}
				r.Times = append(r.Times, time.Since(start).Seconds())
			}
			r.Seconds = slices.Min(r.Times)
			r.Value = 1e3 * r.Seconds
			rows = append(rows, r)
		}
		start, err := b.start()
		if err != nil {
			return err
		}
		rows = append(rows, start)
	}
	b.add("First answers", "Of one sample, by a machine of 784 x 500 that is loaded and has answered once; of whole processes; and how long learning takes until its first step begins. "+
		"A completion takes its sweeps: with one sweep of four chains and a witness it shows what a call costs besides. Least times.", rows)
	return nil
}

// firstRows measures answers about one sample, in this process.
func firstRows(rounds int) ([]row, error) {
	rng := stream.New(1).Rand()
	params := rbm.NewParams(visible, hidden, coupling)
	w := make([]float32, visible*hidden)
	for k := range w {
		w[k] = float32(rng.NormFloat64())
	}
	one, known := spin.Random(visible, 1, rng), make([]int, visible/2)
	for i := range known {
		known[i] = i
	}
	type answer struct {
		what string
		give func() error
	}
	var answers []answer
	for _, of := range []struct {
		kind     string
		synapses rbm.Synapses
	}{{"binary", rbm.Binary(spin.Random(visible, hidden, rng))}, {"real", rbm.RealValued(visible, hidden, w)}} {
		on := evaluate.OnMachine(&rbm.Machine{Params: params, Synapses: of.synapses})
		answers = append(answers, answer{"features, " + of.kind + " synapses", func() error { evaluate.Features(on, one, 1); return nil }},
			answer{"completion of one sweep, " + of.kind + " synapses", func() error {
				_, err := on.CompleteKnown(context.Background(), one, known, evaluate.Restoring{Chains: 4, Sweeps: 1, Key: stream.New(2)})
				return err
			}})
	}
	deep := &rbm.Chain{}
	for l, n := range []int{visible, hidden, hidden} {
		deep.Layers = append(deep.Layers, rbm.Layer{Field: make([]float64, n), Offset: make([]float64, n)})
		if l > 0 {
			below := len(deep.Layers[l-1].Field)
			deep.Links = append(deep.Links, rbm.Between{Coupling: coupling, Synapses: rbm.Binary(spin.Random(below, n, rng))})
		}
	}
	folded, err := deep.Fold()
	if err != nil {
		return nil, err
	}
	features := evaluate.FeaturesOf(&rbm.File{Params: folded.Params, Synapses: folded.Synapses})
	answers = append(answers, answer{"features of a deep machine, 500-500", func() error {
		_, _, err := features(evaluate.FileSamples{Bits: one}, 1)
		return err
	}})
	var rows []row
	for _, a := range answers {
		if err := a.give(); err != nil {
			return nil, err
		}
		r := row{What: a.what, Tier: kernel.Tier(), Threads: 1, Unit: "ms", Limit: 1}
		for range rounds {
			const times = 20
			start := time.Now()
			for range times {
				if err := a.give(); err != nil {
					return nil, err
				}
			}
			r.Times = append(r.Times, time.Since(start).Seconds()/times)
		}
		r.Seconds = slices.Min(r.Times)
		r.Value = 1e3 * r.Seconds
		rows = append(rows, r)
	}
	return rows, nil
}

// start measures how long learning of many visible units takes until its first record, before the first step.
func (b *bench) start() (row, error) {
	const units, count = 70001, 200
	r := row{What: fmt.Sprintf("bethe train --hidden 100, %d visible units: until its first step", units), Unit: "s", Limit: 2}
	folder, err := os.MkdirTemp("", "bethe-first-")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(folder)
	rng, bits := rand.New(rand.NewPCG(1, 2)), make([]int8, units*count)
	for k := range bits {
		bits[k] = int8(rng.Uint32() & 1)
	}
	data := filepath.Join(folder, "data.npy")
	file, err := os.Create(data)
	if err != nil {
		return r, err
	}
	if err := errors.Join(npy.Write(file, []int{count, units}, bits), file.Close()); err != nil {
		return r, err
	}
	for k := range 3 {
		out := filepath.Join(folder, fmt.Sprint(k))
		cmd := exec.Command(b.bethe, "train", "--data", data, "--hidden", "100", "--steps", "1000", "--quiet", "--out", out)
		var complaints bytes.Buffer
		cmd.Stderr = &complaints
		begin := time.Now()
		if err := cmd.Start(); err != nil {
			return r, err
		}
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		for written := false; !written; {
			select {
			case err := <-done:
				return r, fmt.Errorf("bethe train ended before its first record: %w\n%s", err, complaints.Bytes())
			case <-time.After(2 * time.Millisecond):
				about, err := os.Stat(filepath.Join(out, "metrics.jsonl"))
				written = err == nil && about.Size() > 0
			}
		}
		r.Times = append(r.Times, time.Since(begin).Seconds())
		if err := cmd.Process.Kill(); err != nil {
			return r, err
		}
		<-done
	}
	r.Seconds = slices.Min(r.Times)
	r.Value = r.Seconds
	return r, nil
}
