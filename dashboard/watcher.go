package dashboard

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"bethe/figure"
	"bethe/runs"
)

// How often folders are looked at, while somebody watches.
const (
	lookEvery = 500 * time.Millisecond
	findEvery = 3 * time.Second
	// chartsEvery is the least time between two drawings of a run's curves. As a
	// run grows old its curves move less, and so they are drawn less often: after
	// an hour every 8 s.
	chartsEvery = 2 * time.Second
	oftenOfAge  = 600
	// forEachPage is added to the time between events for every open page, so
	// that many pages cost as little as few.
	forEachPage = 75 * time.Millisecond
	maxPages    = 1000
)

// A watched run.
type watched struct {
	runs.Run
	tail    *runs.Tail
	records []runs.Record
	version int // of the curves
	drawn   time.Time
	stale   bool // records came since the version
	changed int  // the look at which anything changed
	page    []byte
	model   bool // there is one to complete drawings with
	data    bool // there is a picture of data
	problem string
}

// A watcher looks at the folders of runs for all pages.
type watcher struct {
	folder  string
	streams context.Context // ends all streams; nil: none

	mu     sync.Mutex
	runs   map[string]*watched
	order  []string
	looks  int
	looked time.Time
	found  time.Time
	err    error
	pages  map[chan struct{}]bool
	going  bool
}

func newWatcher(folder string) *watcher {
	return &watcher{folder: folder, runs: map[string]*watched{}, pages: map[chan struct{}]bool{}}
}

// look brings what is known of the runs up to date, unless that was done a
// moment ago.
func (w *watcher) look(now bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !now && time.Since(w.looked) < lookEvery/2 {
		return w.err
	}
	w.looked = time.Now()
	w.looks++
	if now || time.Since(w.found) >= findEvery {
		w.found = time.Now()
		found, err := runs.Find(w.folder)
		if w.err = err; err != nil {
			return err
		}
		w.order = w.order[:0]
		known := map[string]bool{}
		for _, r := range found {
			w.order = append(w.order, r.Name)
			known[r.Name] = true
			old := w.runs[r.Name]
			if old == nil || !old.Info.Began.Equal(r.Info.Began) { // new, or begun again
				w.runs[r.Name] = &watched{Run: r, tail: runs.NewTail(r.Folder), changed: w.looks}
			}
		}
		for name := range w.runs {
			if !known[name] {
				delete(w.runs, name)
			}
		}
	}
	for _, r := range w.runs {
		w.lookAt(r)
		if r.changed == w.looks || r.page == nil {
			text, err := json.Marshal(r.forPage())
			if err != nil {
				return err
			}
			r.page = text
		}
	}
	return nil
}

func (w *watcher) lookAt(r *watched) {
	if !r.data {
		if _, err := os.Stat(filepath.Join(r.Folder, runs.DataFile)); err == nil {
			r.data, r.changed = true, w.looks
		}
	}
	if !r.model {
		for _, name := range []string{runs.ModelFile, runs.LiveFile} {
			if _, err := os.Stat(filepath.Join(r.Folder, name)); err == nil {
				r.model, r.changed = true, w.looks
			}
		}
	}
	if !r.Finished {
		if _, err := os.Stat(filepath.Join(r.Folder, runs.ResultFile)); err == nil {
			r.Finished, r.changed = true, w.looks
		}
	}
	records, anew, err := r.tail.Next()
	problem := ""
	if err != nil {
		problem = err.Error()
	}
	if problem != r.problem {
		r.problem, r.changed = problem, w.looks
	}
	if anew {
		r.records = nil
	}
	if anew || len(records) > 0 {
		r.records = append(r.records, records...)
		r.changed, r.stale = w.looks, true
	}
	if !r.stale {
		return
	}
	old := 0.0
	if n := len(r.records); n > 0 {
		old = r.records[n-1].Seconds
	}
	wait := chartsEvery + time.Duration(old*float64(time.Second)/oftenOfAge) + time.Duration(len(w.pages))*forEachPage
	if r.Finished || r.version == 0 || time.Since(r.drawn) >= wait {
		r.version++
		r.drawn, r.stale, r.changed = time.Now(), false, w.looks
	}
}

