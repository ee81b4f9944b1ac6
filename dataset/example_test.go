package dataset_test

import (
	"fmt"
	"strings"

	"bethe/dataset"
)

// Text with grey levels and a column of labels.
func Example() {
	text := strings.NewReader("a,b,c,digit\n0,200,255,7\n130,0,90,1\n")
	grey := 127.0
	set, err := dataset.Decode("levels.csv", text, text.Size(), dataset.Options{Threshold: &grey, LabelColumn: "digit"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for a := range set.Len() {
		for i := range set.Visible() {
			fmt.Printf("%+d ", set.Samples.At(i, a))
		}
		fmt.Println("label", set.Labels[a])
	}

	text = strings.NewReader("0,1,2\n")
	_, err = dataset.Decode("levels.csv", text, text.Size(), dataset.Options{})
	fmt.Println("without a threshold:", err != nil)
	// Output:
	// -1 +1 +1 label 7
	// +1 -1 -1 label 1
	// without a threshold: true
}
