package main

/*
#include "bethe.h"
*/
import "C"

import (
	"context"

	"bethe/evaluate"
	"bethe/internal/npy"
	"bethe/setting"
	"bethe/stream"
)

// use reads what a job is about: a machine, samples (none if their handle is 0) and a request.
func use(handle, given C.bethe_handle, words C.bethe_text, request any) (m *machine, s *samples, err error) {
	if m, err = of[*machine](handle, "a machine"); err != nil {
		return nil, nil, err
	}
	if err := parse(words, request); err != nil || given == 0 {
		return m, nil, err
	}
	if s, err = of[*samples](given, "samples"); err != nil {
		return nil, nil, err
	}
	about := m.model.about()
	if kind := s.Kind.String(); kind != about.Units {
		return nil, nil, invalidf("samples of %s units for a machine of %s units", kind, about.Units)
	}
	if n := s.Units(); n != about.Visible {
		return nil, nil, invalidf("samples of %d units for a machine of %d visible units", n, about.Visible)
	}
	return m, s, nil
}

//export bethe_features
func bethe_features(handle, given C.bethe_handle, words C.bethe_text, out *C.bethe_handle, text **C.char) C.int32_t {
	return try(text, func() error {
		request := struct {
			Gain float64 `json:"gain"`
		}{1}
		m, s, err := use(handle, given, words, &request)
		if err != nil {
			return err
		}
		if !(request.Gain > 0 && request.Gain <= 1e6) {
			return setting.Errorf("gain", request.Gain, "it must be positive")
		}
		begin(out, "features", func(ctx context.Context, _ *job) (r result, err error) {
			x, err := m.model.features(ctx, s.Set, request.Gain)
			if err != nil {
				return r, err
			}
			r.arrays = []npy.Array{{Name: "features", Shape: []int{s.Len(), len(x) / s.Len()}, Data: x}}
			return r, nil
		})
		return nil
	})
}

//export bethe_log_weights
func bethe_log_weights(handle, given C.bethe_handle, words C.bethe_text, out *C.bethe_handle, text **C.char) C.int32_t {
	return try(text, func() error {
		request := struct {
			Seed uint64 `json:"seed"`
		}{1}
		m, s, err := use(handle, given, words, &request)
		if err != nil {
			return err
		}
		begin(out, "weighing", func(ctx context.Context, _ *job) (r result, err error) {
			w, err := m.model.logWeights(ctx, s.Set, evaluate.LikelihoodKey(stream.New(request.Seed)))
			if err != nil {
				return r, err
			}
			r.arrays = []npy.Array{{Name: "log_weight", Shape: []int{len(w)}, Data: w}}
			return r, nil
		})
		return nil
	})
}

//export bethe_evaluate
func bethe_evaluate(handle, given, starts C.bethe_handle, words C.bethe_text, out *C.bethe_handle, text **C.char) C.int32_t {
	return try(text, func() error {
		request := &evaluation{Temperatures: evaluate.DefaultTemperatures, Chains: evaluate.DefaultChains, Equilibration: evaluate.DefaultEquilibration, Seed: 1}
		m, s, err := use(handle, given, words, request)
		if err != nil {
			return err
		}
		if starts != 0 {
			_, remembered, err := use(handle, starts, nil, nil)
			if err != nil {
				return err
			}
			if request.remembered, err = remembered.spins(); err != nil {
				return err
			}
		}
		if err := m.model.check(request); err != nil {
			return err
		}
		begin(out, "annealing", func(ctx context.Context, j *job) (r result, err error) {
			request.tell = j.tell
			r.report, err = m.model.likelihood(ctx, s.Set, request)
			return r, err
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
		if err := m.model.chains(request.Count, "samples", request.Count); err != nil {
			return err
		}
		begin(out, "sampling", func(ctx context.Context, j *job) (result, error) {
			how.Progress = j.telling("sampling")
			return m.model.sample(ctx, nil, how)
		})
		return nil
	})
}

//export bethe_gibbs
func bethe_gibbs(handle, given C.bethe_handle, words C.bethe_text, out *C.bethe_handle, text **C.char) C.int32_t {
	return try(text, func() error {
		request := struct {
			Sweeps int    `json:"sweeps"`
			Seed   uint64 `json:"seed"`
		}{Sweeps: 1, Seed: 1}
		m, s, err := use(handle, given, words, &request)
		if err != nil {
			return err
		}
		if err := setting.AtLeastOne("it must be at least 1", setting.Count{Name: "sweeps", Value: request.Sweeps}); err != nil {
			return err
		}
		how := evaluate.Sampling{Count: s.Len(), Sweeps: request.Sweeps, Key: stream.New(request.Seed)}
		begin(out, "sampling", func(ctx context.Context, j *job) (result, error) {
			how.Progress = j.telling("sampling")
			return m.model.sample(ctx, s.Set, how)
		})
		return nil
	})
}

//export bethe_complete
func bethe_complete(handle, given C.bethe_handle, known C.bethe_numbers, count C.int64_t, words C.bethe_text, out *C.bethe_handle, text **C.char) C.int32_t {
	return try(text, func() error {
		request := restoring{Chains: 5, Sweeps: 500, Seed: 1}
		m, s, err := use(handle, given, words, &request)
		if err != nil {
			return err
		}
		var units []int
		for _, i := range elements[int64](known, int(count)) {
			if i < 0 || int(i) >= s.Units() {
				return invalidf("known unit %d of %d, counted from 0", i, s.Units())
			}
			units = append(units, int(i))
		}
		if err := request.check(m, s.Len()); err != nil {
			return err
		}
		begin(out, "completing", func(ctx context.Context, j *job) (result, error) {
			return m.model.complete(ctx, s.Set, units, request.restoring(j.telling("completing")))
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
		m, s, err := use(handle, given, words, &request)
		if err != nil {
			return err
		}
		if err := request.check(m, s.Len()); err != nil {
			return err
		}
		if !(request.Flip > 0 && request.Flip < 0.5) {
			return setting.Errorf("flip", request.Flip, "it must lie between 0 and 0.5")
		}
		begin(out, "denoising", func(ctx context.Context, j *job) (result, error) {
			return m.model.denoise(ctx, s.Set, request.Flip, request.restoring.restoring(j.telling("denoising")))
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
	return m.model.chains(samples*r.Chains, "chains", r.Chains)
}

func (r *restoring) restoring(progress func(float64)) evaluate.Restoring {
	return evaluate.Restoring{Chains: r.Chains, Sweeps: r.Sweeps, Key: stream.New(r.Seed), Progress: progress}
}
