package npy

import (
	"archive/zip"
	"bytes"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// Archives that mean harm are refused by name, and cost no more memory than the
// limit on reading.
func TestHostileArchives(t *testing.T) {
	pack := func(entries ...string) []byte {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for k := 0; k < len(entries); k += 2 {
			w, err := z.Create(entries[k])
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write([]byte(entries[k+1])); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	array := string(raw("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", make([]byte, 8)...))
	zeros := strings.Repeat("\x00", 64<<20)
	const limit = 1 << 20
	for name, c := range map[string]struct {
		content []byte
		part    string
	}{
		"a bomb of text":           {pack("meta.json", zeros), "limit"},
		"a bomb of an array":       {pack("x.npy", string(raw("{'descr': '<f8', 'fortran_order': False, 'shape': (8388608,), }"))+zeros), "limit"},
		"a bomb behind one":        {pack("x.npy", array+zeros), "more bytes"},
		"many of them":             {pack("a", zeros[:limit-10], "b", zeros[:limit-10]), "limit"},
		"a promise too large":      {pack("x.npy", string(raw("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"))), "limit"},
		"a product that overflows": {pack("x.npy", string(raw("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }"))), "limit"},
		"a text of 2 MB":           {pack("meta.json", zeros[:2<<20]), "limit"},
		"2,000 members":            {pack(slices.Repeat([]string{"a", ""}, 2000)...), "2000 arrays"},
		"the same name twice":      {pack("x.npy", array, "x.npy", array), "two arrays"},
		"a path upwards":           {pack("../x.npy", array), "../x"},
		"a path from the root":     {pack("/etc/x.npy", array), "/etc/x"},
		"a path of Windows":        {pack(`..\x.npy`, array), `..\\x`},
	} {
		path := save(t, c.content)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := ReadArchive(path, limit)
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), c.part) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v does not say %q", name, err, c.part)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 8*limit {
			t.Errorf("%s: %d bytes of memory for a limit of %d", name, used, limit)
		}
	}
}
