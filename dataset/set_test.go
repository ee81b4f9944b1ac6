package dataset

import (
	"slices"
	"strings"
	"testing"
)

func TestHeadAndSubset(t *testing.T) {
	set, err := Read("testdata/split.npz", Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		got     *Set
		samples []int
	}{
		{"head", set.Head(2), []int{0, 1}},
		{"whole", set.Head(5), []int{0, 1, 2, 3, 4}},
		{"none", set.Head(0), nil},
		{"subset", set.Subset([]int{4, 0, 4}), []int{4, 0, 4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.got.Len() != len(c.samples) || c.got.Width != testWidth || c.got.Height != testHeight || c.got.Name != set.Name {
				t.Fatalf("%+v", c.got)
			}
			for k, a := range c.samples {
				if c.got.Labels[k] != testLabels[a] {
					t.Errorf("label %d of sample %d", c.got.Labels[k], a)
				}
				for i := range set.Visible() {
					if c.got.Samples.At(i, k) != set.Samples.At(i, a) {
						t.Fatalf("spin %d of sample %d", i, a)
					}
				}
			}
		})
	}
	head := set.Head(1)
	head.Labels[0] = 99
	head.Samples.Set(0, 0, -set.Samples.At(0, 0))
	if !slices.Equal(set.Labels, testLabels) || !set.Samples.Equal(testMatrix()) {
		t.Error("a head shares storage with its set")
	}
	set.Labels = nil
	if set.Head(2).Labels != nil {
		t.Error("labels out of nowhere")
	}
}

func TestHeadPanics(t *testing.T) {
	set, err := Read("testdata/bool.npy", Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{-1, 6} {
		func() {
			defer func() {
				if s, _ := recover().(string); !strings.Contains(s, "dataset: Head of") {
					t.Errorf("Head(%d): panic %q", n, s)
				}
			}()
			set.Head(n)
		}()
	}
}
