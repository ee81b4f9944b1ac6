package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// LockFile is the name of the file that locks a folder. It stays when
// the lock is released: to remove it would let two processes lock two files of
// the same name.
const LockFile = ".lock"

// A Lock keeps a folder for one writer.
type Lock struct{ f *os.File }

// A LockedError says who holds a folder.
type LockedError struct {
	Folder string
	Holder string // such as "process 17 on host", empty if it is not known
}

func (e *LockedError) Error() string {
	holder := e.Holder
	if holder == "" {
		holder = "another process"
	}
	return fmt.Sprintf("%s is in use by %s: wait for it, stop it, or choose another folder", e.Folder, holder)
}

// errHeld is returned by lockFile where another holds the lock.
var errHeld = errors.New("locked")

// LockFolder takes the lock of a folder for as long as the process lives or
// until Release. The system keeps the lock (flock, LockFileEx), so that none
// outlives its process, however that ends. A folder that another holds, in
// this process or another, is a *LockedError. Where the file system or the
// system has no locks the folder is taken all the same.
func LockFolder(folder string) (*Lock, error) {
	f, err := openLock(filepath.Join(folder, LockFile))
	if err != nil {
		return nil, err
	}
	switch err := lockFile(f); {
	case errors.Is(err, errHeld):
		defer f.Close()
		const most = 200 // bytes of a holder
		text, _ := io.ReadAll(io.LimitReader(f, most))
		return nil, &LockedError{folder, strings.TrimSpace(string(text))}
	case err != nil && !errors.Is(err, errors.ErrUnsupported):
		f.Close()
		return nil, fmt.Errorf("lock of %s: %w", folder, err)
	}
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
	}
	// Who holds it is for people: a full disk is no reason to refuse the lock.
	if f.Truncate(0) == nil {
		_, _ = f.WriteAt(fmt.Appendf(nil, "process %d on %s\n", os.Getpid(), host), 0)
	}
	return &Lock{f}, nil
}

// openLock opens a lock file, which is written to: so a link or anything else in
// its place is refused.
func openLock(path string) (*os.File, error) {
	before, err := os.Lstat(path)
	if err == nil && !before.Mode().IsRegular() {
		return nil, notRegular(path)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	opened, err := f.Stat()
	after, e := os.Lstat(path)
	if err != nil || e != nil || !os.SameFile(opened, after) {
		f.Close()
		return nil, notRegular(path)
	}
	return f, nil
}

func notRegular(path string) error {
	return &fs.PathError{Op: "lock", Path: path, Err: errors.New("it is no regular file: remove it")}
}

// Release gives the folder back.
func (l *Lock) Release() error {
	_ = l.f.Truncate(0) // as long as it is held
	return l.f.Close()  // which releases it
}
