package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
)

// temporary are the temporary files of this process that are being written.
var temporary = registry{files: map[string]bool{}}

// A registry knows temporary files from when they are made until they are
// renamed or removed.
type registry struct {
	mu    sync.Mutex
	files map[string]bool
}

func (r *registry) create(name string, perm fs.FileMode) (*os.File, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
	if err == nil {
		r.files[name] = true
	}
	return f, err
}

func (r *registry) rename(name, to string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := os.Rename(name, to)
	if err == nil {
		delete(r.files, name)
	}
	return err
}

func (r *registry) remove(name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.files, name)
	return os.Remove(name)
}

// Abandon is for a program that is about to end without waiting for its writers:
// it removes their temporary files and holds them where they would make or rename
// one. Files are as they were before WriteFile, or whole.
func Abandon() {
	temporary.mu.Lock() // for good
	for name := range temporary.files {
		_ = os.Remove(name) // nothing more can be done
	}
}

// createBeside makes a temporary file in the folder of a path, with a mode less
// the umask. RemoveLeftovers knows it by its name.
func createBeside(path string, perm fs.FileMode) (*os.File, error) {
	const tries = 10000
	var err error
	for range tries {
		var f *os.File
		f, err = temporary.create(filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.tmp%d", filepath.Base(path), rand.Uint32())), perm)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
	return nil, err
}
