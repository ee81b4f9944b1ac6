// Kill kills training runs with SIGKILL at random moments, resumes each until
// it ends, and holds what it wrote against an uninterrupted run, byte by byte.
// With --faults it does faults of other kinds too, also to sweeps.
// bench/kills and bench/faults run it.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func main() {
	bethe := flag.String("bethe", "", "the program")
	seed := flag.Uint64("seed", 1, "of the moments")
	only := flag.String("only", "", "settings whose names hold this word")
	asFaults := flag.Bool("faults", false, "do faults of all kinds")
	flag.Parse()
	count := 50
	if *asFaults {
		count = 200
	}
	if text := flag.Arg(0); text != "" {
		var err error
		if count, err = strconv.Atoi(text); err != nil || count < 1 {
			fmt.Fprintf(os.Stderr, "kill: %q is not a number of kills\n", text)
			os.Exit(2)
		}
	}
	if *asFaults {
		good, err := runFaults(os.Stdout, *bethe, *only, count, *seed)
		if err != nil {
			fmt.Fprintln(os.Stderr, "faults:", err)
		}
		if err != nil || !good {
			os.Exit(1)
		}
		return
	}
	var chosen []setting
	for _, s := range settings {
		if strings.Contains(s.name, *only) {
			chosen = append(chosen, s)
		}
	}
	good, err := run(os.Stdout, *bethe, chosen, count, *seed)
	if err != nil {
		fmt.Fprintln(os.Stderr, "kill:", err)
	}
	if err != nil || !good {
		os.Exit(1)
	}
}

// A setting is a way of training.
type setting struct{ name, words string }

var settings = []setting{
	{"exact engine", "--hidden 10 --steps 200 --batch 100 --checkpoint-every 9"},
	{"exact engine, three starts", "--hidden 6 --steps 60 --batch 100 --restarts 3 --checkpoint-every 7"},
	{"chains", "--hidden 30 --estep chains --chains 100 --sweeps 2 --steps 300 --batch 100 --checkpoint-every 5"},
	{"100 hidden", "--hidden 100 --steps 250 --checkpoint-every 10"},
	{"100 hidden, by time, evaluated", "--hidden 100 --steps 100 --checkpoint-every 40ms --evaluate --ais-steps 50 --ais-chains 20"},
	{"100 real synapses", "--synapses real --hidden 100 --steps 100 --checkpoint-every 10"},
	{"sampled synapses", "--synapses sampled --hidden 30 --steps 150 --batch 100 --checkpoint-every 5"},
	{"signs of synapses", "--synapses sign --hidden 30 --steps 150 --batch 100 --checkpoint-every 5"},
	{"bethe, natural gradient", "--hidden 4 --estep bethe --rule bayes --rate 0.1 --steps 25 --batch 100 --checkpoint-every 3"},
	{"tap, quenched", "--hidden 5 --estep tap --partition quenched --no-centre --draws 4 --chains 20 --steps 40 --batch 100 --checkpoint-every 3"},
}

// compared are the files that must be the same.
var compared = []string{"model.npz", "synapses.png", "samples.png"}

// A tally counts what became of the runs of a setting.
type tally struct {
	seconds             float64 // of the uninterrupted run
	runs, kills, early  int     // early: before there was any checkpoint
	writing             int     // kills that left a half-written file
	same, other, failed int     // runs
	uninterrupted       [][]byte
}

// run kills about count times, spread over the settings, and prints a table.
// It reports whether all runs ended with the same bytes.
func run(out io.Writer, bethe string, settings []setting, count int, seed uint64) (good bool, err error) {
	work, err := os.MkdirTemp("", "kills")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(work)
	rng := rand.New(rand.NewPCG(seed, 0))
	good = true
	var sum tally
	fmt.Fprintf(out, "| setting | seconds | runs | kills | while a file was written | before a checkpoint | same bytes | other bytes | failed |\n|---|---|---|---|---|---|---|---|---|\n")
	for k, s := range settings {
		kills := count*(k+1)/len(settings) - count*k/len(settings)
		t, err := s.try(bethe, filepath.Join(work, strconv.Itoa(k)), kills, rng)
		if err != nil {
			return false, fmt.Errorf("%s: %w", s.name, err)
		}
		good = good && t.other+t.failed == 0
		sum.add(t)
		t.print(out, s.name)
	}
	sum.print(out, "all")
	return good, nil
}

