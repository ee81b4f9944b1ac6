//go:build !unix

package durable

import (
	"errors"
	"io/fs"
	"os"
)

// openFile knows no names of open files here.
func openFile(string) (fd int, ok bool) { return 0, false }

func foreignLink(string, fs.FileInfo) bool { return false }

func duplicate(int, string) (*os.File, error) { return nil, errors.ErrUnsupported }

// keepOwner returns the mode of the old file; owners come from the folder here.
func keepOwner(_ *os.File, old fs.FileInfo) fs.FileMode { return old.Mode().Perm() }
