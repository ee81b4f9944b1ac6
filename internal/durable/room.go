package durable

import (
	"fmt"
)

// CheckRoom makes sure that a file of the given number of bytes can be written
// to path by WriteFile now: it writes one beside it, syncs and removes it. It is
// killed half way as WriteFile is (RemoveLeftovers). Errors are those of the
// file system.
func CheckRoom(path string, bytes int64) error {
	t, err := targetOf(path)
	if err != nil {
		return err
	}
	return t.room(bytes)
}

func (t file) room(bytes int64) (err error) {
	f, err := createBeside(t.place, 0o600)
	if err != nil {
		return named(err, "", t.path)
	}
	defer func() {
		f.Close()
		if e := temporary.remove(f.Name()); err == nil {
			err = e
		}
	}()
	block := make([]byte, 1<<20)
	for k := range block {
		block[k] = byte(k*k>>8 ^ k) // no hole, and hard to compress
	}
	for left := bytes; left > 0; left -= int64(len(block)) {
		if _, err := f.Write(block[:min(left, int64(len(block)))]); err != nil {
			return fmt.Errorf("no room for a file of %d bytes: %w", bytes, named(err, "", t.path))
		}
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("no room for a file of %d bytes: %w", bytes, named(err, "", t.path))
	}
	return nil
}
