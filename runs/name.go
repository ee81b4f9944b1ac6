package runs

import (
	"fmt"
	"os"
	"path/filepath"
)

// Stem turns the name of data, such as a path or mnist:test, into part of a
// folder's name.
func Stem(data string) string {
	base := filepath.Base(data)
	if ext := filepath.Ext(base); ext != "" && ext != base {
		base = base[:len(base)-len(ext)]
	}
	out := []rune(base)
	for k, ch := range out {
		if ch == ':' || ch == ' ' {
			out[k] = '-'
		}
	}
	return string(out)
}

// Unused returns the folder, or the first of folder-2, folder-3, ... that holds nothing.
func Unused(folder string) string {
	for k := 1; ; k++ {
		name := folder
		if k > 1 {
			name = fmt.Sprintf("%s-%d", folder, k)
		}
		if entries, err := os.ReadDir(name); err != nil || len(entries) == 0 {
			return name
		}
	}
}
