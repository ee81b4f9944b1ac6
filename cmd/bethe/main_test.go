package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"bethe/internal/build"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// bethe runs the command as main does.
func bethe(t *testing.T, ctx context.Context, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(ctx, args, &out, &errs)
	return status, out.String(), errs.String()
}

// object runs a command with --json, which must succeed and print one object.
func object(t *testing.T, args ...string) map[string]any {
	t.Helper()
	status, stdout, stderr := bethe(t, t.Context(), append(args, "--json")...)
	if status != exitDone {
		t.Fatalf("bethe %v: status %d\n%s", args, status, stderr)
	}
	var v map[string]any
	d := json.NewDecoder(strings.NewReader(stdout))
	if err := d.Decode(&v); err != nil || d.More() {
		t.Fatalf("bethe %v: not one JSON object (%v):\n%s", args, err, stdout)
	}
	return v
}

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; got:\n%s\nwant:\n%s", path, got, want)
	}
}

// commands calls visit for each verb.
func commands(c *cobra.Command, visit func(*cobra.Command)) {
	visit(c)
	for _, sub := range c.Commands() {
		if sub.Name() != "help" && sub.Name() != "completion" {
			commands(sub, visit)
		}
	}
}

func TestHelp(t *testing.T) {
	var text strings.Builder
	commands(newRootCommand(&console{}), func(cmd *cobra.Command) {
		status, stdout, stderr := bethe(t, t.Context(), append(strings.Fields(cmd.CommandPath())[1:], "--help")...)
		if status != exitDone || stderr != "" {
			t.Errorf("%s --help: status %d, %s", cmd.CommandPath(), status, stderr)
		}
		text.WriteString("==== " + cmd.CommandPath() + "\n" + stdout + "\n")
	})
	golden(t, "help.txt", text.String())
}

// TestExamples: each verb has examples, and every word of them is known.
func TestExamples(t *testing.T) {
	commands(newRootCommand(&console{}), func(cmd *cobra.Command) {
		if cmd.Example == "" {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
		ours := 0
		for _, line := range strings.Split(cmd.Example, "\n") {
			words := shellWords(line)
			if words[0] != "bethe" {
				continue // another program, beside ours
			}
			ours++
			root := newRootCommand(&console{})
			found, rest, err := root.Find(words[1:])
			if err == nil {
				err = found.ParseFlags(rest)
			}
			if err == nil && found.Args != nil {
				err = found.Args(found, found.Flags().Args())
			}
			if err != nil {
				t.Errorf("%s: example %q: %v", cmd.CommandPath(), line, err)
			}
		}
		if ours == 0 {
			t.Errorf("%s has no example of its own", cmd.CommandPath())
		}
	})
}

// shellWords splits a line as a shell does: at blanks, but not between quotes.
func shellWords(line string) []string {
	words := regexp.MustCompile(`'[^']*'|\S+`).FindAllString(line, -1)
	for k, word := range words {
		words[k] = strings.Trim(word, "'")
	}
	return words
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if status, stdout, _ := bethe(t, t.Context(), "completion", shell); status != exitDone || !strings.Contains(stdout, "bethe") {
			t.Errorf("completion %s: status %d", shell, status)
		}
	}
}

