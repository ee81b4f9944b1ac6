package runs

import (
	"os"
	"path/filepath"
	"testing"
)

func TestNames(t *testing.T) {
	for data, want := range map[string]string{"mnist": "mnist", "mnist:train:0-9": "mnist-train-0-9", "a/b/my digits.npz": "my-digits", ".csv": ".csv", "x.tar.gz": "x.tar"} {
		if got := Stem(data); got != want {
			t.Errorf("%s: %q, not %q", data, got, want)
		}
	}
	folder := filepath.Join(t.TempDir(), "run")
	for _, want := range []string{folder, folder + "-2", folder + "-3"} {
		got := Unused(folder)
		if got != want {
			t.Errorf("%s, not %s", got, want)
		}
		if err := os.MkdirAll(got, 0o755); err != nil {
			t.Fatal(err)
		}
		if empty := Unused(folder); empty != want {
			t.Errorf("an empty folder %s is not used, but %s", want, empty)
		}
		if err := os.WriteFile(filepath.Join(got, InfoFile), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
