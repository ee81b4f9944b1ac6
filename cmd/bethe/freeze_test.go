package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"bethe/internal/kernel"
	"bethe/runs"
)

// The frozen runs leave the bytes that testdata/frozen.txt has the hashes of: one line for each array, "case array tier sha256".
// The first hashes were those of revision f72f518; a change that meant to change results wrote its own since.
// The tier is "any" if all kernel tiers give the same bytes. Else it names the tier that adds float32 products in the same order (kernel.Sums).
//
// A change that must not change results leaves the file as it is. A change that does change
// them says so in CHANGELOG.md and writes the file again, once with each tier of the machine:
//
//	BETHE_KERNEL=avx2 go test ./cmd/bethe -run TestFrozen -update-frozen
//
// The golden files have another flag, -update: a changed word of help must not freeze
// changed results by the way.
//
// The hashes are those of amd64: on other processors the compiler rounds x*y + z once, and
// the exponential of the standard library has other last bits.

// frozenData is 211 samples of 37 units and a label, drawn once: one of three prototypes,
// which is the label, each unit flipped with probability 0.1.
const frozenData = "data.csv"

// A frozenRun is a command whose results are frozen.
type frozenRun struct {
	name  string
	words string
	// tiers: sums of products in float32 enter, whose order is that of the tier.
	tiers bool
	needs string // the run whose folder the words name
}

// Words that many frozen runs share. The sizes are no multiples of 8 and 30, so that ends of
// rows and blocks count.
const (
	frozenBeta  = " --momentum 0.9 --field-momentum 0.9 --probe 0" // the defaults of then
	frozenSet   = "--data data.csv --label-column 38"
	frozenTrain = "train " + frozenSet + " --hidden 13 --batch 50 --steps 60 --seed 5" + frozenBeta
	frozenChain = frozenTrain + " --estep chains --chains 23"
	frozenPlain = " --no-fields --no-centre --fixed-coupling"
)

var frozenTrains = []frozenRun{
	{name: "centred", words: frozenChain},
	{name: "plain", words: frozenChain + frozenPlain},
	{name: "default", words: "train " + frozenSet + " --hidden 9 --steps 60" + frozenBeta, tiers: true},
	{name: "exact", words: frozenTrain + " --hidden 9 --estep exact"},
	{name: "plain-exact", words: frozenTrain + " --hidden 9 --estep exact" + frozenPlain},
	{name: "wide", words: frozenChain + " --hidden 43"},
	{name: "digits", words: "train --data mnist:train:0-699 --hidden 75 --batch 130 --chains 70 --steps 60 --seed 5" + frozenBeta}, // more than a block of each
	{name: "digits-plain", words: "train --data mnist:train:0-699 --hidden 43 --batch 130 --estep chains --chains 70 --steps 60 --seed 5" + frozenBeta + frozenPlain},
	{name: "scouts", words: frozenChain + " --sweeps 2 --scouts 5"},
	{name: "restarts", words: frozenChain + " --restarts 2"},
	{name: "prior", words: frozenChain + " --prior centred/model.npz --prior-scale 0.5", needs: "centred"},
	{name: "prior-strength", words: frozenChain + " --prior-strength 0.3 --fall geometric --coupling-rate 0.05"},
	{name: "cosine", words: frozenChain + " --fall cosine --warmup 0.2 --average 0.5 --final-sweeps 3"},
	{name: "init", words: frozenChain + " --init centred/model.npz", needs: "centred"},
	{name: "settle-0", words: frozenChain + " --settle 0"},
	{name: "undecided-sign", words: frozenChain + " --settle 0 --undecided sign"},
	{name: "bayes", words: strings.Replace(frozenChain, "--momentum 0.9", "", 1) + " --rule bayes --rate 0.1"},
	{name: "momentum", words: frozenChain + " --momentum 0 --theta-decay 0"},
	{name: "theta-decay", words: frozenChain + " --momentum 0 --field-momentum 0 --theta-decay 0.4 --rate 0.1 --rare 0.2"},
	{name: "clipped", words: frozenChain + " --rule clipped"},
	{name: "sampled", words: frozenChain + " --synapses sampled"},
	{name: "sign", words: frozenChain + " --synapses sign"},
	{name: "real", words: frozenChain + " --synapses real --decay 0.001", tiers: true},
	{name: "real-init", words: frozenChain + " --synapses real --init centred/model.npz", tiers: true, needs: "centred"},
	{name: "labels", words: frozenChain + " --label-weight 5", tiers: true},
	{name: "quenched", words: frozenTrain + " --hidden 5 --estep exact --partition quenched --draws 4" + frozenPlain},
	{name: "bethe", words: frozenTrain + " --hidden 5 --estep bethe"},
	{name: "tap", words: frozenTrain + " --hidden 5 --estep tap --chains 5", tiers: true},
}