// runOf returns a run as curves are drawn of it.
func (w *watcher) runOf(name string) (run figure.Run, folder string, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.runs[name]
	if r == nil {
		return figure.Run{}, "", false
	}
	return figure.Run{Name: r.Name, Info: r.Info, Records: r.records[:len(r.records):len(r.records)]}, r.Folder, true
}

// pageRun is what the page knows of a run.
type pageRun struct {
	Name      string       `json:"name"`
	Verb      string       `json:"verb"`
	Data      string       `json:"data"`
	Visible   int          `json:"visible"`
	Hidden    int          `json:"hidden"`
	Width     int          `json:"width"`
	Height    int          `json:"height"`
	Began     int64        `json:"began"` // seconds since 1970
	Finished  bool         `json:"finished"`
	Version   int          `json:"version"` // of the curves
	Problem   string       `json:"problem,omitempty"`
	Step      int          `json:"step"`
	Epoch     float64      `json:"epoch"`
	Fraction  float64      `json:"fraction"`
	Seconds   float64      `json:"seconds"`
	Left      runs.Number  `json:"left"` // seconds
	Bound     *runs.Number `json:"bound"`
	BoundKind string       `json:"bound_kind,omitempty"`
	Forward   *runs.Number `json:"forward"`
	Reverse   *runs.Number `json:"reverse"`
	Exact     *runs.Number `json:"exact"`
	Coupling  runs.Number  `json:"coupling"`
	Polarised runs.Number  `json:"polarised"`
	KL        runs.Number  `json:"kl"`
	Pictures  []pictured   `json:"pictures"`
	HasData   bool         `json:"has_data"` // there is a picture of some
	Figures   []string     `json:"figures"`  // that there are numbers for
	Drawable  bool         `json:"drawable"` // there is a machine to complete drawings
}

// pictured is a step that has pictures.
type pictured struct {
	Step     int    `json:"step"`
	Start    int    `json:"start"`
	Synapses string `json:"synapses"`
	Samples  string `json:"samples"`
}

func (r *watched) forPage() pageRun {
	p := pageRun{Name: r.Name, Verb: r.Info.Verb, Data: r.Info.Data, Visible: r.Info.Visible, Hidden: r.Info.Hidden, Width: r.Info.Width, Height: r.Info.Height,
		Began: r.Info.Began.Unix(), Finished: r.Finished, Version: r.version, Problem: r.problem, Left: runs.Number(math.NaN()),
		Coupling: runs.Number(math.NaN()), Polarised: runs.Number(math.NaN()), KL: runs.Number(math.NaN()), Pictures: []pictured{}, Figures: []string{}, HasData: r.data, Drawable: r.model && r.Info.Visible <= maxDots}
	if p.Width*p.Height != p.Visible {
		p.Width, p.Height = figure.Shape(p.Visible)
	}
	has := map[string]int{}
	for k := range r.records {
		e := &r.records[k]
		for _, name := range figureNames {
			if figure.HasCurve(name, e) {
				has[name]++
			}
		}
		p.Step, p.Epoch, p.Fraction, p.Seconds = e.Step, e.Epoch, e.Fraction, e.Seconds
		p.Coupling, p.Polarised, p.KL = e.Coupling, e.Polarised, e.KL
		if e.Bound != nil {
			p.Bound, p.BoundKind = &e.Bound.Value, e.Bound.Kind
		}
		if l := e.LogLikelihood; l != nil {
			for _, v := range []struct {
				to   **runs.Number
				from *runs.Estimate
			}{{&p.Forward, l.Forward}, {&p.Reverse, l.Reverse}, {&p.Exact, l.Exact}} {
				if v.from != nil {
					*v.to = &v.from.Value
				}
			}
		}
		if e.Synapses != "" {
			p.Pictures = append(p.Pictures, pictured{e.Step, e.Start, e.Synapses, e.Samples})
		}
	}
	for _, name := range figureNames {
		if has[name] > 1 || has[name] == 1 && name != "magnetisation-history" { // one is no history
			p.Figures = append(p.Figures, name)
		}
	}
	if p.Fraction > 0 && p.Fraction < 1 {
		p.Left = runs.Number(p.Seconds * (1 - p.Fraction) / p.Fraction)
	}
	return p
}

