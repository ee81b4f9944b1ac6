package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// A release of a small repository: binary, checksums and bill belong together.
func TestRelease(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("NOT TESTED: git is missing")
	}
	folder := t.TempDir()
	files := map[string]string{"go.mod": "module bethe\n\ngo 1.26\n", "cmd/bethe/main.go": "package main\n\nfunc main() { println(\"hello\") }\n"}
	for name, text := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(folder)
	git := func(all ...string) {
		t.Helper()
		for _, words := range all {
			if text, err := exec.Command("git", strings.Fields(words)...).CombinedOutput(); err != nil {
				t.Fatalf("git %s: %v\n%s", words, err, text)
			}
		}
	}
	git("init -q", "add -A", "-c user.name=a -c user.email=a@b commit -qm first", "tag v1.2.3")
	commit, err := checkedOut()
	if err != nil {
		t.Fatal(err)
	}
	platform := runtime.GOOS + "/" + runtime.GOARCH
	if err := release("dist", []string{platform}, false); err != nil {
		t.Fatal(err)
	}
	// What is committed meanwhile is no part of the second build.
	if err := os.WriteFile("cmd/bethe/main.go", []byte("package main\n\nfunc main() { println(\"later\") }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	git("-c user.name=a -c user.email=a@b commit -qam second")
	if err := compare("dist", commit, []string{platform}, ""); err != nil { // with the cache that there is, for speed
		t.Error(err)
	}
	if text, err := exec.Command(filepath.Join("dist", binary(platform))).CombinedOutput(); err != nil || string(text) != "hello\n" {
		t.Errorf("the binary: %v, %q", err, text)
	}
	sums, err := os.ReadFile("dist/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("dist/sbom.json")
	if err != nil {
		t.Fatal(err)
	}
	var b bill
	if err := json.Unmarshal(text, &b); err != nil || b.Metadata.Component.Version != "v1.2.3" || len(b.Parts) != 2 || b.Parts[1].Name != "std" {
		t.Errorf("bill %v\n%s", err, text)
	}
	if !strings.HasPrefix(string(sums), b.Parts[0].Hashes[0].Content+"  "+binary(platform)+"\n") || len(strings.Split(string(sums), "\n")) != 3 {
		t.Errorf("checksums\n%s", sums)
	}
	if err := os.WriteFile(filepath.Join("dist", binary(platform)), []byte("another"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := compare("dist", commit, []string{platform}, ""); err == nil || !strings.Contains(err.Error(), "other bytes") {
		t.Errorf("another binary: %v", err)
	}
	if err := release("dist", []string{"plan10"}, false); err == nil {
		t.Error("an unknown platform is built")
	}
}