// Runs that print or write something other than a model. The file that
// a run ends with, by arrays if it is an archive, is frozen beside what the run prints.
var frozenUses = []frozenRun{
	{name: "planted", words: "planted --visible 37 --hidden 3 --alpha 2 --instances 2 --restarts 2 --steps 60", tiers: true},
	{name: "planted-quenched", words: "planted --visible 37 --hidden 2 --correlation 0.3 --alpha 2 --instances 1 --restarts 2 --steps 60 --partition quenched --draws 4 --rule clipped --rate 0.1", tiers: true},
	{name: "planted-chains", words: "planted --visible 37 --hidden 19 --alpha 2 --instances 1 --restarts 2 --steps 20 --estep chains --chains 23", tiers: true},
	{name: "planted-oracle", words: "planted --visible 21 --hidden 2 --alpha 2 --instances 1 --restarts 1 --steps 60 --oracle", tiers: true},
	{name: "planted-tasks", words: "planted --visible 37 --hidden 2 --alpha 2 --instances 1 --restarts 1 --steps 60 --tasks 2", tiers: true},
	{name: "planted-prior", words: "planted --visible 37 --hidden 5 --alpha 2 --instances 1 --restarts 1 --steps 60 --prior bethe/model.npz --prior-scale 0.5", tiers: true, needs: "bethe"},
	{name: "planted-trace", words: "planted --visible 37 --hidden 2 --alpha 2 --instances 1 --restarts 1 --steps 20 --trace trace.csv", tiers: true},
	{name: "infer", words: "infer --visible 37 --alpha 1,3 --instances 1"},
	{name: "infer-two", words: "infer --visible 21 --hidden 2 --correlation 0.3 --alpha 2 --instances 1 --restarts 2"},
	{name: "reproduce", words: "reproduce mnist --steps 1 --samples 31 --hidden 4 -o figures", tiers: true},
	{name: "eval-exact", words: "eval centred/model.npz --draws 3 " + frozenSet, needs: "centred"},
	{name: "eval-annealed", words: "eval wide/model.npz --ais-steps 40 --ais-chains 7 --equilibration 80 " + frozenSet, tiers: true, needs: "wide"},
	{name: "eval-real", words: "eval real/model.npz " + frozenSet, tiers: true, needs: "real"},
	{name: "sample", words: "sample centred/model.npz -n 23 --sweeps 20 --clamp 0-3,7 --from data.csv:4 --label-column 38 -o sample.npz", needs: "centred"},
	{name: "sample-tempered", words: "sample centred/model.npz -n 23 --sweeps 20 --tempered -o sample-tempered.npz", needs: "centred"},
	{name: "sample-integers", words: "sample centred/model.npz -n 3 --sweeps 20 --integers -o sample-integers.npz", needs: "centred"},
	{name: "sample-real", words: "sample real/model.npz -n 23 --sweeps 20 -o sample-real.npz", tiers: true, needs: "real"},
	{name: "complete", words: "complete centred/model.npz --from data.csv:0-22 --label-column 38 --clamp 0-9 -n 3 --sweeps 20 -o complete.npz", needs: "centred"},
	{name: "denoise", words: "denoise centred/model.npz " + frozenSet + " --sweeps 20 -o denoise.npz", needs: "centred"},
	{name: "features", words: "features centred/model.npz " + frozenSet + " --classifier --raw --test data.csv -o features.npy", tiers: true, needs: "centred"},
}

// frozenGrid is a sweep whose table is frozen.
const frozenGrid = `visible = 37
hidden = [1, 2]
alpha = [2, 3.5]
beta = 1
instances = 1
restarts = 2
seed = [1, 2]
`

