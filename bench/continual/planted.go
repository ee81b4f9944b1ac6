package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"bethe/figure"
	"bethe/infer"
	"bethe/trial"
)

// Teachers: how many, and the seeds of two sets. Strengths are chosen with one set, and results are of the other.
const (
	teachers = 10
	restarts = 2
	held     = 107
	reported = 7
)

// strengths that a prior is tried with.
var strengths = []float64{0.5, 1, 1.5, 2}

// pair learns two sets.
func pair(bethe string, visible, hidden int, alpha2, correlation, strength float64, seed int) (*trial.TasksReport, error) {
	var r trial.TasksReport
	args := fmt.Sprintf("planted --visible %d --hidden %d --alpha 5 --task-alpha %v --tasks 2 --task-correlation %v --prior-scale 1 --prior-strength %v --instances %d --restarts %d --seed %d --json --quiet",
		visible, hidden, alpha2, correlation, strength, teachers, restarts, seed)
	return &r, object(&r, bethe, strings.Fields(args))
}

// planted prints a line for each kind of pairs of teachers, with the strength that is best for held-out teachers, and draws overlaps against it.
func planted(bethe, folder string) error {
	fmt.Printf("`bethe planted --visible 200 --alpha 5 --tasks 2 --prior-scale 1 --instances %d --restarts %d --seed %d`; the strength is the one that forgets least, with seed %d, of those with which the mean of both overlaps at the end is at least that of fine-tuning\n\n", teachers, restarts, reported, held)
	fmt.Println("| hidden | alpha of the second set | overlap of teachers | strength | first, just after it | first at the end | second | forgetting | fine-tuned | share | N = ∞: first, second |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|---|---|")
	for _, hidden := range []int{1, 3} {
		for _, alpha2 := range []float64{1, 5} {
			for _, correlation := range []float64{-0.5, 0, 0.5, 0.9} {
				if hidden > 1 && (alpha2 != 5 || correlation < 0.5) {
					continue
				}
				least, chosen := math.Inf(1), strengths[0]
				for _, s := range strengths {
					r, err := pair(bethe, 200, hidden, alpha2, correlation, s, held)
					if err != nil {
						return err
					}
					if after := r.Tasks[1]; after.New+after.First >= after.NewTuned+after.FirstTuned && *r.Forgetting < least {
						least, chosen = *r.Forgetting, s
					}
				}
				if err := line(bethe, hidden, alpha2, correlation, chosen); err != nil {
					return err
				}
			}
		}
	}
	fmt.Println()
	return draw(bethe, folder)
}

// line prints a line of reported teachers.
func line(bethe string, hidden int, alpha2, correlation, strength float64) error {
	r, err := pair(bethe, 200, hidden, alpha2, correlation, strength, reported)
	if err != nil {
		return err
	}
	limit := ""
	if hidden == 1 {
		l := infer.Sequel{First: 5, Second: alpha2, Beta: 1, Correlation: correlation, Scale: 1, Strength: strength}.Limit()
		limit = fmt.Sprintf("%.3f, %.3f", l.Old, l.New)
	}
	fmt.Printf("| %d | %v | %v | %v | %.3f | %.3f | %.3f | %.3f | %.3f | %.2f | %s |\n", hidden, alpha2, correlation, strength, r.Tasks[0].First, r.Tasks[1].First, r.Tasks[1].New,
		*r.Forgetting, *r.ForgettingTuned, *r.Forgetting / *r.ForgettingTuned, limit)
	return nil
}

// draw draws overlaps against the strength, of teachers that overlap by a half, beside those of infinitely many units.
func draw(bethe, folder string) error {
	var x, old, fresh, fine, oldLimit, newLimit []float64
	for _, s := range []float64{0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4} {
		r, err := pair(bethe, 400, 1, 5, 0.5, s, reported)
		if err != nil {
			return err
		}
		x, old, fresh = append(x, s), append(old, r.Tasks[1].First), append(fresh, r.Tasks[1].New)
	}
	for k := range 80 {
		s := 0.1 + 3.9*float64(k)/79
		l := infer.Sequel{First: 5, Second: 5, Beta: 1, Correlation: 0.5, Scale: 1, Strength: s}.Limit()
		fine, oldLimit, newLimit = append(fine, s), append(oldLimit, l.Old), append(newLimit, l.New)
	}
	files, err := figure.Save(folder+"/planted", &figure.Curves{
		Title: "Two teachers that overlap by a half", Note: "one hidden unit, α = 5 and 5, the posterior of the first set is the prior of the second; points: N = 400, ten pairs; lines: N = ∞",
		X: figure.Axis{Label: "strength of the prior"}, Y: figure.Axis{Label: "overlap at the end", Min: 0, Max: 1},
		Series: []figure.Series{{Name: "first teacher", X: x, Y: old, Points: true, Colour: 1}, {Name: "second teacher", X: x, Y: fresh, Points: true, Colour: 2},
			{X: fine, Y: oldLimit, Colour: 1}, {X: fine, Y: newLimit, Colour: 2}},
	})
	if err == nil {
		fmt.Printf("%s (lines from %s to %s)\n", strings.Join(files, " "), strconv.FormatFloat(fine[0], 'g', 2, 64), strconv.FormatFloat(fine[79], 'g', 2, 64))
	}
	return err
}
