package sweep

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

func script(t *testing.T, engine string, job *Job) string {
	t.Helper()
	var text strings.Builder
	if err := Script(&text, engine, job); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func job(change func(*Job)) *Job {
	j := &Job{Command: "/opt/bin/bethe", Folder: "/data/Phase diagram", Cells: 2000, Shards: 64, Threads: 2, Time: 90 * time.Minute, Image: "registry/bethe:1", Claim: "sweeps"}
	if change != nil {
		change(j)
	}
	return j
}

func TestScriptGolden(t *testing.T) {
	for _, engine := range Engines {
		got, path := script(t, engine, job(nil)), filepath.Join("testdata", engine+".golden")
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s differs; got:\n%s", path, got)
		}
	}
}

func TestScriptErrors(t *testing.T) {
	for want, j := range map[string]*Job{
		"slurm: 0 shards":    job(func(j *Job) { j.Shards = 0 }),
		"slurm: 2001 shards": job(func(j *Job) { j.Shards = 2001 }),
		"k8s: 2 shards of 1": job(func(j *Job) { j.Cells, j.Shards = 1, 2 }),
		"slurm: time limit":  job(func(j *Job) { j.Time = time.Minute }),
		"slurm: quotes":      job(func(j *Job) { j.Folder = `/a"b` }),
		"k8s: control":       job(func(j *Job) { j.Folder = "/a\nb" }),
		"parallel: control":  job(func(j *Job) { j.Command = "/a\x00" }),
		"torque: it is one ": job(nil),
	} {
		engine, word, _ := strings.Cut(want, ": ")
		if err := Script(&strings.Builder{}, engine, j); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v", want, err)
		}
	}
	for cells, shards := range map[int]int{1: 1, 32: 1, 33: 2, 2000: 63, 1_000_000: 1000} {
		if n := DefaultShards(cells); n != shards {
			t.Errorf("%d cells in %d shards", cells, n)
		}
	}
	for d, want := range map[time.Duration]string{5 * time.Minute: "0-00:05:00", 25*time.Hour + 30*time.Minute: "1-01:30:00"} {
		if got := slurmTime(d); got != want {
			t.Errorf("%v is %s", d, got)
		}
	}
	for folder, want := range map[string]string{"/x/Phase_1": "bethe-phase-1", "/": "bethe", "/a/" + strings.Repeat("b", 60): "bethe-" + strings.Repeat("b", 40), "/é": "bethe"} {
		if got := jobName(folder); got != want {
			t.Errorf("%s is named %s", folder, got)
		}
	}
}

// The Slurm script, run as Slurm would, with programs that stand for bethe and
// scontrol: the words that bethe gets, and what becomes of its exit status and
// of signals. (.ci/slurm runs it in a real Slurm.)
func TestSlurmScript(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a script for a Unix shell")
	}
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("scontrol", "#!/bin/sh\necho scontrol \"$@\"\n")
	// Says its words, then waits for a signal: TERM makes it end with 75.
	command := write("it's bethe", "#!/bin/bash\nprintf '<%s>' \"$@\"\necho\ntrap 'sleep 0.05; exit 75' TERM\n[ -z \"$STATUS\" ] || exit \"$STATUS\"\n"+
		"touch \"$FOLDER/ready\"\nwhile :; do sleep 0.01; done\n")
	text := script(t, "slurm", job(func(j *Job) { j.Command, j.Folder = command, "/data/Phase's $HOME" }))
	path := write("job", text)
	slow := write("slow job", strings.Replace(text, "child=$!", "sleep 0.2\nchild=$!", 1)) // a signal comes before it knows its child
	for _, c := range []struct {
		status, signal, want string
		code                 int
		path                 string
	}{
		{"0", "", "", 0, path},
		{"1", "", "", 1, path},
		{"75", "", "", 75, path}, // nobody warned it: Slurm knows what follows
		{"", "USR1", "scontrol requeue 42\n", 75, path},
		{"", "TERM", "", 75, path},
		{"", "USR1", "scontrol requeue 42\n", 75, slow},
		{"", "TERM", "", 75, slow},
	} {
		cmd := exec.Command("bash", c.path)
		cmd.Env = append(os.Environ(), "SLURM_ARRAY_TASK_ID=7", "SLURM_JOB_ID=42", "STATUS="+c.status, "FOLDER="+folder, "PATH="+folder+":"+os.Getenv("PATH"))
		var out strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if c.signal != "" {
			ready := filepath.Join(folder, "ready")
			for _, err := os.Stat(ready); err != nil; _, err = os.Stat(ready) {
				time.Sleep(time.Millisecond)
			}
			if err := exec.Command("kill", "-s", c.signal, strconv.Itoa(cmd.Process.Pid)).Run(); err != nil {
				t.Fatal(err)
			}
			os.Remove(ready)
		}
		_ = cmd.Wait() // its status is looked at
		want := "<sweep><run></data/Phase's $HOME><--shard><7/64><--threads><2>\n" + c.want
		if out.String() != want || cmd.ProcessState.ExitCode() != c.code {
			t.Errorf("status %q, signal %q: status %d, output %q, not %q", c.status, c.signal, cmd.ProcessState.ExitCode(), out.String(), want)
		}
	}
}

