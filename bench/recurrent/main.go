// Command recurrent reproduces HyperAdam as it was published, a recurrent net for each synapse, on planted synapses: it learns the net from
// two seeds, with and without drawn steps, tunes Adam on held-out teachers, and prints a table of both on other teachers.
//
//	go run ./bench/recurrent                        # some minutes
//	go run ./bench/recurrent -generations 20 -teachers 5
package main

import (
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"os/signal"
	"time"

	"bethe/hyperadam/recurrent"
	"bethe/internal/parallel"
	"bethe/stream"
)

const visible, hidden = 60, 3

func main() {
	generations := flag.Int("generations", 100, "of learning each net")
	pairs := flag.Int("pairs", 8, "of nets that a generation tries")
	teachers := flag.Int("teachers", 40, "to tune Adam on, and as many others to measure on")
	flag.Parse()
	if flag.NArg() > 0 || *generations < 1 || *pairs < 1 || *teachers < 2 {
		fmt.Fprintln(os.Stderr, "recurrent: -generations and -pairs must be at least 1, -teachers at least 2; there are no other arguments")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *generations, *pairs, *teachers); err != nil {
		fmt.Fprintln(os.Stderr, "recurrent:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, generations, pairs, teachers int) error {
	measure := func(rule recurrent.Rule, steps int, rate float64, key stream.Key) ([]recurrent.Score, error) {
		scores, errs := make([]recurrent.Score, teachers), make([]error, teachers)
		parallel.For(teachers, 1, func(lo, hi int) {
			for k := lo; k < hi; k++ {
				var task *recurrent.Task
				if task, errs[k] = recurrent.NewTask(ctx, visible, hidden, 3+3*float64(k)/float64(teachers-1), steps, rate, key.Sub(uint64(k))); errs[k] == nil {
					scores[k], errs[k] = task.Run(ctx, rule)
				}
			}
		})
		for _, err := range errs {
			if err != nil {
				return nil, err
			}
		}
		return scores, nil
	}
	const trained = 80 // steps of the tasks that nets learn from
	held, others := stream.New(107), stream.New(7)
	best, bestRate, bestCourse := recurrent.Adam{}, 0., math.Inf(-1)
	for _, momentum := range []float64{0, 0.4, 0.9} {
		for _, rate := range []float64{0.05, 0.1, 0.2, 0.4, 0.8} {
			s, err := measure(recurrent.Adam{Momentum: momentum}, trained, rate, held)
			if err != nil {
				return err
			}
			if course := mean(s, func(s recurrent.Score) float64 { return s.Course }); course > bestCourse {
				best, bestRate, bestCourse = recurrent.Adam{Momentum: momentum}, rate, course
			}
		}
	}
	fmt.Printf("Adam tuned on %d held-out teachers, %d steps: momentum %v, rate %v\n\n", teachers, trained, best.Momentum, bestRate)
	type entry struct {
		name string
		rule recurrent.Rule
	}
	entries := []entry{{"Adam, tuned", best}, {"Adam, momentum 0.9", recurrent.Adam{Momentum: 0.9}}}
	for _, draws := range []bool{false, true} {
		for seed := uint64(1); seed <= 2; seed++ {
			l := recurrent.NewLearner(draws, pairs, stream.New(seed))
			began, last := time.Now(), 0.
			for g := range generations {
				gain, err := l.Generation(ctx, best, func(key stream.Key) (*recurrent.Task, error) {
					return recurrent.NewTask(ctx, visible, hidden, 3+3*key.Rand().Float64(), trained, bestRate, key)
				})
				if err != nil {
					return err
				}
				if last += (gain - last) / min(10, float64(g+1)); (g+1)%10 == 0 {
					fmt.Fprintf(os.Stderr, "draws %t, seed %d: generation %d, gain %+.4f nats a sample, %s\n", draws, seed, g+1, last, time.Since(began).Round(time.Second))
				}
			}
			name := fmt.Sprintf("published form, meta-seed %d", seed)
			if draws {
				name += ", drawn steps"
			}
			entries = append(entries, entry{name, recurrent.Published{Weights: l.Mean, Draws: draws}})
		}
	}
	for _, steps := range []int{40, trained, 200} {
		fmt.Printf("%d steps, %d teachers of %d x %d, alpha from 3 to 6:\n\n| rule | bound along the way, nats a sample | less that of tuned Adam | bound at the end | less that of tuned Adam | overlap | less |\n|---|---|---|---|---|---|---|\n", steps, teachers, visible, hidden)
		var first []recurrent.Score
		for _, e := range entries {
			s, err := measure(e.rule, steps, bestRate, others)
			if err != nil {
				return err
			}
			if first == nil {
				first = s
			}
			row := "| " + e.name
			for _, of := range []func(recurrent.Score) float64{
				func(s recurrent.Score) float64 { return s.Course }, func(s recurrent.Score) float64 { return s.Bound }, func(s recurrent.Score) float64 { return s.Overlap },
			} {
				row += fmt.Sprintf(" | %.4f | %s", mean(s, of), difference(s, first, of))
			}
			fmt.Println(row + " |")
		}
		fmt.Println()
	}
	return nil
}

func mean(scores []recurrent.Score, of func(recurrent.Score) float64) (sum float64) {
	for _, s := range scores {
		sum += of(s) / float64(len(scores))
	}
	return sum
}

// difference is the mean of paired differences with its standard error.
func difference(a, b []recurrent.Score, of func(recurrent.Score) float64) string {
	n, sum, square := float64(len(a)), 0., 0.
	for k := range a {
		d := of(a[k]) - of(b[k])
		sum += d / n
		square += d * d / n
	}
	return fmt.Sprintf("%+.4f ± %.4f", sum, math.Sqrt(max(0, square-sum*sum)/(n-1)))
}
