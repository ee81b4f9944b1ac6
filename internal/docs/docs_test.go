package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const sample = "# A page\n\n    formula = 3\n\nWords:\n\n    $ echo 12 in 3.5 s\n    12 in 9 s\n    $ echo one; echo two; echo 1.001\n    two\n    1.0\n\n" +
	"<!-- instead: echo short > made -->\n    $ sleep 100\n\n<!-- file: x.sh -->\n```sh\necho file\n```\n\n    cp x.sh y.sh\n\n<!-- skip: why -->\n    bethe never\n"

// write writes a page into a folder of its own, which becomes the current one.
func write(t *testing.T, text string) string {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{"page.md": text, "examples/x.sh": "echo file\n", "docs/x.md": ""} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return "page.md"
}

func TestRead(t *testing.T) {
	p, err := read(write(t, sample))
	if err != nil || len(p.blocks) != 5 {
		t.Fatalf("%+v, %v", p, err)
	}
	first := p.blocks[0].commands
	if len(first) != 2 || first[1].text != "echo one; echo two; echo 1.001" || strings.Join(first[1].output, "|") != "two|1.0" {
		t.Errorf("%+v", first)
	}
	if p.blocks[1].instead == "" || p.blocks[2].file != "x.sh" || p.blocks[2].text != "echo file\n" || p.blocks[4].skip != "why" {
		t.Errorf("%+v", p.blocks)
	}
	for _, bad := range []string{"<!-- skip why -->\n\n    cp a b\n", "<!-- never: x -->\n", "<!-- skip: x -->\n", "```\nx\n"} {
		if _, err := read(write(t, bad)); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

// check runs a page and returns its faults.
func check(t *testing.T, text string, rewritten bool) *checker {
	t.Helper()
	p, err := read(write(t, text))
	if err != nil {
		t.Fatal(err)
	}
	root, _ := os.Getwd()
	c := &checker{root: root, write: rewritten}
	if err := c.page(p); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPage(t *testing.T) {
	if c := check(t, sample, false); len(c.wrong) != 0 || len(c.left) != 2 || c.ran != 5 {
		t.Errorf("%+v", c)
	}
	wrong := strings.NewReplacer("12 in 9 s", "13 in 9 s", "echo file", "echo other").Replace(sample)
	c := check(t, wrong, false)
	if len(c.wrong) != 2 || !strings.Contains(c.wrong[0], "page.md:7: echo 12") || !strings.Contains(c.wrong[1], "it is not examples/x.sh") {
		t.Errorf("%q", c.wrong)
	}
	check(t, wrong, true)
	if c := check(t, "<!-- picture: a.png b.png -->\n    cp ../bethe/page.md a.png\n\n<!-- picture: none.png c.png -->\n    cp a.png d.png\n", true); len(c.wrong) != 1 || !strings.Contains(c.wrong[0], "no picture none.png") {
		t.Errorf("%q", c.wrong)
	}
	if made, err := os.ReadFile("docs/b.png"); err != nil || !strings.HasPrefix(string(made), "<!-- picture") {
		t.Errorf("no picture: %v", err)
	}
	check(t, wrong, true)
	text, _ := os.ReadFile("page.md")
	if want := strings.NewReplacer("12 in 9 s", "12 in 3.5 s", "echo file", "echo other").Replace(sample); string(text) != want {
		t.Errorf("rewritten: %s", text)
	}
	if c = check(t, "    $ cp no such\n", false); len(c.wrong) != 1 {
		t.Errorf("%q", c.wrong)
	}
}

func TestSame(t *testing.T) {
	for _, c := range []struct {
		want, got string
		same      bool
	}{
		{"bound -118.999 nats, 3 of 8 in 9.1 s", "bound -119.2 nats, 3 of 8 in 12 s", true}, {"bound -1.5 ▁█ -2.5", "bound -9 ▁▃█ -2.5", true}, {"bound -1 ▁█ -2.5", "bound -1 ▁█ -3.5", false}, {"3 of 8", "4 of 8", false}, {"-118.9", "-128.9", false},
		{"a  1", "a 1", true}, {"a 1", "b 1", false}, {"J 0.0829", "J 0.083", true}, {"learning took 4.72 s", "learning took 0.31 s", true},
	} {
		if same(c.want, c.got) != c.same {
			t.Errorf("%q and %q", c.want, c.got)
		}
	}
	if missing([]string{"a", "...", "n", "c"}, []string{"note", "a", "b", "c"}, []string{"n"}) != "" || missing([]string{"c", "a"}, []string{"a", "c"}) != "a" {
		t.Error("lines are not taken in their order")
	}
}
