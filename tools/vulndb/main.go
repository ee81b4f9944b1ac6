// Vulndb makes the database that govulncheck reads from the reports that module
// golang.org/x/vulndb holds as OSV files: the module comes through the module
// proxy, also where vuln.go.dev is out of reach. The layout is that of
// https://go.dev/doc/security/vuln/database, as far as govulncheck asks for it.
//
//	vulndb FOLDER-OF-OSV-FILES DATABASE-FOLDER
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A report is the part of an OSV file that the index needs.
type report struct {
	ID       string    `json:"id"`
	Modified time.Time `json:"modified"`
	Affected []struct {
		Package struct {
			Name string `json:"name"`
		} `json:"package"`
		Ranges []struct {
			Events []struct {
				Fixed string `json:"fixed"`
			} `json:"events"`
		} `json:"ranges"`
	} `json:"affected"`
}

// A module is an entry of index/modules.json.
type module struct {
	Path  string          `json:"path"`
	Vulns []vulnerability `json:"vulns"`
}

type vulnerability struct {
	ID       string    `json:"id"`
	Modified time.Time `json:"modified"`
	Fixed    string    `json:"fixed,omitempty"`
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: vulndb FOLDER-OF-OSV-FILES DATABASE-FOLDER")
		os.Exit(2)
	}
	n, err := index(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "vulndb:", err)
		os.Exit(1)
	}
	fmt.Printf("%d reports\n", n)
}

// index writes the database of the reports and returns their number.
func index(from, to string) (int, error) {
	paths, err := filepath.Glob(filepath.Join(from, "GO-*.json"))
	if err != nil {
		return 0, err
	}
	if len(paths) == 0 {
		return 0, fmt.Errorf("%s holds no reports", from)
	}
	for _, folder := range []string{"ID", "index"} {
		if err := os.MkdirAll(filepath.Join(to, folder), 0o755); err != nil {
			return 0, err
		}
	}
	modules := map[string][]vulnerability{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return 0, err
		}
		var r report
		if err := json.Unmarshal(text, &r); err != nil {
			return 0, fmt.Errorf("%s: %w", path, err)
		}
		if r.ID != strings.TrimSuffix(filepath.Base(path), ".json") {
			return 0, fmt.Errorf("%s: the report of %q", path, r.ID)
		}
		if err := os.WriteFile(filepath.Join(to, "ID", filepath.Base(path)), text, 0o644); err != nil {
			return 0, err
		}
		for _, a := range r.Affected {
			v := vulnerability{ID: r.ID, Modified: r.Modified}
			for _, ranges := range a.Ranges {
				for _, e := range ranges.Events {
					if e.Fixed != "" {
						v.Fixed = e.Fixed
					}
				}
			}
			modules[a.Package.Name] = append(modules[a.Package.Name], v)
		}
	}
	var list []module
	for path, vulns := range modules {
		list = append(list, module{path, vulns})
	}
	slices.SortFunc(list, func(a, b module) int { return strings.Compare(a.Path, b.Path) })
	for name, v := range map[string]any{"modules.json": list, "db.json": map[string]time.Time{"modified": time.Now().UTC()}} {
		text, err := json.Marshal(v)
		if err != nil {
			return 0, err
		}
		if err := os.WriteFile(filepath.Join(to, "index", name), text, 0o644); err != nil {
			return 0, err
		}
	}
	return len(paths), nil
}
