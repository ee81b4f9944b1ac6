//go:build unix

package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// modeOf returns type and mode of what is at a path itself.
func modeOf(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode()
}

// withUmask runs with a umask of its own.
func withUmask(mask int, do func()) {
	old := syscall.Umask(mask)
	defer syscall.Umask(old)
	do()
}

// TestModes: a new file has 0666 less the umask, a replaced one keeps its mode,
// and while it is written nobody can read more than before.
func TestModes(t *testing.T) {
	folder := t.TempDir()
	for name, c := range map[string]struct {
		umask, want int
	}{"a": {0o022, 0o644}, "b": {0o002, 0o664}, "c": {0o077, 0o600}, "d": {0, 0o666}} {
		withUmask(c.umask, func() {
			if err := WriteFile(filepath.Join(folder, name), text("new")); err != nil {
				t.Fatal(err)
			}
		})
		if got := modeOf(t, filepath.Join(folder, name)); got != fs.FileMode(c.want) {
			t.Errorf("umask %o gives %v", c.umask, got)
		}
	}
	path := filepath.Join(folder, "a")
	for _, mode := range []fs.FileMode{0o600, 0o640, 0o664, 0o755, 0o666} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		withUmask(0o077, func() {
			err := WriteFile(path, func(w io.Writer) error {
				if got := modeOf(t, w.(namedWriter).f.Name()); got != 0o600 {
					t.Errorf("the temporary file has the mode %v", got)
				}
				return text("again")(w)
			})
			if err != nil {
				t.Fatal(err)
			}
		})
		if got := modeOf(t, path); got != mode {
			t.Errorf("replaced, mode %v became %v", mode, got)
		}
	}
	if err := os.Chmod(path, 0o444); err != nil {
		t.Fatal(err)
	}
	err := WriteFile(path, text("protected"))
	if os.Geteuid() == 0 { // who may write everything
		if err != nil || modeOf(t, path) != 0o444 {
			t.Errorf("%v, %v", err, modeOf(t, path))
		}
	} else if b, _ := os.ReadFile(path); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), path) || string(b) != "again" {
		t.Errorf("a file that is protected: %v, now %q", err, b)
	}
}

// TestOwner: a replaced file keeps its owner and group.
func TestOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: only the superuser can give files away")
	}
	path := filepath.Join(t.TempDir(), "a")
	if err := WriteFile(path, text("old")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, 12345, 23456); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o640|fs.ModeSetgid); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(path, text("new")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if s := info.Sys().(*syscall.Stat_t); s.Uid != 12345 || s.Gid != 23456 || info.Mode() != 0o640|fs.ModeSetgid {
		t.Errorf("owner %d, group %d, mode %v", s.Uid, s.Gid, info.Mode())
	}
}

