package runs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestQuoted(t *testing.T) {
	for word, want := range map[string]string{"runs/a-1.csv": "runs/a-1.csv", "": "''", "a b": "'a b'", "it's": `'it'\''s'`, "$HOME": "'$HOME'", "*": "'*'", "mnist:test:0-4,9": "mnist:test:0-4,9"} {
		if got := Quoted(word); got != want {
			t.Errorf("%q: %s, not %s", word, got, want)
		}
	}
}

// TestAgain: the command goes to a folder that holds nothing, line by line, and older folders tell it by their settings.
func TestAgain(t *testing.T) {
	folder := filepath.ToSlash(t.TempDir())
	full := folder + "/x-again"
	if err := os.MkdirAll(full+"/y", 0o755); err != nil {
		t.Fatal(err)
	}
	settings := map[string]any{"alpha": 5.0, "steps": 20.0}
	for _, c := range []struct {
		info Info
		want string
	}{
		{Info{Verb: Train, Command: "bethe train --hidden 3"}, "bethe train --hidden 3 --out " + full + "-2"},
		{Info{Verb: Train, Command: "bethe train --steps 3\nbethe train --steps 5"}, "bethe train --steps 3 --out " + full + "-2 &&\nbethe train --steps 5 --out " + full + "-2 --resume"},
		{Info{Verb: Train, Data: "a b.csv", Seed: 4}, "bethe train --recipe " + folder + "/x/run.json --data 'a b.csv' --seed 4 --out " + full + "-2"},
		{Info{Verb: Planted, Visible: 10, Hidden: 2, Seed: 1, Settings: settings}, "bethe planted --visible 10 --hidden 2 --alpha 5 --steps 20 --seed 1 --out " + full + "-2"},
		{Info{Verb: "other"}, ""},
	} {
		for _, name := range []string{"x", "x-again"} {
			want := c.want
			if name == "x-again" && strings.Contains(want, "--recipe") {
				want = strings.Replace(want, "/x/", "/x-again/", 1)
			}
			if got := (&Run{Folder: filepath.Join(folder, name), Info: c.info}).Again(); got != want {
				t.Errorf("%s, not %s", got, want)
			}
		}
	}
}
