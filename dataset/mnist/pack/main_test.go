package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bethe/dataset/mnist/internal/tiles"
)

// standIn writes the four files of a database of few samples, and makes their
// sums the ones that count for the length of the test.
func standIn(t *testing.T) string {
	t.Helper()
	kept := maps.Clone(sums)
	t.Cleanup(func() { sums = kept })
	folder := t.TempDir()
	write := func(name string, content []byte) {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := z.Write(content); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(b.Bytes())
		sums[name] = hex.EncodeToString(sum[:])
	}
	for k, prefix := range []string{"train", "t10k"} {
		n := byte(3 - k)
		images := []byte{0, 0, 8, 3, 0, 0, 0, n, 0, 0, 0, 28, 0, 0, 0, 28}
		for p := range int(n) * 784 {
			images = append(images, byte(p%256))
		}
		labels := []byte{0, 0, 8, 1, 0, 0, 0, n, 9, 0, 4}
		write(prefix+"-images-idx3-ubyte.gz", images)
		write(prefix+"-labels-idx1-ubyte.gz", labels[:8+n])
	}
	return folder
}

func TestRun(t *testing.T) {
	folder, out := standIn(t), t.TempDir()
	var stdout, stderr bytes.Buffer
	if err := run(&stdout, &stderr, []string{"-o", out, folder}); err != nil {
		t.Fatal(err)
	}
	if strings.Count(stdout.String(), "\n") != 2 || stderr.Len() != 0 {
		t.Errorf("wrote %q and %q", &stdout, &stderr)
	}
	for name, labels := range map[string][]int{"train.tiles": {9, 0, 4}, "test.tiles": {9, 0}} {
		packed, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		pictures, got, err := tiles.Decode(packed, len(labels))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, labels) {
			t.Errorf("labels %v", got)
		}
		for p := range len(labels) * 784 {
			if want := p%256 > 127; pictures.At(p%784, p/784) > 0 != want {
				t.Fatalf("pixel %d of picture %d", p%784, p/784)
			}
		}
	}
}

func TestRunErrors(t *testing.T) {
	folder := standIn(t)
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"no folder", nil, "want the folder"},
		{"flag", []string{"-x"}, "not defined"},
		{"no files", []string{t.TempDir()}, "train-images-idx3-ubyte.gz"},
		{"no place", []string{"-o", filepath.Join(folder, "none"), folder}, "train.tiles"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if err := run(&stdout, &stderr, c.args); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v", err)
			}
		})
	}
	sums["t10k-labels-idx1-ubyte.gz"] = "0"
	var stdout, stderr bytes.Buffer
	err := run(&stdout, &stderr, []string{"-o", t.TempDir(), folder})
	if err == nil || !strings.Contains(err.Error(), "has SHA-256") {
		t.Errorf("error %v of a file that is not the database's", err)
	}
}
