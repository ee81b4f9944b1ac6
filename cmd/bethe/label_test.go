package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bethe/runs"
)

// labelled writes data and two files of labels, the bit that units 0, 3, 6 and 9
// copy and its opposite.
func labelled(t *testing.T) (data, labels, others string) {
	t.Helper()
	data, folder := small(t), t.TempDir()
	var a, b strings.Builder
	for k := range strings.Split(strings.TrimSpace(string(read(t, data))), "\n") {
		a.WriteString(string(rune('0'+k&1)) + "\n")
		b.WriteString(string(rune('1'-k&1)) + "\n")
	}
	labels, others = filepath.Join(folder, "labels.csv"), filepath.Join(folder, "others.csv")
	for path, text := range map[string]string{labels: a.String(), others: b.String()} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return data, labels, others
}

// TestLabelWeight: labels change the learned machine only if they have a weight. Their
// errors are recorded. A resumed run goes on with the same labels and no others.
func TestLabelWeight(t *testing.T) {
	data, labels, others := labelled(t)
	train := func(more ...string) string {
		out := filepath.Join(t.TempDir(), "run")
		object(t, append([]string{"train", "--data", data, "--hidden", "4", "--steps", "60", "--batch", "50", "--measure-every", "1", "--out", out}, more...)...)
		return out
	}
	model := func(out string) []byte { return read(t, filepath.Join(out, runs.ModelFile)) }
	without, unread, with := train(), train("--labels", labels), train("--labels", labels, "--label-weight", "5")
	if !bytes.Equal(model(without), model(unread)) {
		t.Error("labels without a weight change the model")
	}
	all := records(t, with)
	last := all[len(all)-1].Labels
	if all[0].Labels != nil || all[1].Labels == nil || last == nil || !(last.Error < 0.3 && last.Loss > 0 && last.Loss < all[1].Labels.Loss) {
		t.Errorf("labels at first %+v, at the end %+v", all[1].Labels, last)
	}
	if records(t, without)[1].Labels != nil {
		t.Error("a record of labels that are not learned")
	}
	for _, wrong := range []struct{ args, want string }{
		{"--label-weight 5", "has no labels: name their column with --label-column, or their file with --labels"},
		{"--label-weight -1 --labels " + labels, "must not be negative"},
		{"--label-weight Inf --labels " + labels, "finite"},
	} {
		status, _, stderr := bethe(t, t.Context(), append([]string{"train", "--data", data, "--hidden", "4", "--steps", "9", "--out", t.TempDir()}, strings.Fields(wrong.args)...)...)
		if status != exitUsage || !strings.Contains(stderr, wrong.want) {
			t.Errorf("%s: status %d, %s", wrong.args, status, stderr)
		}
	}
	same := filepath.Join(t.TempDir(), "same.csv")
	if err := os.WriteFile(same, []byte(strings.Repeat("3\n", len(strings.Split(strings.TrimSpace(string(read(t, data))), "\n")))), 0o644); err != nil {
		t.Fatal(err)
	}
	status, _, stderr := bethe(t, t.Context(), "train", "--data", data, "--labels", same, "--label-weight", "1", "--steps", "9", "--out", t.TempDir())
	if status != exitUsage || !strings.Contains(stderr, "are all 3") {
		t.Errorf("one class: status %d, %s", status, stderr)
	}
	if a, b := settingsOf(t, with), settingsOf(t, train("--labels", others, "--label-weight", "5")); a["label_weight"] != 5.0 || a["labels_hash"] == b["labels_hash"] {
		t.Errorf("settings %v and %v", a, b)
	}
}

func settingsOf(t *testing.T, out string) map[string]any {
	t.Helper()
	info, err := runs.ReadInfo(out)
	if err != nil {
		t.Fatal(err)
	}
	return info.Settings
}