// frozenHashes are lines of the file: case and array, then tier, then hash.
type frozenHashes map[[2]string]map[string]string

const anyTier = "any"

var updateFrozen = flag.Bool("update-frozen", false, "freeze what the runs leave now, for this kernel tier")

func readFrozen(t *testing.T, path string) frozenHashes {
	t.Helper()
	h := frozenHashes{}
	for k, line := range strings.Split(strings.TrimSpace(string(read(t, path))), "\n") {
		w := strings.Fields(line)
		if strings.HasPrefix(line, "#") {
			continue
		}
		if len(w) != 4 || len(w[3]) != 2*sha256.Size {
			t.Fatalf("%s, line %d: not a case, an array, a tier and a SHA-256: %q", path, k+1, line)
		}
		h.set(w[0], w[1], w[2], w[3])
	}
	return h
}

func (h frozenHashes) set(name, array, tier, sum string) {
	key := [2]string{name, array}
	if h[key] == nil {
		h[key] = map[string]string{}
	}
	h[key][tier] = sum
}

func (h frozenHashes) text() string {
	var lines []string
	for key, sums := range h {
		for tier, sum := range sums {
			lines = append(lines, strings.Join([]string{key[0], key[1], tier, sum}, " ")+"\n")
		}
	}
	slices.Sort(lines)
	return "# case array tier sha256: see freeze_test.go\n" + strings.Join(lines, "")
}

// A freezer compares what commands leave with the file.
type freezer struct {
	file frozenHashes
	tier string
	done map[string]map[string][]byte // what each run so far left: its arrays by name
}

// compare holds the arrays of a case against the file, or puts them there.
func (f *freezer) compare(t *testing.T, name string, tiers bool, got map[string][]byte) {
	t.Helper()
	if len(got) == 0 {
		t.Fatalf("%s left nothing", name)
	}
	for key, sums := range f.file {
		if key[0] == name && got[key[1]] == nil {
			if *updateFrozen {
				delete(f.file, key)
			} else {
				t.Errorf("%s has no %s any more (frozen for %v)", name, key[1], slices.Sorted(maps.Keys(sums)))
			}
		}
	}
	for _, array := range slices.Sorted(maps.Keys(got)) {
		tier := anyTier
		if tiers && !strings.HasSuffix(array, metaArray) { // what a run is of has no products in it
			tier = f.tier
		}
		sum := fmt.Sprintf("%x", sha256.Sum256(got[array]))
		want, there := f.file[[2]string{name, array}][tier]
		switch {
		case *updateFrozen:
			f.file.set(name, array, tier, sum)
		case !there:
			t.Errorf("%s %s: no frozen hash for tier %s: once the tiers that have one pass, write it: BETHE_KERNEL=%s go test ./cmd/bethe -run TestFrozen -update-frozen", name, array, tier, f.tier)
		case sum != want:
			t.Errorf("%s %s %s: hash %.12s, frozen %.12s", name, array, tier, sum, want)
			if strings.HasSuffix(array, metaArray) || array == stdoutArray {
				t.Logf("%.1000s", got[array])
			}
		}
	}
}

const (
	metaArray   = "meta.json"
	stdoutArray = "stdout"
)

// members returns the files in an archive, each as .npy or plain bytes.
func members(t *testing.T, path string) map[string][]byte {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	all := map[string][]byte{}
	for _, m := range z.File {
		r, err := m.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Close()
		all[strings.TrimSuffix(m.Name, ".npy")] = content
	}
	return all
}

// Parts of output that are no results: times, and the name of the program.
var (
	programPart = regexp.MustCompile(`"program":"[^"]*",?`)
	elapsedPart = regexp.MustCompile(`"elapsed_ns":\d+,?`)
	secondsPart = regexp.MustCompile(`("seconds[a-z_]*":\s*)[-+0-9.e]+`)
)

// frozenArrays returns what a run of train left in a folder: the arrays of model and
// checkpoints, and their meta.json less the program and the time.
func frozenArrays(t *testing.T, folder string) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.npz"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, path := range files {
		for name, content := range members(t, path) {
			if name == metaArray {
				content = elapsedPart.ReplaceAll(programPart.ReplaceAll(content, nil), nil)
			}
			all[strings.TrimSuffix(filepath.Base(path), ".npz")+"/"+name] = content
		}
	}
	return all
}

