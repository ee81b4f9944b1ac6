package exchange

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"sort"

	"bethe/rbm"
)

// A tensor is an entry of a safetensors header.
type tensor struct {
	Type    string `json:"dtype"`
	Shape   []int  `json:"shape"`
	Offsets [2]int `json:"data_offsets"`
}

// WriteSafetensors writes the arrays of the model file (rbm.File.Save: the same
// names, types and shapes) as safetensors: the length of the header as a
// little-endian uint64, the header in JSON, padded with spaces so that the
// elements are aligned, and the elements. meta.json is under __metadata__.
// Errors are those of rbm.File.Arrays and of w.
func WriteSafetensors(w io.Writer, f *rbm.File) error {
	arrays, err := f.Arrays()
	if err != nil {
		return err
	}
	// The widest elements first keep every tensor aligned.
	sort.SliceStable(arrays, func(a, b int) bool { return width(arrays[a].Data) > width(arrays[b].Data) })
	header, at := map[string]any{}, 0
	for _, a := range arrays {
		if text, ok := a.Data.([]byte); ok {
			header["__metadata__"] = map[string]string{a.Name: string(text)}
			continue
		}
		n := width(a.Data)
		for _, s := range a.Shape {
			n *= s
		}
		header[a.Name] = tensor{tensorType(a.Data), a.Shape, [2]int{at, at + n}}
		at += n
	}
	text, err := json.Marshal(header)
	if err != nil {
		return err
	}
	for len(text)%8 != 0 {
		text = append(text, ' ')
	}
	if err := binary.Write(w, binary.LittleEndian, uint64(len(text))); err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	for _, a := range arrays {
		if _, ok := a.Data.([]byte); ok {
			continue
		}
		if err := binary.Write(w, binary.LittleEndian, a.Data); err != nil {
			return err
		}
	}
	return nil
}

// width returns the bytes of an element, 0 of text.
func width(data any) int {
	switch data.(type) {
	case []float64:
		return 8
	case []float32:
		return 4
	case []int8:
		return 1
	case []byte:
		return 0
	}
	panic(fmt.Sprintf("exchange: a model file has no array of %T", data))
}

func tensorType(data any) string { return map[int]string{8: "F64", 4: "F32", 1: "I8"}[width(data)] }
