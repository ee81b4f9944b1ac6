//go:build unix

package runs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"
)

// soon fails where something does not return at once.
func soon(t *testing.T, what string, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); do() }()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Fatalf("%s: it hangs", what)
	}
}

// TestOpen: only regular files below the folder are opened, and nothing is waited for.
func TestOpen(t *testing.T) {
	top := t.TempDir()
	folder := filepath.Join(top, "run")
	write(t, filepath.Join(folder, "sub", "file"), "inside")
	write(t, filepath.Join(top, "secret"), "outside")
	for name, to := range map[string]string{"within": "sub/file", "out": "../secret", "absolute": filepath.Join(top, "secret"), "dangling": "none", "loop": "loop", "way": ".."} {
		if err := os.Symlink(to, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(folder, "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("pipe", filepath.Join(folder, "piped")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"sub/file", "within"} {
		f, err := Open(folder, name)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(f); err != nil || string(b) != "inside" {
			t.Errorf("%s: %q, %v", name, b, err)
		}
		f.Close()
	}
	for name, word := range map[string]string{"out": "escapes", "absolute": "escapes", "way/secret": "escapes", "../secret": "escapes", "loop": "", "dangling": "no such file", "none": "no such file",
		"pipe": "a named pipe, not a regular file", "piped": "a named pipe, not a regular file", "sub": "a folder, not a regular file"} {
		soon(t, name, func() {
			f, err := Open(folder, name)
			if err == nil || !strings.Contains(err.Error(), word) || !strings.Contains(err.Error(), filepath.Join(folder, name)) {
				t.Errorf("%s: %v", name, err)
			}
			if err == nil {
				f.Close()
			}
			if strings.HasPrefix(word, "no such") != errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	soon(t, "a pipe for a folder", func() {
		if _, err := Open(filepath.Join(folder, "pipe"), "x"); err == nil || !strings.Contains(err.Error(), "not a folder") {
			t.Error(err)
		}
	})
}

// TestPipesForFiles: a pipe, a link out or a folder in the place of a run's file is
// that run's own error.
func TestPipesForFiles(t *testing.T) {
	top := t.TempDir()
	for _, name := range []string{"good", "info", "metrics", "linked", "escaped"} {
		folder := filepath.Join(top, "runs", name)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := WriteInfo(folder, Info{Verb: "train"}); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(folder, MetricsFile), "{\"step\":1}\n")
	}
	replace := func(name string, make func(path string) error) {
		path := filepath.Join(top, "runs", name)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := make(path); err != nil {
			t.Fatal(err)
		}
	}
	pipe := func(path string) error { return syscall.Mkfifo(path, 0o644) }
	outside := filepath.Join(top, "outside.json")
	write(t, outside, `{"verb":"secret"}`+"\n")
	linked := func(path string) error { return os.Symlink(outside, path) }
	replace("info/"+InfoFile, pipe)
	replace("metrics/"+MetricsFile, pipe)
	replace("linked/"+InfoFile, linked)
	replace("escaped/"+MetricsFile, linked)
	soon(t, "Find", func() {
		found, err := Find(filepath.Join(top, "runs"))
		if err != nil || len(found) != 5 {
			t.Fatalf("%v, %v", found, err)
		}
		for _, r := range found {
			records, err := ReadRecords(r.Folder)
			word := map[string]string{"info": "a named pipe", "linked": "escapes"}[r.Name]
			if (r.Err != nil) != (word != "") || r.Err != nil && !strings.Contains(r.Err.Error(), word) || r.Info.Verb == "secret" {
				t.Errorf("%s: %+v", r.Name, r)
			}
			word = map[string]string{"metrics": "a named pipe", "escaped": "escapes"}[r.Name]
			if (err != nil) != (word != "") || err != nil && !strings.Contains(err.Error(), word) || (err == nil) != (len(records) == 1) {
				t.Errorf("%s: %v, %v", r.Name, records, err)
			}
		}
	})
	soon(t, "OpenLog", func() {
		if _, _, err := OpenLog(filepath.Join(top, "runs", "metrics"), 0, 5); err == nil || !strings.Contains(err.Error(), "a named pipe") {
			t.Error(err)
		}
	})
	// A link to the folder of runs is what the user named, and followed.
	link := filepath.Join(top, "latest")
	if err := os.Symlink("runs/good", link); err != nil {
		t.Fatal(err)
	}
	if found, err := Find(link); err != nil || len(found) != 1 || found[0].Name != "latest" || found[0].Folder != link || found[0].Err != nil {
		t.Errorf("%+v, %v", found, err)
	}
}

// TestPrintableNames: names that are no UTF-8 or would move a terminal's cursor are shown in
// one way and stay different.
func TestPrintableNames(t *testing.T) {
	for name, want := range map[string]string{"plain": "plain", "größer β": "größer β", "a\xff": `a\xff`, `a\xff`: `a\x5cxff`, "\x1b[31m": `\x1b[31m`, "a\nb": `a\x0ab`, "\u009b1m": `\xc2\x9b1m`,
		`a\b`: `a\b`, "x\u202ey": `x\xe2\x80\xaey`, "\x7f": `\x7f`, "a\u2028": `a\xe2\x80\xa8`, "\ufffe": `\xef\xbf\xbe`, "a\u200db 👩\u200d🔬": "a\u200db 👩\u200d🔬", "": "", "�": "�"} {
		if got := Printable(name); got != want || !utf8.ValidString(got) {
			t.Errorf("%q is shown as %q, not %q", name, got, want)
		}
	}
	folder := t.TempDir()
	for _, name := range []string{"a\xff", "a\xfe", `a\xff`, "a\x1b[2J"} {
		if err := os.Mkdir(filepath.Join(folder, name), 0o755); err != nil {
			t.Skipf("SKIPPED: this file system wants UTF-8: %v", err)
		}
		if err := WriteInfo(filepath.Join(folder, name), Info{Data: name}); err != nil {
			t.Fatal(err)
		}
	}
	found, err := Find(folder)
	var names []string
	for _, r := range found {
		names = append(names, r.Name)
		if _, err := ReadInfo(r.Folder); err != nil {
			t.Error(err)
		}
	}
	if want := `a\x1b[2J a\x5cxff a\xfe a\xff`; err != nil || strings.Join(names, " ") != want {
		t.Errorf("%v, %v", names, err)
	}
}
