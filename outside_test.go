package bethe_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// outside is a module of its own, which sees no internal package. It writes an engine, a
// partition term and a kind of unit, learns with them, and passes the suites.
const outside = "testdata/outside"

func TestOutsideModule(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Fatal("the tests need the go command: ", err)
	}
	// A result of this test that go kept is of no use once a package has changed that the
	// module may see. So look at all of them.
	for _, folder := range []string{outside, "dual", "internal", "rbm", "sample", "spin", "stream", "units", "variational"} {
		if err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			_, err = os.Stat(path)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"vet", "./..."}, {"test", "./..."}} {
		cmd := exec.Command("go", args...)
		cmd.Dir = filepath.Join(root, outside)
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("go %v: %v\n%s", args, err, out)
		}
	}
}
