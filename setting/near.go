package setting

import (
	"fmt"
	"strings"
)

// mostSlips is how many letters a word may be off and still be taken for a name: so many, and no more than half of them.
const mostSlips = 2

// Near returns the names that a misspelt word may stand for, in the order of names: those that begin with it, and
// those that one or two letters tell from it, each put in, left out or changed, but not most of a short word. Case does not count.
func Near(word string, names []string) (near []string) {
	word = strings.ToLower(word)
	for _, name := range names {
		lower := strings.ToLower(name)
		a, b := []rune(word), []rune(lower)
		if word != "" && strings.HasPrefix(lower, word) || slips(a, b) <= min(mostSlips, max(len(a), len(b))/2) {
			near = append(near, name)
		}
	}
	return near
}

// Meant returns the question whether one of the names near a word was meant, to end an error with; "" if none is near.
func Meant(word string, names []string) string {
	near := Near(word, names)
	if len(near) == 0 {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", strings.Join(near, " or "))
}

// slips returns the number of letters to put in, leave out or change that turns a into b (V. Levenshtein, 1966).
func slips(a, b []rune) int {
	row := make([]int, len(b)+1) // of the letters of a so far
	for j := range row {
		row[j] = j
	}
	for i, x := range a {
		before := row[0]
		row[0] = i + 1
		for j, y := range b {
			changed := before
			if x != y {
				changed++
			}
			before = row[j+1]
			row[j+1] = min(changed, before+1, row[j]+1)
		}
	}
	return row[len(b)]
}
