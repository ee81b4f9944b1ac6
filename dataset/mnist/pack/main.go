// Pack makes the files that package mnist embeds from the four files of the
// MNIST database:
//
//	go run ./dataset/mnist/pack [-o dataset/mnist] FOLDER
//
// It checks the SHA-256 of each, thresholds the pictures and packs them with
// their labels. The same version of Go writes the same bytes every time.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"bethe/dataset"
	"bethe/dataset/mnist/internal/tiles"
)

// sums are the SHA-256 of the files of the database.
var sums = map[string]string{
	"train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
	"train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
	"t10k-images-idx3-ubyte.gz":  "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
	"t10k-labels-idx1-ubyte.gz":  "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}

func main() {
	if err := run(os.Stdout, os.Stderr, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func run(stdout, stderr io.Writer, args []string) error {
	flags := flag.NewFlagSet("pack", flag.ContinueOnError)
	flags.SetOutput(stderr)
	out := flags.String("o", filepath.Join("dataset", "mnist"), "`folder` to write train.tiles and test.tiles to")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return fmt.Errorf("want the folder of the four files of the database")
	}
	for _, part := range []struct{ prefix, to string }{{"train", "train.tiles"}, {"t10k", "test.tiles"}} {
		packed, err := pack(flags.Arg(0), part.prefix)
		if err != nil {
			return err
		}
		to := filepath.Join(*out, part.to)
		if err := os.WriteFile(to, packed, 0o644); err != nil {
			return err
		}
		fmt.Fprintf(stdout, "%s %d bytes\n", to, len(packed))
	}
	return nil
}

// pack returns the packed samples of the two files that begin with prefix.
func pack(folder, prefix string) ([]byte, error) {
	images := filepath.Join(folder, prefix+"-images-idx3-ubyte.gz")
	labels := filepath.Join(folder, prefix+"-labels-idx1-ubyte.gz")
	for _, path := range []string{images, labels} {
		if err := verify(path); err != nil {
			return nil, err
		}
	}
	threshold := float64(tiles.Threshold)
	set, err := dataset.Read(images, dataset.Options{Threshold: &threshold, LabelPath: labels})
	if err != nil {
		return nil, err
	}
	return tiles.Encode(set.Samples, set.Labels)
}

// verify checks the SHA-256 of a file of the database.
func verify(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(content)
	if got, want := hex.EncodeToString(sum[:]), sums[filepath.Base(path)]; got != want {
		return fmt.Errorf("%s has SHA-256 %s, not %s", path, got, want)
	}
	return nil
}
