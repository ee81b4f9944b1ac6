//go:build unix

package durable

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// openFile reports whether a path names a file that this process has open, such
// as /dev/stdout, and its descriptor. On other systems than Linux /dev/fd has them.
func openFile(path string) (fd int, ok bool) {
	fd, err := strconv.Atoi(filepath.Base(path))
	if err != nil || fd < 0 {
		return 0, false
	}
	folder, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return 0, false
	}
	own := fmt.Sprintf("/proc/%d/", os.Getpid())
	below, isOwn := strings.CutPrefix(folder, own)
	thread := strings.HasPrefix(below, "task/") && filepath.Base(below) == "fd"
	return fd, isOwn && (below == "fd" || thread) || folder == "/dev/fd"
}

// foreignLink reports whether a link is one that others may have laid to have a file
// of ours overwritten: in a folder that everybody can write to, such as /tmp, and
// neither ours nor the folder's owner's. Systems refuse to follow such links
// themselves.
func foreignLink(path string, link fs.FileInfo) bool {
	folder, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return false // what follows says why
	}
	all := folder.Mode()&fs.ModeSticky != 0 && folder.Mode().Perm()&0o002 != 0
	of, ok := link.Sys().(*syscall.Stat_t)
	in, also := folder.Sys().(*syscall.Stat_t)
	return all && ok && also && int(of.Uid) != os.Geteuid() && of.Uid != in.Uid
}

// duplicate returns a file that shares the descriptor's place, so that nothing
// written before or after is overwritten.
func duplicate(fd int, path string) (*os.File, error) {
	copied, err := syscall.Dup(fd)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	syscall.CloseOnExec(copied)
	return os.NewFile(uintptr(copied), path), nil
}

// keepOwner gives a new file the owner and group of the old one, where the
// system allows, and returns the mode for it: that of the old one, without what
// would give others more than they had.
func keepOwner(f *os.File, old fs.FileInfo) fs.FileMode {
	const special = fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky
	mode := old.Mode() & (fs.ModePerm | special)
	was, ok := old.Sys().(*syscall.Stat_t)
	if !ok {
		return mode.Perm()
	}
	uid, gid := int(was.Uid), int(was.Gid)
	if f.Chown(uid, gid) == nil {
		return mode
	}
	if f.Chown(-1, gid) == nil {
		return mode.Perm()
	}
	others := mode & 0o007
	return mode.Perm() & (0o707 | others<<3)
}
