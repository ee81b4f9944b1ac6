package terminal

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// A Bar shows how far work is: a bar on a terminal, elsewhere a line now and then.
type Bar struct {
	w        io.Writer
	what     string
	bar      *progressbar.ProgressBar
	terminal device // that the bar is on
	start    time.Time
	shown    time.Time
}

// A device is a writer that may be a terminal, such as an open file.
type device interface{ Fd() uintptr }

// plainEvery is the time between two lines of progress off a terminal.
const plainEvery = 15 * time.Second

const barSteps = 1000

// NewBar returns a bar of the work named. It is drawn if that is asked for and w is a
// terminal; else there is a line now and then.
func NewBar(w io.Writer, what string, drawn bool) *Bar {
	b := &Bar{w: w, what: what, start: time.Now(), shown: time.Now()}
	if f, ok := w.(device); ok && drawn && term.IsTerminal(int(f.Fd())) {
		b.terminal = f
		b.bar = progressbar.NewOptions(barSteps, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
			progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(), progressbar.OptionFullWidth(),
			progressbar.OptionThrottle(100*time.Millisecond))
	}
	return b
}

// Set shows the fraction done and a note.
func (b *Bar) Set(fraction float64, note string) {
	switch {
	case b.bar != nil:
		b.bar.Describe(b.fitting(note))
		_ = b.bar.Set(min(barSteps-1, int(barSteps*fraction))) // a bar that cannot be drawn stops no work
	case time.Since(b.shown) >= plainEvery:
		b.shown = time.Now()
		fmt.Fprintf(b.w, "%s  %3.0f %%  %v  %s\n", b.what, 100*fraction, time.Since(b.start).Round(time.Second), note)
	}
}

// barRoom is what the bar itself, with its times, needs of a line.
const barRoom = 45

// fitting returns the name of the work and as much of the note as leaves room for the
// bar: a line that is longer than the window would not be overwritten.
func (b *Bar) fitting(note string) string {
	width, _, err := term.GetSize(int(b.terminal.Fd()))
	if err != nil {
		width = 80
	}
	return cut(b.what+"  "+note, width-barRoom)
}

// cut returns the first n letters of a text, or all of it.
func cut(text string, n int) string {
	letters := []rune(text)
	return string(letters[:max(0, min(n, len(letters)))])
}

// Done takes the bar away.
func (b *Bar) Done() {
	if b.bar != nil {
		_ = b.bar.Finish()
	}
}