// maxDots of a drawing.
const maxDots = 1 << 14

// news is what a page is told: the runs that changed since a look, and all
// their names.
type news struct {
	Names []string          `json:"names"`
	Runs  []json.RawMessage `json:"runs"`
	Error string            `json:"error,omitempty"`
}

// since returns the news since a look, and the number of the last one; nothing
// if there is none.
func (w *watcher) since(look int) (*news, int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := &news{Names: append([]string{}, w.order...), Runs: []json.RawMessage{}}
	if w.err != nil {
		n.Error = w.err.Error()
	}
	for _, name := range w.order {
		if r := w.runs[name]; r != nil && r.changed > look {
			n.Runs = append(n.Runs, r.page)
		}
	}
	if look > 0 && len(n.Runs) == 0 && n.Error == "" {
		return nil, w.looks
	}
	return n, w.looks
}

// join adds a page, which is woken by the channel; false if there are too many.
func (w *watcher) join() (chan struct{}, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.pages) >= maxPages {
		return nil, false
	}
	wake := make(chan struct{}, 1)
	w.pages[wake] = true
	if !w.going {
		w.going = true
		go w.watch()
	}
	return wake, true
}

// open returns the number of pages.
func (w *watcher) open() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.pages)
}

func (w *watcher) leave(wake chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.pages, wake)
}

// watch looks again and again while there are pages.
func (w *watcher) watch() {
	for {
		w.mu.Lock()
		wait := lookEvery + time.Duration(len(w.pages))*forEachPage/8
		w.mu.Unlock()
		time.Sleep(wait)
		_ = w.look(false) // the pages are told
		w.mu.Lock()
		if len(w.pages) == 0 {
			w.going = false
			w.mu.Unlock()
			return
		}
		for wake := range w.pages {
			select {
			case wake <- struct{}{}:
			default: // it has not heard the last news yet
			}
		}
		w.mu.Unlock()
	}
}

// breathe is the time after which a stream says that it is alive.
const breathe = 15 * time.Second

// events streams news to a page.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	wake, ok := s.watcher.join()
	if !ok {
		w.Header().Set("Retry-After", "30")
		refuse(w, http.StatusServiceUnavailable, "too many pages are open")
		return
	}
	defer s.watcher.leave(wake)
	_ = s.watcher.look(false)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	control := http.NewResponseController(w)
	var ended <-chan struct{}
	if s.watcher.streams != nil {
		ended = s.watcher.streams.Done()
	}
	alive := time.NewTicker(breathe)
	defer alive.Stop()
	send := func(text string) bool {
		_ = control.SetWriteDeadline(time.Now().Add(writeTime)) // a page that stops reading is let go
		if _, err := fmt.Fprint(w, text); err != nil {
			return false
		}
		return control.Flush() == nil
	}
	look := 0
	tell := func() bool {
		var n *news
		if n, look = s.watcher.since(look); n == nil {
			return true
		}
		text, err := json.Marshal(n)
		return err == nil && send("data: "+string(text)+"\n\n")
	}
	for {
		if !tell() {
			return
		}
		select {
		case <-wake:
		case <-alive.C:
			if !send(": alive\n\n") {
				return
			}
		case <-r.Context().Done():
			return
		case <-ended:
			_ = tell() && send("event: end\ndata: {}\n\n")
			return
		}
	}
}
