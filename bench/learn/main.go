// Learn makes the tables of docs/digits.md: it learns each row with the command
// given, evaluates the machine that was saved on data it has not seen, and
// prints a line of Markdown. Rows come from standard input, one per line:
//
//	LABEL | ARGUMENTS OF train | ARGUMENTS OF eval
//
// The last part may be missing. With several seeds a row is the mean over
// them, with the standard deviation after ±. A star marks reverse estimates some
// of whose starts eval did not find in equilibrium; "at most" stands where a heavy
// state contradicts the estimates, and is then all that is known.
//
//	go run ./bench/learn -bethe ./bethe -seeds 1,2,3 < rows
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

type row struct {
	label       string
	train, eval []string
}

// result is what a row's machines show, one number per seed.
type result struct {
	steps, seconds, bits, coupling []float64
	forward, reverse, gap          []float64
	interval                       string // of reverse, where there is one seed
	exact, settled                 bool   // all of them
	wrong                          bool   // one of them at least: a heavy state contradicts the estimate
}

func main() {
	log.SetFlags(0)
	bethe := flag.String("bethe", "bethe", "the command")
	seeds := flag.String("seeds", "1", "seeds, separated by commas")
	keep := flag.String("keep", "", "folder for the runs; those that are there already are not learned or evaluated again (default: a temporary one)")
	eval := flag.String("eval", "", "arguments of eval for all rows")
	gap := flag.Bool("gap", false, "also evaluate on the data learned from, and print train minus test")
	flag.Parse()
	rows, err := readRows(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	work := *keep
	if work == "" {
		if work, err = os.MkdirTemp("", "learn"); err != nil {
			log.Fatal(err)
		}
		defer os.RemoveAll(work)
	}
	head := []string{"", "command", "bits", "steps", "seconds", "forward", "reverse", "95 % of reverse"}
	if strings.Contains(*seeds, ",") {
		head = head[:len(head)-1]
	}
	if *gap {
		head = append(head, "train - test")
	}
	head = append(head, "J")
	line(head)
	line(strings.Split(strings.Repeat("---,", len(head)-1)+"---", ","))
	for _, r := range rows {
		r.eval = append(strings.Fields(*eval), r.eval...)
		result, err := measure(*bethe, work, r, strings.Split(*seeds, ","), *gap)
		if err != nil {
			log.Fatalf("%s: %v", r.label, err)
		}
		cells := []string{r.label, "`" + strings.Join(r.train, " ") + "`", fmt.Sprintf("%.0f", result.bits[0]), spread("%.0f", result.steps[:1]), spread("%.0f", result.seconds),
			spread("%.2f", result.forward), spread("%.2f", result.reverse)}
		if result.exact {
			cells[5] = "exact"
		} else if result.wrong {
			cells[6] = "**at most** " + cells[6]
		} else if !result.settled {
			cells[6] += " *"
		}
		if len(result.steps) == 1 {
			cells = append(cells, result.interval)
		}
		if *gap {
			cells = append(cells, spread("%+.2f", result.gap))
		}
		line(append(cells, spread("%.4f", result.coupling)))
	}
}

// line prints a line of a table.
func line(cells []string) { fmt.Println("| " + strings.Join(cells, " | ") + " |") }

// readRows reads rows; what follows # is a comment.
func readRows(from io.Reader) ([]row, error) {
	var rows []row
	scanner := bufio.NewScanner(from)
	for scanner.Scan() {
		text, _, _ := strings.Cut(scanner.Text(), "#")
		if strings.TrimSpace(text) == "" {
			continue
		}
		parts := strings.Split(text, "|")
		if len(parts) < 2 || len(parts) > 3 {
			return nil, fmt.Errorf("not LABEL | TRAIN | EVAL: %s", text)
		}
		r := row{label: strings.TrimSpace(parts[0]), train: strings.Fields(parts[1])}
		if len(parts) == 3 {
			r.eval = strings.Fields(parts[2])
		}
		rows = append(rows, r)
	}
	return rows, scanner.Err()
}

// measure learns a row from each seed.
func measure(bethe, work string, r row, seeds []string, gap bool) (*result, error) {
	out := &result{exact: true, settled: true}
	for _, seed := range seeds {
		folder := filepath.Join(work, strings.Map(func(c rune) rune {
			if strings.ContainsRune(" /`*,", c) {
				return '-'
			}
			return c
		}, r.label)+"-s"+seed)
		var t struct {
			Model                    string
			Steps, Seconds, Coupling float64
			Bits                     float64 `json:"synapse_bits"`
		}
		args := append([]string{"train", "--quiet", "--json", "--resume", "--seed", seed, "--out", folder}, r.train...)
		if err := object(&t, bethe, args); err != nil {
			return nil, err
		}
		tested, err := kept(folder, r.eval, func() (estimate, error) { return likelihood(bethe, t.Model, r.eval) })
		if err != nil {
			return nil, err
		}
		out.steps, out.seconds, out.bits, out.coupling = append(out.steps, t.Steps), append(out.seconds, t.Seconds), append(out.bits, t.Bits), append(out.coupling, t.Coupling)
		out.reverse = append(out.reverse, tested.Mean)
		if tested.Forward != nil {
			out.forward = append(out.forward, *tested.Forward)
		}
		out.exact = out.exact && tested.Exact
		out.settled = out.settled && (tested.Exact || tested.Equilibrium.Reached)
		if tested.Interval != nil {
			out.interval = fmt.Sprintf("%.2f … %.2f", tested.Interval[0], tested.Interval[1])
		}
		out.wrong = out.wrong || tested.Reverse != nil && tested.Mean < *tested.Reverse
		if gap { // ln Z cancels: its estimate may be poor
			on, err := likelihood(bethe, t.Model, append([]string{"--ais-steps", "100", "--ais-chains", "16", "--equilibration", "40"}, dataOf(r.train)...))
			if err != nil {
				return nil, err
			}
			out.gap = append(out.gap, on.LogWeight-tested.LogWeight)
		}
	}
	return out, nil
}

// kept returns an estimate that was made before with the same arguments, from a file beside the run folder, or makes it.
func kept(folder string, args []string, measure func() (estimate, error)) (estimate, error) {
	path := fmt.Sprintf("%s.eval-%.12x.json", folder, sha256.Sum256([]byte(strings.Join(args, " "))))
	var e estimate
	if text, err := os.ReadFile(path); err == nil && json.Unmarshal(text, &e) == nil {
		return e, nil
	}
	e, err := measure()
	if err != nil {
		return e, err
	}
	text, err := json.Marshal(e)
	if err != nil {
		return e, err
	}
	return e, os.WriteFile(path, text, 0o644)
}

// dataOf returns the arguments of train that name the data, for eval.
func dataOf(train []string) []string {
	data := []string{"--data", "mnist:train"}
	for k, a := range train {
		if a == "--data" && k+1 < len(train) {
			data[1] = train[k+1]
		}
	}
	return data
}

type estimate struct {
	Mean        float64     `json:"mean"`
	Exact       bool        `json:"exact"`
	LogWeight   float64     `json:"log_weight"`
	Forward     *float64    `json:"forward_ais"`
	Reverse     *float64    `json:"reverse_ais"`
	Interval    *[2]float64 `json:"reverse_interval"`
	Equilibrium struct {
		Reached bool `json:"reached"`
	} `json:"equilibrium"`
}

// likelihood evaluates a model.
func likelihood(bethe, model string, args []string) (estimate, error) {
	var e struct {
		LogLikelihood estimate `json:"log_likelihood"`
	}
	err := object(&e, bethe, append([]string{"eval", model, "--quiet", "--json"}, args...))
	return e.LogLikelihood, err
}

// object runs the command and decodes the JSON object it prints.
func object(dst any, bethe string, args []string) error {
	cmd := exec.Command(bethe, args...)
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("bethe %s: %w", strings.Join(args, " "), err)
	}
	return json.Unmarshal(text, dst)
}

// spread prints the mean of x and, where there are several, their standard deviation.
func spread(format string, x []float64) string {
	if len(x) == 0 {
		return ""
	}
	var mean, square float64
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		square += (v - mean) * (v - mean)
	}
	text := fmt.Sprintf(format, mean)
	if len(x) > 1 {
		text += fmt.Sprintf(" ± "+strings.Replace(format, "+", "", 1), math.Sqrt(square/float64(len(x)-1)))
	}
	return text
}
