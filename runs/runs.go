// Package runs reads and writes the folder of a run: its info, its records, a line
// for each measurement, and the names of its files. Commands write
// it; pages and pictures read it, also while it grows.
package runs

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"bethe/internal/durable"
)

// Names of the files in a run folder.
const (
	ModelFile      = "model.npz"
	DictionaryFile = "dictionary.png" // of a tree: the states of its groups
	WinnersFile    = "winners.csv"    // of a directed machine: what its causes stand for
	CheckpointFile = "checkpoint.npz"
	BestFile       = "best.npz"   // while a run with patience learns: the checkpoint of its best reading
	ScoutsFile     = "scouts.npz" // heavy states that scouts met: samples, int8 ±1, states x visible units
	ResultFile     = "result.json"
	InfoFile       = "run.json"
	MetricsFile    = "metrics.jsonl"
	SynapsesFile   = "synapses.png"
	SamplesFile    = "samples.png"
	DataFile       = "data.png" // some of the data
	LiveFile       = "live.npz" // the model as it was at the last pictures, while it learns
	PicturesFolder = "pictures" // of synapses and samples along the way, named by records
)

// Verbs that make run folders.
const (
	Train   = "train"
	Planted = "planted"
)

// Model returns the path of a model file: the one in the folder, if path leads to a folder,
// such as that of a run, else path itself.
func Model(path string) string {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return filepath.Join(path, ModelFile)
	}
	return path
}

// Info says what a run is of. It is written when the run begins.
type Info struct {
	Verb    string `json:"verb"`    // of the command: Train or Planted
	Program string `json:"program"` // name and version
	// Command is what made the run, for a shell, without --out and --resume: see Again. A line for each call, of a run that was over and went on.
	Command  string         `json:"command,omitempty"`
	Data     string         `json:"data"`
	Samples  int            `json:"samples"`
	Visible  int            `json:"visible"`
	Hidden   int            `json:"hidden"`
	Layers   []int          `json:"layers,omitempty"` // sizes of the hidden layers of a deep machine; Hidden is that of the first
	Width    int            `json:"width,omitempty"`  // of a sample as a picture, if it is one
	Height   int            `json:"height,omitempty"`
	Seed     uint64         `json:"seed"`
	Settings map[string]any `json:"settings,omitempty"`
	Began    time.Time      `json:"began"` // of the first call, when it was resumed
}

// Limits for reading an info file.
const (
	maxInfoBytes  = 1 << 20
	maxInfoValues = 10000
	maxInfoDepth  = 50
)

// WriteInfo writes the info of a run to its folder, as a whole or not at all.
func WriteInfo(folder string, info Info) error {
	text, err := json.MarshalIndent(info, "", "  ")
	if err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(folder, InfoFile), func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
}

// ReadInfo reads the info of the run in a folder. The error wraps
// fs.ErrNotExist where the folder has none.
func ReadInfo(folder string) (Info, error) {
	f, err := Open(folder, InfoFile)
	if err != nil {
		return Info{}, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxInfoBytes+1))
	if err != nil {
		return Info{}, err
	}
	return parseInfo(filepath.Join(folder, InfoFile), text)
}

func parseInfo(path string, text []byte) (info Info, err error) {
	if len(text) > maxInfoBytes {
		return Info{}, fmt.Errorf("%s: larger than %d bytes: not of a run", path, maxInfoBytes)
	}
	if err = checkJSON(text, maxInfoValues, maxInfoDepth); err == nil {
		err = json.Unmarshal(text, &info)
	}
	if err != nil {
		return Info{}, fmt.Errorf("%s: not the JSON of a run: %w", path, err)
	}
	return info, nil
}

// A Run is a run folder that was found.
type Run struct {
	Folder   string
	Name     string // the folder below the one searched, Printable; its base name if that is the folder itself
	Info     Info
	Finished bool  // it has a result
	Err      error // why its info cannot be read
}

// maxFound limits the runs that Find returns.
const maxFound = 1000

// Find returns the runs in a folder: the folder itself, if it is of a run, and
// those up to three levels below it, in the order of their names. A folder is
// of a run if it has an info file; if that cannot be read, the run says so and the
// others are none the worse. Links are not followed, but for the folder itself.
func Find(folder string) ([]Run, error) {
	var found []Run
	root := filepath.Clean(folder)
	if info, err := os.Stat(root); err != nil {
		return nil, err
	} else if !info.IsDir() {
		return nil, notRegular(folder, "a folder", info.Mode())
	}
	walked, err := filepath.EvalSymlinks(root)
	if err != nil {
		return nil, err
	}
	err = filepath.WalkDir(walked, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if path == walked {
				return err
			}
			return fs.SkipDir // gone, or not for us
		}
		if !d.IsDir() {
			return nil
		}
		below, err := filepath.Rel(walked, path)
		if err != nil {
			return err
		}
		if below != "." && (strings.Count(below, string(filepath.Separator)) >= 3 || strings.HasPrefix(d.Name(), ".") || d.Name() == PicturesFolder) {
			return fs.SkipDir
		}
		if _, err := os.Lstat(filepath.Join(path, InfoFile)); err != nil {
			return nil // not of a run
		}
		r := Run{Folder: filepath.Join(root, below), Name: Printable(filepath.ToSlash(below))}
		if below == "." {
			absolute, err := filepath.Abs(root)
			if err != nil {
				return err
			}
			r.Name = Printable(filepath.Base(absolute))
		}
		r.Info, r.Err = ReadInfo(r.Folder)
		_, err = os.Stat(filepath.Join(r.Folder, ResultFile))
		r.Finished = err == nil
		found = append(found, r)
		if len(found) > maxFound {
			return fmt.Errorf("%s: more than %d runs; name a folder further down", folder, maxFound)
		}
		return nil
	})
	slices.SortFunc(found, func(a, b Run) int { return strings.Compare(a.Name, b.Name) })
	return found, err
}
