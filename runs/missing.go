package runs

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// Missing says of an error that a file or folder is not there: the text of that part of the error, and what to tell a person in its place. Both
// are empty if the error is another one.
func Missing(err error) (part, text string) {
	gone := (*fs.PathError)(nil)
	if !errors.As(err, &gone) || !errors.Is(gone, fs.ErrNotExist) {
		return "", ""
	}
	if folder := filepath.Dir(gone.Path); filepath.Base(gone.Path) == ModelFile {
		if _, no := ReadInfo(folder); no == nil {
			return gone.Error(), fmt.Sprintf("%s is a run that is not over, so it has no %s yet: go on with bethe train --resume", folder, ModelFile)
		}
	}
	return gone.Error(), "there is no file or folder " + gone.Path
}
