package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// exitInterrupted is the status of a run that a signal ended with nothing lost.
const exitInterrupted = 75

// A job is work that goes on from the files in its folder, however it ended.
type job struct {
	name    string
	prepare func(folder string) error
	command func(folder string) *exec.Cmd
	result  func(folder string) ([][]byte, error)
}

// A fault disturbs a job in a folder, where took is the time of an undisturbed
// run. Afterwards the job is run to its end.
type fault struct {
	name string
	do   func(j *job, folder string, took time.Duration, rng *rand.Rand) error
}

var faults = []fault{
	{"kill -9", func(j *job, folder string, took time.Duration, rng *rand.Rand) error {
		return j.stop(folder, took, rng, syscall.SIGKILL)
	}},
	{"SIGTERM", func(j *job, folder string, took time.Duration, rng *rand.Rand) error {
		return j.stop(folder, took, rng, syscall.SIGTERM)
	}},
	{"full disk", fullDisk},
	{"file cut short", func(j *job, folder string, took time.Duration, rng *rand.Rand) error {
		return j.damage(folder, took, rng, func(content []byte) []byte { return content[:rng.IntN(len(content))] })
	}},
	{"bit flipped", func(j *job, folder string, took time.Duration, rng *rand.Rand) error {
		return j.damage(folder, took, rng, func(content []byte) []byte {
			content[rng.IntN(len(content))] ^= 1 << rng.IntN(8)
			return content
		})
	}},
	{"two writers", twoWriters},
}

// A count tells what became of the jobs that a fault was done to.
type count struct{ faults, survived, told, lost, wrong int }

// errUntested is the error of a fault that cannot be done here.
var errUntested = errors.New("cannot be done here")

// runFaults does about total faults, spread over kinds and jobs, and prints a table.
func runFaults(out io.Writer, bethe, only string, total int, seed uint64) (good bool, err error) {
	work, err := os.MkdirTemp("", "faults")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(work)
	rng := rand.New(rand.NewPCG(seed, 1))
	jobs, err := faultJobs(bethe, work, rng)
	if err != nil {
		return false, err
	}
	good = true
	fmt.Fprintf(out, "| fault | of | faults | survived | after the named file was removed | lost | wrong |\n|---|---|---|---|---|---|---|\n")
	n := 0
	for _, j := range jobs {
		whole := filepath.Join(work, "whole-"+j.name)
		start := time.Now()
		if text, err := j.finish(whole); err != nil {
			return false, fmt.Errorf("%s, undisturbed: %w\n%s", j.name, err, text)
		}
		took := time.Since(start)
		want, err := j.result(whole)
		if err != nil {
			return false, err
		}
		for k, f := range faults {
			if !strings.Contains(f.name, only) {
				continue
			}
			var c count
			cells := len(jobs) * len(faults)
			n++
			for range total*n/cells - total*(n-1)/cells {
				folder := filepath.Join(work, fmt.Sprintf("%s-%d-%d", j.name, k, c.faults))
				if err := f.do(&j, folder, took, rng); err != nil {
					if errors.Is(err, errUntested) {
						fmt.Fprintf(os.Stderr, "NOT TESTED: %s: %v\n", f.name, err)
						break
					}
					fmt.Fprintf(os.Stderr, "%s of %s: %v\n", f.name, j.name, err)
					c.faults++
					c.lost++
					continue
				}
				c.faults++
				j.judge(folder, want, &c, f.name)
			}
			good = good && c.lost+c.wrong == 0
			fmt.Fprintf(out, "| %s | %s | %d | %d | %d | %d | %d |\n", f.name, j.name, c.faults, c.survived, c.told, c.lost, c.wrong)
		}
	}
	return good, nil
}

// faultJobs returns what faults are done to: small runs of training and a sweep.
func faultJobs(bethe, work string, rng *rand.Rand) ([]job, error) {
	var data strings.Builder
	for range 300 {
		for i := range 24 {
			if i > 0 {
				data.WriteByte(',')
			}
			data.WriteByte("01"[rng.IntN(2)])
		}
		data.WriteByte('\n')
	}
	csv, grid := filepath.Join(work, "data.csv"), filepath.Join(work, "grid.toml")
	const cells = "visible = 30\nhidden = [1, 2]\nalpha = [1, 2, 3]\nbeta = 1.0\ninstances = 1\nrestarts = 2\nseed = [1, 2]\n"
	if err := errors.Join(os.WriteFile(csv, []byte(data.String()), 0o644), os.WriteFile(grid, []byte(cells), 0o644)); err != nil {
		return nil, err
	}
	var jobs []job
	for _, s := range []setting{
		{"training, exact", "--hidden 6 --steps 400 --checkpoint-every 7"},
		{"training, chains", "--hidden 20 --estep chains --chains 50 --steps 300 --checkpoint-every 5"},
	} {
		s.words += " --batch 50 --data " + csv
		jobs = append(jobs, job{s.name, func(folder string) error { return nil },
			func(folder string) *exec.Cmd { return s.train(bethe, folder) }, contents})
	}
	jobs = append(jobs, job{"sweep",
		func(folder string) error {
			if _, err := os.Stat(folder); err == nil {
				return nil
			}
			if text, err := exec.Command(bethe, "sweep", "init", grid, "-o", folder).CombinedOutput(); err != nil {
				return fmt.Errorf("sweep init: %w\n%s", err, text)
			}
			return nil
		},
		func(folder string) *exec.Cmd { return exec.Command(bethe, "sweep", "run", folder, "--quiet") },
		func(folder string) ([][]byte, error) {
			table := filepath.Join(folder, "faults.csv")
			if text, err := exec.Command(bethe, "sweep", "collect", folder, "-o", table).CombinedOutput(); err != nil {
				return nil, fmt.Errorf("sweep collect: %w\n%s", err, text)
			}
			content, err := os.ReadFile(table)
			return [][]byte{content}, err
		}})
	return jobs, nil
}

