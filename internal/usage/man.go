package usage

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"bethe/internal/durable"
)

// ManName returns the name of a command's manual page, without its section: the words of the command joined by -.
func ManName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// EachMan calls write with each command below and including cmd that has a manual page, in order.
func EachMan(cmd *cobra.Command, write func(cmd *cobra.Command) error) error {
	if err := write(cmd); err != nil {
		return err
	}
	for _, below := range cmd.Commands() {
		if !below.IsAvailableCommand() {
			continue
		}
		if err := EachMan(below, write); err != nil {
			return err
		}
	}
	return nil
}

// Man returns the manual page of a command, in section 1, as roff with the macros of man: from the texts that its help is made of. program
// is the name and version that stand at its foot, beside the day, groups the text that Group is given, "" if flags have no groups.
func Man(cmd *cobra.Command, program, day, groups string) string {
	cmd.InitDefaultHelpFlag()
	name := ManName(cmd)
	root := cmd.Root().Name()
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %s 1 %s \"%s\" \"%s manual\"\n", strings.ToUpper(roff(name)), day, roff(program), roff(root))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(name), roff(strings.ToLower(cmd.Short[:1])+cmd.Short[1:]))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.nf\n%s\n", roff(cmd.UseLine()))
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "%s\n", roff(cmd.CommandPath()+" [command]"))
	}
	b.WriteString(".fi\n")
	if cmd.Long != "" {
		b.WriteString(".SH DESCRIPTION\n" + paragraphs(cmd.Long))
	}
	if cmd.Example != "" {
		b.WriteString(".SH EXAMPLES\n.nf\n" + lines(strings.TrimRight(unindented(cmd.Example), "\n")) + ".fi\n")
	}
	if cmd.HasAvailableSubCommands() {
		b.WriteString(".SH COMMANDS\n")
		for _, below := range cmd.Commands() {
			if below.IsAvailableCommand() {
				fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(below.Name()), roff(below.Short))
			}
		}
	}
	b.WriteString(".SH OPTIONS\n")
	left := map[string]*pflag.Flag{}
	var order []string
	cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		left[f.Name] = f
		order = append(order, f.Name)
	})
	list := func(title string, names []string) {
		for _, name := range names {
			f := left[name]
			if f == nil || f.Hidden {
				continue
			}
			if title != "" {
				fmt.Fprintf(&b, ".SS %s\n", roff(title))
				title = ""
			}
			option(&b, f)
			delete(left, name)
		}
	}
	rest := ""
	for _, line := range strings.Split(strings.TrimSpace(groups), "\n") {
		if title, names, ok := strings.Cut(line, ":"); ok {
			list(title, strings.Fields(names))
			rest = others
		}
	}
	list(rest, order)
	var global []string
	cmd.Root().PersistentFlags().VisitAll(func(f *pflag.Flag) {
		left[f.Name] = f
		global = append(global, f.Name)
	})
	list("Of every command", global)
	b.WriteString(".SH SEE ALSO\n")
	var also []string
	if cmd.HasParent() {
		also = append(also, ManName(cmd.Parent()))
	}
	for _, below := range cmd.Commands() {
		if below.IsAvailableCommand() {
			also = append(also, ManName(below))
		}
	}
	for k, name := range also {
		comma := " ,"
		if k == len(also)-1 {
			comma = ""
		}
		fmt.Fprintf(&b, ".BR %s (1)%s\n", roff(name), comma)
	}
	return b.String()
}

// option writes a flag with its values and what it is for.
func option(b *strings.Builder, f *pflag.Flag) {
	value, text := pflag.UnquoteUsage(f)
	head := "\\fB" + roff("--"+f.Name) + "\\fR"
	if f.Shorthand != "" {
		head = "\\fB" + roff("-"+f.Shorthand) + "\\fR, " + head
	}
	if value != "" {
		head += " \\fI" + roff(value) + "\\fR"
	}
	if d := f.DefValue; d != "" && d != "0" && d != "false" && d != "[]" && d != "0s" && !strings.Contains(text, "(default") {
		text += " (default " + strings.ReplaceAll(strings.Trim(d, "[]"), ",", ", ") + ")"
	}
	fmt.Fprintf(b, ".TP\n%s\n", head)
	if text != "" {
		fmt.Fprintf(b, "%s\n", roff(text))
	}
}

// roff escapes a line of text: what roff takes for its own, at the start of a line or anywhere.
func roff(text string) string {
	text = strings.NewReplacer("\t", "    ", `\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`, `"`, `\(dq`).Replace(text)
	if strings.HasPrefix(text, ".") {
		text = `\&` + text
	}
	return text
}

// lines escapes each line of a text. Empty ones stay.
func lines(text string) string {
	var b strings.Builder
	for _, line := range strings.Split(text, "\n") {
		if line == "" {
			b.WriteString(".sp\n") // roff wants no empty lines
			continue
		}
		b.WriteString(roff(line) + "\n")
	}
	return b.String()
}

// unindented takes the two blanks off that begin each line of examples.
func unindented(text string) string {
	var out []string
	for _, line := range strings.Split(text, "\n") {
		out = append(out, strings.TrimPrefix(line, "  "))
	}
	return strings.Join(out, "\n")
}

// paragraphs returns the paragraphs of a text; lines that are indented, such as those of a table, are not filled.
func paragraphs(text string) string {
	var b strings.Builder
	for k, part := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if k > 0 {
			b.WriteString(".PP\n")
		}
		asIs := false
		for _, line := range strings.Split(part, "\n") {
			if indented := strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t"); indented != asIs {
				asIs = indented
				b.WriteString(map[bool]string{true: ".nf\n", false: ".fi\n"}[asIs])
			}
			if line != "" {
				b.WriteString(roff(line) + "\n")
			}
		}
		if asIs {
			b.WriteString(".fi\n")
		}
	}
	return b.String()
}

// WriteMan writes the manual pages of all commands to a folder, which it makes if need be, and returns their names. groups returns the
// groups of a command's flags, "" if it has none.
func WriteMan(root *cobra.Command, folder, program, day string, groups func(cmd *cobra.Command) string) (files []string, err error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	err = EachMan(root, func(cmd *cobra.Command) error {
		path := filepath.Join(folder, ManName(cmd)+".1")
		files = append(files, path)
		return durable.WriteFile(path, func(w io.Writer) error {
			_, err := io.WriteString(w, Man(cmd, program, day, groups(cmd)))
			return err
		})
	})
	return files, err
}
