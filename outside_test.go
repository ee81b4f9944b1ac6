package bethe_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	_ "bethe/dual/dualtest" // what the module is made of, for the cache of test results
	_ "bethe/units/unitstest"
)

// testdata/outside is a module of its own, which sees no internal package. It writes an
// engine, a partition term and a kind of unit, learns with them, and passes the suites.
func TestOutsideModule(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Fatal("the tests need the go command: ", err)
	}
	folder := filepath.Join(root, "testdata", "outside")
	if err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		_, err = os.ReadFile(path) // a change of it is one of this test
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"vet", "./..."}, {"test", "./..."}} {
		cmd := exec.Command("go", args...)
		cmd.Dir = folder
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("go %v: %v\n%s", args, err, out)
		}
	}
}
