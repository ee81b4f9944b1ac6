package dashboard

import (
	"bytes"
	"context"
	"errors"
	"image/png"
	"net/http"
	"strconv"
	"time"

	"bethe/figure"
	"bethe/sample"
	"bethe/spikes"
	"bethe/stream"
)

// Of rasters: steps that are drawn, sweeps before them, the longest window and the most neurons of a
// population that are drawn.
const (
	rasterSteps   = 300
	rasterSweeps  = 100
	rasterTime    = 2 * time.Second
	mostRasterTau = 100
	mostRows      = 2000
)

// raster draws the spikes of one network of neurons of the machine as it is now.
func (s *Server) raster(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	tau, err := strconv.Atoi(q.Get("tau"))
	draw, err2 := strconv.ParseUint(q.Get("draw"), 10, 64)
	if err != nil || err2 != nil || tau < 1 || tau > mostRasterTau {
		refuse(w, http.StatusBadRequest, "a raster has tau, from 1 to 100, and a number of the draw")
		return
	}
	_, folder, ok := s.watcher.runOf(q.Get("run"))
	if !ok {
		refuse(w, http.StatusNotFound, "no such run")
		return
	}
	machine, ok := s.drawer(w, r, folder)
	if !ok {
		return
	}
	neurons, ok := machine.(spiking)
	if !ok {
		refuse(w, http.StatusNotFound, "neurons are of machines of spins")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), rasterTime)
	defer cancel()
	circuit := neurons.circuit(ctx, tau, stream.New(draw))
	d, err := spikes.Run(ctx, circuit, spikes.Running{Burn: 2 * tau, Steps: rasterSteps, Most: 1 << 20})
	if errors.Is(err, context.DeadlineExceeded) {
		refuse(w, http.StatusServiceUnavailable, "this machine is too large for a raster in two seconds: bethe spikes MODEL --raster draws it")
		return
	}
	if err != nil {
		return // the visitor has left
	}
	var b bytes.Buffer
	if err := png.Encode(&b, figure.Raster(rasterSteps, shown(circuit.Populations(), d)...)); err != nil {
		refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	keep(w, "image/png")
	_, _ = w.Write(b.Bytes()) // a visitor who left
}

// shown returns who spiked when, neurons x steps of each population, the first neurons of large ones.
func shown(populations []spikes.Population, d *spikes.Decoding) (dark [][]bool) {
	first := 0
	for _, p := range populations {
		rows := make([]bool, min(p.Size, mostRows)*rasterSteps)
		for k, neuron := range d.Neuron {
			if at := (int(neuron)-first)*rasterSteps + int(d.Time[k]); int(neuron) >= first && at < len(rows) {
				rows[at] = true
			}
		}
		dark = append(dark, rows)
		first += p.Size
	}
	return dark
}

func (d directed) circuit(_ context.Context, tau int, key stream.Key) spikes.Circuit {
	return spikes.Directed(d.Machine, d.Sample(1, key), spikes.Options{Tau: tau, Key: key.Sub(stream.RasterNetworks)})
}

func (l layered) circuit(ctx context.Context, tau int, key stream.Key) spikes.Circuit {
	chain := sample.NewChains(sample.OnMachine(l.Machine), 1, key)
	for k := 0; k < rasterSweeps && ctx.Err() == nil; k++ {
		chain.Sweep(1)
	}
	return spikes.Layered(l.Machine, chain.Visible, spikes.Options{Tau: tau, Key: key.Sub(stream.RasterNetworks)})
}
