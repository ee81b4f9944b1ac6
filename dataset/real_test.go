package dataset

import (
	"math"
	"path/filepath"
	"testing"
)

func real(t *testing.T, name string, opt Options) *Set {
	t.Helper()
	set, err := Read(filepath.Join("testdata", "real", name), opt)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// What others counted of an alignment and of votes with holes (testdata/real/README.md).
func TestRealData(t *testing.T) {
	rna := real(t, "rna16s-v4.fasta.gz", Options{Units: coloured, Identity: 0.97})
	if rna.Len() != 3678 || rna.Units() != 253 || rna.Kind.States != 5 || rna.Alphabet != "ACGT-" || math.Abs(rna.Effective()-1653) > 0.5 {
		t.Errorf("%d x %d of %s, %v effective", rna.Len(), rna.Units(), rna.Alphabet, rna.Effective())
	}
	house := real(t, "house84.csv.gz", Options{Missing: []string{"empty"}, LabelColumn: "party"})
	if house.Len() != 435 || house.Units() != 16 || math.Abs(house.Info().Missing-0.0563) > 1e-3 || len(house.Classes) != 2 {
		t.Errorf("%+v", house.Info())
	}
}
