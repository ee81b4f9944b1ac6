// Command docs runs the commands and programs that the pages of the documentation show, and
// compares what they print with what stands there.
//
//	go run ./internal/docs            what takes seconds; the rest is listed
//	go run ./internal/docs -all       all but skipped blocks
//	go run ./internal/docs -all -write    and writes the outputs into the pages
//
// It runs in folders of its own, with the program of this tree. Comments before a block direct it:
//
//	<!-- first: COMMAND -->     is run before the block
//	<!-- instead: COMMAND -->   is run in its place: the block takes long, and is run with -all alone
//	<!-- skip: REASON -->       the block is never run
//	<!-- differs: REASON -->    its output is not compared
//	<!-- picture: FILE NAME --> the block makes FILE, and -write copies it to docs/NAME, if the block is run
//	<!-- file: NAME -->         the block is a file that commands below use; examples/NAME is the same
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// limit is the most time for a command; with -all an hour.
const limit = 60 * time.Second

func main() {
	all := flag.Bool("all", false, "run what takes long too")
	python := flag.String("python", "python3", "the `program` that pages call python3; NumPy is needed")
	write := flag.Bool("write", false, "write what was printed into the pages")
	flag.Parse()
	if err := run(flag.Args(), *python, *all, *write); err != nil {
		fmt.Fprintln(os.Stderr, "docs:", err)
		os.Exit(1)
	}
}

// A checker runs the blocks of pages.
type checker struct {
	root       string // of the tree
	bin        string // folder of the program
	all, write bool
	ran        int
	wrong      []string
	left       []string // blocks that were not run, and why
}

func run(paths []string, python string, all, write bool) error {
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		if paths, err = filepath.Glob("docs/*.md"); err != nil {
			return err
		}
		paths = append([]string{"README.md"}, paths...)
	}
	bin, err := os.MkdirTemp("", "docs")
	if err != nil {
		return err
	}
	defer os.RemoveAll(bin)
	build := exec.Command("go", "build", "-o", filepath.Join(bin, "bethe"), "./cmd/bethe")
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, text)
	}
	if python, err = exec.LookPath(python); err != nil {
		return err
	}
	if err := os.Symlink(python, filepath.Join(bin, "python3")); err != nil {
		return err
	}
	c := &checker{root: root, bin: bin, all: all, write: write}
	for _, path := range paths {
		p, err := read(path)
		if err != nil {
			return err
		}
		begin, before := time.Now(), c.ran
		if err := c.page(p); err != nil {
			return err
		}
		fmt.Printf("%s: %d commands in %.1f s\n", path, c.ran-before, time.Since(begin).Seconds())
	}
	fmt.Printf("not run:\n  %s\n", strings.Join(c.left, "\n  "))
	if len(c.wrong) > 0 {
		return fmt.Errorf("%d of %d commands are not as the pages have them:\n%s", len(c.wrong), c.ran, strings.Join(c.wrong, "\n"))
	}
	return nil
}

// page runs the blocks of a page in a folder, beside which ../bethe is the tree.
func (c *checker) page(p *page) error {
	folder, err := os.MkdirTemp("", "docs")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	if err := os.Symlink(c.root, filepath.Join(folder, "bethe")); err != nil {
		return err
	}
	work := filepath.Join(folder, "work")
	if err := os.Mkdir(work, 0o755); err != nil {
		return err
	}
	for k := range p.blocks {
		if err := c.block(p, &p.blocks[k], work); err != nil {
			return err
		}
	}
	if c.write {
		return p.rewrite()
	}
	return nil
}

