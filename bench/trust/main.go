// Command trust puts the annealed likelihood to machines whose likelihood is known: built
// ones of many families, some of them built to fail, and learned ones. It prints how often
// estimates whose verdict is good are off by more than a nat, how often sound ones
// are doubted, and how often the stated intervals hold the truth: the tables of docs/likelihood.md.
//
//	go run ./bench/trust -rounds 20 -raw trust.jsonl
//	go run ./bench/trust -bethe ./bethe -data FOLDER -rounds 0 -raw learned.jsonl
//	go run ./bench/trust -judge trust.jsonl,learned.jsonl
//	go run ./bench/trust -rounds 20 -raw trust.jsonl -population
//
// The raw file keeps the estimates, a line per machine; a run goes on after the last
// line. -judge judges the estimates of raw files again, with the limits of today.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"bethe/dataset"
	"bethe/evaluate"
	"bethe/rbm"
	"bethe/stream"
)

// settings of a run.
type settings struct {
	seed         uint64
	rounds       int
	raw          string
	bethe, data  string
	cases, only  string
	temperatures int
	chains       int
	sweeps       int
	population   bool
	attacks      bool
}

// among returns the families of the machines that are built.
func (s *settings) among() []family {
	if s.attacks {
		return slices.Concat(families, attacks)
	}
	return families
}

// A record holds a machine's exact likelihood and its estimates.
type record struct {
	Family, Name string
	Hole         bool `json:",omitempty"`
	Exact        float64
	Estimate     evaluate.LogLikelihood
	Evidence     *evaluate.Evidence
	Key          uint64
	Seconds      float64 // of the estimate
}

func main() {
	var s settings
	flag.Uint64Var(&s.seed, "seed", 1, "seed of the machines and the estimates")
	flag.IntVar(&s.rounds, "rounds", 16, "rounds of 26 built machines, or 14 without -attacks")
	flag.StringVar(&s.raw, "raw", "trust.jsonl", "file of what was estimated, to which is added")
	flag.StringVar(&s.bethe, "bethe", "", "bethe program that learns machines; none without it")
	flag.StringVar(&s.data, "data", "", "folder of data to learn, npy, npz or CSV files; without it the embedded digits alone")
	flag.IntVar(&s.temperatures, "temperatures", 2000, "of annealing in each direction")
	flag.IntVar(&s.chains, "chains", evaluate.DefaultChains, "annealed chains and ensembles")
	flag.IntVar(&s.sweeps, "sweeps", 1000, "of the tempered chains")
	judge := flag.String("judge", "", "raw files to judge, by commas; nothing is estimated")
	flag.StringVar(&s.cases, "cases", "", "folder of machines NAME.npz and their samples NAME.data.npy, to be put to it as well")
	flag.StringVar(&s.only, "only", "", "the built families whose names begin so alone")
	flag.BoolVar(&s.population, "population", false, "compare the estimates of the raw file with population annealing of the same built machines, and estimate nothing")
	flag.BoolVar(&s.attacks, "attacks", true, "also build the families that were made against the verdict after its limits had been set")
	list := flag.Bool("list", false, "list every machine")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, os.Stdout, &s, *judge, *list)
	if err != nil {
		fmt.Fprintln(os.Stderr, "trust:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, s *settings, judge string, list bool) error {
	var records []*record
	if judge != "" {
		for path := range strings.SplitSeq(judge, ",") {
			more, err := read(path)
			if err != nil {
				return err
			}
			records = append(records, more...)
		}
		for _, r := range records {
			l := &r.Estimate
			l.Evidence = r.Evidence
			r.Evidence.Judge(l, 0, stream.Key(r.Key))
		}
		tell(w, records, list)
		return nil
	}
	done, err := read(s.raw)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if s.population {
		return populations(ctx, w, s, done)
	}
	known := map[string]bool{}
	for _, r := range done {
		known[r.Family+r.Name] = true
	}
	out, err := os.OpenFile(s.raw, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	records = done
	number := uint64(0)
	each := func(family string, make func() (*built, error)) error {
		number++
		b, err := make()
		if err != nil {
			return err
		}
		if known[family+b.name] {
			return ctx.Err()
		}
		known[family+b.name] = true
		r, err := measure(ctx, s, b, stream.New(s.seed).Sub(1<<32).Sub(number))
		if err != nil {
			return fmt.Errorf("%s, %s: %w", family, b.name, err)
		}
		r.Family = family
		records = append(records, r)
		text, err := json.Marshal(r)
		if err == nil {
			_, err = out.Write(append(text, '\n'))
		}
		fmt.Fprintf(os.Stderr, "%4d %-28s %-50s exact %9.3f  reverse %+.3f  %v  %.1f s\n", number, family, r.Name, r.Exact, *r.Estimate.ReverseAIS-r.Exact, r.Estimate.Equilibrium.Reached, r.Seconds)
		return errors.Join(err, ctx.Err())
	}
	if err := build(s.seed, s.rounds, s.only, s.among(), each); err != nil {
		return err
	}
	if s.cases != "" {
		if err := cases(s.cases, each); err != nil {
			return err
		}
	}
	if s.bethe != "" {
		if err := learned(ctx, s, each); err != nil {
			return err
		}
	}
	tell(w, records, list)
	return nil
}

// measure estimates the likelihood of a machine.
func measure(ctx context.Context, s *settings, b *built, key stream.Key) (*record, error) {
	exact, err := evaluate.Likelihood(ctx, evaluate.OnMachine(b.machine), b.samples, evaluate.Options{})
	if err != nil {
		return nil, err
	}
	if !exact.Exact {
		return nil, errors.New("the machine has too many hidden units for an exact sum")
	}
	began := time.Now()
	l, err := evaluate.Likelihood(ctx, evaluate.OnMachine(b.machine).Remember(b.met), b.samples, evaluate.Options{
		Temperatures: s.temperatures, Chains: s.chains, Equilibration: s.sweeps, Anneal: true, Key: key})
	if err != nil {
		return nil, err
	}
	return &record{Name: b.name, Hole: b.hole, Exact: exact.Mean, Estimate: l, Evidence: l.Evidence, Key: uint64(key), Seconds: time.Since(began).Seconds()}, nil
}

// read reads the records of a raw file.
func read(path string) (list []*record, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewReaderSize(f, 1<<20)
	for {
		text, err := lines.ReadBytes('\n')
		if len(text) == 0 && errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: a line that ends early: %w", path, err)
		}
		r := new(record)
		if err := json.Unmarshal(text, r); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", path, len(list)+1, err)
		}
		list = append(list, r)
	}
}

// cases calls with the machines of a folder.
func cases(folder string, each func(string, func() (*built, error)) error) error {
	paths, err := filepath.Glob(filepath.Join(folder, "*.data.npy"))
	if err != nil {
		return err
	}
	for _, path := range paths {
		name := strings.TrimSuffix(path, ".data.npy")
		file, err := rbm.Load(name + ".npz")
		if err != nil {
			return err
		}
		set, err := dataset.Read(path, dataset.Options{})
		if err != nil {
			return err
		}
		if err := each("case", func() (*built, error) {
			return &built{name: filepath.Base(name), machine: file.Machine(), samples: set.Samples}, nil
		}); err != nil {
			return err
		}
	}
	return nil
}
