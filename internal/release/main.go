// Release builds the command for every platform, as static binaries with
// checksums and a software bill of materials, from the commit that is checked
// out: go run ./internal/release -o dist
//
// It builds from a fresh clone without paths and build identifiers, so that the same commit
// and Go version give the same bytes anywhere; -check builds a second time, in
// another folder and with an empty build cache, and compares.
package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"bethe/internal/durable"
)

const defaultPlatforms = "linux/amd64,linux/arm64,darwin/amd64,darwin/arm64,windows/amd64"

func main() {
	out := flag.String("o", "dist", "folder for the binaries, SHA256SUMS and sbom.json")
	platforms := flag.String("platforms", defaultPlatforms, "what to build for")
	check := flag.Bool("check", false, "build again elsewhere, with an empty build cache, and compare the bytes")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "release: unexpected argument %q\n", flag.Arg(0))
		os.Exit(2)
	}
	if err := release(*out, strings.Split(*platforms, ","), *check); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// release builds, and writes what goes with the binaries.
func release(out string, platforms []string, check bool) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	out, err := filepath.Abs(out)
	if err != nil {
		return err
	}
	commit, err := checkedOut()
	if err != nil {
		return err
	}
	if err := build(out, commit, platforms, ""); err != nil {
		return err
	}
	var sums bytes.Buffer
	var binaries []string
	for _, p := range platforms {
		name := binary(p)
		sum, err := sum(filepath.Join(out, name))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sum, name)
		binaries = append(binaries, name)
	}
	if check {
		cache, err := os.MkdirTemp("", "bethe-cache")
		if err != nil {
			return err
		}
		defer os.RemoveAll(cache)
		if err := compare(out, commit, platforms, cache); err != nil {
			return err
		}
		fmt.Println("two builds, same bytes")
	}
	bill, err := billOf(out, binaries)
	if err != nil {
		return err
	}
	fmt.Fprintf(&sums, "%x  sbom.json\n", sha256.Sum256(bill))
	for name, content := range map[string][]byte{"SHA256SUMS": sums.Bytes(), "sbom.json": bill} {
		if err := durable.WriteFile(filepath.Join(out, name), durableBytes(content)); err != nil {
			return err
		}
	}
	fmt.Print(sums.String())
	return nil
}

// checkedOut returns the commit that is checked out. Both builds are of it, whatever
// is committed meanwhile.
func checkedOut() (string, error) {
	text, err := exec.Command("git", "rev-parse", "HEAD").Output()
	if err != nil {
		return "", fmt.Errorf("a release is made from a git repository: git rev-parse HEAD: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// compare builds again, with the given build cache, and holds the bytes against
// those in out.
func compare(out, commit string, platforms []string, cache string) error {
	again, err := os.MkdirTemp("", "bethe-again")
	if err != nil {
		return err
	}
	defer os.RemoveAll(again)
	if err := build(again, commit, platforms, cache); err != nil {
		return err
	}
	for _, p := range platforms {
		a, errA := sum(filepath.Join(out, binary(p)))
		b, errB := sum(filepath.Join(again, binary(p)))
		if err := errors.Join(errA, errB); err != nil {
			return err
		}
		if !bytes.Equal(a, b) {
			return fmt.Errorf("%s: a second build has other bytes", binary(p))
		}
	}
	return nil
}

// binary names the binary of a platform, GOOS/GOARCH.
func binary(platform string) string {
	name := "bethe-" + strings.ReplaceAll(platform, "/", "-")
	if strings.HasPrefix(platform, "windows/") {
		name += ".exe"
	}
	return name
}

// build builds for the platforms from a clone of the commit, with the given build
// cache if it is not "".
func build(out, commit string, platforms []string, cache string) error {
	clone, err := os.MkdirTemp("", "bethe-release")
	if err != nil {
		return err
	}
	defer os.RemoveAll(clone)
	if err := run("", nil, "git", "clone", "--quiet", "--no-checkout", ".", clone); err != nil {
		return err
	}
	if err := run(clone, nil, "git", "checkout", "--quiet", "--detach", commit); err != nil {
		return err
	}
	for _, p := range platforms {
		system, processor, ok := strings.Cut(p, "/")
		if !ok {
			return fmt.Errorf("platform %q: it is GOOS/GOARCH", p)
		}
		env := []string{"CGO_ENABLED=0", "GOOS=" + system, "GOARCH=" + processor, "GOAMD64=v1", "GOFLAGS=", "GOEXPERIMENT="}
		if cache != "" {
			env = append(env, "GOCACHE="+cache)
		}
		if err := run(clone, env, "go", "build", "-trimpath", "-buildvcs=true", "-ldflags=-s -w -buildid=", "-o", filepath.Join(out, binary(p)), "./cmd/bethe"); err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
	}
	return nil
}

func run(dir string, env []string, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, bytes.TrimSpace(text))
	}
	return nil
}

func sum(path string) ([]byte, error) {
	content, err := os.ReadFile(path)
	s := sha256.Sum256(content)
	return slices.Clone(s[:]), err
}
