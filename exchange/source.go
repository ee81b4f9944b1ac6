package exchange

import (
	"bytes"
	_ "embed"
	"fmt"
	"go/format"
	"go/token"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"text/template"

	"bethe/internal/fixed"
	"bethe/rbm"
)

//go:embed source.h.tmpl
var templateC string

//go:embed common.h.tmpl
var commonC string // random words and probabilities

//go:embed source.go.tmpl
var templateGo string

// A source is what a template is filled with.
type source struct {
	*sourceHead
	Visible, Hidden           int
	VisibleWords, HiddenWords int
	TableEnd                  int
	Coupling                  int64
	Tau                       int // steps of a window; 0 of samplers
	LnTau                     int64
	Synapses, Sigmoid         string
	VisibleField, HiddenField string
	machine                   *Packed
}

type sourceHead struct{ Name, Upper, Origin string }

var identifier = regexp.MustCompile(`^[a-z][a-z0-9_]{0,30}$`)

// CheckName returns an error unless name can begin the names of a C header and
// be that of a Go package.
func CheckName(name string) error {
	if !identifier.MatchString(name) || token.IsKeyword(name) || name == "main" || name == "bits" {
		return fmt.Errorf("%q cannot name a source: it is a lower-case letter and up to 30 more, digits or _, and no word of Go's", name)
	}
	return nil
}

// WriteC writes a C99 header of the machine that f ships, packed, with its
// sampler (Sampler says how it draws): everything static, all names beginning
// with name, no library but stdint.h. A deep machine's is PackedLayers.WriteC. Errors are those of Pack, of PackLayers and of w. It panics
// if CheckName refuses the name.
func WriteC(w io.Writer, f *rbm.File, name string) error {
	if !f.Deep() {
		return writeC(w, f, name, 0)
	}
	k, err := PackLayers(f.Machine())
	if err != nil {
		return err
	}
	return k.WriteC(w, &f.Info, name)
}

// WriteSpikesC writes a C99 header of the machine that f ships as neurons with windows of tau steps,
// which spike as Spiking does. Errors and panics are those of WriteC.
func WriteSpikesC(w io.Writer, f *rbm.File, name string, tau int) error {
	if tau < 1 || tau > MaxTau {
		panic(fmt.Sprintf("exchange: a window of %d steps", tau))
	}
	return writeC(w, f, name, tau)
}

func writeC(w io.Writer, f *rbm.File, name string, tau int) error {
	text, err := fill(commonC+templateC, f, name, tau, wideC)
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

// wideC writes a number of 64 bits in C.
func wideC(x int64) string { return "INT64_C(" + strconv.FormatInt(x, 10) + ")" }

// WriteGo writes a Go package of the given name, in one file, of the machine
// that f ships, as WriteC does.
func WriteGo(w io.Writer, f *rbm.File, name string) error {
	text, err := fill(templateGo, f, name, 0, func(x int64) string { return strconv.FormatInt(x, 10) })
	if err != nil {
		return err
	}
	if text, err = format.Source(text); err != nil {
		panic(fmt.Sprintf("exchange: the Go source is none: %v", err))
	}
	_, err = w.Write(text)
	return err
}

// fill fills a template, of neurons if tau is not 0; long writes a number of 64 bits. Templates are parsed here and not
// when a program starts, so that the linker leaves them out of programs that write no source.
func fill(text string, f *rbm.File, name string, tau int, long func(int64) string) ([]byte, error) {
	if err := CheckName(name); err != nil {
		panic("exchange: " + err.Error())
	}
	k, err := Pack(f.Machine())
	if err != nil {
		return nil, err
	}
	hex := func(x uint32) string { return fmt.Sprintf("0x%08x", x) }
	s := source{
		sourceHead: &sourceHead{name, strings.ToUpper(name), origin(&f.Info)},
		Visible:    k.visible, Hidden: k.hidden, VisibleWords: words(k.visible), HiddenWords: words(k.hidden),
		TableEnd: fixed.End, Coupling: k.coupling, Tau: tau, LnTau: fixedOf(math.Log(float64(max(tau, 1)))),
		Synapses: list(k.synapses, 8, hex), Sigmoid: list(fixed.Sigmoid, 8, hex),
		VisibleField: list(k.visibleField, 4, long), HiddenField: list(k.hiddenField, 4, long), machine: k,
	}
	var out bytes.Buffer
	execute(&out, text, s)
	return out.Bytes(), nil
}

// execute fills a template with what it knows.
func execute(out *bytes.Buffer, text string, s any) {
	if err := template.Must(template.New("source").Parse(text)).Execute(out, s); err != nil {
		panic("exchange: " + err.Error())
	}
}

// origin says where a machine is from, in words that can stand in any comment.
func origin(info *rbm.Info) string {
	quoted := func(s string) string {
		return strings.NewReplacer("*/", "* /", "/*", "/ *", `\`, "/", "?", ".").Replace(strconv.QuoteToASCII(s))
	}
	return fmt.Sprintf("Learned by %s from %d samples of %s in %d steps, seed %d.", quoted(info.Program), info.Samples, quoted(info.Data), info.Steps, info.Seed)
}

// list writes numbers, so many a line.
func list[T any](x []T, perLine int, text func(T) string) string {
	var b strings.Builder
	for k, v := range x {
		switch {
		case k%perLine == 0:
			b.WriteString("\n\t")
		default:
			b.WriteByte(' ')
		}
		b.WriteString(text(v))
		b.WriteByte(',')
	}
	b.WriteByte('\n')
	return b.String()
}