// TestLinks: a link stays, and the file that it leads to is replaced; nothing
// else is touched.
func TestLinks(t *testing.T) {
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	for _, name := range []string{"store", "other", "other/deep"} {
		if err := os.Mkdir(at(name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range map[string]string{"store/real": "old", "bystander": "mine"} {
		if err := os.WriteFile(at(name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, link := range [][2]string{{"store/real", "link"}, {"link", "second"}, {at("store/real"), "absolute"}, {"store/new", "dangling"},
		{"store", "folder"}, {"loop", "loop"}, {"../real", "other/up"}, {"other/deep", "far"}, {"../real", "other/deep/up"}} {
		if err := os.Symlink(link[0], at(link[1])); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"link", "second", "absolute", "folder/real"} {
		if err := WriteFile(at(name), text("by "+name)); err != nil {
			t.Fatal(err)
		}
		wantFolder(t, at("store"), "real", "by "+name)
	}
	if err := WriteFile(at("dangling"), text("made")); err != nil {
		t.Fatal(err)
	}
	wantFolder(t, at("store"), "new", "made", "real", "by folder/real")
	// ".." in a link is that of the folder where the link is, whatever links led there.
	if err := WriteFile(at("far/up"), text("x")); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(at("other/real")); err != nil || string(b) != "x" {
		t.Errorf("%q, %v", b, err)
	}
	for _, name := range []string{"link", "second", "absolute", "dangling", "folder", "far"} {
		if modeOf(t, at(name))&fs.ModeSymlink == 0 {
			t.Errorf("%s is no link any more", name)
		}
	}
	if b, err := os.ReadFile(at("bystander")); err != nil || string(b) != "mine" {
		t.Errorf("%q, %v", b, err)
	}
	for name, word := range map[string]string{"loop": "links", "folder": "folder"} {
		if err := WriteFile(at(name), text("x")); err == nil || !strings.Contains(err.Error(), word) || !strings.Contains(err.Error(), at(name)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := CheckRoom(at("link"), 10); err != nil {
		t.Error(err)
	}
	wantFolder(t, at("store"), "new", "made", "real", "by folder/real")
}

// TestForeignLinks: a link that another user laid into a folder like /tmp is not
// followed; our own and those of the folder's owner are.
func TestForeignLinks(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: only the superuser can give links away")
	}
	folder, victim := t.TempDir(), filepath.Join(t.TempDir(), "victim")
	if err := os.Chmod(folder, 0o777|fs.ModeSticky); err != nil {
		t.Fatal(err)
	}
	const other, owner = 12345, 23456
	if err := os.Chown(folder, owner, owner); err != nil {
		t.Fatal(err)
	}
	for name, uid := range map[string]int{"theirs": other, "ours": 0, "owner's": owner} {
		link := filepath.Join(folder, name)
		if err := os.WriteFile(victim, []byte("mine"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(victim, link); err != nil {
			t.Fatal(err)
		}
		if err := os.Lchown(link, uid, uid); err != nil {
			t.Fatal(err)
		}
		err := WriteFile(link, text("new"))
		b, e := os.ReadFile(victim)
		if e != nil {
			t.Fatal(e)
		}
		if uid == other {
			if err == nil || !strings.Contains(err.Error(), link) || string(b) != "mine" {
				t.Errorf("%s: %v, the file holds %q", name, err, b)
			}
		} else if err != nil || string(b) != "new" {
			t.Errorf("%s: %v, the file holds %q", name, err, b)
		}
	}
	// Where only its owner can write, whose link it is does not matter.
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(filepath.Join(folder, "theirs"), text("new")); err != nil {
		t.Error(err)
	}
}

// TestPipes: a pipe stays one, and its reader gets the bytes.
func TestPipes(t *testing.T) {
	folder := t.TempDir()
	pipe, link := filepath.Join(folder, "pipe"), filepath.Join(folder, "link")
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("pipe", link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{pipe, link} {
		got := make(chan string)
		go func() {
			b, err := os.ReadFile(pipe)
			if err != nil {
				t.Error(err)
			}
			got <- string(b)
		}()
		if err := WriteFile(path, text("through "+path)); err != nil {
			t.Fatal(err)
		}
		if s := <-got; s != "through "+path {
			t.Errorf("the reader got %q", s)
		}
		if err := CheckRoom(path, 1<<20); err != nil {
			t.Error(err)
		}
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 2 || modeOf(t, pipe)&fs.ModeNamedPipe == 0 || modeOf(t, link)&fs.ModeSymlink == 0 {
		t.Errorf("%v, %v, %v", entries, modeOf(t, pipe), err)
	}
	// A lock is written to as well: a pipe or a link in its place is refused at once.
	lock := filepath.Join(folder, LockFile)
	for _, make := range []func() error{func() error { return syscall.Mkfifo(lock, 0o644) }, func() error { return os.Symlink(filepath.Join(folder, "victim"), lock) }} {
		if err := make(); err != nil {
			t.Fatal(err)
		}
		if _, err := LockFolder(folder); err == nil || !strings.Contains(err.Error(), lock) {
			t.Errorf("a lock of %v: %v", modeOf(t, lock), err)
		}
		if err := os.Remove(lock); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDevices: a device stays one. The node is our own, in a folder of ours.
func TestDevices(t *testing.T) {
	node := filepath.Join(t.TempDir(), "null")
	const null = 1<<8 | 3
	if err := syscall.Mknod(node, syscall.S_IFCHR|0o666, null); err != nil {
		t.Skipf("SKIPPED: only the superuser can make devices: %v", err)
	}
	err := WriteFile(node, text("gone"))
	if errors.Is(err, fs.ErrPermission) {
		t.Skipf("SKIPPED: devices cannot be opened in this folder: %v", err)
	}
	if err != nil || modeOf(t, node)&fs.ModeCharDevice == 0 {
		t.Errorf("%v, %v", modeOf(t, node), err)
	}
}

// TestOpenFiles: what is open already is written where it stands, so that what
// was written to it before and after stays.
func TestOpenFiles(t *testing.T) {
	folder := t.TempDir()
	f, err := os.OpenFile(filepath.Join(folder, "log"), os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	name := fmt.Sprintf("/dev/fd/%d", f.Fd())
	write := func(s string) {
		if _, err := f.WriteString(s); err != nil {
			t.Fatal(err)
		}
	}
	write("before ")
	link := filepath.Join(t.TempDir(), "out")
	if err := os.Symlink(name, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{name, link} {
		if err := WriteFile(path, text("through ")); err != nil {
			t.Fatal(err)
		}
	}
	write("after")
	wantFolder(t, folder, "log", "before through through after")
	if !StandardOutput("/dev/stdout") || !StandardOutput("/proc/self/fd/1") || StandardOutput(name) || StandardOutput(filepath.Join(folder, "log")) || StandardOutput(folder) {
		t.Error("what is standard output")
	}
	if err := WriteFile("/dev/fd/987", text("x")); err == nil || !strings.Contains(err.Error(), "/dev/fd/987") {
		t.Errorf("a file that is not open: %v", err)
	}
}
