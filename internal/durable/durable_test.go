package durable

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

// wantFolder checks the files of a folder, given as name, content, name, ...
func wantFolder(t *testing.T, folder string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		content := "a folder"
		if !e.IsDir() {
			b, err := os.ReadFile(filepath.Join(folder, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			content = string(b)
		}
		got = append(got, e.Name(), content)
	}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("the folder holds %q, not %q", got, want)
	}
}

func TestWriteFile(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "*a*.npz")
	for _, s := range []string{"a first, long text", "short", ""} {
		if err := WriteFile(path, text(s)); err != nil {
			t.Fatal(err)
		}
		wantFolder(t, folder, "*a*.npz", s)
	}
	t.Chdir(folder)
	if err := WriteFile("here", text("x")); err != nil {
		t.Fatal(err)
	}
	wantFolder(t, folder, "*a*.npz", "", "here", "x")
}

// While the new content is written, and if that fails, the old file is whole.
func TestWriteFileFails(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "a")
	if err := WriteFile(path, text("old")); err != nil {
		t.Fatal(err)
	}
	cause := errors.New("disc full")
	err := WriteFile(path, func(w io.Writer) error {
		if err := text("half of the ne")(w); err != nil {
			t.Error(err)
		}
		if entries, err := os.ReadDir(folder); err != nil || len(entries) != 2 { // beside it: renaming works within a disc only
			t.Errorf("while writing, the folder holds %v, %v", entries, err)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != "old" {
			t.Errorf("while writing: %q, %v", b, err)
		}
		return cause
	})
	if !errors.Is(err, cause) {
		t.Errorf("error %v, not that of write", err)
	}
	wantFolder(t, folder, "a", "old")

	// What the file system says names the file that was asked for.
	err = WriteFile(path, func(w io.Writer) error {
		w.(namedWriter).f.Close()
		return text("new")(w)
	})
	if !errors.Is(err, os.ErrClosed) || !strings.Contains(err.Error(), "write "+path+":") {
		t.Errorf("file closed: %v", err)
	}
	wantFolder(t, folder, "a", "old")
	err = WriteFile(path, func(w io.Writer) error { return w.(namedWriter).f.Close() })
	if !errors.Is(err, os.ErrClosed) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), ".tmp") {
		t.Errorf("file closed at the end: %v", err)
	}
	wantFolder(t, folder, "a", "old")
}

// A panic of write leaves nothing behind either.
func TestWriteFilePanics(t *testing.T) {
	folder := t.TempDir()
	defer func() {
		if recover() != "oops" {
			t.Error("the panic was not passed on")
		}
		wantFolder(t, folder)
	}()
	_ = WriteFile(filepath.Join(folder, "a"), func(io.Writer) error { panic("oops") })
}

func TestWriteFileNowhere(t *testing.T) {
	folder := t.TempDir()
	for _, dir := range []string{"taken", "readonly"} {
		if err := os.Mkdir(filepath.Join(folder, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "file"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	paths := []string{"taken", "missing/a", "file/a"} // a folder; in no folder; in a file
	if runtime.GOOS != "windows" && os.Geteuid() != 0 {
		if err := os.Chmod(filepath.Join(folder, "readonly"), 0o555); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, "readonly/a")
	}
	for _, path := range paths {
		if err := WriteFile(filepath.Join(folder, path), text("new")); err == nil {
			t.Errorf("%s: no error", path)
		} else if !strings.Contains(err.Error(), filepath.Join(folder, path)) || strings.Contains(err.Error(), ".tmp") {
			t.Errorf("%s: error %q does not name the file that was asked for", path, err)
		}
		wantFolder(t, folder, "file", "x", "readonly", "a folder", "taken", "a folder")
	}
}

// TestWriteOutput: folders that are missing above the file are made.
func TestWriteOutput(t *testing.T) {
	folder := t.TempDir()
	if err := WriteOutput(filepath.Join(folder, "one", "two", "a"), text("new")); err != nil {
		t.Fatal(err)
	}
	if err := WriteOutput(filepath.Join(folder, "one", "two", "a", "b"), text("new")); err == nil || !strings.Contains(err.Error(), filepath.Join("two", "a", "b")) {
		t.Errorf("below a file: %v", err)
	}
	wantFolder(t, folder, "one", "a folder")
	wantFolder(t, filepath.Join(folder, "one", "two"), "a", "new")
}

// A concurrent writer of the same file leaves one of the two whole.
func TestWriteFileTwice(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "a")
	err := WriteFile(path, func(w io.Writer) error {
		if err := WriteFile(path, text("inner")); err != nil {
			return err
		}
		return text("outer")(w)
	})
	if err != nil {
		t.Fatal(err)
	}
	wantFolder(t, folder, "a", "outer")
}

func TestRemoveLeftovers(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{".a.npz.tmp123", "a.npz", ".a.npz.tmpl", ".notes.tmp12"} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := RemoveStale(folder, "a.npz"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(folder, ".a.npz.tmp123")); err != nil {
		t.Errorf("a file that another may be writing: %v", err)
	}
	old := time.Now().Add(-2 * staleAge)
	if err := os.Chtimes(filepath.Join(folder, ".a.npz.tmp123"), old, old); err != nil {
		t.Fatal(err)
	}
	if err := RemoveStale(folder, "a.npz"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(folder, ".a.npz.tmp123")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a stale file: %v", err)
	}
	if err := os.WriteFile(filepath.Join(folder, ".a.npz.tmp123"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := RemoveLeftovers(folder, "a.npz"); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 3 {
		t.Errorf("left: %v, %v", entries, err)
	}
}

// TestUntil: once the context is done writing fails with its error, and the old file stays.
func TestUntil(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "a")
	if err := WriteFile(path, text("old")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := WriteFile(path, func(w io.Writer) error {
		w = Until(ctx, w)
		if err := text("half of")(w); err != nil {
			t.Error(err)
		}
		cancel()
		return text(" the new")(w)
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	wantFolder(t, folder, "a", "old")
}
