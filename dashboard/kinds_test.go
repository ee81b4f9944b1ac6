package dashboard

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bethe/rbm"
	"bethe/runs"
	"bethe/spin"
	"bethe/units"
)

// TestFillIn: machines of colours and numbers complete values given as text. Known values stay; values that their units cannot have are refused. Machines
// of numbers also complete drawings. Their neurons are refused.
func TestFillIn(t *testing.T) {
	path := t.TempDir()
	for name, word := range map[string]string{"colours": "potts:3", "sequences": "potts:3", "numbers": "gauss"} {
		kind, err := units.ParseVisible(word)
		if err != nil {
			t.Fatal(err)
		}
		n := 2 * kind.Features()
		file := &rbm.File{Params: rbm.NewParams(n, 2, 2), Synapses: rbm.Binary(spin.FromSigns(n, 2, make([]int8, 2*n)))}
		file.VisibleKind = kind
		if !kind.Bits() {
			file.SetCoupling(0.5)
			file.Scale = rbm.Scale{Mean: []float64{10, 20}, Deviation: []float64{1, 2}}
			file.VisibleOwn = file.Scale.InUnitsOf(make([]float64, 4))
		}
		if name == "sequences" {
			file.Info.Alphabet = "AC-"
		}
		folder := filepath.Join(path, name)
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := file.Save(filepath.Join(folder, runs.ModelFile)); err != nil {
			t.Fatal(err)
		}
		if err := runs.WriteInfo(folder, runs.Info{Verb: "train", Data: name, Visible: n, Hidden: 2, Settings: map[string]any{"units": word}, Began: time.Unix(1e9, 0)}); err != nil {
			t.Fatal(err)
		}
	}
	address, _ := serve(t, path, Options{})
	post := func(body string) (int, string) {
		status, text, _ := ask(t, request(t, "POST", address+completePath, body, "Content-Type", "application/json"))
		return status, text
	}
	for _, c := range []struct{ run, values, begins, ends string }{
		{"colours", "2", "2, ", ""}, {"colours", "? 1", "", ", 1"}, {"colours", "", "", ""}, {"sequences", "c", "C", ""}, {"sequences", "?-", "", "-"}, {"numbers", "12.5,?", "12.5, ", ""},
	} {
		status, text := post(fmt.Sprintf(`{"run":%q,"values":%q,"draw":1}`, c.run, c.values))
		var out completed
		if err := json.Unmarshal([]byte(text), &out); status != 200 || err != nil || len(out.Rows) != completions || len(out.Completions) > 0 {
			t.Fatalf("%+v: %d %s %v", c, status, text, err)
		}
		for _, row := range out.Rows {
			if !strings.HasPrefix(row, c.begins) || !strings.HasSuffix(row, c.ends) {
				t.Errorf("%+v: completed to %q", c, row)
			}
		}
	}
	status, text := post(`{"run":"numbers","pixels":"+?","draw":1}`)
	var out completed
	if err := json.Unmarshal([]byte(text), &out); status != 200 || err != nil || len(out.Completions) != completions || out.Completions[0][0] != 255 || out.Known != 1 {
		t.Errorf("a drawing: %d %s %v", status, text, err)
	}
	for run, values := range map[string]string{"colours": "3", "sequences": "B", "numbers": "1,2,3"} {
		if status, text := post(fmt.Sprintf(`{"run":%q,"values":%q}`, run, values)); status != 400 {
			t.Errorf("%s of %s: %d %s", values, run, status, text)
		}
	}
	if status, text, _ := ask(t, request(t, "GET", address+"/raster.png?run=colours&tau=1&draw=1", "")); status != 404 {
		t.Errorf("neurons of colours: %d %s", status, text)
	}
}
