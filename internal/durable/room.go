package durable

import (
	"fmt"
	"os"
	"path/filepath"
)

// CheckRoom makes sure that a file of the given number of bytes can be written
// beside path now: it writes one, syncs and removes it. It is killed half way
// as WriteFile is (RemoveLeftovers). Errors are those of the file system.
func CheckRoom(path string, bytes int64) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".tmp*")
	if err != nil {
		return err
	}
	defer func() {
		f.Close()
		if e := os.Remove(f.Name()); err == nil {
			err = e
		}
	}()
	block := make([]byte, 1<<20)
	for k := range block {
		block[k] = byte(k*k>>8 ^ k) // no hole, and hard to compress
	}
	for left := bytes; left > 0; left -= int64(len(block)) {
		if _, err := f.Write(block[:min(left, int64(len(block)))]); err != nil {
			return fmt.Errorf("no room for a file of %d bytes: %w", bytes, err)
		}
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("no room for a file of %d bytes: %w", bytes, err)
	}
	return nil
}
