package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWords: an error about a wrong argument names the flag, the value and a value that would do.
func TestWords(t *testing.T) {
	folder, empty := t.TempDir(), t.TempDir()
	text := filepath.Join(folder, "text.npz")
	if err := os.WriteFile(text, []byte("no archive"), 0o644); err != nil {
		t.Fatal(err)
	}
	table, model, begun := filepath.Join(folder, "table.csv"), filepath.Join(folder, "run", "model.npz"), filepath.Join(folder, "begun")
	if err := os.WriteFile(table, []byte("1,0\n0,1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	object(t, "train", "--hidden", "2", "--steps", "2", "--data", "mnist:test:0-49", "--out", filepath.Dir(model))
	if err := os.Mkdir(begun, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(begun, "run.json"), read(t, filepath.Join(filepath.Dir(model), "run.json")), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args   string
		status int
		want   string
	}{
		{"train --hiden 5", exitUsage, "there is no flag --hiden; did you mean --hidden?"},
		{"train --qqqq 5", exitUsage, "there is no flag --qqqq\n"},
		{"train --batch ten", exitUsage, `--batch "ten": a whole number is needed`},
		{"train --rate fast", exitUsage, `--rate "fast": a number is needed`},
		{"train --time 5", exitUsage, `--time "5": a time with its unit is needed, such as 10s or 5m`},
		{"train --hidden ten", exitUsage, `--hidden "ten": a number is needed, or several split by commas`},
		{"infer --alpha 1,x", exitUsage, `--alpha "1,x": numbers are needed, split by commas`},
		{"trian", exitUsage, `there is no verb "trian"; did you mean "train"?`},
		{"eval " + filepath.Join(folder, "none.npz"), exitUsage, "there is no file or folder " + filepath.Join(folder, "none.npz")},
		{"eval " + folder, exitUsage, "there is no file or folder " + filepath.Join(folder, "model.npz")},
		{"sample --out x.npz " + text, exitFailed, text + ": not an .npz file, or a damaged one"},
		{"eval " + table, exitFailed, table + ": not an .npz file: models are .npz files, and a .csv file is data or something else"},
		{"train --data " + model, exitFailed, model + ": it is a model, not data; name data"},
		{"planted --alpha", exitUsage, "--alpha has no value: a number is needed"},
		{"completion bsh", exitUsage, `there is no verb "bsh"`},
		{"help sampel", exitUsage, `there is no verb "sampel"; did you mean "sample"?`},
		{"eval " + model + " --data " + table, exitUsage, table + ": samples of 2 units, and the machine of " + model + " has 784 visible ones"},
		{"eval " + begun, exitUsage, begun + " is a run that is not over"},
		{"complete " + model + " --data mnist:test", exitUsage, "there is no flag --data; did you mean --from?"},
		{"complete " + model + " --clamp 0 --png x.png --from " + table + ":0", exitUsage, "--from " + table + ":0: samples of 2 spins for a model of 784 visible units; name data like those that it learned from"},
		{"plot " + begun + " --only bonud", exitUsage, `--only bonud: no figure is called "bonud"; did you mean bound? There are bound, `},
		{"runs " + begun + " --sort bund", exitUsage, "--sort bund: it is run, bound, "},
		{"runs " + empty, exitUsage, empty + ": no run in this folder"},
		{"plot " + empty, exitUsage, empty + ": not the folder of a run"},
		{"eval " + empty, exitUsage, "there is no file or folder " + filepath.Join(empty, "model.npz")},
		{"plot " + filepath.Join(folder, "none"), exitUsage, "there is no file or folder " + filepath.Join(folder, "none")},
	} {
		status, _, stderr := bethe(t, t.Context(), strings.Fields(c.args)...)
		if status != c.status || !strings.Contains(stderr, "bethe: "+c.want) || strings.Contains(stderr, "strconv") {
			t.Errorf("bethe %s: status %d, %q", c.args, status, stderr)
		}
	}
}

// TestRunFolderAsModel: verbs that take a model take the folder of a run.
func TestRunFolderAsModel(t *testing.T) {
	folder := t.TempDir()
	run := filepath.Join(folder, "run")
	object(t, "train", "--hidden", "3", "--steps", "2", "--data", "mnist:test:0-49", "--out", run)
	for _, words := range []string{"--init", "--prior"} {
		object(t, "train", "--hidden", "3", "--steps", "2", "--data", "mnist:test:0-49", words, run, "--out", filepath.Join(folder, words))
	}
	object(t, "train", "--recipe", run, "--data", "mnist:test:0-49", "--out", filepath.Join(folder, "again"))
	for _, words := range []string{"eval --data mnist:test:0-9", "sample --count 2 --sweeps 2 --out " + filepath.Join(folder, "new", "s.npz"), "export --to rbm01 --out " + filepath.Join(folder, "new", "x.rbm01")} {
		args := strings.Fields(words)
		if v := object(t, append(args, run)...); v["model"] != filepath.Join(run, "model.npz") {
			t.Errorf("%s: model %v", words, v["model"])
		}
	}
}

// TestVersionFlag: --version prints the first line of version.
func TestVersionFlag(t *testing.T) {
	_, long, _ := bethe(t, t.Context(), "version")
	status, line, _ := bethe(t, t.Context(), "--version")
	if status != exitDone || line == "" || !strings.HasPrefix(long, line) {
		t.Errorf("status %d, %q", status, line)
	}
}
