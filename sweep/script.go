package sweep

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"
	"text/template"
	"time"
)

// Engines are the names of the systems that Script writes jobs for.
var Engines = []string{"slurm", "parallel", "k8s"}

// A Job says how the shards of a sweep are to be run.
type Job struct {
	Command string // the bethe program
	Folder  string // of the sweep, as the machines see it
	Cells   int
	Shards  int
	Threads int           // of a shard
	Time    time.Duration // of a Slurm task, after which it is put back in the queue
	Image   string        // Kubernetes: the container
	Claim   string        // Kubernetes: the volume that holds the sweep's folder
}

// CellsAShard is about how many cells a shard has by default.
const CellsAShard = 32

// SlurmTasks is how many tasks an array has at most: the highest index that Slurm
// takes is 1000 unless a cluster sets another MaxArraySize. More shards are
// submitted in parts.
const SlurmTasks = 1000

// DefaultShards returns a number of shards with many cells each, and not more
// than the tasks that Slurm allows in an array unless it is told to.
func DefaultShards(cells int) int {
	return max(1, min(SlurmTasks, (cells+CellsAShard-1)/CellsAShard))
}

// Parts returns in how many parts the job of an engine is submitted.
func (j *Job) Parts(engine string) int {
	if engine != "slurm" {
		return 1
	}
	return (j.Shards + SlurmTasks - 1) / SlurmTasks
}

//go:embed script/slurm
var slurmText string

//go:embed script/parallel
var parallelText string

//go:embed script/k8s
var kubernetesText string

var scripts = map[string]*template.Template{
	"slurm":    parse("slurm", slurmText),
	"parallel": parse("parallel", parallelText),
	"k8s":      parse("k8s", kubernetesText),
}

func parse(name, text string) *template.Template {
	return template.Must(template.New(name).Funcs(template.FuncMap{
		"shell": shellQuote, "twice": func(s string) string { return shellQuote(shellQuote(s)) }, "yaml": yamlQuote,
		"sbatch": sbatchQuote, "limit": slurmTime, "inside": func(folder string) string { return path.Join("/sweeps", filepath.Base(folder)) },
		"last": func(n int) int { return n - 1 }, "tasks": func(n int) int { return min(n, SlurmTasks) }, "most": func() int { return SlurmTasks }, "each": func(j *Job) int { return (j.Cells + j.Shards - 1) / j.Shards },
	}).Parse(text))
}

// Script writes a ready job for an engine. The error names what the engine's
// script cannot carry.
func Script(w io.Writer, engine string, job *Job) error {
	script, ok := scripts[engine]
	if !ok {
		return fmt.Errorf("engine %q: it is one of %s", engine, strings.Join(Engines, ", "))
	}
	switch {
	case job.Shards < 1 || job.Threads < 1:
		return fmt.Errorf("%d shards of %d threads: both must be at least 1", job.Shards, job.Threads)
	case job.Shards > max(1, job.Cells):
		return fmt.Errorf("%d shards of %d cells: some would have none", job.Shards, job.Cells)
	case engine == "slurm" && job.Time < 5*time.Minute:
		return fmt.Errorf("a time limit of %v: a Slurm task is warned two minutes before its end and needs at least 5m", job.Time)
	}
	for _, text := range []string{job.Command, job.Folder, job.Image, job.Claim} {
		if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd }) {
			return fmt.Errorf("%q: no script can hold a name with control characters", text)
		}
	}
	if engine == "slurm" && strings.ContainsAny(job.Folder, `"\`) {
		return fmt.Errorf("%q: an #SBATCH line cannot hold a folder with quotes or backslashes in its name", job.Folder)
	}
	return script.Execute(w, struct {
		*Job
		Name string
	}{job, jobName(job.Folder)})
}

// shellQuote makes one word of a POSIX shell of a text.
func shellQuote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+:@%,", r)
	}
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// yamlQuote writes a text as a JSON string, which YAML reads.
func yamlQuote(s string) (string, error) {
	text, err := json.Marshal(s)
	return string(text), err
}

// sbatchQuote writes a path of an #SBATCH line, where % starts a pattern.
func sbatchQuote(s string) string { return strings.ReplaceAll(s, "%", "%%") }

func slurmTime(d time.Duration) string {
	minutes := int(d.Minutes())
	return fmt.Sprintf("%d-%02d:%02d:00", minutes/1440, minutes/60%24, minutes%60)
}

// jobName makes a name that every engine takes: lower-case letters, digits and dashes.
func jobName(folder string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return '-'
	}, filepath.Base(folder))
	name = strings.Trim(name[:min(len(name), 40)], "-")
	if name == "" {
		return "bethe"
	}
	return "bethe-" + name
}
