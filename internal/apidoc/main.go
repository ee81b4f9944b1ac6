// Command apidoc writes the documentation of the packages as HTML, a page a package, with links between them:
//
//	go run ./internal/apidoc -o api
//
// The texts are those of the doc comments, rendered by go/doc. Nothing is fetched from elsewhere, and pages need no script.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/doc"
	"go/doc/comment"
	"go/format"
	"go/parser"
	"go/token"
	"html/template"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	out := flag.String("o", "", "folder for the pages")
	flag.Parse()
	if *out == "" || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "apidoc: -o names the folder for the pages, and there are no other arguments: go run ./internal/apidoc -o api")
		os.Exit(2)
	}
	count, err := write(*out, "./...")
	if err != nil {
		fmt.Fprintln(os.Stderr, "apidoc:", err)
		os.Exit(1)
	}
	fmt.Printf("%s: %d packages\n", filepath.Join(*out, "index.html"), count)
}

// A listed is what go list says of a package.
type listed struct {
	Dir, ImportPath, Name string
	GoFiles               []string
}

// list returns the packages of a pattern that other programs can use.
func list(pattern string) (packages []listed, err error) {
	cmd := exec.Command("go", "list", "-json=Dir,ImportPath,Name,GoFiles", pattern)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list %s: %w\n%s", pattern, err, &complaints)
	}
	for d := json.NewDecoder(bytes.NewReader(text)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, err
		}
		if len(p.GoFiles) > 0 && p.Name != "main" && !slices.Contains(strings.Split(p.ImportPath, "/"), "internal") {
			packages = append(packages, p)
		}
	}
}

// write writes the pages of the packages of a pattern and returns how many there are.
func write(folder, pattern string) (int, error) {
	packages, err := list(pattern)
	if err != nil {
		return 0, err
	}
	have := map[string]bool{}
	for _, p := range packages {
		have[p.ImportPath] = true
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return 0, err
	}
	type entry struct{ Path, Page, Synopsis string }
	var index []entry
	for _, p := range packages {
		page, err := render(p, have)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", p.ImportPath, err)
		}
		if err := save(filepath.Join(folder, pageOf(p.ImportPath)), packagePage, page); err != nil {
			return 0, err
		}
		index = append(index, entry{p.ImportPath, pageOf(p.ImportPath), page.Synopsis})
	}
	return len(packages), save(filepath.Join(folder, "index.html"), indexPage, index)
}

func save(path string, page *template.Template, data any) error {
	var b bytes.Buffer
	if err := page.Execute(&b, data); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o666)
}

// pageOf returns the name of the page of a package.
func pageOf(path string) string { return strings.ReplaceAll(path, "/", ".") + ".html" }

// A page is what the page of a package shows.
type page struct {
	Path, Name, Synopsis string
	Doc                  template.HTML
	Items                []item
}

// An item is a declaration with its text. ID is what the index leads to, empty for groups of constants and variables; links lead to their Names.
type item struct {
	ID, Kind string
	Names    []string
	Code     string
	Doc      template.HTML
	Level    int // 1 below a type
}

// render reads a package and renders its texts; have are the packages that have pages.
func render(p listed, have map[string]bool) (*page, error) {
	files, set := []*ast.File{}, token.NewFileSet()
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(set, filepath.Join(p.Dir, name), nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	d, err := doc.NewFromFiles(set, files, p.ImportPath)
	if err != nil {
		return nil, err
	}
	methods := map[string]bool{}
	for _, t := range d.Types {
		for _, m := range t.Methods {
			methods[t.Name+"."+m.Name] = true
		}
	}
	printer := d.Printer()
	printer.HeadingLevel = 3
	printer.DocLinkURL = func(l *comment.DocLink) string {
		id := l.Name
		if l.Recv != "" { // a method, or a field, which has no place of its own
			if id = l.Recv + "." + l.Name; !methods[id] {
				id = l.Recv
			}
		}
		to := ""
		switch {
		case l.ImportPath == "" || l.ImportPath == p.ImportPath:
		case have[l.ImportPath]:
			to = pageOf(l.ImportPath)
		default:
			to = "https://pkg.go.dev/" + l.ImportPath
		}
		if id != "" {
			to += "#" + id
		}
		return to
	}
	text := func(s string) template.HTML { return template.HTML(printer.HTML(d.Parser().Parse(s))) } // escaped by the printer
	out := &page{Path: p.ImportPath, Name: d.Name, Synopsis: d.Synopsis(d.Doc), Doc: text(d.Doc)}
	add := func(id, kind string, names []string, level int, node ast.Node, about string) error {
		if f, ok := node.(*ast.FuncDecl); ok {
			f.Body = nil
		}
		var code bytes.Buffer
		if err := format.Node(&code, set, node); err != nil {
			return err
		}
		out.Items = append(out.Items, item{id, kind, names, code.String(), text(about), level})
		return nil
	}
	values := func(kind string, level int, list []*doc.Value) error {
		for _, v := range list {
			v.Decl.Doc = nil
			if err := add("", kind, v.Names, level, v.Decl, v.Doc); err != nil {
				return err
			}
		}
		return nil
	}
	functions := func(level int, of string, list []*doc.Func) error {
		for _, f := range list {
			f.Decl.Doc = nil
			if err := add(of+f.Name, "func "+of+f.Name, nil, level, f.Decl, f.Doc); err != nil {
				return err
			}
		}
		return nil
	}
	err = errors.Join(values("Constants", 0, d.Consts), values("Variables", 0, d.Vars), functions(0, "", d.Funcs))
	for _, t := range d.Types {
		t.Decl.Doc = nil
		err = errors.Join(err, add(t.Name, "type "+t.Name, nil, 0, t.Decl, t.Doc), values("Constants", 1, t.Consts), values("Variables", 1, t.Vars),
			functions(1, "", t.Funcs), functions(1, t.Name+".", t.Methods))
	}
	return out, err
}
