package runs

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// ErrNotRun is wrapped by errors about folders that are not of a run.
var ErrNotRun = errors.New("not the folder of a run: it has no " + InfoFile)

// A Summary is where a run stands: its last record, the last bound and the last
// estimates of the log-likelihood. What was not measured is nil.
type Summary struct {
	Run       string  `json:"run"`
	Folder    string  `json:"folder"`
	Verb      string  `json:"verb"`
	Data      string  `json:"data"`
	Visible   int     `json:"visible"`
	Hidden    int     `json:"hidden"`
	Layers    []int   `json:"layers,omitempty"` // sizes of the hidden layers of a deep machine
	Seed      uint64  `json:"seed"`
	Finished  bool    `json:"finished"`
	Fraction  float64 `json:"fraction"`
	Steps     int     `json:"steps"`
	Seconds   float64 `json:"seconds"`
	Coupling  *Number `json:"coupling"`
	Polarised *Number `json:"polarised"`
	KL        *Number `json:"kl_per_synapse"`
	Bound     *Number `json:"bound_per_sample"`
	Forward   *Number `json:"forward,omitempty"` // estimates of the log-likelihood, or its exact value in both
	Reverse   *Number `json:"reverse,omitempty"`
	// Validation is the log-likelihood of the data that the run does not learn from, in reverse or exact.
	Validation *Number `json:"validation,omitempty"`
	Command    string  `json:"command,omitempty"` // that makes the run again
	Problem    string  `json:"problem,omitempty"` // of its files: what could be read is told
	// Settings that differ between the runs compared.
	Settings map[string]any `json:"settings,omitempty"`
}

// A Comparison is of the runs in a folder.
type Comparison struct {
	Runs   []Summary `json:"runs"`
	Differ []string  `json:"-"` // names of the settings that are not the same in all of them, in order
}

// Compare sums up the runs that Find finds in a folder. The error is that of Find.
// The summary of a damaged run has the run's error.
func Compare(folder string) (*Comparison, error) {
	found, err := Find(folder)
	if err != nil {
		return nil, err
	}
	c := &Comparison{Runs: []Summary{}, Differ: differing(found)}
	for k := range found {
		s := found[k].Summary()
		for _, key := range c.Differ {
			if v, ok := found[k].Info.Settings[key]; ok {
				if s.Settings == nil {
					s.Settings = map[string]any{}
				}
				s.Settings[key] = v
			}
		}
		c.Runs = append(c.Runs, *s)
	}
	for k := range c.Runs {
		if s := &c.Runs[k]; len(s.Layers) > 0 {
			s.addLayers(c.Runs)
		}
	}
	return c, nil
}

// addLayers gives a stack the steps and seconds of its layers, which are runs in its folder.
func (s *Summary) addLayers(all []Summary) {
	for k := range all {
		if name, below := strings.CutPrefix(all[k].Run, s.Run+"/layer-"); below && !strings.Contains(name, "/") {
			s.Steps += all[k].Steps
			s.Seconds += all[k].Seconds
		}
	}
}

// units are the sizes of the layers, in words.
func (s *Summary) units() string {
	text := strconv.Itoa(s.Visible)
	hidden := s.Layers
	if len(hidden) == 0 {
		hidden = []int{s.Hidden}
	}
	for _, n := range hidden {
		text += " x " + strconv.Itoa(n)
	}
	return text
}

// leftOut are settings of train that files leave out at what version 0.2.0 did.
var leftOut = []string{"momentum", "field_momentum", "probe", "theta_decay", "rare"}

// differing returns the settings that are not the same in all runs, in order; the
// number of hidden units is not among them, as each summary has it.
func differing(found []Run) []string {
	values := map[string]map[string]bool{}
	for _, r := range found {
		for key, v := range r.Info.Settings {
			if values[key] == nil {
				values[key] = map[string]bool{}
			}
			values[key][fmt.Sprint(v)] = true
		}
	}
	for _, r := range found {
		for _, key := range leftOut {
			if values[key] != nil && r.Info.Verb == Train && r.Info.Settings[key] == nil {
				values[key]["left out"] = true
			}
		}
	}
	var keys []string
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if key != "hidden" && key != "layers" && len(values[key]) > 1 {
			keys = append(keys, key)
		}
	}
	return keys
}

// Summary reads where a run stands, as far as its files can be read.
func (r *Run) Summary() *Summary {
	s := &Summary{Run: r.Name, Folder: filepath.ToSlash(r.Folder), Verb: r.Info.Verb, Data: r.Info.Data,
		Visible: r.Info.Visible, Hidden: r.Info.Hidden, Layers: r.Info.Layers, Seed: r.Info.Seed, Finished: r.Finished, Command: r.Again()}
	if err := errors.Join(r.Err, EachRecords(r.Folder, s.follow)); err != nil {
		s.Problem = err.Error()
	}
	return s
}

// follow brings a summary up to date with records.
func (s *Summary) follow(records []Record) {
	for k := range records {
		e := &records[k]
		s.Fraction, s.Steps, s.Seconds = e.Fraction, e.Step, e.Seconds
		s.Coupling, s.Polarised, s.KL = &e.Coupling, &e.Polarised, &e.KL
		if e.Bound != nil {
			s.Bound = &e.Bound.Value
		}
		if l := e.Validation; l != nil {
			mean := l.Mean()
			s.Validation = &mean
		}
		if l := e.LogLikelihood; l != nil {
			s.Forward, s.Reverse = nil, nil
			if l.Exact != nil {
				s.Forward, s.Reverse = &l.Exact.Value, &l.Exact.Value
			}
			if l.Forward != nil {
				s.Forward = &l.Forward.Value
			}
			if l.Reverse != nil {
				s.Reverse = &l.Reverse.Value
			}
		}
	}
}
