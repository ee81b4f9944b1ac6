package durable

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMain also plays the process that holds a lock, and one that ends while it writes.
func TestMain(m *testing.M) {
	if folder := os.Getenv("DURABLE_TEST_HOLD"); folder != "" {
		if _, err := LockFolder(folder); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("held")
		select {}
	}
	if path := os.Getenv("DURABLE_TEST_ABANDON"); path != "" {
		_ = WriteFile(path, func(w io.Writer) error {
			fmt.Fprint(w, "half of the ne")
			Abandon()
			return nil
		})
		os.Exit(3) // it must not come here
	}
	os.Exit(m.Run())
}

// TestLockFolder: a second writer is refused, in this process and in others,
// and told who the first is; a lock ends with its process, however that ends.
func TestLockFolder(t *testing.T) {
	folder := t.TempDir()
	held, err := LockFolder(folder)
	if err != nil {
		t.Fatal(err)
	}
	var locked *LockedError
	if _, err := LockFolder(folder); !errors.As(err, &locked) || !strings.Contains(err.Error(), folder) ||
		!strings.Contains(err.Error(), fmt.Sprintf("process %d on ", os.Getpid())) {
		t.Fatalf("a second lock: %v", err)
	}
	if err := held.Release(); err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "DURABLE_TEST_HOLD="+folder)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("the other process says %q (%v)", line, err)
	}
	if _, err := LockFolder(folder); !errors.As(err, &locked) || locked.Holder == "" || !strings.HasPrefix(locked.Holder, fmt.Sprintf("process %d on ", child.Process.Pid)) {
		t.Errorf("the lock of another process: %v", err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // killed, as it should be
	again, err := LockFolder(folder)
	if err != nil {
		t.Fatalf("the lock of a process that was killed: %v", err)
	}
	if err := again.Release(); err != nil {
		t.Error(err)
	}
	if _, err := LockFolder(filepath.Join(folder, "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

func TestCheckRoom(t *testing.T) {
	folder := t.TempDir()
	for _, bytes := range []int64{0, 1, 1<<20 + 7} {
		if err := CheckRoom(filepath.Join(folder, "a"), bytes); err != nil {
			t.Error(err)
		}
	}
	wantFolder(t, folder)
	if err := CheckRoom(filepath.Join(folder, "missing", "a"), 1); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

// TestAbandon: a process that ends while it writes leaves no temporary file and
// the old file whole.
func TestAbandon(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "a")
	if err := WriteFile(path, text("old")); err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "DURABLE_TEST_ABANDON="+path)
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond)
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := child.Wait(); err == nil || child.ProcessState.ExitCode() == 3 {
		t.Errorf("the writer went on: %v", err)
	}
	wantFolder(t, folder, "a", "old")
}
