package main

import (
	"fmt"
	"os"
	"strings"
)

// A page is a file of Markdown.
type page struct {
	path   string
	lines  []string
	blocks []block
}

// A block is code of a page: commands with what they print, or a file.
type block struct {
	line     int       // of its first line, counted from 0
	commands []command // of a shell
	file     string    // where its text is written, "" of commands
	text     string
	doctest  bool // Python with its answers

	first   string // run before it
	instead string // run in its place, if it takes long
	skip    string // why it is never run
	differs string // why its output is not compared
	picture string // a file that the block makes, and the picture of the docs that it is
}

// A command is one line of a shell, with the lines that it printed.
type command struct {
	line   int // where its output begins
	text   string
	output []string
}

// words are those that lines of a shell begin with.
var words = []string{"bethe ", "go ", "gcc ", "cc ", "g++ ", "python3 ", "iverilog ", "cp ", "git ", "bench/", "python/", "./", ".ci/"}

// prompt stands before commands whose output is shown.
const prompt = "$ "

func isCommand(line string) bool {
	if strings.HasPrefix(line, prompt) {
		return true
	}
	for _, word := range words {
		if strings.HasPrefix(line, word) {
			return true
		}
	}
	return false
}

// read reads a page. The error names the line of a directive that is wrong.
func read(path string) (*page, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p := &page{path: path, lines: strings.Split(string(text), "\n")}
	return p, p.parse()
}

// parse finds the blocks. A directive is a comment before a block, <!-- WORD: TEXT -->.
func (p *page) parse() error {
	next, pending := block{}, 0 // line of a directive that waits for its block
	for k := 0; k < len(p.lines); k++ {
		line := p.lines[k]
		switch text, isComment := comment(line); {
		case isComment:
			if err := next.direct(text); err != nil {
				return fmt.Errorf("%s:%d: %w", p.path, k+1, err)
			}
			pending = k + 1
		case strings.HasPrefix(line, "```"):
			end := k + 1
			for end < len(p.lines) && p.lines[end] != "```" {
				end++
			}
			if end == len(p.lines) {
				return fmt.Errorf("%s:%d: a block without an end", p.path, k+1)
			}
			next.line, next.text = k+1, strings.Join(p.lines[k+1:end], "\n")+"\n"
			next.doctest = strings.HasPrefix(next.text, ">>> ")
			p.blocks = append(p.blocks, next)
			next, pending, k = block{}, 0, end
		case strings.HasPrefix(line, "    ") && (k == 0 || p.lines[k-1] == "" || isDirective(p.lines[k-1])):
			end := k
			for end < len(p.lines) && (strings.HasPrefix(p.lines[end], "    ") || p.lines[end] == "" && end+1 < len(p.lines) && strings.HasPrefix(p.lines[end+1], "    ")) {
				end++
			}
			if next.line = k; isCommand(line[4:]) {
				next.commands = p.commands(k, end)
				p.blocks = append(p.blocks, next)
				next, pending = block{}, 0
			}
			k = end - 1
		}
	}
	if pending > 0 {
		return fmt.Errorf("%s:%d: no block follows this directive", p.path, pending)
	}
	return nil
}

// commands returns those of the lines from k to end, which are indented.
func (p *page) commands(k, end int) (list []command) {
	shown := strings.HasPrefix(p.lines[k], "    "+prompt)
	for ; k < end; k++ {
		line := strings.TrimPrefix(p.lines[k], "    ")
		switch {
		case shown && !strings.HasPrefix(line, prompt):
			if last := &list[len(list)-1]; line != "" {
				last.output = append(last.output, line)
			}
			continue
		case line == "":
			continue
		}
		line = strings.TrimPrefix(line, prompt)
		for strings.HasSuffix(line, "\\") && k+1 < end {
			k++
			line = strings.TrimSuffix(line, "\\") + strings.TrimSpace(p.lines[k])
		}
		list = append(list, command{line: k + 1, text: line})
	}
	return list
}

func comment(line string) (string, bool) {
	text, isComment := strings.CutPrefix(strings.TrimSpace(line), "<!-- ")
	if !isComment {
		return "", false
	}
	return strings.CutSuffix(text, " -->")
}

func isDirective(line string) bool {
	_, is := comment(line)
	return is
}

// direct takes a directive.
func (b *block) direct(text string) error {
	word, rest, ok := strings.Cut(text, ": ")
	to := map[string]*string{"first": &b.first, "instead": &b.instead, "skip": &b.skip, "differs": &b.differs, "picture": &b.picture, "file": &b.file}[word]
	switch {
	case !ok || to == nil:
		return fmt.Errorf("%q is no directive: they are first, instead, skip, differs, picture and file, a colon and words", text)
	case *to != "" && (word == "first" || word == "picture"):
		rest = *to + "\n" + rest
	case *to != "":
		return fmt.Errorf("%s stands twice before a block", word)
	}
	*to = rest
	return nil
}
