package dashboard

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
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

// Memory for records: of all runs together, and of one.
const (
	recordsBytes    = 128 << 20
	recordsOfARun   = 32 << 20
	leastOfARun     = 64 << 10
	recordsAtStart  = time.Second            // for reading records before pages are served
	recordsOfALook  = 200 * time.Millisecond // for reading records in one look
	stopsLookingFor = time.Second            // at the last look, when the server ends
)

// A watched run. Only the look that is going on changes it, and what pages ask for
// only with the watcher's lock.
type watched struct {
	runs.Run
	tail    *runs.Tail
	history *runs.History
	records []runs.Record // of the history
	version int           // of the curves
	drawn   time.Time
	stale   bool // records came since the version
	changed int  // the look at which anything changed
	page    []byte
	model   bool   // there is one to complete drawings with
	data    bool   // there is a picture of data
	metrics string // error of the metrics, "" if they are whole
	problem string // errors of the run, those of the metrics among them
}

// A watcher looks at the folders of runs for all pages.
type watcher struct {
	folder    string
	findEvery time.Duration
	streams   context.Context // ends all streams; nil: none

	// looking is held by the look that is going on, which reads files; nobody
	// waits for it.
	looking sync.Mutex
	found   time.Time

	mu     sync.Mutex // guards the fields below; no file is read while it is held
	runs   map[string]*watched
	order  []string
	looks  int // that are over
	looked time.Time
	err    error
	named  int // the look at which the names of runs, or the error, changed
	pages  map[chan struct{}]bool
	going  bool
}

func newWatcher(folder string) *watcher {
	return &watcher{folder: folder, findEvery: findEvery, runs: map[string]*watched{}, pages: map[chan struct{}]bool{}}
}

