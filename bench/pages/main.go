// Pages measures what open pages cost a run that learns: the processor time of so
// many steps of training with pages on it and with none, by turns. A page here
// reads events and fetches, as a browser does, every new curve and picture once;
// some stop reading altogether. Processor time is that of the run alone, so that
// the pages, which are on this machine too, are not counted; steps per second are
// told as well, and there they are.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

func main() {
	command := flag.String("bethe", "bethe", "the command")
	pages := flag.Int("pages", 200, "open pages, of which one in ten stops reading")
	steps := flag.Int("steps", 3000, "steps of each run")
	rounds := flag.Int("rounds", 3, "runs with pages, and runs without")
	hidden := flag.Int("hidden", 100, "hidden units")
	flag.Parse()
	if err := measure(*command, *pages, *hidden, *steps, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "pages:", err)
		os.Exit(1)
	}
}

func measure(command string, pages, hidden, steps, rounds int) error {
	var ratios []float64
	for round := range rounds {
		costs := map[int]float64{}
		for _, n := range []int{0, pages} {
			rate, cpu, fetched, err := learn(command, n, hidden, steps)
			if err != nil {
				return err
			}
			costs[n] = cpu.Seconds()
			fmt.Printf("round %d, %3d pages: %.2f s of processor, %.1f steps/s, %d answers fetched\n", round+1, n, cpu.Seconds(), rate, fetched)
		}
		ratios = append(ratios, costs[pages]/costs[0])
	}
	slices.Sort(ratios)
	fmt.Printf("with %d pages: %.3f times the processor time (median of %d)\n", pages, ratios[len(ratios)/2], rounds)
	return nil
}

// learn trains under so many pages and returns steps per second of learning, the
// processor time of the run and how many answers the pages fetched.
func learn(command string, pages, hidden, steps int) (rate float64, cpu time.Duration, answers int64, err error) {
	folder, err := os.MkdirTemp("", "pages")
	if err != nil {
		return 0, 0, 0, err
	}
	defer os.RemoveAll(folder)
	cmd := exec.Command(command, "train", "--hidden", fmt.Sprint(hidden), "--steps", fmt.Sprint(steps), "--out", filepath.Join(folder, "run"), "--serve=127.0.0.1:0", "--json")
	errs, err := cmd.StderrPipe()
	if err != nil {
		return 0, 0, 0, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, 0, 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, 0, 0, err
	}
	ctx, leave := context.WithCancel(context.Background())
	var visitors sync.WaitGroup
	var fetched atomic.Int64
	visitors.Go(func() {
		lines := bufio.NewScanner(errs)
		for lines.Scan() {
			if at := regexp.MustCompile(`http://[^/]+`).FindString(lines.Text()); at != "" {
				for k := range pages {
					visitors.Go(func() { visit(ctx, at, k%10 == 9, &fetched) })
				}
			}
		}
	})
	var report struct{ Steps, Seconds float64 }
	decodeErr := json.NewDecoder(out).Decode(&report)
	leave()
	visitors.Wait()
	if err := cmd.Wait(); err != nil {
		return 0, 0, 0, err
	}
	return report.Steps / report.Seconds, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), fetched.Load(), decodeErr
}

// visit is one page.
func visit(ctx context.Context, at string, stuck bool, fetched *atomic.Int64) {
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 6}}
	defer client.CloseIdleConnections()
	get := func(path string) io.ReadCloser {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, at+path, nil)
		if err != nil {
			return nil
		}
		reply, err := client.Do(request)
		if err != nil {
			return nil
		}
		fetched.Add(1)
		return reply.Body
	}
	have := map[string]bool{}
	fetch := func(path string) {
		if body := get(path); body != nil {
			have[path] = true
			_, _ = io.Copy(io.Discard, body) // a page that is gone
			body.Close()
		}
	}
	for _, path := range []string{"/", "/app.js", "/draw.js", "/style.css"} {
		fetch(path)
	}
	stream := get("/api/events")
	if stream == nil {
		return
	}
	defer stream.Close()
	if stuck {
		<-ctx.Done()
		return
	}
	for lines := bufio.NewReader(stream); ; {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var news struct {
			Runs []struct {
				Name     string
				Version  int
				Figures  []string
				Pictures []struct{ Synapses, Samples string }
			}
		}
		if len(line) < 6 || string(line[:6]) != "data: " || json.Unmarshal(line[6:], &news) != nil {
			continue
		}
		for _, run := range news.Runs {
			name := url.QueryEscape(run.Name)
			for _, figure := range run.Figures {
				if path := fmt.Sprintf("/figure/%s.svg?run=%s&v=%d", figure, name, run.Version); !have[path] {
					fetch(path)
				}
			}
			if n := len(run.Pictures); n > 0 {
				for _, picture := range []string{run.Pictures[n-1].Synapses, run.Pictures[n-1].Samples} {
					if path := "/picture/" + picture + "?run=" + name; !have[path] {
						fetch(path)
					}
				}
			}
		}
	}
}
