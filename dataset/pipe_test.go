//go:build unix

package dataset

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// pipe returns the path of a named pipe through which content comes once.
func pipe(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	go func() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Close()
		_, _ = f.Write(content) // the reader may stop early
	}()
	return path
}

func TestReadPipe(t *testing.T) {
	content, err := os.ReadFile("testdata/split.npz")
	if err != nil {
		t.Fatal(err)
	}
	set, err := Read(pipe(t, content), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !set.Samples.Equal(testMatrix()) {
		t.Error("other spins through a pipe")
	}
	path := pipe(t, content)
	_, err = Read(path, Options{MaxBytes: 100})
	wantError(t, err, path, "byte 100", "larger than the limit of 100 bytes", "raise the limit")
}
