package runs

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain also plays a process with little memory that reads the folder of a run.
func TestMain(m *testing.M) {
	folder := os.Getenv("RUNS_TEST_READ")
	if folder == "" {
		os.Exit(m.Run())
	}
	const limit = 1 << 30
	if err := syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	_, err := ReadInfo(folder)
	records, e := ReadRecords(folder)
	status, _ := os.ReadFile("/proc/self/status")
	fmt.Printf("info: %v\nrecords: %d, %v\n%s", err, len(records), e, status)
	os.Exit(0)
}

// TestMemory reads files made to take much memory in a process that may have 1 GB;
// what they take is bounded by what is kept of them, not by what the files hold.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped in short mode: the race detector, which that is for, takes several times the memory")
	}
	const most = 300 // MB
	for _, c := range []struct {
		name, want string
		info       string
		line       string
		times      int
	}{
		{name: "empty records", line: "{}", times: 500_000, want: "<nil>"},
		{name: "lists", line: `{"singular_values":[` + strings.Repeat("1,", 50_000) + `1]}`, times: 40, want: "<nil>"},
		{name: "bins", line: `{"magnetisations":[` + strings.Repeat("0,", 1_900_000) + `0],"synapses":"a"}`, times: 3, want: "<nil>"},
		{name: "no records", line: "x", times: 2_000_000, want: "the rest is not read"},
		{name: "one line", line: strings.Repeat("y", 60_000_000), times: 1, want: "longer than"},
		{name: "settings", info: `{"settings":{"a":[` + strings.Repeat("{},", 340_000) + `1]}}`, want: "more than 10000 values"},
	} {
		folder := t.TempDir()
		write(t, filepath.Join(folder, InfoFile), "{}")
		if c.info != "" {
			write(t, filepath.Join(folder, InfoFile), c.info)
		}
		write(t, filepath.Join(folder, MetricsFile), strings.Repeat(c.line+"\n", c.times))
		began := time.Now()
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "RUNS_TEST_READ="+folder)
		text, err := cmd.CombinedOutput()
		if err != nil || !bytes.Contains(text, []byte(c.want)) {
			t.Errorf("%s: %v: %.2000s", c.name, err, text)
			continue
		}
		peak := regexp.MustCompile(`VmHWM:\s*(\d+) kB`).FindSubmatch(text)
		if peak == nil {
			t.Fatalf("%s", text)
		}
		kB, err := strconv.Atoi(string(peak[1]))
		if err != nil || kB/1000 > most {
			t.Errorf("%s: a peak of %s kB", c.name, peak[1])
		}
		t.Logf("%s: %d MB, %v: %.150s", c.name, kB/1000, time.Since(began).Round(time.Millisecond), text)
	}
}
