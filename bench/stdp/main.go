// Stdp chooses what winning costs (--homeostasis) and the coupling of the online rule on digits that are held
// out of the training ones: it learns from the first 50,000 in one pass, and prints how often the
// labels that the causes stand for are wrong for the other 10,000, and their log-likelihood, as
// a table in Markdown. Test digits have no say.
//
//	go run ./bench/stdp -homeostasis 4,6,8,12 -coupling 0.5,0.6,0.7,0.8 -seeds 11,12,13
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"math"
	"slices"
	"strconv"
	"strings"

	"bethe/causes"
	"bethe/dataset/mnist"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

const learned = 50_000

func main() {
	costs := flag.String("homeostasis", "4,6,8,12", "what a spike costs a cause in ln weight")
	couplings := flag.String("coupling", "0.5,0.6,0.7,0.8", "couplings")
	seeds := flag.String("seeds", "11,12,13", "seeds")
	hidden := flag.Int("hidden", 100, "causes")
	bits := flag.Int("counter-bits", 8, "bits of a counter")
	flag.Parse()
	data := mnist.Train()
	train, trainLabels := part(data.Samples, data.Labels, 0, learned)
	held, heldLabels := part(data.Samples, data.Labels, learned, data.Len())
	fmt.Print("| homeostasis | coupling | labels wrong | range over seeds | nats | fewest wins |\n|---|---|---|---|---|---|\n")
	for _, cost := range numbers(*costs) {
		for _, coupling := range numbers(*couplings) {
			var wrong []float64
			nats, fewest := 0.0, math.MaxInt
			of := numbers(*seeds)
			for _, seed := range of {
				o := causes.Options{Model: causes.MixtureModel, Rule: causes.STDP, Causes: *hidden, Passes: 1, Coupling: coupling, CounterBits: *bits, Homeostasis: cost, Key: stream.New(uint64(seed))}
				e, lnP, wins, err := score(train, trainLabels, held, heldLabels, o)
				if err != nil {
					log.Fatal(err)
				}
				wrong, nats, fewest = append(wrong, e), nats+lnP/float64(len(of)), min(fewest, wins)
			}
			mean := 0.0
			for _, e := range wrong {
				mean += e / float64(len(wrong))
			}
			fmt.Printf("| %g | %g | %.2f %% | %.2f to %.2f %% | %.2f | %d |\n", cost, coupling, 100*mean, 100*slices.Min(wrong), 100*slices.Max(wrong), nats, fewest)
		}
	}
}

// score learns and measures on what was held out.
func score(train *spin.Matrix, trainLabels []int, held *spin.Matrix, heldLabels []int, o causes.Options) (wrong, nats float64, fewest int, err error) {
	ctx := context.Background()
	l, err := causes.NewLearner(train, o)
	if err != nil {
		return 0, 0, 0, err
	}
	for l.Done() < l.Steps() {
		if _, err := l.Step(ctx); err != nil {
			return 0, 0, 0, err
		}
	}
	machine := l.File(rbm.Info{}).Machine()
	w, err := causes.CountWinners(ctx, machine, train, nil, trainLabels)
	if err != nil {
		return 0, 0, 0, err
	}
	if wrong, err = w.Errors(ctx, machine, held, nil, heldLabels); err != nil {
		return 0, 0, 0, err
	}
	nats, _, err = machine.LogLikelihood(ctx, held, nil)
	return wrong, nats, slices.Min(w.Wins), err
}

// part returns samples from one place to another, and their labels.
func part(samples *spin.Matrix, labels []int, from, to int) (*spin.Matrix, []int) {
	places := make([]int, to-from)
	for k := range places {
		places[k] = from + k
	}
	some := spin.New(samples.Rows(), len(places))
	samples.Gather(some, places)
	return some, labels[from:to]
}

func numbers(list string) (x []float64) {
	for text := range strings.SplitSeq(list, ",") {
		v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil {
			log.Fatal(err)
		}
		x = append(x, v)
	}
	return x
}