func (t *tally) add(o *tally) {
	t.seconds += o.seconds
	t.runs, t.kills, t.early, t.writing = t.runs+o.runs, t.kills+o.kills, t.early+o.early, t.writing+o.writing
	t.same, t.other, t.failed = t.same+o.same, t.other+o.other, t.failed+o.failed
}

func (t *tally) print(out io.Writer, name string) {
	fmt.Fprintf(out, "| %s | %.1f | %d | %d | %d | %d | %d | %d | %d |\n",
		name, t.seconds, t.runs, t.kills, t.writing, t.early, t.same, t.other, t.failed)
}

// try does the given number of kills of a setting, in as many runs as it takes.
func (s setting) try(bethe, folder string, kills int, rng *rand.Rand) (*tally, error) {
	t := &tally{}
	whole := folder + "-whole"
	start := time.Now()
	if text, err := s.train(bethe, whole).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("the uninterrupted run: %w\n%s", err, text)
	}
	took := time.Since(start)
	t.seconds = took.Seconds()
	var err error
	if t.uninterrupted, err = contents(whole); err != nil {
		return nil, err
	}
	for t.kills < kills {
		out := fmt.Sprintf("%s-%d", folder, t.runs)
		t.runs++
		// A run is killed once, or twice, or more.
		for ended := false; !ended; {
			if t.kills == kills || t.kills > 0 && rng.IntN(3) == 0 {
				break
			}
			if ended, err = s.kill(bethe, out, took, t, rng); err != nil {
				return nil, err
			}
		}
		if text, err := s.train(bethe, out).CombinedOutput(); err != nil {
			t.failed++
			fmt.Fprintf(os.Stderr, "%s: resumed: %v\n%s", s.name, err, text)
			continue
		}
		got, err := contents(out)
		if err != nil {
			return nil, err
		}
		same := true
		for k, content := range got {
			same = same && bytes.Equal(content, t.uninterrupted[k])
		}
		if same {
			t.same++
		} else {
			t.other++
		}
		if left := halfWritten(out); len(left) > 0 {
			return nil, fmt.Errorf("%v is left over", left)
		}
		if err := os.RemoveAll(out); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// kill starts or resumes the run in out and kills it at a random moment, every
// other time when it next writes a file. It reports whether the run had ended
// before.
func (s setting) kill(bethe, out string, took time.Duration, t *tally, rng *rand.Rand) (ended bool, err error) {
	cmd := s.train(bethe, out)
	if err := cmd.Start(); err != nil {
		return false, err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	aimed := rng.IntN(2) == 0
	moment := time.NewTimer(time.Duration(rng.Float64() * float64(took)))
	select {
	case err := <-done:
		return true, err
	case <-moment.C:
	}
	for aimed && len(halfWritten(out)) == 0 {
		select {
		case err := <-done:
			return true, err
		default:
			time.Sleep(50 * time.Microsecond)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		return true, <-done // it ended just now
	}
	if err := <-done; err == nil {
		return true, nil
	}
	t.kills++
	if len(halfWritten(out)) > 0 {
		t.writing++
	}
	if found, _ := filepath.Glob(filepath.Join(out, "checkpoint*.npz")); len(found) == 0 {
		t.early++
	}
	return false, nil
}

// train is the command of a run, which goes on where there is a checkpoint.
func (s setting) train(bethe, out string) *exec.Cmd {
	return exec.Command(bethe, append([]string{"train", "--seed", "3", "--quiet", "--json", "--resume", "--out", out}, strings.Fields(s.words)...)...)
}

// contents returns what the compared files hold.
func contents(folder string) ([][]byte, error) {
	var all [][]byte
	for _, name := range compared {
		content, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return nil, err
		}
		all = append(all, content)
	}
	return all, nil
}

// halfWritten returns the temporary files in a folder.
func halfWritten(folder string) []string {
	found, _ := filepath.Glob(filepath.Join(folder, ".*.tmp*")) // the pattern is sound
	return found
}
