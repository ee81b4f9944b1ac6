package main

import (
	"os"
	"strings"
)

// rewrite writes the page with what its commands printed where that is another thing than stands there.
func (p *page) rewrite() error {
	var out []string
	k := 0
	for _, b := range p.blocks {
		for _, c := range b.commands {
			for ; k < c.line; k++ {
				out = append(out, p.lines[k])
			}
			old := 0
			for j := k; j < len(p.lines) && strings.HasPrefix(p.lines[j], "    ") && !strings.HasPrefix(p.lines[j], "    "+prompt); j++ {
				old++
			}
			if len(c.output) == 0 || !strings.HasPrefix(p.lines[c.line-1], "    "+prompt) {
				continue
			}
			k += old
			for _, line := range c.output {
				out = append(out, "    "+line)
			}
		}
	}
	out = append(out, p.lines[k:]...)
	return os.WriteFile(p.path, []byte(strings.Join(out, "\n")), 0o644)
}
