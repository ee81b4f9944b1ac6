package bethe_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
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

// TestReadmeModule: the README's commands turn its program into a module, and the module
// runs. This folder stands for ../bethe.
func TestReadmeModule(t *testing.T) {
	program := regexp.MustCompile("(?s)```go\n(package main\n.*?)```").FindStringSubmatch(readme)
	commands := regexp.MustCompile(`(?m)(?:^    (?:go|cp) .*\n)+`).FindAllString(readme[strings.Index(readme, "## In your own program"):], -1)
	if program == nil || len(commands) != 1 {
		t.Fatalf("the README has %d blocks of commands for its program", len(commands))
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "main.go"), []byte(program[1]), 0o666); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(commands[0]) {
		words := strings.Fields(strings.ReplaceAll(line, "../bethe", root)) // at this path Go finds its earlier builds
		cmd := exec.Command(words[0], words[1:]...)
		cmd.Dir = folder
		cmd.Env = append(os.Environ(), "GOFLAGS=", "GOPROXY=off", "GONOSUMDB=*", "GOWORK=off", "PWD="+folder)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", words, err, out)
		}
		if words[1] == "run" && !strings.Contains(string(out), "nats per sample (") {
			t.Errorf("%v prints %s", words, out)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "samples.npz")); err != nil {
		t.Error(err)
	}
}
