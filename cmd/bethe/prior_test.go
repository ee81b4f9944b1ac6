package main

import (
	"path/filepath"
	"strings"
	"testing"

	"bethe/rbm"
)

// TestPrior: a run's posterior is the next run's prior, saved with its model,
// and a checkpoint of a run with another prior is refused.
func TestPrior(t *testing.T) {
	data, folder := small(t), t.TempDir()
	first, second := filepath.Join(folder, "first"), filepath.Join(folder, "second")
	common := []string{"train", "--data", data, "--hidden", "3", "--batch", "50", "--steps", "60", "--seed", "2"}
	object(t, append(common, "--out", first)...)
	model := filepath.Join(first, "model.npz")
	args := append(common, "--prior", model, "--prior-scale", "0.5", "--out", second)
	object(t, args...)
	a, err := rbm.Load(model)
	if err != nil {
		t.Fatal(err)
	}
	b, err := rbm.Load(filepath.Join(second, "model.npz"))
	if err != nil {
		t.Fatal(err)
	}
	prior := posteriorOf(a).AsPrior(0.5)
	if len(posteriorOf(b).PriorTheta) != len(prior) {
		t.Fatal("the model has no prior")
	}
	for k, v := range posteriorOf(b).PriorTheta {
		if d := v - prior[k]; d > 1e-4 || d < -1e-4 {
			t.Fatalf("prior of synapse %d: theta %v, not %v", k, v, prior[k])
		}
	}
	if status, _, stderr := bethe(t, t.Context(), append(args, "--resume", "--prior-scale", "0.6")...); status != exitUsage || !strings.Contains(stderr, "another run") {
		t.Errorf("another prior: status %d, %s", status, stderr)
	}
	// Teachers drawn from a prior are the easier to learn the more it says.
	planted := []string{"planted", "--visible", "12", "--hidden", "3", "--alpha", "3", "--instances", "12", "--restarts", "2", "--prior", model}
	if all, none := object(t, planted...)["overlap"].(float64), object(t, append(planted, "--prior-scale", "0")...)["overlap"].(float64); all <= none {
		t.Errorf("overlap %v with the prior, %v with none of it", all, none)
	}
	for words, want := range map[string]string{
		"train --data " + data + " --hidden 4 --prior " + model: "where the prior is of 12 x 4",
		"train --prior " + model + " --prior-scale 2":           "--prior-scale 2",
		"train --prior " + model + " --synapses sign":           "--prior is of --synapses binary",
		"planted --prior " + model + " --oracle":                "--prior with --oracle",
		"planted --prior " + model + " --tasks 2":               "--tasks goes with none",
		"planted --prior missing.npz":                           "missing.npz",
		"planted --tasks 0":                                     "--tasks 0",
		"planted --tasks 2 --task-correlation 3":                "--task-correlation 3",
	} {
		status, stdout, stderr := bethe(t, t.Context(), strings.Fields(words)...)
		if status == exitDone || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%s: status %d, %s", words, status, stderr)
		}
	}
}

func TestPlantedTasks(t *testing.T) {
	v := object(t, "planted", "--visible", "40", "--hidden", "2", "--alpha", "3", "--instances", "2", "--restarts", "2", "--tasks", "3", "--task-correlation", "1")
	tasks := v["tasks"].([]any)
	last := tasks[len(tasks)-1].(map[string]any)
	if len(tasks) != 3 || v["prior_scale"] != 1.0 || last["new_overlap"].(float64) <= last["new_overlap_without_prior"].(float64) {
		t.Errorf("report %v", v)
	}
	if _, there := tasks[0].(map[string]any)["old_overlap"]; there {
		t.Error("an old overlap after the first set")
	}
	_, text, _ := bethe(t, t.Context(), "planted", "--visible", "20", "--hidden", "2", "--alpha", "3", "--instances", "1", "--restarts", "1", "--tasks", "2", "--quiet")
	if !strings.Contains(text, "with prior") || strings.Count(text, "\n") != 6 || !strings.Contains(text, "fine-tuned") {
		t.Errorf("text:\n%s", text)
	}
}

// posteriorOf returns the posterior of a model file with binary synapses.
func posteriorOf(file *rbm.File) *rbm.Posterior[float32] {
	return file.Synapses.(rbm.Uncertain).Posterior()
}
