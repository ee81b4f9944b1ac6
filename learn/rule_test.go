package learn_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bethe/hyperadam"
	"bethe/learn"
	"bethe/runs"
)

// TestRuleWeights: the sum of a rule is in the settings; that of this build and of a file can differ, and a recipe that
// has the sum of another rule is refused.
func TestRuleWeights(t *testing.T) {
	hash := func(recipe learn.Recipe) (string, error) {
		run, err := learn.Start(recipe, learn.Job{Data: labelled()})
		if err != nil {
			return "", err
		}
		return run.Recipe().RuleHash, run.Close()
	}
	recipe := quick(`, "rule": "hyperadam"`)
	shipped, err := hash(recipe)
	if err != nil || shipped != hyperadam.Shipped().Hash() {
		t.Errorf("sum %q, %v", shipped, err)
	}
	path := filepath.Join(t.TempDir(), "rule.npz")
	if err := (&hyperadam.File{}).Save(path); err != nil {
		t.Fatal(err)
	}
	recipe.RuleWeights = path
	other, err := hash(recipe)
	if err != nil || other == shipped || other != (&hyperadam.Weights{}).Hash() {
		t.Errorf("sum %q, %v", other, err)
	}
	recipe.RuleHash = shipped
	var wrong *learn.SettingError
	if _, err := hash(recipe); !errors.As(err, &wrong) || wrong.Setting != "rule_weights" || !strings.Contains(err.Error(), path) {
		t.Errorf("another rule: %v", err)
	}
	recipe.RuleWeights, recipe.RuleHash = path+"x", ""
	if _, err := hash(recipe); err == nil || !strings.Contains(err.Error(), path+"x") {
		t.Errorf("no file: %v", err)
	}
	if sum, err := hash(quick("")); err != nil || sum != "" {
		t.Errorf("adam has the sum %q, %v", sum, err)
	}
	if _, err := learn.Rule("hyperadam"); !errors.As(err, &wrong) {
		t.Errorf("a rule without its weights: %v", err)
	}
}

// TestRuleMoved: a run goes on if the weights of its rule lie in another file now, and not if they are others.
func TestRuleMoved(t *testing.T) {
	folder := t.TempDir()
	at := func(name string, w hyperadam.Weights) string {
		path := filepath.Join(folder, name)
		if err := (&hyperadam.File{Weights: w}).Save(path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	learning := func(path string, resume bool) error {
		recipe := quick(`, "rule": "hyperadam"`)
		recipe.RuleWeights = path
		run, err := learn.Start(recipe, learn.Job{Data: labelled(), Folder: filepath.Join(folder, "run"), Resume: resume})
		if err != nil {
			return err
		}
		_, err = run.Run(t.Context())
		return errors.Join(err, run.Close())
	}
	if err := learning(at("one.npz", *hyperadam.Shipped()), false); err != nil {
		t.Fatal(err)
	}
	if err := learning(at("two.npz", *hyperadam.Shipped()), true); err != nil {
		t.Errorf("the same weights in another file: %v", err)
	}
	if err := os.Remove(filepath.Join(folder, "run", runs.ResultFile)); err != nil {
		t.Fatal(err)
	}
	if err := learning(at("three.npz", *hyperadam.Shipped()), true); err != nil {
		t.Errorf("the same weights in another file, by the checkpoint: %v", err)
	}
	if err := learning(at("four.npz", hyperadam.Weights{}), true); err == nil {
		t.Error("other weights go on")
	}
}
