package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestPages: all packages have a page that is linked from the index, and every link leads somewhere.
func TestPages(t *testing.T) {
	folder := t.TempDir()
	count, err := write(folder, "bethe/...")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob(filepath.Join(folder, "*.html"))
	if err != nil || len(pages) != count+1 || count < 30 {
		t.Fatalf("%d pages of %d packages, %v", len(pages), count, err)
	}
	texts := map[string]string{}
	for _, p := range pages {
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(p)] = string(text)
	}
	links := regexp.MustCompile(`href="([^"]*)"`)
	for name, text := range texts {
		if name != "index.html" && !strings.Contains(texts["index.html"], `href="`+name+`"`) {
			t.Errorf("%s is not in the index", name)
		}
		for _, l := range links.FindAllStringSubmatch(text, -1) {
			if strings.HasPrefix(l[1], "https://") {
				continue
			}
			file, id, _ := strings.Cut(l[1], "#")
			if file == "" {
				file = name
			}
			if to, there := texts[file]; !there || id != "" && !strings.Contains(to, `id="`+id+`"`) {
				t.Errorf("%s: the link %s leads nowhere", name, l[1])
			}
		}
	}
	rbm := texts["bethe.rbm.html"]
	for _, want := range []string{`id="Network"`, `id="Network.LnZ"`, "func NewNetwork[T Real](visible, hidden int) *Network[T]", `id="MaxExact"`} {
		if !strings.Contains(rbm, want) {
			t.Errorf("the page of rbm lacks %s", want)
		}
	}
	if _, err := write(folder, "bethe/nothing"); err == nil {
		t.Error("packages that are not there give no error")
	}
}
