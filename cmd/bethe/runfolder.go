package main

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"bethe/internal/durable"
	"bethe/runs"
)

// stem turns the name of data into part of a folder's name.
func stem(name string) string {
	base := filepath.Base(name)
	if ext := filepath.Ext(base); ext != "" && ext != base {
		base = base[:len(base)-len(ext)]
	}
	out := []rune(base)
	for k, ch := range out {
		if ch == ':' || ch == ' ' {
			out[k] = '-'
		}
	}
	return string(out)
}

// unused returns the folder, or the first of folder-2, folder-3, ... that holds nothing.
func unused(folder string) string {
	for k := 1; ; k++ {
		name := folder
		if k > 1 {
			name = fmt.Sprintf("%s-%d", folder, k)
		}
		if entries, err := os.ReadDir(name); err != nil || len(entries) == 0 {
			return name
		}
	}
}

// savedResult is the content of result.json.
type savedResult struct {
	Label  json.RawMessage   `json:"run"`
	Result *trainReport      `json:"result"`
	Sums   map[string]string `json:"sha256"` // of the files that came of it
}

// finished returns the report of a run that is over already, nil if it is not.
// Without --resume, a folder with results is an error.
func (r *learning) finished() (*trainReport, error) {
	if entries, err := os.ReadDir(r.out); err == nil && !r.f.resume {
		for _, e := range entries {
			if name := e.Name(); name == runs.ResultFile || name == runs.ModelFile || strings.HasPrefix(name, "checkpoint") {
				return nil, usagef("%s holds a run already (%s): go on with --resume, or choose another --out", r.out, name)
			}
		}
	}
	path := filepath.Join(r.out, runs.ResultFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var saved savedResult
	if err := json.Unmarshal(text, &saved); err != nil {
		return nil, fmt.Errorf("%s: not the result of a run: %w; remove it to learn again", path, err)
	}
	if saved.Result == nil {
		return nil, fmt.Errorf("%s: not the result of a run; remove it to learn again", path)
	}
	if string(saved.Label) != r.label {
		return nil, usagef("%s: the result of another run\n  it is of: %s\n  this is:  %s\nchoose another --out", path, saved.Label, r.label)
	}
	saved.Result.Model = filepath.Join(r.out, runs.ModelFile) // the folder may have moved
	if !maps.Equal(r.sums(), saved.Sums) || r.f.evaluate && saved.Result.LogLikelihood == nil {
		return nil, nil // the checkpoint is at the end of learning: what is missing or damaged is made again
	}
	return saved.Result, nil
}

// sums returns the SHA-256 of the model and the pictures of the run, those that
// are there.
func (r *learning) sums() map[string]string {
	sums := map[string]string{}
	for _, name := range []string{runs.ModelFile, runs.SynapsesFile, runs.SamplesFile} {
		if content, err := os.ReadFile(filepath.Join(r.out, name)); err == nil {
			sums[name] = fmt.Sprintf("%x", sha256.Sum256(content))
		}
	}
	return sums
}

func (r *learning) writeResult(report *trainReport) error {
	text, err := json.Marshal(savedResult{json.RawMessage(r.label), report, r.sums()})
	if err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(r.out, runs.ResultFile), writeAll(append(text, '\n')))
}

// files names all that the run writes to its folder.
func (r *learning) files() []string {
	names := []string{runs.InfoFile, runs.MetricsFile, runs.ModelFile, runs.ResultFile, runs.SynapsesFile, runs.SamplesFile, runs.DataFile, runs.LiveFile}
	for k := range r.f.restarts {
		names = append(names, filepath.Base(r.checkpointPath(k)))
	}
	return names
}

// checkpointPath is where start k keeps its checkpoint.
func (r *learning) checkpointPath(k int) string {
	if r.f.restarts == 1 {
		return filepath.Join(r.out, runs.CheckpointFile)
	}
	return filepath.Join(r.out, fmt.Sprintf("checkpoint-%d.npz", k))
}