func TestWrongWords(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing.npz")
	var text strings.Builder
	for _, line := range []string{
		"trian", "data", "train extra", "train --hidden 0", "train --hiden 3", "train --beta -1", "train --rate 0", "train --epochs -1",
		"train --batch 0", "train --rule sgd", "train --estep magic", "train --partition both", "train --partition quenched", "train --chains 0",
		"train --sweeps 0", "train --draws 3", "train --restarts 0", "train --checkpoint-every -1", "train --checkpoint-every soon", "train --ais-steps 0", "train --threads -1",
		"train --data mnist:validation", "train --data mnist:train:59990-60000", "train --data MISSING:0-9", "train --data mnist --threshold 30", "train --data MISSING", "train --binarise both", "train --binarise stochastic", "train --white 3", "train --data MISSING --binarise stochastic --threshold 3", "train --data mnist --threshold high",
		"eval", "eval MISSING", "eval MISSING --ais-chains 1", "sample MISSING", "sample MISSING -n 0 --png x.png", "sample MISSING --png x.png --clamp 3",
		"sample MISSING --png x.png", "sample MISSING --png x --out x", "train --partition quenched --no-centre --estep chains", "planted --partition quenched --estep chains", "train --undecided both",
		"complete MISSING", "complete MISSING --from mnist:test:0 --clamp top", "complete MISSING --from mnist:test:0 --clamp top --png x -n 0", "denoise MISSING --flip 0.5", "denoise MISSING --sweeps 0",
		"features MISSING", "features MISSING --classifier --l2 none", "features MISSING --test mnist:test -o x", "features MISSING --gain 0 -o x", "eval MISSING --draws 1",
		"train --synapses ternary", "train --prior-strength -1", "train --field-prior 1", "train --prior-form elastic", "train --settle 2", "train --settle 0.5 --synapses real", "train --max-theta 0", "train --fall sideways", "train --final-rate 0", "train --warmup 1", "train --average 1.5", "train --coupling-rate -1", "train --final-sweeps -1", "train --synapses real --partition quenched --no-centre", "train --synapses sign --rule bayes", "train --decay 0.1", "train --synapses real --decay -1", "planted --hidden 0", "planted --alpha 0", "planted --beta 0", "planted --instances 0", "planted --rate -1",
		"planted --hidden 3 --correlation -0.5", "planted --hidden 50 --oracle", "verify", "verify MISSING", "data info MISSING", "data info",
		"export MISSING", "export MISSING --to onnx -o x", "export MISSING --to c", "export MISSING --to go -o x --name func", "export MISSING --to c -o x",
		"import MISSING", "import MISSING -o x", "sample MISSING --integers --png x.png",
		"train --hidden 5 --recognition drawn", "train --hidden 5,4 --meter", "train --hidden -3", "train --model mixture --hidden 10,5", "train --model mixture --meter",
		"planted --hidden 4 --stage 0.3", "planted --hidden 4,2 --units gauss", "planted --hidden 4 --beta 1.3,1.2", "features MISSING --layer 0 -o x", "features MISSING --classifier --labelled 3",
		"train --data mnist:test --patience 5 --meter", "train --data mnist:test --patience 5 --validation 0.1", "train --patience -1", "train --model mixture --patience 5", "train --hidden 5 --work", "train --model mixture --work",
		"thermo MISSING --most 0", "thermo MISSING --sweeps 0", "thermo MISSING --temperatures 0", "thermo MISSING --chains 0",
	} {
		status, stdout, stderr := bethe(t, t.Context(), strings.Fields(strings.ReplaceAll(line, "MISSING", missing))...)
		if line != "data" && (status == exitDone || stdout != "" || !strings.HasPrefix(stderr, "bethe: ")) {
			t.Errorf("bethe %s: status %d, output %q, error %q", line, status, stdout, stderr)
		}
		text.WriteString("$ bethe " + line + "\n" + strings.ReplaceAll(stderr, missing, "MISSING") + "status " + string(rune('0'+status)) + "\n\n")
	}
	golden(t, "errors.txt", text.String())
}

func TestDataInfo(t *testing.T) {
	_, text, _ := bethe(t, t.Context(), "data", "info", "mnist:test")
	_, object, _ := bethe(t, t.Context(), "data", "info", "mnist:test", "--json")
	golden(t, "data-info.txt", text+object)
}

