package main

import (
	"embed"
	"strings"
)

//go:embed help
var helpTexts embed.FS

// help returns what the help of a verb says at length: help/VERB.txt, with - between
// the words of a verb below another.
func help(verb string) string {
	text, err := helpTexts.ReadFile("help/" + verb + ".txt")
	if err != nil {
		panic(err)
	}
	return strings.TrimSuffix(string(text), "\n")
}