// look reads the news of the runs, unless that was done a
// moment ago or is being done.
func (w *watcher) look(now bool) error {
	if now {
		w.looking.Lock()
	} else if !w.looking.TryLock() {
		return w.lastError()
	}
	defer w.looking.Unlock()
	w.mu.Lock()
	if !now && time.Since(w.looked) < lookEvery/2 {
		w.mu.Unlock()
		return w.lastError()
	}
	w.looked = time.Now()
	look, pages := w.looks+1, len(w.pages)
	w.mu.Unlock()
	again := now || time.Since(w.found) >= w.findEvery
	if again {
		w.found = time.Now()
		w.find(look)
	}
	of := make([]*watched, 0, len(w.runs)) // only looks change it
	for _, r := range w.runs {
		of = append(of, r)
	}
	limit := recordsOfALook
	if now {
		limit = recordsAtStart
	}
	for _, r := range w.follow(of, limit) {
		w.update(r, look, pages, again)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looks = look
	return w.err
}

func (w *watcher) lastError() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// find looks for runs that came and went.
func (w *watcher) find(look int) {
	found, err := runs.Find(w.folder)
	share := max(leastOfARun, min(recordsOfARun, recordsBytes/max(1, len(found))))
	all, order := map[string]*watched{}, make([]string, 0, len(found))
	for _, r := range found {
		order = append(order, r.Name)
		old := w.runs[r.Name]
		if old == nil || !old.Info.Began.Equal(r.Info.Began) || fmt.Sprint(old.Err) != fmt.Sprint(r.Err) { // new, or begun again
			old = &watched{Run: r, tail: runs.NewTail(r.Folder), history: runs.NewHistory(share), changed: look}
		} else {
			old.history.SetLimit(share)
		}
		all[r.Name] = old
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Equal(w.order, order) || fmt.Sprint(w.err) != fmt.Sprint(err) {
		w.named = look
	}
	w.runs, w.order, w.err = all, order, err
}

// seen is what came of looking at the records of a run.
type seen struct {
	*watched
	history *runs.History
	more    bool   // there are others than before
	metrics string // their error, "" if they are whole
}

// follow reads what the runs appended, some of each in turn, until all was read or
// the time is over.
func (w *watcher) follow(of []*watched, limit time.Duration) []*seen {
	began := time.Now()
	all := make([]*seen, len(of))
	for k, r := range of {
		all[k] = &seen{watched: r, history: r.history, metrics: r.metrics}
	}
	for left := all; len(left) > 0; {
		var behind []*seen
		for _, r := range left {
			if time.Since(began) > limit { // the next look goes on, in another order
				return all
			}
			records, anew, err := r.tail.Next()
			if anew {
				r.history = r.history.Empty()
			}
			r.history.Add(records)
			r.more = r.more || anew || len(records) > 0
			if r.metrics = ""; err != nil {
				r.metrics = err.Error()
			}
			if r.tail.Behind() {
				behind = append(behind, r)
			}
		}
		left = behind
	}
	return all
}

// update brings a run up to date with the last look at its folder.
func (w *watcher) update(s *seen, look, pages int, again bool) {
	r := s.watched
	next := *r
	is := func(was bool, names ...string) bool {
		for _, name := range names {
			if was && !again { // it is still there
				return true
			}
			if info, err := os.Stat(filepath.Join(r.Folder, name)); err == nil && info.Mode().IsRegular() {
				return true
			}
		}
		return false
	}
	next.data, next.model, next.Finished = is(r.data, runs.DataFile), is(r.model, runs.ModelFile, runs.LiveFile), is(r.Finished, runs.ResultFile)
	next.metrics = s.metrics
	if next.problem = s.metrics; r.Err != nil {
		next.problem = r.Err.Error()
		if s.metrics != "" {
			next.problem += "; " + s.metrics
		}
	}
	if next.data != r.data || next.model != r.model || next.Finished != r.Finished || next.problem != r.problem {
		next.changed = look
	}
	if next.history = s.history; s.more {
		next.changed, next.stale = look, true
	}
	next.records = next.history.Records()
	if next.stale {
		last, _, _ := next.history.Last()
		const longest = 1e6 // seconds
		wait := chartsEvery + time.Duration(min(longest, last.Seconds)*float64(time.Second)/oftenOfAge) + time.Duration(pages)*forEachPage
		if next.Finished || next.version == 0 || time.Since(next.drawn) >= wait {
			next.version++
			next.drawn, next.stale, next.changed = time.Now(), false, look
		}
	}
	if next.changed == look || next.page == nil {
		text, err := json.Marshal(next.forPage())
		if err != nil { // no value of it is one that JSON lacks
			panic(err)
		}
		next.page = text
	}
	w.mu.Lock()
	*r = next
	w.mu.Unlock()
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
	Drawn     int64        `json:"drawn"`   // when that was, milliseconds since 1970
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
	Command   string       `json:"command,omitempty"` // that makes the run again
	Pictures  []pictured   `json:"pictures"`
	HasData   bool         `json:"has_data"` // there is a picture of some
	Figures   []string     `json:"figures"`  // that there are numbers for
	Drawable  bool         `json:"drawable"` // there is a machine to complete drawings
	Worded    bool         `json:"worded"`   // samples are no pictures: it completes values that are written
	Spiking   bool         `json:"spiking"`  // it runs as spiking neurons
}

// pictured is a step that has pictures.
type pictured struct {
	Step     int    `json:"step"`
	Start    int    `json:"start"`
	Synapses string `json:"synapses"`
	Samples  string `json:"samples"`
}

func (r *watched) forPage() pageRun {
	p := pageRun{Name: r.Name, Verb: short(r.Info.Verb), Data: short(r.Info.Data), Visible: r.Info.Visible, Hidden: r.Info.Hidden, Width: r.Info.Width, Height: r.Info.Height,
		Began: r.Info.Began.Unix(), Finished: r.Finished, Version: r.version, Drawn: r.drawn.UnixMilli(), Problem: short(r.problem), Left: runs.Number(math.NaN()),
		Coupling: runs.Number(math.NaN()), Polarised: runs.Number(math.NaN()), KL: runs.Number(math.NaN()), Pictures: []pictured{}, Figures: []string{}, HasData: r.data, Drawable: r.model, Command: r.Again()}
	places := p.completes(&r.Info)
	if p.Width*p.Height != places {
		p.Width, p.Height = figure.Shape(places)
	}
	p.Drawable = p.Drawable && places <= maxDots
	has := map[string]int{}
	tell := func(e *runs.Record) {
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
	for k := range r.records {
		tell(&r.records[k])
	}
	if last, kept, any := r.history.Last(); any && !kept {
		tell(&last)
	}
	p.Pictures = p.Pictures[max(0, len(p.Pictures)-mostPictures):]
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

// What a page is told of a run at most: pictures along the way, and bytes of a text.
const (
	mostPictures = 500
	mostText     = 1000
)

// short returns a text for the page.
func short(text string) string { return runs.Printable(text[:min(len(text), mostText)]) }

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
	if look > 0 && len(n.Runs) == 0 && w.named <= look {
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
	h.Set("X-Accel-Buffering", "no") // a proxy that gathers answers would keep the news
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
