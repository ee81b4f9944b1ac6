package sweep

import (
	"fmt"
	"strings"
)

// Limits on the text of a grid. TOML of a few bytes can mean many values: each
// dot in a key makes a table, and what reads it keeps every name on the way there.
const (
	maxDots     = 4    // of a key or a number
	maxBrackets = 1000 // that open a list or a table
	maxNested   = 4    // within each other
	maxKeys     = 1000
)

// checkGrid refuses a text that is no grid, but would take much to be read.
// It looks at the signs outside of strings and comments.
func checkGrid(text string) error {
	if strings.Contains(text, `"""`) || strings.Contains(text, `'''`) {
		return fmt.Errorf("a text of several lines, where numbers are needed")
	}
	line, dots, brackets, nested, keys := 1, 0, 0, 0, 0
	for k := 0; k < len(text); k++ {
		switch c := text[k]; c {
		case '#':
			for k+1 < len(text) && text[k+1] != '\n' {
				k++
			}
		case '"', '\'':
			for k++; k < len(text) && text[k] != c && text[k] != '\n'; k++ {
				if c == '"' && text[k] == '\\' && k+1 < len(text) && text[k+1] != '\n' {
					k++
				}
			}
			if k < len(text) && text[k] == '\n' {
				k-- // a string ends with its line
			}
		case '.':
			dots++
		case '=':
			keys++
			dots = 0
		case '[', '{':
			brackets++
			nested++
			dots = 0
		case ']', '}':
			nested = max(0, nested-1)
			dots = 0
		case '\n':
			line++
			dots = 0
		case ',':
			dots = 0
		}
		switch {
		case dots > maxDots:
			return fmt.Errorf("line %d: a key of more than %d dots; the keys are %s", line, maxDots, keyNames())
		case nested > maxNested:
			return fmt.Errorf("line %d: more than %d lists or tables within each other, where numbers are needed", line, maxNested)
		case brackets > maxBrackets || keys > maxKeys:
			return fmt.Errorf("line %d: more than %d lists or keys; the keys are %s", line, maxKeys, keyNames())
		}
	}
	return nil
}
