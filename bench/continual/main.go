// Continual makes the tables of docs/continual.md: bethe continual with several seeds, means and standard deviations over them.
//
//	go run ./bench/continual -keep FOLDER [-seeds 1,2,3] choose|permuted|split|mixed|planted...
//
// Choose compares strengths of the priors on held-out training digits; the others use the chosen ones on test digits. Planted is
// of teachers: overlaps after the second, for several densities of its data, overlaps of the teachers and strengths, beside those of infinitely many units.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"bethe/continual"
)

// tables are the arguments of each table.
var tables = map[string]string{
	"choose":   "--data mnist:train:0-49999 --test mnist:train:50000-59999 --methods fine-tune,prior:1,prior:10,prior:30,prior:100,prior:300,ewc:1,ewc:10,ewc:30,replay,joint",
	"permuted": "--methods fine-tune,prior:30,prior,ewc,replay,joint",
	"split":    "--tasks split:2 --methods fine-tune,prior,ewc,replay,joint",
	"mixed":    "--tasks mixed:2 --methods fine-tune,prior,ewc,replay,joint",
}

func main() {
	log.SetFlags(0)
	bethe := flag.String("bethe", "bethe", "the command")
	seeds := flag.String("seeds", "1,2,3", "seeds, separated by commas")
	keep := flag.String("keep", "", "folder for the runs; those that are there already are not learned or measured again")
	flag.Parse()
	if *keep == "" {
		log.Fatal("-keep FOLDER: a folder for the runs")
	}
	for _, name := range flag.Args() {
		if name == "planted" {
			if err := planted(*bethe, *keep); err != nil {
				log.Fatal(err)
			}
			continue
		}
		arguments, known := tables[name]
		if !known {
			log.Fatalf("no table is called %s", name)
		}
		if err := table(*bethe, filepath.Join(*keep, name), arguments, strings.Split(*seeds, ",")); err != nil {
			log.Fatal(err)
		}
	}
}

// table prints a line for each method.
func table(bethe, folder, arguments string, seeds []string) error {
	var reports []continual.Report
	for _, seed := range seeds {
		var r continual.Report
		args := append([]string{"continual", "--quiet", "--json", "--seed", seed, "--out", filepath.Join(folder, "s"+seed)}, strings.Fields(arguments)...)
		if err := object(&r, bethe, args); err != nil {
			return err
		}
		reports = append(reports, r)
	}
	first := reports[0]
	fmt.Printf("`bethe continual %s`, %d hidden units, %d steps a task, rate %v, %d seeds; tasks: %s\n\n", arguments, first.Hidden, first.Steps, first.Rate, len(seeds), strings.Join(first.Tasks, "; "))
	fmt.Println("| method | first task, just after it | first task at the end | last task at the end | mean at the end | forgetting | of fine-tuning's | forward transfer |")
	fmt.Println("|---|---|---|---|---|---|---|---|")
	tune := 0.0
	for k, l := range first.Methods {
		column := func(of func(l continual.Learned) float64) string {
			var x []float64
			for _, r := range reports {
				x = append(x, of(r.Methods[k]))
			}
			return spread(x)
		}
		end := func(l continual.Learned) []float64 { return l.Nats[len(l.Nats)-1] }
		doubt := ""
		for _, r := range reports {
			for _, m := range r.Methods[k].Machines {
				if !m.Settled {
					doubt = " *"
				}
			}
		}
		after, forgetting, share, forward := "", "", "", ""
		if l.Measures != nil {
			after = column(func(l continual.Learned) float64 { return l.Nats[0][0] })
			forgetting = column(func(l continual.Learned) float64 { return l.Forgetting })
			forward = column(func(l continual.Learned) float64 { return l.Forward })
			mean := 0.0
			for _, r := range reports {
				mean += r.Methods[k].Forgetting / float64(len(reports))
			}
			if l.Method == "fine-tune" {
				tune = mean
			}
			share = fmt.Sprintf("%.3f", mean/tune)
		}
		last := len(first.Tasks) - 1
		fmt.Printf("| %s%s | %s | %s | %s | %s | %s | %s | %s |\n", l.Method, doubt, after, column(func(l continual.Learned) float64 { return end(l)[0] }),
			column(func(l continual.Learned) float64 { return end(l)[last] }), column(func(l continual.Learned) float64 { return l.End }), forgetting, share, forward)
	}
	fmt.Println()
	return nil
}

// object runs the command and reads its JSON object.
func object(v any, bethe string, args []string) error {
	cmd := exec.Command(bethe, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s: %w", strings.Join(args, " "), err)
	}
	return json.Unmarshal(out, v)
}

// spread returns a mean, and the standard deviation if there are several.
func spread(x []float64) string {
	var mean, square float64
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		square += (v - mean) * (v - mean)
	}
	if len(x) == 1 {
		return fmt.Sprintf("%.2f", mean)
	}
	return fmt.Sprintf("%.2f ± %.2f", mean, math.Sqrt(square/float64(len(x)-1)))
}
