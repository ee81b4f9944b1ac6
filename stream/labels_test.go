package stream

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// scopes reads the registry: the labels of each const block of labels.go. A block
// is a scope.
func scopes(t *testing.T) []map[string]uint64 {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "labels.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var all []map[string]uint64
	for _, d := range file.Decls {
		block, ok := d.(*ast.GenDecl)
		if !ok || block.Tok != token.CONST {
			continue
		}
		scope := map[string]uint64{}
		counting := false
		for k, spec := range block.Specs {
			s := spec.(*ast.ValueSpec)
			if len(s.Names) != 1 {
				t.Fatalf("%v: a label a line", s.Names)
			}
			switch {
			case len(s.Values) == 0 && counting:
				scope[s.Names[0].Name] = uint64(k)
			case len(s.Values) == 1:
				value, iota := valueOf(t, s.Values[0])
				counting = iota
				if iota {
					value = uint64(k)
				}
				scope[s.Names[0].Name] = value
			default:
				t.Fatalf("%s: no value that this test can read", s.Names[0].Name)
			}
		}
		all = append(all, scope)
	}
	return all
}

func valueOf(t *testing.T, e ast.Expr) (value uint64, iota bool) {
	t.Helper()
	switch e := e.(type) {
	case *ast.Ident:
		return Far, e.Name == "iota"
	case *ast.BasicLit:
		v, err := strconv.ParseUint(e.Value, 0, 64)
		if err != nil {
			t.Fatal(err)
		}
		return v, false
	case *ast.BinaryExpr: // 1 << n
		x, _ := valueOf(t, e.X)
		y, _ := valueOf(t, e.Y)
		return x << y, false
	}
	t.Fatalf("a label that is no number, iota, Far or shift")
	return 0, false
}

// TestLabelsDiffer: the labels of a scope are all different and begin with the same
// word, and those that share a key with a counter are far from it.
func TestLabelsDiffer(t *testing.T) {
	word := func(name string) string {
		return name[:1+strings.IndexFunc(name[1:], func(r rune) bool { return r >= 'A' && r <= 'Z' })]
	}
	seen, total := map[string]bool{}, 0
	for _, scope := range scopes(t) {
		values, first := map[uint64]string{}, ""
		for name, v := range scope {
			total++
			if other, ok := values[v]; ok {
				t.Errorf("%s and %s are both %d", name, other, v)
			}
			values[v] = name
			if len(scope) == 1 && name == "Far" {
				continue
			}
			if first == "" {
				first = word(name)
			}
			if word(name) != first {
				t.Errorf("%s is in the scope of %s", name, first)
			}
		}
		if seen[first] {
			t.Errorf("two scopes begin with %q", first)
		}
		seen[first] = true
	}
	if total < 60 {
		t.Errorf("only %d labels were read", total)
	}
	if OrderHead < Far || OrderFields < Far || ChainsScouts < Far {
		t.Error("a label beside a counter is not far")
	}
}

// TestLabelsStay: a label has the value that testdata/labels.txt holds. A value that
// changes gives equal seeds other bytes, so lines are added there and never changed.
func TestLabelsStay(t *testing.T) {
	text, err := os.ReadFile("testdata/labels.txt")
	if err != nil {
		t.Fatal(err)
	}
	held := map[string]uint64{}
	for line := range strings.Lines(string(text)) {
		var name string
		var value uint64
		if _, err := fmt.Sscan(line, &name, &value); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		held[name] = value
	}
	for _, scope := range scopes(t) {
		for name, v := range scope {
			if want, ok := held[name]; !ok || v != want {
				t.Errorf("%s is %d, and testdata/labels.txt has %d (known there: %v)", name, v, want, ok)
			}
			delete(held, name)
		}
	}
	for name := range held {
		t.Errorf("%s is no label any more", name)
	}
}

// counters are what else may be a label: numbers of sweeps, steps and the like.
var counters = []string{"c.Sweeps", "c.steps", "d.steps", "l.steps", "e.sweeps", "s.sweeps", "q.step", "round", "label", "start.label"}

// TestLabelsAreRegistered: a label in the program is one of stream, a number that was
// converted, or a counter.
func TestLabelsAreRegistered(t *testing.T) {
	used := map[string]bool{}
	if err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || d.Name() == "bench" || strings.HasSuffix(d.Name(), "test") || strings.HasPrefix(d.Name(), ".") && d.Name() != "..") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(file.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"bethe/stream"` }) {
			return nil
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 1 {
				return true
			}
			if f, ok := call.Fun.(*ast.SelectorExpr); !ok || f.Sel.Name != "Sub" {
				return true
			}
			switch arg := call.Args[0].(type) {
			case *ast.CallExpr: // a conversion
			case *ast.SelectorExpr:
				x, _ := arg.X.(*ast.Ident)
				if x != nil && x.Name == "stream" {
					used[arg.Sel.Name] = true
				} else if x != nil && !slices.Contains(counters, x.Name+"."+arg.Sel.Name) && !isTime(arg) {
					t.Errorf("%s: %s.%s is no label of stream", files.Position(arg.Pos()), x.Name, arg.Sel.Name)
				}
			case *ast.Ident:
				if !slices.Contains(counters, arg.Name) && !isTime(arg) {
					t.Errorf("%s: %s is no label of stream", files.Position(arg.Pos()), arg.Name)
				}
			case *ast.BasicLit:
				t.Errorf("%s: a label that is a number", files.Position(arg.Pos()))
			}
			return true
		})
		ast.Inspect(file, func(n ast.Node) bool { // labels that are handed on
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "stream" {
					used[s.Sel.Name] = true
				}
			}
			return true
		})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, scope := range scopes(t) {
		for name := range scope {
			if !used[name] && name != "Far" {
				t.Errorf("nothing uses %s", name)
			}
		}
	}
}

// isTime reports whether an argument of Sub is one of time.Time.
func isTime(e ast.Expr) bool {
	name := ""
	switch e := e.(type) {
	case *ast.Ident:
		name = e.Name
	case *ast.SelectorExpr:
		name = e.Sel.Name
	}
	return slices.Contains([]string{"last", "began", "at", "start"}, name)
}
