package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// eval sets models that people know beside machines of real numbers and of colours, and tells the bounds of groups.
func TestEvalBaselines(t *testing.T) {
	folder := t.TempDir()
	rng := rand.New(rand.NewPCG(1, 2))
	write := func(name string, cell func(z, k int) string) string {
		var b strings.Builder
		for range 80 {
			z := rng.IntN(2)
			for k := range 4 {
				fmt.Fprintf(&b, "%s%c", cell(z, k), ",,,\n"[k])
			}
		}
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	number := func(z, _ int) string { return fmt.Sprintf("%g", float64(z)+0.3*rng.NormFloat64()) }
	colour := func(z, _ int) string { return fmt.Sprint(z + rng.IntN(2)) }
	for _, c := range []struct {
		kind  string
		cell  func(z, k int) string
		flags string
		want  []string
	}{
		{"gauss", number, "--units gauss --hidden 1", []string{"independent units", "full covariance", "mixture of diagonal Gaussians"}},
		{"potts", colour, "--units potts:3 --hidden-units group:2 --hidden 1", []string{"independent units", "all pairs, by pseudolikelihood", "this machine"}},
	} {
		train, test := write(c.kind+"-train.csv", c.cell), write(c.kind+"-test.csv", c.cell)
		out := filepath.Join(folder, c.kind)
		object(t, append(strings.Fields("train --steps 20 --data "+train+" --out "+out), strings.Fields(c.flags)...)...)
		v := object(t, "eval", out, "--data", test, "--baselines", train)
		var names []string
		for _, s := range v["baselines"].([]any) {
			names = append(names, s.(map[string]any)["model"].(string))
		}
		if fmt.Sprint(names) != fmt.Sprint(c.want) || v["baselines_fitted_to"] != train || (v["group_bounds"] != nil) != (c.kind == "potts") {
			t.Errorf("%s: %v, %v", c.kind, names, v["group_bounds"])
		}
		if status, stdout, _ := bethe(t, t.Context(), "eval", out, "--data", test, "--baselines", train); status != 0 || !strings.Contains(stdout, "other models, fitted to "+train) {
			t.Errorf("%s: status %d, %s", c.kind, status, stdout)
		}
	}
}
