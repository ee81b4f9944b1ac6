package exchange

import (
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"strings"
	"text/template"

	"bethe/causes"
	"bethe/internal/fixed"
)

//go:embed learner.h.tmpl
var templateLearner string

// WriteLearnerC writes a C99 header of an online rule that has seen nothing: it learns as a
// causes.Circuit does, to the same spikes and counters, bit for bit. origin is a comment on where its
// numbers are from. Errors are those of w. It panics if CheckName refuses the name.
func WriteLearnerC(w io.Writer, rule *causes.OnlineRule, origin, name string) error {
	if err := CheckName(name); err != nil {
		panic("exchange: " + err.Error())
	}
	counter := "uint32_t"
	switch {
	case rule.Most < 1<<8:
		counter = "uint8_t"
	case rule.Most < 1<<16:
		counter = "uint16_t"
	}
	hex := func(x uint32) string { return fmt.Sprintf("0x%08x", x) }
	var out bytes.Buffer
	err := template.Must(template.New("learner").Parse(commonC+templateLearner)).Execute(&out, map[string]any{
		"Name": name, "Upper": strings.ToUpper(name), "Origin": origin, "Visible": rule.Visible, "Words": words(rule.Visible), "Causes": rule.Causes,
		"Most": rule.Most, "Counter": counter, "Coupling": rule.Coupling, "First": rule.First, "Homeostasis": rule.Homeostasis, "TableEnd": fixed.End, "Shift": fixed.ChooseShift(rule.Causes),
		"On": list(rule.On, 4, wideC), "Off": list(rule.Off, 4, wideC), "Above": list(rule.Above, 4, wideC), "Sigmoid": list(fixed.Sigmoid, 8, hex), "Decay": list(fixed.Decay, 8, hex),
	})
	if err != nil {
		panic("exchange: " + err.Error())
	}
	_, err = w.Write(out.Bytes())
	return err
}
