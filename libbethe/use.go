package main

/*
#include "bethe.h"
*/
import "C"

import (
	"context"

	"bethe/evaluate"
	"bethe/internal/memory"
	"bethe/internal/npy"
	"bethe/setting"
	"bethe/spin"
	"bethe/stream"
)

// use reads what a job is about: a machine, samples (none if their handle is 0) and a request.
func use(handle, given C.bethe_handle, words C.bethe_text, request any) (m *machine, spins *spin.Matrix, err error) {
	if m, err = of[*machine](handle, "a machine"); err != nil {
		return nil, nil, err
	}
	if err := parse(words, request); err != nil || given == 0 {
		return m, nil, err
	}
	s, err := of[*samples](given, "samples")
	if err != nil {
		return nil, nil, err
	}
	if n := s.spins.Rows(); n != m.file.Visible() {
		return nil, nil, invalidf("samples of %d units for a machine of %d visible units", n, m.file.Visible())
	}
	return m, s.spins, nil
}

//export bethe_evaluate
func bethe_evaluate(handle, given, starts C.bethe_handle, words C.bethe_text, out *C.bethe_handle, text **C.char) C.int32_t {
	return try(text, func() error {
		request := struct {
			Temperatures  int    `json:"temperatures"`
			Chains        int    `json:"chains"`
			Equilibration int    `json:"equilibration"`
			Seed          uint64 `json:"seed"`
			Draws         int    `json:"draws"`
			Anneal        bool   `json:"anneal"`
		}{Temperatures: evaluate.DefaultTemperatures, Chains: evaluate.DefaultChains, Equilibration: evaluate.DefaultEquilibration, Seed: 1}
		m, spins, err := use(handle, given, words, &request)
		if err != nil {
			return err
		}
		var remembered *spin.Matrix
		if starts != 0 {
			if _, remembered, err = use(handle, starts, nil, nil); err != nil {
				return err
			}
		}
		if request.Draws != 0 {
			if err := evaluate.CheckDraws(m.file, request.Draws); err != nil {
				return invalid{err}
			}
		}
		seed := stream.New(request.Seed)
		options := evaluate.Options{Temperatures: request.Temperatures, Chains: request.Chains, Equilibration: request.Equilibration, Anneal: request.Anneal}
		if err := options.Check(m.file.Visible(), m.file.Hidden()); err != nil {
			return invalid{err}
		}
		begin(out, "annealing", func(ctx context.Context, j *job) (r result, err error) {
			options.Progress = j.telling("annealing")
			options.Key = evaluate.LikelihoodKey(seed)
			report := evaluate.Report{Samples: spins.Cols()}
			if report.LogLikelihood, err = evaluate.Likelihood(ctx, m.on.Remember(remembered), spins, options); err != nil {
				return r, err
			}
			if request.Draws > 0 {
				options.Key = seed
				if report.Uncertainty, err = evaluate.Uncertain(ctx, m.file, request.Draws, spins, options, func(k, of int) { j.tell("drawing", float64(k-1)/float64(of)) }); err != nil {
					return r, err
				}
			}
			r.report = report
			return r, nil
		})
		return nil
	})
}

//export bethe_sample
func bethe_sample(handle C.bethe_handle, words C.bethe_text, out *C.bethe_handle, text **C.char) C.int32_t {
	return try(text, func() error {
		request := struct {
			Count    int    `json:"count"`
			Sweeps   int    `json:"sweeps"`
			Tempered bool   `json:"tempered"`
			Seed     uint64 `json:"seed"`
		}{Count: 100, Sweeps: 1000, Seed: 1}
		m, _, err := use(handle, 0, words, &request)
		if err != nil {
			return err
		}
		if err := setting.AtLeastOne("both must be at least 1", setting.Count{Name: "count", Value: request.Count}, setting.Count{Name: "sweeps", Value: request.Sweeps}); err != nil {
			return err
		}
		how := evaluate.Sampling{Count: request.Count, Sweeps: request.Sweeps, Tempered: request.Tempered, Key: stream.New(request.Seed)}
		if err := memory.CheckChains(m.file.Visible(), m.file.Hidden(), float64(request.Count), true, "samples", request.Count); err != nil {
			return invalid{err}
		}
		begin(out, "sampling", func(ctx context.Context, j *job) (r result, err error) {
			how.Progress = j.telling("sampling")
			drawn, err := evaluate.Sample(ctx, m.file.Machine(), how)
			if err != nil {
				return r, err
			}
			r.report = map[string]int{"temperatures": drawn.Temperatures}
			r.arrays = shown(drawn)
			return r, nil
		})
		return nil
	})
}

// shown returns the visible states of chains, and the probabilities of 1 given the hidden ones.
func shown(s *evaluate.Samples) []npy.Array {
	n, count := s.Chains.Visible.Rows(), s.Chains.Visible.Cols()
	means := make([]float32, n*count)
	s.Chains.VisibleMeans(means)
	return []npy.Array{bytesOf("samples", s.Chains.Visible, count, n), probabilities("visible_mean", means, n, count)}
}

// probabilities returns means of spins, visible x count, as probabilities of 1, count x visible.
func probabilities(name string, means []float32, visible, count int) npy.Array {
	p := make([]float32, len(means))
	for i := range visible {
		for a := range count {
			p[a*visible+i] = (1 + means[i*count+a]) / 2
		}
	}
	return npy.Array{Name: name, Shape: []int{count, visible}, Data: p}
}