// must runs a command that must succeed, and returns its standard output.
func must(t *testing.T, words string) string {
	t.Helper()
	status, stdout, stderr := bethe(t, t.Context(), strings.Fields(words)...)
	if status != exitDone {
		t.Fatalf("bethe %s: status %d\n%s", words, status, stderr)
	}
	return stdout
}

// train does a run of train and the runs that it needs, unless they are done already.
func (f *freezer) train(t *testing.T, name string) map[string][]byte {
	t.Helper()
	if name == "" || f.done[name] != nil {
		return f.done[name]
	}
	r := frozenTrains[slices.IndexFunc(frozenTrains, func(r frozenRun) bool { return r.name == name })]
	f.train(t, r.needs)
	must(t, r.words+" --quiet --out "+name)
	f.done[name] = frozenArrays(t, name)
	return f.done[name]
}

// writtenTo finds the file that a command is told to write.
var writtenTo = regexp.MustCompile(`(?:-o|--trace) (\S+\.\S+)$`)

// use runs another command with --json, and returns its standard output and its file.
func (f *freezer) use(t *testing.T, r frozenRun) map[string][]byte {
	t.Helper()
	f.train(t, r.needs)
	got := map[string][]byte{stdoutArray: laterKeys.ReplaceAll(secondsPart.ReplaceAll([]byte(must(t, r.words+" --json --quiet")), []byte("${1}0")), nil)}
	written := writtenTo.FindStringSubmatch(r.words)
	switch {
	case written == nil:
	case filepath.Ext(written[1]) == ".npz":
		for array, content := range members(t, written[1]) {
			got[array] = content
		}
	default:
		got[written[1]] = read(t, written[1])
	}
	return got
}

// laterKeys finds the JSON keys that commands print since revision f72f518, with their values. They are cut out; the
// rest is frozen.
var laterKeys = regexp.MustCompile(`(?m)^ *"(bar|bar_interval|best|crooks_slope|crooks_slope_error|crooks_slope_deviations|forgetting\w*|\w+_fine_tuned)": (\[[^]]*\]|[^,\n]*),?\n`)

