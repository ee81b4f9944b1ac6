package rbm

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
)

// A FamilyError is the error of Load for the model file of a machine of another family.
type FamilyError struct {
	Path   string
	Family string // such as mixture
}

func (e *FamilyError) Error() string {
	return fmt.Sprintf("%s: the model is a %s: what was asked for is for machines with hidden units (--model rbm)", e.Path, e.Family)
}

// maxMeta limits meta.json where only the family is read from it.
const maxMeta = 1 << 20

// FamilyOf returns the family that a model file says it is of, empty if it says none: that
// of machines with hidden units, or no model file at all, which Load tells.
func FamilyOf(path string) string {
	a, err := zip.OpenReader(path)
	if err != nil {
		return ""
	}
	defer a.Close()
	f, err := a.Open("meta.json")
	if err != nil {
		return ""
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxMeta))
	if err != nil {
		return ""
	}
	var about struct {
		Model string `json:"model"`
	}
	if json.Unmarshal(text, &about) != nil {
		return ""
	}
	return about.Model
}
