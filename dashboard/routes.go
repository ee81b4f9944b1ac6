package dashboard

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"bethe/figure"
	"bethe/runs"
)

//go:embed page
var page embed.FS

const completePath = "/api/complete"

func (s *Server) routes() {
	s.mux = http.NewServeMux()
	for _, file := range []struct{ at, name, kind string }{
		{"/{$}", "index.html", "text/html; charset=utf-8"}, {"/app.js", "app.js", "text/javascript; charset=utf-8"},
		{"/draw.js", "draw.js", "text/javascript; charset=utf-8"}, {"/fill.js", "fill.js", "text/javascript; charset=utf-8"}, {"/style.css", "style.css", "text/css; charset=utf-8"},
		{"/favicon.svg", "favicon.svg", "image/svg+xml"},
	} {
		text, err := page.ReadFile("page/" + file.name)
		if err != nil {
			panic(err) // it is embedded
		}
		if file.name == "style.css" {
			text = append(text, swatches()...)
		}
		s.mux.HandleFunc("GET "+file.at, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", file.kind)
			_, _ = w.Write(text) // a visitor who left
		})
	}
	s.mux.HandleFunc("GET /api/runs", s.list)
	s.mux.HandleFunc("GET /api/events", s.events)
	s.mux.HandleFunc("GET /figure/{name}", s.figure)
	s.mux.HandleFunc("GET /picture/{name}", s.picture)
	s.mux.HandleFunc("GET /raster.png", s.raster)
	s.mux.HandleFunc("POST "+completePath, s.complete)
}

// swatches returns the styles of the coloured squares beside the runs in the table. Charts draw a run in the same colour.
func swatches() (styles string) {
	for k := range maxRuns {
		for theme, of := range []string{figure.Light: "", figure.Dark: `[data-theme="dark"] `} {
			c := figure.SeriesColours(figure.Theme(theme))[k]
			styles += fmt.Sprintf("%s.series-%d { background: #%02x%02x%02x; }\n", of, k, c.R, c.G, c.B)
		}
	}
	return styles
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a visitor who left
}

func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	_ = s.watcher.look(false) // an error is in the news
	n, _ := s.watcher.since(0)
	answer(w, n)
}

// keep tells the visitor's browser to keep what its address names for good.
func keep(w http.ResponseWriter, kind string) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "private, max-age=3600, immutable")
}

// maxRuns over each other in a figure.
const maxRuns = 7

// Widths in pixels that figures are drawn in.
const (
	leastPixels = 240
	mostPixels  = 1600
	pixelsApart = 40
)

// widthOf returns the width in points that a visitor asks for by pixels, 0 if none.
func widthOf(asked string) float64 {
	pixels, err := strconv.Atoi(asked)
	if err != nil {
		return 0
	}
	pixels = min(max(pixels, leastPixels), mostPixels) / pixelsApart * pixelsApart
	return 0.75 * float64(pixels)
}

// figure draws a figure of the runs named in the address, as SVG, as wide as the address says.
func (s *Server) figure(w http.ResponseWriter, r *http.Request) {
	name, isSVG := strings.CutSuffix(r.PathValue("name"), ".svg")
	names := r.URL.Query()["run"]
	if !isSVG || !slices.Contains(figureNames, name) || len(names) == 0 || len(names) > maxRuns {
		refuse(w, http.StatusNotFound, "no such figure")
		return
	}
	theme := figure.Light
	if r.URL.Query().Get("theme") == "dark" {
		theme = figure.Dark
	}
	var of []figure.Run
	width := widthOf(r.URL.Query().Get("w"))
	key := fmt.Sprintf("%s %d %v", name, theme, width)
	for _, n := range names {
		run, _, ok := s.watcher.runOf(n)
		if !ok {
			refuse(w, http.StatusNotFound, "no such run")
			return
		}
		last := runs.Record{}
		if len(run.Records) > 0 {
			last = run.Records[len(run.Records)-1]
		}
		of = append(of, run)
		key += fmt.Sprintf(" %q %d %d %d %d", n, run.Info.Began.UnixNano(), len(run.Records), last.Start, last.Step)
	}
	text, err := s.charts.get(r.Context(), key, func() ([]byte, error) {
		chart := chartOf(name, of)
		if chart == nil {
			return nil, nil
		}
		var b bytes.Buffer
		if width > 0 {
			err := figure.EncodeSVGWide(&b, chart, theme, width)
			return b.Bytes(), err
		}
		err := figure.EncodeSVG(&b, chart, theme)
		return b.Bytes(), err
	})
	switch {
	case err != nil:
		refuse(w, http.StatusInternalServerError, err.Error())
	case text == nil:
		refuse(w, http.StatusNotFound, "not measured")
	default:
		keep(w, "image/svg+xml")
		_, _ = w.Write(text) // a visitor who left
	}
}

var figureNames = append(append([]string{}, figure.RunCurves...), "magnetisations", "magnetisation-history", "spectrum")

func chartOf(name string, of []figure.Run) figure.Chart {
	switch name {
	case "magnetisations":
		return figure.RunMagnetisations(of[0])
	case "magnetisation-history":
		return figure.RunMagnetisationHistory(of[0])
	case "spectrum":
		return figure.RunSpectrum(of[0])
	}
	return figure.RunCurve(name, of...)
}

// Limits of a picture that is served: the file, and what a browser makes of it.
const (
	maxPictureBytes = 32 << 20
	maxPictureDots  = 64 << 20
)

// picture serves a picture of a run: only names that it is known to have, and
// only from inside the folder, whatever links it may hold.
func (s *Server) picture(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	run, folder, ok := s.watcher.runOf(r.URL.Query().Get("run"))
	if !ok {
		refuse(w, http.StatusNotFound, "no such run")
		return
	}
	below := ""
	switch {
	case name == runs.SynapsesFile || name == runs.SamplesFile || name == runs.DataFile:
		below = name
	case name != "" && name == path.Base(name) && slices.ContainsFunc(run.Records, func(e runs.Record) bool { return e.Synapses == name || e.Samples == name }):
		below = filepath.Join(runs.PicturesFolder, name)
	default:
		refuse(w, http.StatusNotFound, "no such picture")
		return
	}
	text, err := s.read(folder, below, maxPictureBytes)
	if err == nil {
		var size image.Config
		if size, err = png.DecodeConfig(bytes.NewReader(text)); err == nil && size.Width > maxPictureDots/max(1, size.Height) {
			err = errors.New("too large")
		}
	}
	if err != nil {
		refuse(w, http.StatusNotFound, "no such picture")
		return
	}
	keep(w, "image/png")
	if below == name { // may be another tomorrow
		w.Header().Set("Cache-Control", "no-cache")
	}
	_, _ = w.Write(text) // a visitor who left
}