// newFreezer goes to a folder of the test that holds the data.
func newFreezer(t *testing.T) (f *freezer, testdata string) {
	t.Helper()
	if runtime.GOARCH != "amd64" {
		t.Skipf("NOT TESTED: the frozen hashes are those of amd64, and this is %s", runtime.GOARCH)
	}
	testdata, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	f = &freezer{file: readFrozen(t, filepath.Join(testdata, "frozen.txt")), tier: kernel.Sums(), done: map[string]map[string][]byte{}}
	data := read(t, filepath.Join(testdata, "frozen", frozenData))
	t.Chdir(t.TempDir()) // so that names of files, which enter settings, have no folder of this machine in them
	if err := os.WriteFile(frozenData, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return f, testdata
}

// TestFrozen: commands leave the bytes that testdata/frozen.txt has the hashes of.
func TestFrozen(t *testing.T) {
	f, testdata := newFreezer(t)
	known := map[string]bool{"sweep": true}
	for _, r := range frozenTrains {
		known[r.name] = true
		t.Run(r.name, func(t *testing.T) { f.compare(t, r.name, r.tiers, f.train(t, r.name)) })
	}
	for _, r := range frozenUses {
		known[r.name] = true
		t.Run(r.name, func(t *testing.T) { f.compare(t, r.name, r.tiers, f.use(t, r)) })
	}
	t.Run("sweep", func(t *testing.T) {
		if err := os.WriteFile("grid.toml", []byte(frozenGrid), 0o644); err != nil {
			t.Fatal(err)
		}
		must(t, "sweep init grid.toml -o pd --quiet")
		must(t, "sweep run pd --quiet")
		must(t, "sweep collect pd --quiet")
		f.compare(t, "sweep", true, map[string][]byte{"table.csv": read(t, filepath.Join("pd", "table.csv"))})
	})
	for key := range f.file {
		if known[key[0]] {
			continue
		}
		if *updateFrozen {
			delete(f.file, key)
		} else {
			t.Errorf("frozen.txt has a case %q that no test has", key[0])
		}
	}
	if *updateFrozen && !t.Failed() {
		if err := os.WriteFile(filepath.Join(testdata, "frozen.txt"), []byte(f.file.text()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFrozenResume: a checkpoint that the program of revision f72f518 wrote after 30 of 60
// steps goes on to the frozen arrays of the run that was never stopped.
func TestFrozenResume(t *testing.T) {
	f, testdata := newFreezer(t)
	for _, name := range []string{"centred", "plain"} {
		if err := os.CopyFS(name, os.DirFS(filepath.Join(testdata, "frozen", name))); err != nil {
			t.Fatal(err)
		}
		if before := members(t, filepath.Join(name, runs.CheckpointFile)); !bytes.Contains(before[metaArray], []byte(`"step":30,`)) {
			t.Fatalf("%s: a checkpoint of another step: %s", name, before[metaArray])
		}
		r := frozenTrains[slices.IndexFunc(frozenTrains, func(r frozenRun) bool { return r.name == name })]
		status, _, stderr := bethe(t, t.Context(), strings.Fields(r.words+" --resume --out "+name)...)
		if status != exitDone || !strings.Contains(stderr, "going on after step 30") {
			t.Fatalf("%s: status %d\n%s", name, status, stderr)
		}
		if !*updateFrozen { // TestFrozen writes the file
			f.compare(t, name, r.tiers, frozenArrays(t, name))
		}
	}
}

// Settings that 0.2.0 wrote into every model and label, and those that it wrote where their
// flag was given.
var (
	settingsOf020 = strings.Fields("synapses decay prior_strength hidden beta epochs steps time batch rule restarts rate fall final_rate warmup average " +
		"settle max_theta coupling_rate final_sweeps estep partition chains sweeps draws scouts centre fields learn_coupling undecided")
	settingsOfFlags = map[string][]string{
		"--prior": {"prior", "prior_scale", "prior_hash"}, "--init": {"init", "init_hash"}, "--label-weight": {"label_weight", "labels_hash"},
	}
	labelOf020 = strings.Fields("data threshold binarise samples visible hash seed settings")
)

// TestSettingsOf020: a setting enters the model's meta.json and the checkpoint's label only
// where it differs from what 0.2.0 did. Any other setting would keep runs of 0.2.0 from being
// resumed and give their models other bytes.
func TestSettingsOf020(t *testing.T) {
	f := &freezer{done: map[string]map[string][]byte{}}
	data := read(t, filepath.Join("testdata", "frozen", frozenData))
	t.Chdir(t.TempDir())
	if err := os.WriteFile(frozenData, data, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"default", "prior", "real-init", "labels"} {
		r := frozenTrains[slices.IndexFunc(frozenTrains, func(r frozenRun) bool { return r.name == name })]
		want := slices.Clone(settingsOf020)
		for flag, more := range settingsOfFlags {
			if slices.Contains(strings.Fields(r.words), flag) {
				want = append(want, more...)
			}
		}
		slices.Sort(want)
		all := f.train(t, name)
		var model struct{ Settings map[string]any }
		var checkpoint struct{ Label string }
		var label map[string]any
		if err := errors.Join(json.Unmarshal(all["model/"+metaArray], &model), json.Unmarshal(all["checkpoint/"+metaArray], &checkpoint),
			json.Unmarshal([]byte(checkpoint.Label), &label)); err != nil {
			t.Fatal(err)
		}
		settings, _ := label["settings"].(map[string]any)
		for where, got := range map[string]map[string]any{"model": model.Settings, "label": settings} {
			if keys := slices.Sorted(maps.Keys(got)); !slices.Equal(keys, want) {
				t.Errorf("%s, %s: settings\n%v\n0.2.0 wrote\n%v", name, where, keys, want)
			}
		}
		if keys := slices.Sorted(maps.Keys(label)); !slices.Equal(keys, slices.Sorted(slices.Values(labelOf020))) {
			t.Errorf("%s: the label has %v, that of 0.2.0 %v", name, keys, labelOf020)
		}
	}
}