// finish runs the job to its end and returns what it said.
func (j *job) finish(folder string) ([]byte, error) {
	if err := j.prepare(folder); err != nil {
		return nil, err
	}
	return j.command(folder).CombinedOutput()
}

// judge finishes a job that was disturbed and counts how it ended. Files that
// an error names are removed, as a user would: at most all there are.
func (j *job) judge(folder string, want [][]byte, c *count, what string) {
	told := false
	for range 8 {
		text, err := j.finish(folder)
		if err == nil {
			break
		}
		named := ""
		for _, path := range files(folder) {
			if bytes.Contains(text, []byte(path)) {
				named = path
			}
		}
		if named == "" || os.Remove(named) != nil {
			fmt.Fprintf(os.Stderr, "%s of %s: lost: %v\n%s", what, j.name, err, text)
			c.lost++
			return
		}
		told = true
	}
	got, err := j.result(folder)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s of %s: lost: %v\n", what, j.name, err)
		c.lost++
		return
	}
	for k := range want {
		if !bytes.Equal(got[k], want[k]) {
			fmt.Fprintf(os.Stderr, "%s of %s: other bytes\n", what, j.name)
			c.wrong++
			return
		}
	}
	if told {
		c.told++
	} else {
		c.survived++
	}
}

// start starts the job.
func (j *job) start(folder string) (*exec.Cmd, *bytes.Buffer, error) {
	if err := j.prepare(folder); err != nil {
		return nil, nil, err
	}
	cmd, text := j.command(folder), &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = text, text
	return cmd, text, cmd.Start()
}

// stop starts the job and stops it with a signal at a random moment. Of one that
// asks politely the status must be that of an interruption.
func (j *job) stop(folder string, took time.Duration, rng *rand.Rand, signal syscall.Signal) error {
	cmd, text, err := j.start(folder)
	if err != nil {
		return err
	}
	time.Sleep(time.Duration(rng.Float64() * float64(took)))
	if err := cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	err = cmd.Wait()
	if status := cmd.ProcessState.ExitCode(); signal == syscall.SIGTERM && status > 0 && status != exitInterrupted {
		return fmt.Errorf("SIGTERM: %w\n%s", err, text)
	}
	return nil
}

// damage stops the job and changes one of its files.
func (j *job) damage(folder string, took time.Duration, rng *rand.Rand, change func([]byte) []byte) error {
	for {
		if err := j.stop(folder, took, rng, syscall.SIGKILL); err != nil {
			return err
		}
		var some []string
		for _, path := range files(folder) {
			if info, err := os.Stat(path); err == nil && info.Size() > 0 {
				some = append(some, path)
			}
		}
		if len(some) == 0 {
			continue // killed before it wrote anything
		}
		path := some[rng.IntN(len(some))]
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(path, change(content), 0o644)
	}
}

// files lists the files that a job keeps in its folder, but for what
// is made at its end, the lock and the manifest that a user made.
func files(folder string) (all []string) {
	_ = filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && !strings.HasPrefix(d.Name(), ".") && !strings.Contains(d.Name(), "manifest") {
			all = append(all, path)
		}
		return nil // a folder that is not there has no files
	})
	return all
}

// fullDisk runs the job where there is too little room, which must be an error that
// says so, and makes room.
func fullDisk(j *job, folder string, took time.Duration, rng *rand.Rand) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	size := strconv.Itoa(4 * (2 + rng.IntN(40))) // kB
	if text, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+size+"k", "tmpfs", folder).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %v: %s", errUntested, err, text)
	}
	defer exec.Command("umount", folder).Run()
	inner := filepath.Join(folder, "run")
	text, err := j.finish(inner)
	if err != nil && !bytes.Contains(text, []byte("no space")) && !strings.Contains(err.Error(), "no space") && !bytes.Contains(text, []byte("room")) {
		return fmt.Errorf("%s kB of room: %w without a word of the disk\n%s", size, err, text)
	}
	// What is there moves to a disk with room, and goes on.
	moved := folder + "-moved"
	if err := os.CopyFS(moved, os.DirFS(inner)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if text, err := exec.Command("umount", folder).CombinedOutput(); err != nil {
		return fmt.Errorf("umount: %w\n%s", err, text)
	}
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(moved, "manifest.jsonl")); j.name == "sweep" && err != nil {
		return os.RemoveAll(moved) // the sweep was never made
	}
	return os.Rename(moved, folder)
}

// twoWriters starts the job twice at almost the same time in one folder: one of
// them works, the other says that the folder is taken or that all is done.
func twoWriters(j *job, folder string, took time.Duration, rng *rand.Rand) error {
	first, firstText, err := j.start(folder)
	if err != nil {
		return err
	}
	time.Sleep(time.Duration(rng.Float64() * float64(took) / 2))
	second, secondText, err := j.start(folder)
	if err != nil {
		return err
	}
	errs := []error{first.Wait(), second.Wait()}
	for k, text := range []*bytes.Buffer{firstText, secondText} {
		if errs[k] != nil && !strings.Contains(text.String(), "is in use by") {
			return fmt.Errorf("writer %d: %w\n%s", k+1, errs[k], text)
		}
	}
	if errs[0] != nil && errs[1] != nil {
		return fmt.Errorf("neither of two writers went on\n%s%s", firstText, secondText)
	}
	return nil
}
