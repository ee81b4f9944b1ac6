// Package durable writes files so that a crash leaves the old file or the new
// one, never a part.
package durable

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// WriteFile has write fill a temporary file in the folder of path, syncs it and
// renames it to path. On an error, which comes from write or the file system,
// and on a panic of write, the old file at path is untouched and the temporary
// one is removed.
func WriteFile(path string, write func(w io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".tmp*")
	if err != nil {
		return err
	}
	renamed := false
	defer func() {
		if !renamed {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil && runtime.GOOS != "windows" {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	renamed = true
	return syncFolder(filepath.Dir(path))
}

// RemoveLeftovers removes the temporary files that writers of the named files,
// killed half way, left in a folder. The caller must be its only writer.
func RemoveLeftovers(folder string, names ...string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		for _, name := range names {
			digits, ok := strings.CutPrefix(e.Name(), "."+name+".tmp")
			if ok && digits != "" && strings.Trim(digits, "0123456789") == "" && e.Type().IsRegular() {
				if err := os.Remove(filepath.Join(folder, e.Name())); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// syncFolder makes a rename survive a power cut, where the system can.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil // folders cannot be synced there
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
