package variational

import (
	"archive/zip"
	"bytes"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bethe/internal/npy"
	"bethe/stream"
)

// A checkpoint with any bytes in one member gives an error that names the file,
// or a trainer can go on from it.
func FuzzLoadCheckpoint(f *testing.F) {
	samples, _ := plantedSamples(6, 30, stream.New(6))
	labels := labelsOf(samples)
	opt := Options{Steps: 4, Batch: 10, Labels: labels, LabelWeight: 1}
	trainer, chains := learner(f, samples, opt)
	if err := trainer.Run(f.Context(), nil); err != nil {
		f.Fatal(err)
	}
	path := filepath.Join(f.TempDir(), "checkpoint.npz")
	if err := SaveCheckpoint(f.Context(), path, "a run", trainer, chains); err != nil {
		f.Fatal(err)
	}
	members := membersOf(f, path)
	for k, m := range members {
		f.Add(uint8(k), m.Data.([]byte))
	}
	f.Fuzz(func(t *testing.T, which uint8, content []byte) {
		changed := append([]npy.Array(nil), members...)
		changed[int(which)%len(changed)].Data = content
		var b bytes.Buffer
		if err := npy.WriteArchive(&b, changed); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "checkpoint.npz")
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		fresh, chains := learner(t, samples, Options{Steps: 6, Batch: 10, Labels: labels, LabelWeight: 1})
		if err := LoadCheckpoint(path, "a run", fresh, chains); err != nil {
			if !strings.Contains(err.Error(), path) {
				t.Errorf("an error without the file's name: %v", err)
			}
			return
		}
		if err := fresh.Run(t.Context(), nil); err == nil {
			for _, v := range fresh.Model.Posterior.Theta {
				if math.IsNaN(float64(v)) {
					t.Fatal("a theta is no number, and learning went on")
				}
			}
		}
	})
}

// membersOf returns the members of an archive as they are.
func membersOf(t testing.TB, path string) (members []npy.Array) {
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, m := range z.File {
		r, err := m.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		members = append(members, npy.Array{Name: m.Name, Data: content})
	}
	return members
}
