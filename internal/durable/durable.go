// Package durable writes files so that a crash leaves the old file or the new
// one, never a part.
package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// WriteFile has write fill the file at path.
//
// A regular file, or none, is replaced: a temporary file beside it is filled,
// synced and renamed. On an error, which comes from write or the file system,
// and on a panic of write, the old file is untouched and the temporary one is
// removed. A new file has the mode 0666 less the umask; a replaced one keeps its
// mode, and its owner and group as far as the system allows. A file without
// permission to write is not replaced. A link is followed, and its target is written.
//
// Devices, pipes and other nodes that are no regular files, and files that are open
// already (/dev/stdout, /dev/fd/3, links to them), are written through: the bytes go
// there as write makes them. WriteFile waits until somebody reads a pipe.
//
// Errors name path.
func WriteFile(path string, write func(w io.Writer) error) error {
	t, err := targetOf(path)
	if err != nil {
		return err
	}
	return t.write(write)
}

// WriteOutput is WriteFile of a file that a user names: folders that are missing above it are
// made. (A file of a run is no such file: if its folder is gone, that is an error.)
func WriteOutput(path string, write func(w io.Writer) error) error {
	if err := MakeFolder(path); err != nil {
		return err
	}
	return WriteFile(path, write)
}

// MakeFolder makes the folder of a file, and those above it, if they are missing. Errors name path.
func MakeFolder(path string) error { return named(os.MkdirAll(filepath.Dir(path), 0o777), "", path) }

// A target is what a path leads to.
type target interface {
	write(write func(w io.Writer) error) error
	// room makes sure that so many bytes can be written to it.
	room(bytes int64) error
	// standardOutput reports whether it is that of this process.
	standardOutput() bool
}

// targetOf follows the links of a path.
func targetOf(path string) (target, error) {
	const mostLinks = 40
	place := path
	for range mostLinks {
		if fd, ok := openFile(place); ok {
			return stream{path, fd, func() (*os.File, error) { return duplicate(fd, path) }}, nil
		}
		info, err := os.Lstat(place)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return file{path: path, place: place}, nil
		case err != nil:
			return nil, named(err, place, path)
		case info.IsDir():
			return nil, &fs.PathError{Op: "write", Path: path, Err: errors.New("it is a folder")}
		case info.Mode().IsRegular():
			return file{path, place, info}, nil
		case info.Mode()&fs.ModeSymlink == 0:
			return stream{path, notOpen, func() (*os.File, error) { return os.OpenFile(place, os.O_WRONLY, 0) }}, nil
		}
		if foreignLink(place, info) {
			return nil, &fs.PathError{Op: "write", Path: path, Err: fmt.Errorf("%s is a link of another user in a folder that everybody can write to", place)}
		}
		to, err := os.Readlink(place)
		if err != nil {
			return nil, named(err, place, path)
		}
		if !filepath.IsAbs(to) {
			folder, err := filepath.EvalSymlinks(filepath.Dir(place)) // ".." of a link is that of where the link is
			if err != nil {
				return nil, named(err, place, path)
			}
			to = filepath.Join(folder, to)
		}
		place = to
	}
	return nil, &fs.PathError{Op: "write", Path: path, Err: fmt.Errorf("more than %d links after each other", mostLinks)}
}

// named returns an error of the file system as one of the path that was asked for.
func named(err error, place, path string) error {
	var of *fs.PathError
	if errors.As(err, &of) && place != path {
		return &fs.PathError{Op: of.Op, Path: path, Err: of.Err}
	}
	return err
}

// A namedWriter's errors name the path asked for, not the file being written.
type namedWriter struct {
	f    *os.File
	path string
}

func (w namedWriter) Write(b []byte) (int, error) {
	n, err := w.f.Write(b)
	if err != nil {
		err = named(err, "", w.path)
	}
	return n, err
}

// StandardOutput reports whether WriteFile(path) would write to the standard output
// of this process.
func StandardOutput(path string) bool {
	t, err := targetOf(path)
	return err == nil && t.standardOutput()
}

// notOpen is the descriptor of a stream that has none yet.
const notOpen = -1

// A stream is written through.
type stream struct {
	path string
	fd   int
	open func() (*os.File, error)
}

func (s stream) write(write func(w io.Writer) error) error {
	f, err := s.open()
	if err != nil {
		return named(err, "", s.path)
	}
	err = write(namedWriter{f, s.path})
	if e := f.Close(); err == nil && e != nil {
		err = named(e, "", s.path)
	}
	return err
}

func (stream) room(int64) error { return nil } // nothing is known of it

func (s stream) standardOutput() bool { return s.fd == 1 }

// A file is replaced as a whole.
type file struct {
	path  string // asked for
	place string // where the links lead
	old   fs.FileInfo
}

func (file) standardOutput() bool { return false }

func (t file) write(write func(w io.Writer) error) (err error) {
	perm := fs.FileMode(0o666)
	if t.old != nil {
		perm = 0o600 // until it has the mode of the old one
		if err := t.writable(); err != nil {
			return err
		}
	}
	f, err := createBeside(t.place, perm)
	if err != nil {
		return named(err, "", t.path)
	}
	renamed := false
	defer func() {
		if !renamed {
			f.Close()
			_ = temporary.remove(f.Name()) // it may be gone already
		}
	}()
	if err := write(namedWriter{f, t.path}); err != nil {
		return err
	}
	if t.old != nil && runtime.GOOS != "windows" {
		if err := f.Chmod(keepOwner(f, t.old)); err != nil {
			return named(err, "", t.path)
		}
	}
	if err := f.Sync(); err != nil {
		return named(err, "", t.path)
	}
	if err := f.Close(); err != nil {
		return named(err, "", t.path)
	}
	if err := temporary.rename(f.Name(), t.place); err != nil {
		var link *os.LinkError
		if errors.As(err, &link) {
			return &fs.PathError{Op: "replace", Path: t.path, Err: link.Err}
		}
		return err
	}
	renamed = true
	return syncFolder(filepath.Dir(t.place))
}

// writable reports whether the old file may be written at all: to rename needs
// no right to it.
func (t file) writable() error {
	f, err := os.OpenFile(t.place, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrPermission) {
		return named(err, "", t.path)
	}
	if err == nil {
		f.Close()
	}
	return nil // other errors come again where they matter
}

// RemoveLeftovers removes the temporary files that writers of the named files,
// killed half way, left in a folder. The caller must be its only writer.
func RemoveLeftovers(folder string, names ...string) error {
	return removeLeftovers(folder, time.Time{}, names)
}

// staleAge is the age of a temporary file whose writer can be taken for dead.
const staleAge = time.Hour

// RemoveStale does what RemoveLeftovers does in a folder that others may be writing
// to: what was written to in the last hour stays.
func RemoveStale(folder string, names ...string) error {
	return removeLeftovers(folder, time.Now().Add(-staleAge), names)
}

// removeLeftovers removes those last written before a time, if one is given.
func removeLeftovers(folder string, before time.Time, names []string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		for _, name := range names {
			digits, ok := strings.CutPrefix(e.Name(), "."+name+".tmp")
			if ok && digits != "" && strings.Trim(digits, "0123456789") == "" && e.Type().IsRegular() {
				if info, err := e.Info(); err != nil || !before.IsZero() && !info.ModTime().Before(before) {
					continue // gone, or of a writer at work
				}
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
