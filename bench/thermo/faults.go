package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"bethe/dataset"
	"bethe/learn"
	"bethe/rbm"
	"bethe/runs"
	"bethe/sampler"
	"bethe/stream"
)

// faultKinds are what a sampler does wrong.
var faultKinds = []string{"killed", "slow", "short", "long", "nan"}

// faultTable learns through a program that fails now and then, once or for good, and compares the
// machine with that of an undisturbed run, byte by byte.
func faultTable(ctx context.Context, w io.Writer, s *settings, _ []string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "bethe-faults")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	plan := filepath.Join(folder, "plan")
	data := draw(teacherOf(s.seed), 500, stream.New(s.seed)).Visible
	once := func(out string) (*learn.Result, error) {
		r := learn.Default()
		r.Hidden, r.Steps, r.Batch, r.Chains = 4, 25, 100, 100
		r.Sampler = fmt.Sprintf("'%s' act '%s' {reads} {seed}", self, plan)
		run, err := learn.Start(r, learn.Job{Data: learn.Data{Set: &dataset.Set{Samples: data}, Name: "teacher"}, Seed: s.seed, Folder: out, Resume: true,
			Transport: sampler.Transport{Timeout: 500 * time.Millisecond}})
		if err != nil {
			return nil, err
		}
		result, err := run.Run(ctx)
		return result, errors.Join(err, run.Close())
	}
	if err := os.WriteFile(plan, []byte("0 0 none"), 0o600); err != nil {
		return err
	}
	whole := filepath.Join(folder, "whole")
	if _, err := once(whole); err != nil {
		return err
	}
	want, err := os.ReadFile(filepath.Join(whole, runs.ModelFile))
	if err != nil {
		return err
	}
	rng := stream.New(s.seed).Sub(1).Rand()
	same, recovered, resumed := 0, 0, 0
	for k := range s.repeats {
		out := filepath.Join(folder, strconv.Itoa(k))
		kind, times := faultKinds[k%len(faultKinds)], 1+rng.IntN(5)
		if err := os.WriteFile(plan, fmt.Appendf(nil, "%d %d %s", rng.IntN(20), times, kind), 0o600); err != nil {
			return err
		}
		_, err := once(out)
		var failed *learn.SamplerError
		switch {
		case err == nil:
			recovered++
		case errors.As(err, &failed):
			resumed++
			if k < 5 || times > 3 && resumed <= 5 {
				fmt.Fprintf(w, "%s, %d times: %v\n", kind, times, err)
			}
			for errors.As(err, &failed) {
				_, err = once(out)
			}
		}
		if err != nil {
			return fmt.Errorf("%s, %d times: %w", kind, times, err)
		}
		got, err := os.ReadFile(filepath.Join(out, runs.ModelFile))
		if err != nil {
			return err
		}
		if bytes.Equal(got, want) {
			same++
		}
	}
	fmt.Fprintf(w, "%d faults: %d runs asked again and went on, %d ended with an error and were resumed; %d of %d models have the bytes of the undisturbed run\n", s.repeats, recovered, resumed, same, s.repeats)
	if same != s.repeats {
		return errors.New("models differ")
	}
	return nil
}

// act is the program: a sampler that fails as the plan says, "SKIP TIMES KIND", which it counts down.
func act(_ context.Context, w io.Writer, _ *settings, args []string) error {
	if len(args) != 3 {
		return errors.New("act PLAN READS SEED")
	}
	reads, _ := strconv.Atoi(args[1])
	seed, _ := strconv.ParseUint(args[2], 10, 32)
	text, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	var skip, times int
	var kind string
	if _, err := fmt.Sscan(string(text), &skip, &times, &kind); err != nil {
		return err
	}
	fails := skip == 0 && times > 0
	switch {
	case skip > 0:
		skip--
	case times > 0:
		times--
	}
	if err := os.WriteFile(args[0], fmt.Appendf(nil, "%d %d %s", skip, times, kind), 0o600); err != nil {
		return err
	}
	net, err := readCOO(os.Stdin, effectiveVisible)
	if err != nil {
		return err
	}
	b := bufio.NewWriter(w)
	defer func() { _ = b.Flush() }()
	if fails {
		switch kind {
		case "killed":
			p, err := os.FindProcess(os.Getpid())
			if err != nil {
				return err
			}
			return p.Kill()
		case "slow":
			time.Sleep(time.Minute)
		case "short":
			reads--
		case "long":
			reads++
		case "nan":
			fmt.Fprintln(b, strings.Repeat("nan ", net.Visible()+net.Hidden()))
		}
	}
	x := draw(net, reads, stream.New(seed))
	for a := range reads {
		for i := range net.Visible() {
			fmt.Fprintf(b, "%d ", x.Visible.At(i, a))
		}
		for mu := range net.Hidden() {
			fmt.Fprintf(b, "%d ", x.Hidden.At(mu, a))
		}
		fmt.Fprintln(b)
	}
	return nil
}

// readCOO reads a problem as the network at inverse temperature 1.
func readCOO(r io.Reader, visible int) (*rbm.Network[float64], error) {
	var own []float64
	type pair struct {
		i, j int
		v    float64
	}
	var pairs []pair
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		var p pair
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		if _, err := fmt.Sscan(lines.Text(), &p.i, &p.j, &p.v); err != nil {
			return nil, err
		}
		if p.i == p.j {
			own = append(own, -p.v)
		} else {
			pairs = append(pairs, p)
		}
	}
	net := rbm.NewNetwork[float64](visible, len(own)-visible)
	copy(net.VisibleField, own)
	copy(net.HiddenField, own[visible:])
	for _, p := range pairs {
		net.Coupling[(p.j-visible)*visible+p.i] = -p.v
	}
	return net, lines.Err()
}
