package verify

import (
	"io"
	"runtime"
	"strings"
	"testing"
)

// An endless repetition of a text behind a beginning.
type endless struct {
	begin, again string
	at           int
}

func (e *endless) Read(b []byte) (int, error) {
	for k := range b {
		if e.at < len(e.begin) {
			b[k] = e.begin[e.at]
		} else {
			b[k] = e.again[(e.at-len(e.begin))%len(e.again)]
		}
		e.at++
	}
	return len(b), nil
}

// Oracles that would take far more memory than they have bytes are refused, in
// less than 200 MB for all that was ever taken.
func TestHostileOracles(t *testing.T) {
	for name, c := range map[string]struct {
		text io.Reader
		want string
	}{
		"cases of nothing":               {&endless{begin: `{"cases":[`, again: "{},"}, "case 0"},
		"rows of nothing":                {&endless{begin: `{"cases":[{"samples":[`, again: "[],"}, "more than 4194304 bytes"},
		"numbers":                        {&endless{begin: `{"cases":[{"visible_field":[`, again: "1,"}, "more than 4194304 bytes"},
		"a key that is not read":         {&endless{begin: `{"cases":[{"name":"x","other":[`, again: "{},"}, "more than 4194304 bytes"},
		"a name without end":             {&endless{begin: `{"`, again: "a"}, "more than 4194304 bytes"},
		"lists in lists":                 {&endless{begin: `{"notes":`, again: "["}, "more than 32 lists"},
		"lists in lists of cases":        {&endless{begin: `{"cases":`, again: "["}, "max depth"},
		"objects in objects":             {strings.NewReader(`{"notes":` + strings.Repeat(`{"a":`, 100)), "more than 32 lists"},
		"many numbers that are not read": {strings.NewReader(`{"notes":[` + strings.Repeat("1,", 1<<20) + `1],"cases":[{}]}`), "case 0"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Compare(t.Context(), c.text, exact)
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %.200v", name, err)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 200_000_000 {
			t.Errorf("%s: %d bytes of memory", name, used)
		}
	}
}