func (c *checker) block(p *page, b *block, work string) error {
	for _, text := range strings.Split(b.first, "\n") {
		if text != "" {
			c.command(p, b, &command{line: b.line, text: text}, work, false)
		}
	}
	at := fmt.Sprintf("%s:%d", p.path, b.line+1)
	switch {
	case b.skip != "":
		c.left = append(c.left, at+": "+b.skip)
		return nil
	case b.file != "":
		return c.file(b, at, work)
	case b.instead != "" && !c.all:
		c.left = append(c.left, at+": takes long: "+b.commands[0].text)
		c.command(p, b, &command{line: b.line, text: b.instead}, work, false)
		return nil
	case b.doctest:
		path := filepath.Join(work, "doctest.txt")
		if err := os.WriteFile(path, []byte(b.text), 0o644); err != nil {
			return err
		}
		c.command(p, b, &command{line: b.line, text: "python3 -m doctest -o NORMALIZE_WHITESPACE -o ELLIPSIS doctest.txt"}, work, false)
		return c.pictures(b, at, work)
	case b.commands == nil:
		c.left = append(c.left, at+": not a command: "+strings.TrimSpace(strings.SplitN(b.text, "\n", 2)[0]))
		return nil
	}
	for k := range b.commands {
		c.command(p, b, &b.commands[k], work, true)
	}
	return c.pictures(b, at, work)
}

// pictures looks for the pictures that a block made, and copies them if pages are written.
func (c *checker) pictures(b *block, at, work string) error {
	for _, line := range strings.Split(b.picture, "\n") {
		file, name, _ := strings.Cut(line, " ")
		if line == "" {
			continue
		}
		made, err := os.ReadFile(filepath.Join(work, file))
		if c.ran++; err != nil {
			c.wrong = append(c.wrong, fmt.Sprintf("%s: it makes no picture %s", at, file))
			continue
		}
		if c.write {
			if err := os.WriteFile(filepath.Join(c.root, "docs", name), made, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// file writes a file of the page, and holds it against the example of that name.
func (c *checker) file(b *block, at, work string) error {
	if c.write {
		if err := os.WriteFile(filepath.Join(c.root, "examples", b.file), []byte(b.text), 0o644); err != nil {
			return err
		}
	}
	kept, err := os.ReadFile(filepath.Join(c.root, "examples", b.file))
	if c.ran++; err != nil || string(kept) != b.text {
		c.wrong = append(c.wrong, fmt.Sprintf("%s: it is not examples/%s", at, b.file))
	}
	return os.WriteFile(filepath.Join(work, filepath.Base(b.file)), []byte(b.text), 0o644)
}

// command runs a command. If the page shows it, its output is compared.
func (c *checker) command(p *page, b *block, cmd *command, work string, compared bool) {
	most := limit
	if c.all {
		most = time.Hour
	}
	ctx, stop := context.WithTimeout(context.Background(), most)
	defer stop()
	run := exec.CommandContext(ctx, "bash", "-c", "set -o pipefail; "+cmd.text)
	run.Dir = work
	run.Env = append(os.Environ(), "PATH="+c.bin+":"+os.Getenv("PATH"))
	var stdout, stderr bytes.Buffer
	run.Stdout, run.Stderr = &stdout, &stderr
	run.WaitDelay = time.Second
	err := run.Run()
	c.ran++
	at := fmt.Sprintf("%s:%d: %s", p.path, cmd.line, cmd.text)
	got, said := lines(stdout.String()), lines(stderr.String())
	failed := slices.ContainsFunc(cmd.output, func(line string) bool { return strings.HasPrefix(line, "bethe: ") })
	if (err != nil) != failed {
		c.wrong = append(c.wrong, fmt.Sprintf("%s\n    %v\n    %s", at, err, strings.Join(append(said, got...), "\n    ")))
		return
	}
	if !compared || b.differs != "" && !c.all {
		return
	}
	if line := missing(cmd.output, got, said); line != "" {
		c.wrong = append(c.wrong, fmt.Sprintf("%s\n  the page has\n    %s\n  it prints\n    %s", at, line, strings.Join(append(said, got...), "\n    ")))
		said = slices.DeleteFunc(said, func(line string) bool { // notes that the page does not show
			return !slices.ContainsFunc(cmd.output, func(shown string) bool { return same(shown, line) })
		})
		cmd.output = append(said, got...)
	}
}

func lines(text string) (list []string) {
	for _, line := range strings.Split(text, "\n") {
		if line = strings.TrimRight(line, " \r"); line != "" {
			list = append(list, line)
		}
	}
	return list
}
