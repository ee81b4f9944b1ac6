package learn

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"bethe/internal/npy"
	"bethe/runs"
)

// differences names what two labels of runs differ in, with the values of both.
func differences(saved, here string) string {
	a, okA := flat(saved)
	b, okB := flat(here)
	if !okA || !okB {
		return fmt.Sprintf("it is of %s, this is %s", saved, here)
	}
	all := maps.Clone(a)
	maps.Copy(all, b)
	var text []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if was, is := a[name], b[name]; was != is {
			text = append(text, fmt.Sprintf("%s was %s and is %s", orName(name), orNone(was), orNone(is)))
		}
	}
	return strings.Join(text, ", ")
}

// contents maps a setting that names a file to the setting that holds the file's sum.
var contents = map[string]string{"rule_weights": "rule_hash", "init": "init_hash", "prior": "prior_hash"}

// sameContents reports whether two labels are of runs that differ in the names of files of equal contents
// at most.
func sameContents(saved, here string) bool {
	a, okA := flat(saved)
	b, okB := flat(here)
	if !okA || !okB {
		return false
	}
	for name, sum := range contents {
		if a[sum] != "" && a[sum] == b[sum] {
			delete(a, name)
			delete(b, name)
		}
	}
	return maps.Equal(a, b)
}

// adopt takes the label of the run that is resumed, if only files have other names now.
func (f *folder) adopt() {
	if r := &f.recipe; !f.job.Resume || r.RuleHash == "" && r.InitHash == "" && r.PriorHash == "" {
		return
	}
	var result savedResult
	if text, err := os.ReadFile(f.in(runs.ResultFile)); err == nil && json.Unmarshal(text, &result) == nil && sameContents(string(result.Label), f.label) {
		f.label = string(result.Label)
	} else if saved := labelOf(checkpointPath(f.path, &f.recipe, 0)); sameContents(saved, f.label) {
		f.label = saved
	}
}

// orName returns what a name in a label means, if it is no setting.
func orName(name string) string {
	switch name {
	case "hash":
		return "the content of the data (its sum)"
	case "validation_hash":
		return "the content of the validation data (its sum)"
	}
	return name
}

func orNone(value string) string {
	if value == "" {
		return "not set"
	}
	return value
}

// flat returns what a label says, settings beside the rest, as JSON texts.
func flat(label string) (map[string]string, bool) {
	var all, settings map[string]json.RawMessage
	if json.Unmarshal([]byte(label), &all) != nil || json.Unmarshal(all["settings"], &settings) != nil {
		return nil, false
	}
	delete(all, "settings")
	maps.Copy(settings, all)
	texts := map[string]string{}
	for name, value := range settings {
		texts[name] = string(bytes.TrimSpace(value))
	}
	return texts, true
}

// maxCheckpointBytes limits a checkpoint whose label is looked at.
const maxCheckpointBytes = 4 << 30

// A checkpointInfo is what a checkpoint says of itself.
type checkpointInfo struct {
	Label string `json:"label"`
	Step  int    `json:"step"`
}

// checkpointMeta returns what a checkpoint says of itself, nothing if it is none: reading it as a checkpoint
// tells better.
func checkpointMeta(path string) (meta checkpointInfo) {
	archive, err := npy.ReadArchive(path, maxCheckpointBytes)
	if err != nil {
		return checkpointInfo{}
	}
	text, err := archive.Bytes("meta.json")
	if err != nil || json.Unmarshal(text, &meta) != nil {
		return checkpointInfo{}
	}
	return meta
}

// labelOf returns the label of a checkpoint, "" if it is none.
func labelOf(path string) string { return checkpointMeta(path).Label }

// ofAnotherRun returns the error of a checkpoint with another label, nil if it has
// this one or is none.
func ofAnotherRun(path, label string) error {
	saved := labelOf(path)
	if saved == "" || saved == label {
		return nil
	}
	return fmt.Errorf("%s: a checkpoint of another run: %s\nresume with the settings it was made with, or choose another folder", path, differences(saved, label))
}
