package paper

import (
	"errors"
	"strings"
	"testing"

	"bethe/setting"
)

// Points of the approximation have a divergence for each kind of synapses, and the figure their numbers.
func TestApproximation(t *testing.T) {
	o := quick()
	o.Hidden, o.Copies, o.Target, o.Steps = []int{1, 3}, []int{1, 2}, "clusters", 30
	if err := o.Validate(); err != nil {
		t.Fatal(err)
	}
	var points []*ApproximationPoint
	for p, err := range o.Approximation(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		points = append(points, p)
	}
	if len(points) != 2 || len(points[1].Binary) != 2 || !(points[1].Real < points[1].Covariance) || !strings.Contains(points[0].Text(0), "2 bit") {
		t.Errorf("%+v", points)
	}
	chart, numbers := ApproximationFigure(o, points)
	if text := saved(t, chart, numbers); strings.Count(text, "\n") != 9 || !strings.Contains(text, "clusters,binary,3,2,") {
		t.Error(text)
	}
	var wrong *setting.Error
	o.Target = "disc"
	for _, err := range o.Approximation(t.Context()) {
		if !errors.As(err, &wrong) {
			t.Error(err)
		}
	}
	if o.Copies = []int{0}; !errors.As(o.Validate(), &wrong) || wrong.Setting != "copies" {
		t.Error(o.Validate())
	}
}
