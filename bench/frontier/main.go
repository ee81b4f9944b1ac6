// Frontier learns machines of 10^4 to 10^7 bits, with binary synapses and with real ones of 32 bits, measures the likelihood of the test digits, prints a
// table and draws it against the bits.
//
//	go run ./bench/frontier -bethe ./bethe -keep FOLDER [-steps 3000] [-most 1e7]
//
// What is in the folder is not learned or measured again.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path/filepath"

	"bethe/figure"
)

// sizes are the hidden units of each kind of synapses.
var sizes = map[string][]int{"binary": {13, 32, 64, 128, 400, 1276, 4000, 12755}, "real": {1, 2, 4, 13, 40, 128, 400}}

func main() {
	log.SetFlags(0)
	bethe := flag.String("bethe", "bethe", "the command")
	keep := flag.String("keep", "", "folder for the runs and the figure")
	steps := flag.Int("steps", 3000, "steps of learning")
	most := flag.Float64("most", 1e7, "bits of the largest machine")
	flag.Parse()
	if *keep == "" {
		log.Fatal("-keep FOLDER: a folder for the runs")
	}
	chart := &figure.Curves{Title: "What bits are worth", Note: fmt.Sprintf("test digits, %d steps each", *steps), X: figure.Axis{Label: "bits of the synapses", Log: true},
		Y: figure.Axis{Label: "log-likelihood", Unit: "nats per digit"}}
	fmt.Println("| synapses | hidden | bits | forward | reverse | equilibrium |\n|---|---|---|---|---|---|")
	for _, kind := range []string{"binary", "real"} {
		s := figure.Series{Name: kind, Points: true}
		for _, hidden := range sizes[kind] {
			m, err := measure(*bethe, *keep, kind, hidden, *steps, *most)
			if err != nil {
				log.Fatal(err)
			}
			if m == nil {
				continue
			}
			forward, reached := m.Mean, "exact"
			if m.Forward != nil {
				forward, reached = *m.Forward, fmt.Sprint(m.Equilibrium.Reached)
			}
			fmt.Printf("| %s | %d | %.0f | %.2f | %.2f | %s |\n", kind, hidden, m.bits, forward, m.Mean, reached)
			s.X, s.Y = append(s.X, m.bits), append(s.Y, m.Mean)
		}
		chart.Series = append(chart.Series, s)
	}
	files, err := figure.Save(filepath.Join(*keep, "frontier"), chart)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(files)
}

type measured struct {
	Mean        float64                `json:"mean"`
	Forward     *float64               `json:"forward_ais"`
	Equilibrium struct{ Reached bool } `json:"equilibrium"`
	bits        float64
}

// measure learns and evaluates a machine; nil if it has more bits than most.
func measure(bethe, keep, kind string, hidden, steps int, most float64) (*measured, error) {
	bits := float64(784 * hidden)
	if kind == "real" {
		bits *= 32
	}
	if bits > most {
		return nil, nil
	}
	folder := filepath.Join(keep, fmt.Sprintf("%s-%d-%d", kind, hidden, steps))
	if err := exec.Command(bethe, "train", "--quiet", "--resume", "--hidden", fmt.Sprint(hidden), "--steps", fmt.Sprint(steps), "--synapses", kind, "--out", folder).Run(); err != nil {
		return nil, fmt.Errorf("%s: %w", folder, err)
	}
	path := folder + ".json"
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if text, err = exec.Command(bethe, "eval", folder, "--quiet", "--json", "--ais-steps", "5000", "--ais-chains", "64", "--equilibration", "3000").Output(); err == nil {
			err = os.WriteFile(path, text, 0o644)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", folder, err)
	}
	var report struct {
		LogLikelihood measured `json:"log_likelihood"`
	}
	report.LogLikelihood.bits = bits
	return &report.LogLikelihood, json.Unmarshal(text, &report)
}