// TestSomeSamples: :LIST takes the samples named, with their labels, in order.
func TestSomeSamples(t *testing.T) {
	var all, some dataFlags
	all.register(&cobra.Command{}, "mnist")
	some.register(&cobra.Command{}, "mnist")
	test, err := all.loadNamed("mnist:test")
	if err != nil {
		t.Fatal(err)
	}
	got, err := some.loadNamed("mnist:test:7,100-102")
	if err != nil {
		t.Fatal(err)
	}
	if want := test.Subset([]int{7, 100, 101, 102}); !got.Samples.Equal(want.Samples) || !slices.Equal(got.Labels, want.Labels) || got.Width != want.Width {
		t.Errorf("%d samples, labels %v, not %v", got.Len(), got.Labels, want.Labels)
	}
	path := filepath.Join(t.TempDir(), "data:0-1") // a file of that very name is that file
	if err := os.WriteFile(path, []byte("1,-1\n-1,1\n1,1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := some.loadNamed(path); err != nil || got.Len() != 3 {
		t.Errorf("a file with : in its name: %v, %v", got, err)
	}
	if got, err := some.loadNamed(path + ":2"); err != nil || got.Len() != 1 {
		t.Errorf("one of its samples: %v, %v", got, err)
	}
}

func TestVersion(t *testing.T) {
	if v := object(t, "version"); v["version"] != build.Version || v["go"] == "" {
		t.Errorf("version: %v", v)
	}
}

func TestVerify(t *testing.T) {
	oracle := filepath.Join("..", "..", "verify", "testdata", "oracle.json")
	v := object(t, "verify", oracle)
	limits := map[string]float64{"ln_z": 1e-8, "correlation": 1e-8, "ln_mean_z": 1e-8, "data_term": 1e-8, "kl": 1e-8, "elbo": 1e-8, "gradient": 2e-6, "ln_likelihood": 1e-8}
	found := v["max_relative_error"].(map[string]any)
	for q, limit := range limits {
		if e, ok := found[q].(float64); !ok || e > limit {
			t.Errorf("%s: %v", q, found[q])
		}
	}
	if v["engine"] != "exact" || v["passed"] != true || len(found) != len(limits) {
		t.Errorf("report %v", v)
	}

	text, err := os.ReadFile(oracle)
	if err != nil {
		t.Fatal(err)
	}
	place := regexp.MustCompile(`"ln_mean_z": (\d)`).FindSubmatchIndex(text)
	text[place[2]] ^= 1 // one digit of one number
	changed := filepath.Join(t.TempDir(), "changed.json")
	if err := os.WriteFile(changed, text, 0o644); err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr := bethe(t, t.Context(), "verify", changed)
	if status != exitFailed || !strings.Contains(stdout, "beyond the limit") || !strings.Contains(stderr, changed) {
		t.Errorf("a changed file: status %d\n%s%s", status, stdout, stderr)
	}
	for _, engine := range []string{"bethe", "tap", "chains"} {
		v := object(t, "verify", oracle, "--estep", engine)
		e := v["max_relative_error"].(map[string]any)["correlation"].(float64)
		if v["engine"] != engine || !(e > 1e-8 && e < 0.6) {
			t.Errorf("%s: correlation off by %v", engine, e)
		}
	}
}

func TestPlanted(t *testing.T) {
	args := []string{"planted", "--visible", "40", "--hidden", "2", "--alpha", "6", "--instances", "2", "--restarts", "3", "--steps", "100", "--oracle", "--seed", "7"}
	v := object(t, args...)
	overlap, bayes := v["overlap"].(float64), v["bayes_overlap"].(float64)
	if overlap < bayes-0.1 || bayes < 0.5 || bayes > 1 || v["bayes_overlap_random_start"].(float64) > 1 || len(v["overlap_instances"].([]any)) != 2 {
		t.Errorf("report %v", v)
	}
	if _, there := v["bound_annealed_per_sample"]; there || !(v["seconds_learning"].(float64) > 0) {
		t.Errorf("report %v", v)
	}
	again := object(t, append(args, "--threads", "1")...)
	for _, key := range []string{"overlap", "bound_per_sample", "bayes_overlap", "bayes_overlap_random_start"} {
		if v[key] != again[key] {
			t.Errorf("%s: %v and, on one thread, %v", key, v[key], again[key])
		}
	}
	// The quenched term overstates the evidence.
	q := object(t, "planted", "--visible", "40", "--hidden", "2", "--alpha", "6", "--instances", "2", "--restarts", "2", "--steps", "60",
		"--partition", "quenched", "--rule", "clipped", "--rate", "0.1", "--draws", "16")
	if gap := q["bound_per_sample"].(float64) - q["bound_annealed_per_sample"].(float64); !(gap > 0 && gap < 1) {
		t.Errorf("the quenched bound is %v above the annealed one", gap)
	}
	// A machine too large for the exact engine goes through chains.
	c := object(t, "planted", "--visible", "30", "--hidden", "24", "--alpha", "2", "--instances", "1", "--restarts", "2", "--steps", "5", "--chains", "20")
	if b := c["bound_per_sample"].(float64); c["engine"] != "chains" || math.IsNaN(b) {
		t.Errorf("report %v", c)
	}
	_, text, _ := bethe(t, t.Context(), "planted", "--visible", "20", "--hidden", "2", "--alpha", "3", "--instances", "1", "--restarts", "1", "--steps", "10", "--oracle", "--quiet")
	for _, word := range []string{"overlap", "Bayes-optimal", "bound"} {
		if !strings.Contains(text, word) {
			t.Errorf("no %q in\n%s", word, text)
		}
	}
}

// small is a csv file of samples that train in no time.
func small(t *testing.T) string {
	t.Helper()
	var text strings.Builder
	for a := range 200 {
		for i := range 12 {
			if i > 0 {
				text.WriteByte(',')
			}
			bit := a >> (i % 3) & 1 // three bits, four times each, with noise
			if (a*7+i*5)%11 == 0 {
				bit ^= 1
			}
			text.WriteByte("01"[bit])
		}
		text.WriteByte('\n')
	}
	path := filepath.Join(t.TempDir(), "small.csv")
	if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
