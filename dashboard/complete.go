package dashboard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"bethe/causes"
	"bethe/rbm"
	"bethe/sample"
	"bethe/spikes"
	"bethe/spin"
	"bethe/stream"
	machines "bethe/units"
)

// maxBody limits what a visitor sends.
const maxBody = 64 << 10

// drawn is what a visitor drew: a letter for each visible unit, + ink, - paper,
// and anything else what the machine is to complete.
type drawn struct {
	Run    string `json:"run"`
	Pixels string `json:"pixels"`
	Values string `json:"values"` // instead: what is known as text, for machines whose samples are no pictures
	Draw   uint64 `json:"draw"`   // another number gives other completions
}

// completed are completions: each a row of levels from 0 (paper) to 255 (ink),
// one for each visible unit. Rows are the same as text, of samples that are no pictures.
type completed struct {
	Completions [][]int  `json:"completions"`
	Rows        []string `json:"rows,omitempty"`
	Sweeps      int      `json:"sweeps"`
	Known       int      `json:"known"`
	Millis      float64  `json:"milliseconds"`
}

const (
	completions  = 8
	mostSweeps   = 400
	completeTime = 100 * time.Millisecond // of sweeping: the answer is there within 200 ms
)

func (s *Server) complete(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); kind != "application/json" {
		refuse(w, http.StatusUnsupportedMediaType, "send application/json")
		return
	}
	var d drawn
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			refuse(w, http.StatusRequestEntityTooLarge, "too much was sent")
			return
		}
		refuse(w, http.StatusBadRequest, "not a drawing: "+err.Error())
		return
	}
	_, folder, ok := s.watcher.runOf(d.Run)
	if !ok {
		refuse(w, http.StatusNotFound, "no such run")
		return
	}
	machine, ok := s.drawer(w, r, folder)
	if !ok {
		return
	}
	filler, words := machine.(fills)
	words = words && d.Pixels == ""
	if n := machine.Visible(); !words && len(d.Pixels) != n {
		refuse(w, http.StatusBadRequest, fmt.Sprintf("%d pixels for a machine of %d visible units", len(d.Pixels), n))
		return
	}
	ctx, cancel := context.WithDeadline(r.Context(), began.Add(completeTime))
	defer cancel()
	var out *completed
	if words {
		var err error
		if out, err = filler.fill(ctx, d.Values, d.Draw); err != nil {
			refuse(w, http.StatusBadRequest, err.Error())
			return
		}
	} else {
		out = machine.complete(ctx, d.Pixels, d.Draw)
	}
	out.Millis = float64(time.Since(began).Microseconds()) / 1000
	answer(w, out)
}

// drawer returns the machine of a run for a visitor; ok is false if the visitor was refused.
func (s *Server) drawer(w http.ResponseWriter, r *http.Request, folder string) (machine completer, ok bool) {
	if !s.drawing.take("") {
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusTooManyRequests, "too many drawings at once; wait a moment")
		return nil, false
	}
	machine, err := s.machineOf(r.Context(), folder)
	if errors.Is(err, errBusy) {
		w.Header().Set("Retry-After", "2")
		refuse(w, http.StatusServiceUnavailable, err.Error())
		return nil, false
	}
	if errors.Is(err, errNoModel) {
		refuse(w, http.StatusConflict, err.Error())
		return nil, false
	}
	if err != nil {
		refuse(w, http.StatusInternalServerError, err.Error())
		return nil, false
	}
	return machine, true
}

// A completer is a machine of any family that completes drawings.
type completer interface {
	Visible() int
	// complete completes a drawing until the context is done, or long enough.
	complete(ctx context.Context, pixels string, draw uint64) *completed
}

// fills is implemented by machines that complete values written as text.
type fills interface {
	fill(ctx context.Context, values string, draw uint64) (*completed, error)
}

// spiking is implemented by machines that run as spiking neurons.
type spiking interface {
	// circuit returns one network of neurons, at a state that chains came to until the context is done.
	circuit(ctx context.Context, tau int, key stream.Key) spikes.Circuit
}

// loadCompleter reads a model file of any family.
func loadCompleter(path string) (completer, error) {
	if rbm.FamilyOf(path) != "" {
		file, err := causes.Load(path)
		if err != nil {
			return nil, err
		}
		return directed{file.Machine()}, nil
	}
	file, err := rbm.LoadKinds(path)
	if err != nil {
		return nil, err
	}
	if !file.Spins() {
		return kinds{file}, nil
	}
	return layered{file.Machine()}, nil
}

// known returns the units that a drawing shows, and states in which they are as it shows.
func known(pixels string, count int) (held *spin.Matrix, units []int) {
	held = spin.New(len(pixels), count)
	for i, p := range []byte(pixels) {
		if p != '+' && p != '-' {
			continue
		}
		units = append(units, i)
		for a := range count {
			held.Set(i, a, map[byte]int8{'+': 1, '-': -1}[p])
		}
	}
	return held, units
}

// directed are machines whose completions are exact draws.
type directed struct{ *causes.Machine }

func (d directed) complete(ctx context.Context, pixels string, draw uint64) *completed {
	held, units := known(pixels, 1)
	out := &completed{Known: len(units)}
	_, drawn, err := d.Complete(ctx, held, units, completions, stream.New(draw))
	if err != nil {
		return out // the visitor has left
	}
	for a := range completions {
		row := make([]int, d.Visible())
		for i := range row {
			row[i] = int(math.Round(255 * (1 + float64(drawn.Means[i*completions+a])) / 2))
		}
		out.Completions = append(out.Completions, row)
	}
	return out
}

// layered are machines with hidden units: chains hold the known pixels.
type layered struct{ *rbm.Machine }

// Visible is the number of units of the data's layer.
func (l layered) Visible() int { return l.Layers().Data() }

func (l layered) complete(ctx context.Context, pixels string, draw uint64) *completed {
	n := l.Visible()
	held, units := known(pixels, completions)
	held = machines.Below(held, spin.New(l.Machine.Visible()-n, completions)) // hidden layers are not held
	chains := sample.NewChains(sample.OnMachine(l.Machine), completions, stream.New(draw))
	if len(units) > 0 {
		chains.Clamp(units, held)
	}
	out := &completed{Known: len(units)}
	for out.Sweeps < mostSweeps && (out.Sweeps == 0 || ctx.Err() == nil) {
		chains.Sweep(1)
		out.Sweeps++
	}
	fields := chains.VisibleFields()
	for a := range completions {
		row := make([]int, n)
		for i := range row {
			row[i] = int(math.Round(255 * (1 + math.Tanh(float64(fields[i*completions+a]))) / 2))
		}
		out.Completions = append(out.Completions, row)
	}
	return out
}