//export bethe_gibbs
func bethe_gibbs(handle, given C.bethe_handle, words C.bethe_text, out *C.bethe_handle, text **C.char) C.int32_t {
	return try(text, func() error {
		request := struct {
			Sweeps int    `json:"sweeps"`
			Seed   uint64 `json:"seed"`
		}{Sweeps: 1, Seed: 1}
		m, spins, err := use(handle, given, words, &request)
		if err != nil {
			return err
		}
		if err := setting.AtLeastOne("it must be at least 1", setting.Count{Name: "sweeps", Value: request.Sweeps}); err != nil {
			return err
		}
		how := evaluate.Sampling{Count: spins.Cols(), Sweeps: request.Sweeps, From: spins, Key: stream.New(request.Seed)}
		begin(out, "sampling", func(ctx context.Context, j *job) (r result, err error) {
			how.Progress = j.telling("sampling")
			drawn, err := evaluate.Sample(ctx, m.file.Machine(), how)
			if err != nil {
				return r, err
			}
			hidden := drawn.Chains.Hidden
			r.arrays = append(shown(drawn), bytesOf("hidden", hidden, hidden.Cols(), hidden.Rows()))
			return r, nil
		})
		return nil
	})
}

//export bethe_complete
func bethe_complete(handle, given C.bethe_handle, known C.bethe_numbers, count C.int64_t, words C.bethe_text, out *C.bethe_handle, text **C.char) C.int32_t {
	return try(text, func() error {
		request := restoring{Chains: 5, Sweeps: 500, Seed: 1}
		m, spins, err := use(handle, given, words, &request)
		if err != nil {
			return err
		}
		var units []int
		for _, i := range elements[int64](known, int(count)) {
			if i < 0 || int(i) >= spins.Rows() {
				return invalidf("known unit %d of %d, counted from 0", i, spins.Rows())
			}
			units = append(units, int(i))
		}
		if err := request.check(m, spins.Cols()); err != nil {
			return err
		}
		begin(out, "completing", func(ctx context.Context, j *job) (result, error) {
			c, err := evaluate.CompleteKnown(ctx, m.file.Machine(), spins, units, request.restoring(stream.New(request.Seed), j.telling("completing")))
			if err != nil {
				return result{}, err
			}
			r := restored(c.SpinRestoration, spins.Cols())
			r.arrays = append(r.arrays, bytesOf("completions", c.States, spins.Cols(), request.Chains, spins.Rows()))
			return r, nil
		})
		return nil
	})
}

//export bethe_denoise
func bethe_denoise(handle, given C.bethe_handle, words C.bethe_text, out *C.bethe_handle, text **C.char) C.int32_t {
	return try(text, func() error {
		request := struct {
			Flip float64 `json:"flip"`
			restoring
		}{0.1, restoring{Chains: 10, Sweeps: 300, Seed: 1}}
		m, spins, err := use(handle, given, words, &request)
		if err != nil {
			return err
		}
		if err := request.check(m, spins.Cols()); err != nil {
			return err
		}
		if !(request.Flip > 0 && request.Flip < 0.5) {
			return setting.Errorf("flip", request.Flip, "it must lie between 0 and 0.5")
		}
		begin(out, "denoising", func(ctx context.Context, j *job) (result, error) {
			mended, err := evaluate.Mend(ctx, m.file.Machine(), spins, request.Flip, true, stream.New(request.Seed), request.restoring.restoring(0, j.telling("denoising")))
			if err != nil {
				return result{}, err
			}
			return restored(mended.SpinRestoration, spins.Cols()), nil
		})
		return nil
	})
}

// restoring is the part of a request about chains.
type restoring struct {
	Chains int    `json:"chains"`
	Sweeps int    `json:"sweeps"`
	Seed   uint64 `json:"seed"`
}

// check returns an error if there are no chains, or more of so many samples than memory holds.
func (r *restoring) check(m *machine, samples int) error {
	if err := setting.AtLeastOne("both must be at least 1", setting.Count{Name: "chains", Value: r.Chains}, setting.Count{Name: "sweeps", Value: r.Sweeps}); err != nil {
		return err
	}
	if err := memory.CheckChains(m.file.Visible(), m.file.Hidden(), float64(samples)*float64(r.Chains), true, "chains", r.Chains); err != nil {
		return invalid{err}
	}
	return nil
}

func (r *restoring) restoring(key stream.Key, progress func(float64)) evaluate.Restoring {
	return evaluate.Restoring{Chains: r.Chains, Sweeps: r.Sweeps, Key: key, Progress: progress}
}

// restored returns the means of a restoration and whether its chains have settled.
func restored(r *evaluate.SpinRestoration, count int) result {
	n := r.States.Rows()
	unsettled, worst := r.Unsettled()
	report := map[string]any{"unsettled": unsettled, "looked_at": len(r.RHat)}
	if worst < 1e300 { // JSON has no infinity
		report["worst_r_hat"] = worst
	}
	return result{report: report, arrays: []npy.Array{probabilities("mean", r.Mean, n, count), {Name: "r_hat", Shape: []int{len(r.RHat)}, Data: r.RHat}}}
}
