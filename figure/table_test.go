package figure

import (
	"bytes"
	"math"
	"os"
	"reflect"
	"testing"
)

func TestTable(t *testing.T) {
	table := &Table{Columns: []string{"name", "count", "value"}}
	table.Add("a, b", 3, 1./3)
	table.Add("c", 4, math.NaN())
	var text bytes.Buffer
	if err := table.WriteCSV(&text); err != nil || text.String() != "name,count,value\n\"a, b\",3,0.333333\nc,4,\n" {
		t.Errorf("%v\n%s", err, text.String())
	}
	if got := table.Objects(); !reflect.DeepEqual(got, []map[string]any{{"name": "a, b", "count": 3, "value": 1. / 3}, {"name": "c", "count": 4}}) {
		t.Errorf("%v", got)
	}
	files, err := SaveWithNumbers(t.TempDir()+"/new", "x", &Curves{Series: []Series{Guide("here", 1, 0, 2), {X: []float64{0, 2}, Y: []float64{1, 2}}}}, table)
	if err != nil || len(files) != 3 {
		t.Fatal(files, err)
	}
	if saved, err := os.ReadFile(files[2]); err != nil || !bytes.Equal(saved, text.Bytes()) {
		t.Errorf("%v\n%s", err, saved)
	}
	for _, row := range [][]any{{"a", 1}, {"a", 1, int8(2)}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%v is taken", row)
				}
			}()
			table.Add(row...)
		}()
	}
}
