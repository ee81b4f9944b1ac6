package tiles

import (
	"bytes"
	"compress/flate"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"bethe/spin"
)

func random(samples int) (*spin.Matrix, []int) {
	rng := rand.New(rand.NewPCG(3, 4))
	labels := make([]int, samples)
	for a := range labels {
		labels[a] = rng.IntN(Classes)
	}
	return spin.Random(Pixels, samples, rng), labels
}

func TestRoundTrip(t *testing.T) {
	for _, samples := range []int{0, 1, 2, 77} {
		pictures, labels := random(samples)
		packed, err := Encode(pictures, labels)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Encode(pictures, labels)
		if err != nil || !bytes.Equal(packed, again) {
			t.Errorf("%d samples: packed differently a second time, %v", samples, err)
		}
		gotPictures, gotLabels, err := Decode(packed, samples)
		if err != nil {
			t.Fatal(err)
		}
		if !gotPictures.Equal(pictures) || !slices.Equal(gotLabels, labels) {
			t.Errorf("%d samples come back otherwise", samples)
		}
	}
}

func TestEncodeErrors(t *testing.T) {
	pictures, labels := random(3)
	labels[1] = 10
	for _, c := range []struct {
		name     string
		pictures *spin.Matrix
		labels   []int
		want     string
	}{
		{"pixels", spin.New(783, 3), labels, "3 pictures of 783 pixels"},
		{"labels", pictures, labels[:2], "and 2 labels"},
		{"digit", pictures, labels, "sample 1 has label 10"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Encode(c.pictures, c.labels); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestDecodeErrors(t *testing.T) {
	pictures, labels := random(9)
	packed, err := Encode(pictures, labels)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		packed  []byte
		samples int
		want    string
	}{
		{"more samples", packed, 10, "not the length of 10 samples"},
		{"fewer samples", packed, 8, "not the length of 8 samples"},
		{"truncated", packed[:len(packed)/2], 9, "unexpected EOF"},
		{"empty", nil, 9, "unexpected EOF"},
		{"no stream", []byte("\xff\xff\xff\xff"), 9, "corrupt input"},
		{"no digits", flateOf(t, bytes.Repeat([]byte{11}, 99)), 1, "label 11"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, _, err := Decode(c.packed, c.samples); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func flateOf(t *testing.T, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
