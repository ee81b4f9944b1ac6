package dataset

import (
	"reflect"
	"testing"

	"bethe/spin"
)

func TestInfo(t *testing.T) {
	level := 3.
	s := &Set{Samples: spin.FromSigns(3, 4, []float64{1, 1, 1, 1, -1, -1, -1, -1, 1, -1, -1, -1}), Labels: []int{7, -1, 7, 7}, Width: 3, Height: 1,
		Source: Source{Format: "CSV", Threshold: &level}}
	want := Info{Format: "CSV", Samples: 4, Visible: 3, Width: 3, Height: 1, Threshold: &level, UpShare: 0.416667, Constant: 2, Labels: map[string]int{"7": 3, "-1": 1}}
	if got := s.Info(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, not %+v", got, want)
	}
	s.Classes, s.Labels = []string{"ant", "bee"}, []int{1, 0, 1, 1}
	s.Source.Element, s.Source.Header, s.Source.Dropped, s.Source.Labels, s.Source.High = "text", true, []string{"id"}, "kind", 9
	header := true
	want.Header, want.Dropped, want.LabelsIn, want.Range, want.Labels = &header, []string{"id"}, "kind", &[2]float64{0, 9}, map[string]int{"ant": 1, "bee": 3}
	if got := s.Info(); !reflect.DeepEqual(got, want) {
		t.Errorf("of text: %+v, not %+v", got, want)
	}
}
