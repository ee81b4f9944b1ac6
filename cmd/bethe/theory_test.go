package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// declared returns the names that a package declares: Name, Type and Type.Method.
func declared(t *testing.T, folder string) map[string]bool {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				name := d.Name.Name
				if d.Recv != nil {
					name = receiver(d.Recv.List[0].Type) + "." + name
				}
				names[name] = true
			case *ast.GenDecl:
				for _, s := range d.Specs {
					switch s := s.(type) {
					case *ast.TypeSpec:
						names[s.Name.Name] = true
					case *ast.ValueSpec:
						for _, n := range s.Names {
							names[n.Name] = true
						}
					}
				}
			}
		}
	}
	return names
}

// receiver returns the name of a method's type, without pointer and parameters.
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// TestTheory: every Go name in docs/theory.md exists.
func TestTheory(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "theory.md"))
	if err != nil {
		t.Fatal(err)
	}
	packages := map[string]map[string]bool{}
	found := regexp.MustCompile("`([a-z]+)\\.([A-Za-z0-9.]+)`").FindAllStringSubmatch(string(text), -1)
	if len(found) < 40 {
		t.Fatalf("only %d names", len(found))
	}
	for _, f := range found {
		folder := filepath.Join("..", "..", f[1])
		if f[1] == "kernel" {
			folder = filepath.Join("..", "..", "internal", "kernel")
		}
		if packages[f[1]] == nil {
			packages[f[1]] = declared(t, folder)
		}
		if !packages[f[1]][f[2]] {
			t.Errorf("docs/theory.md names %s.%s, which does not exist", f[1], f[2])
		}
	}
}