// A job of more shards than an array may have tasks is submitted in parts, which
// together compute every shard once.
func TestSlurmParts(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a script for a Unix shell")
	}
	for shards, want := range map[int]int{1: 1, 1000: 1, 1001: 2, 2000: 2, 2500: 3} {
		j := job(func(j *Job) { j.Cells, j.Shards = 5000, shards })
		if n := j.Parts("slurm"); n != want || j.Parts("k8s") != 1 || j.Parts("parallel") != 1 {
			t.Errorf("%d shards in %d parts", shards, n)
		}
		if text := script(t, "slurm", j); strings.Contains(text, "FIRST") != (want > 1) || !strings.Contains(text, "#SBATCH --array=0-"+strconv.Itoa(min(shards, SlurmTasks)-1)+"\n") {
			t.Errorf("%d shards: %s", shards, text)
		}
	}
	folder := t.TempDir()
	for name, text := range map[string]string{"sbatch": "#!/bin/sh\necho \"first $FIRST of $1\"\n", "bethe": "#!/bin/sh\necho \"$5\"\n"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	text := script(t, "slurm", job(func(j *Job) { j.Command, j.Cells, j.Shards = filepath.Join(folder, "bethe"), 5000, 2500 }))
	path := filepath.Join(folder, "job")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	run := func(first, task string, args ...string) string {
		cmd := exec.Command("bash", args...)
		cmd.Env = append(os.Environ(), "SLURM_ARRAY_TASK_ID="+task, "PATH="+folder+":"+os.Getenv("PATH"))
		if first != "" {
			cmd.Env = append(cmd.Env, "FIRST="+first)
		}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	for _, c := range [][3]string{{"", "7", "7/2500\n"}, {"0", "999", "999/2500\n"}, {"1000", "0", "1000/2500\n"}, {"2000", "499", "2499/2500\n"}, {"2000", "500", ""}, {"2000", "999", ""}} {
		if got := run(c[0], c[1], path); got != c[2] {
			t.Errorf("task %s of the part from %q: %q, not %q", c[1], c[0], got, c[2])
		}
	}
	// The line that the job itself gives.
	for line := range strings.Lines(text) {
		if line, ok := strings.CutPrefix(line, "#   for first"); ok {
			if got, want := run("", "", "-c", "for first"+line), "first 0 of THIS-FILE\nfirst 1000 of THIS-FILE\nfirst 2000 of THIS-FILE\n"; got != want {
				t.Errorf("submitted %q, not %q", got, want)
			}
			return
		}
	}
	t.Errorf("the job does not say how to submit it:\n%s", text)
}

// The parallel script with a parallel that shows its words: one word that a
// shell makes the command of.
func TestParallelScript(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a script for a Unix shell")
	}
	folder := t.TempDir()
	show := "#!/bin/sh\ncat >/dev/null\nwhile [ \"$1\" != \"{shard}\" ]; do shift; done\nshift\neval \"printf '<%s>' $*\"\n"
	if err := os.WriteFile(filepath.Join(folder, "parallel"), []byte(show), 0o755); err != nil {
		t.Fatal(err)
	}
	text := script(t, "parallel", job(func(j *Job) { j.Command, j.Folder = "/opt/it's bethe", "/data/Phase's $HOME" }))
	cmd := exec.Command("sh", "-c", text)
	cmd.Env = append(os.Environ(), "PATH="+folder+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if want := "</opt/it's bethe><sweep><run></data/Phase's $HOME><--shard><{shard}/64><--threads><2><--quiet>"; err != nil || string(out) != want {
		t.Errorf("%v, %q, not %q", err, out, want)
	}
}

// The Kubernetes job as a reader of YAML sees it.
func TestKubernetesScript(t *testing.T) {
	var v struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Spec       struct {
			CompletionMode           string `yaml:"completionMode"`
			Completions, Parallelism int
			Template                 struct {
				Spec struct {
					RestartPolicy string `yaml:"restartPolicy"`
					Containers    []struct {
						Name, Image string
						Command     []string
						Resources   struct{ Requests map[string]string }
					}
					Volumes []struct {
						PersistentVolumeClaim struct {
							ClaimName string `yaml:"claimName"`
						} `yaml:"persistentVolumeClaim"`
					}
				}
			}
		}
	}
	text := script(t, "k8s", job(func(j *Job) { j.Folder, j.Claim = `/data/a: "b" # c`, "my-claim" }))
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	pod := v.Spec.Template.Spec
	if v.APIVersion != "batch/v1" || v.Kind != "Job" || v.Spec.CompletionMode != "Indexed" || v.Spec.Completions != 64 || v.Spec.Parallelism != 64 ||
		pod.RestartPolicy != "Never" || len(pod.Containers) != 1 || pod.Volumes[0].PersistentVolumeClaim.ClaimName != "my-claim" {
		t.Errorf("%+v", v)
	}
	c := pod.Containers[0]
	want := []string{"/opt/bin/bethe", "sweep", "run", `/sweeps/a: "b" # c`, "--shard", "$(JOB_COMPLETION_INDEX)/64", "--threads", "2"}
	if strings.Join(c.Command, "|") != strings.Join(want, "|") || c.Image != "registry/bethe:1" || c.Resources.Requests["cpu"] != "2" {
		t.Errorf("%+v", c)
	}
}
