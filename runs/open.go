package runs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Open opens a file of a run folder for reading. Whoever can write to the folder
// may have put anything there, so only a regular file below the folder is opened:
// no pipe or device, which could be waited for without end, and no link that leads
// out. The name may be a path below the folder. Errors name the file and wrap
// those of the file system.
func Open(folder, name string) (*os.File, error) {
	path := filepath.Join(folder, name)
	if info, err := os.Stat(folder); err != nil {
		return nil, err
	} else if !info.IsDir() {
		return nil, notRegular(folder, "a folder", info.Mode())
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return openRegular(path,
		func() (fs.FileInfo, error) { return root.Stat(name) },
		func(flags int) (*os.File, error) { return root.OpenFile(name, flags, 0) })
}

// openRegular opens a regular file; it never waits for anything else.
func openRegular(path string, stat func() (fs.FileInfo, error), open func(flags int) (*os.File, error)) (*os.File, error) {
	info, err := stat()
	if err != nil {
		return nil, withPath(err, path)
	}
	if !info.Mode().IsRegular() { // to open a device can be enough to do something
		return nil, notRegular(path, "a regular file", info.Mode())
	}
	f, err := open(os.O_RDONLY | noWait)
	if err != nil {
		return nil, withPath(err, path)
	}
	if info, err = f.Stat(); err == nil && !info.Mode().IsRegular() { // another one by now
		err = notRegular(path, "a regular file", info.Mode())
	}
	if err != nil {
		f.Close()
		return nil, withPath(err, path)
	}
	return f, nil
}

func withPath(err error, path string) error {
	var of *fs.PathError
	if errors.As(err, &of) {
		return &fs.PathError{Op: strings.TrimSuffix(of.Op, "at"), Path: path, Err: of.Err}
	}
	return err
}

func notRegular(path, want string, mode fs.FileMode) error {
	kind := "something else"
	switch {
	case mode.IsDir():
		kind = "a folder"
	case mode&fs.ModeNamedPipe != 0:
		kind = "a named pipe"
	case mode&fs.ModeSocket != 0:
		kind = "a socket"
	case mode&fs.ModeDevice != 0:
		kind = "a device"
	case mode.IsRegular():
		kind = "a file"
	}
	return fmt.Errorf("%s: it is %s, not %s", path, kind, want)
}

// Printable returns a text for people to read in one line: what a terminal or a
// page would not show as itself (control characters, what turns the direction, bytes
// that are not UTF-8)
// is written as \x and its two digits. Different texts stay different.
func Printable(text string) string {
	var b strings.Builder
	for k := 0; k < len(text); {
		r, size := utf8.DecodeRuneInString(text[k:])
		switch {
		case r == utf8.RuneError && size == 1, !shown(r), r == '\\' && k+1 < len(text) && text[k+1] == 'x':
			for _, c := range []byte(text[k : k+size]) {
				fmt.Fprintf(&b, `\x%02x`, c)
			}
		default:
			b.WriteString(text[k : k+size])
		}
		k += size
	}
	return b.String()
}

// shown reports whether a letter is shown as itself, in its line and direction.
func shown(r rune) bool {
	turns := r == 0x200e || r == 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
	return unicode.IsGraphic(r) || unicode.In(r, unicode.Cf, unicode.Co) && !turns
}

// checkJSON refuses JSON of more values, or deeper, than an info file has, before
// memory is spent on it.
func checkJSON(text []byte, mostValues, mostDepth int) error {
	values, depth, quoted := 0, 0, false
	for k := 0; k < len(text); k++ {
		switch c := text[k]; {
		case quoted && c == '\\':
			k++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
			values++
		case c == '}' || c == ']':
			depth--
		case c == ',':
			values++
		}
		if values > mostValues || depth > mostDepth {
			return fmt.Errorf("more than %d values, or deeper than %d", mostValues, mostDepth)
		}
	}
	return nil
}
