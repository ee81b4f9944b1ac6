package sampler

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"bethe/internal/npy"
	"bethe/setting"
)

// actAs names the program that a process of this test is.
const actAs = "BETHE_TEST_SAMPLER"

// parse reads a problem in COO.
func parse(lines []string, visible int) *Problem {
	p := &Problem{Visible: visible, Scale: 1}
	type term struct {
		i, j int
		v    float64
	}
	var terms []term
	for _, line := range lines {
		var t term
		if n, _ := fmt.Sscan(line, &t.i, &t.j, &t.v); n == 3 {
			terms = append(terms, t)
			if t.i == t.j {
				p.Linear = append(p.Linear, t.v)
			}
		}
	}
	p.Hidden = len(p.Linear) - visible
	p.Quadratic = make([]float64, visible*p.Hidden)
	for _, t := range terms {
		if t.i != t.j {
			p.Quadratic[(t.j-visible)*visible+t.i] = t.v
		}
	}
	return p
}

// print writes samples as a program does.
func (s Samples) print(w *bufio.Writer) {
	for a := range s.Visible.Cols() {
		for i := range s.Visible.Rows() {
			fmt.Fprintf(w, "%d ", s.Visible.At(i, a))
		}
		for mu := range s.Hidden.Rows() {
			fmt.Fprintf(w, "%+d ", s.Hidden.At(mu, a))
		}
		fmt.Fprintln(w)
	}
	_ = w.Flush()
}

// act is a sampler of machines of six visible units at an inverse temperature of 1. How it fails is the first word of role.
func act(role string, args []string) int {
	in, out := bufio.NewScanner(os.Stdin), bufio.NewWriter(os.Stdout)
	role, mark, _ := strings.Cut(role, " ")
	if mark != "" { // fails unless the mark is there, and leaves one
		if _, err := os.Stat(mark); err == nil {
			role = "good"
		} else if err := os.WriteFile(mark, nil, 0o600); err != nil {
			return 9
		}
	}
	if role == "stay" || role == "stay-wrong" || role == "stay-dies" || role == "stay-slow" {
		for in.Scan() {
			var reads, lines int
			var seed uint32
			if n, _ := fmt.Sscan(in.Text(), &reads, &seed, &lines); n != 3 {
				return 8
			}
			var problem []string
			for range lines {
				in.Scan()
				problem = append(problem, in.Text())
			}
			switch role {
			case "stay-dies":
				fmt.Fprintln(os.Stderr, "no more")
				return 4
			case "stay-slow":
				time.Sleep(time.Minute)
			case "stay-wrong":
				reads--
			}
			exactly(parse(problem, 6), 1, reads, seed).print(out)
			fmt.Fprintln(out)
			_ = out.Flush()
		}
		return 0
	}
	reads, _ := strconv.Atoi(args[0])
	seed, _ := strconv.ParseUint(args[1], 10, 32)
	var lines []string
	for in.Scan() {
		lines = append(lines, in.Text())
	}
	switch role {
	case "slow":
		time.Sleep(time.Minute)
	case "dies":
		fmt.Fprintln(os.Stderr, "the cooling failed")
		return 3
	case "short":
		reads--
	case "long":
		reads++
	case "wide":
		fmt.Println("1 1 1 1 1 1 1 1 1 1 1")
	case "nan":
		fmt.Println("1 1 1 1 nan 1 1 1 1")
	case "garbage":
		for {
			if _, err := os.Stdout.Write(bytes.Repeat([]byte("x"), 1<<16)); err != nil {
				return 5
			}
		}
	case "silent":
		return 0
	case "killed":
		p, _ := os.FindProcess(os.Getpid())
		_ = p.Kill()
		time.Sleep(time.Minute)
	}
	exactly(parse(lines, 6), 1, reads, uint32(seed)).print(out)
	return 0
}

// as makes this test's own program the sampler, in a role.
func as(t *testing.T, role string, transport Transport) Sampler {
	t.Helper()
	t.Setenv(actAs, role)
	s, err := Open(fmt.Sprintf("'%s' {reads} {seed}", os.Args[0]), transport)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// equal reports whether samples are equal.
func equal(a, b Samples) bool { return a.Visible.Equal(b.Visible) && a.Hidden.Equal(b.Hidden) }

// A program in either protocol gives the samples of its seeds, call after call.
func TestPrograms(t *testing.T) {
	p := NewProblem(machine(), 1)
	for role, transport := range map[string]Transport{"good": {}, "stay": {Protocol: "stay"}} {
		s := as(t, role, transport)
		for seed := range uint32(3) {
			got, err := s.Sample(t.Context(), p, 20, seed)
			if err != nil {
				t.Fatal(err)
			}
			if want := exactly(p, 1, 20, seed); !equal(got, want) {
				t.Errorf("%s: samples of seed %d differ", role, seed)
			}
		}
	}
}

// What goes wrong is an *Error that says what, and the same call gives the right samples afterwards. A program that fails once
// is asked again.
func TestProgramsFail(t *testing.T) {
	p := NewProblem(machine(), 1)
	want := exactly(p, 1, 20, 5)
	for _, c := range []struct{ role, protocol, says string }{
		{"dies", "", "exit status 3; it says: the cooling failed"}, {"short", "", "19 samples, and 20 were asked for"}, {"long", "", "line 21: more than the 20"},
		{"wide", "", "line 1: 11 numbers, and the machine has 9 units"}, {"nan", "", `line 1: number 5 is "nan", not 1 or -1`},
		{"garbage", "", "far longer than a sample"}, {"silent", "", "0 samples"}, {"killed", "", "killed"}, {"slow", "", "no answer within 300ms"},
		{"stay-dies", "stay", "no more"}, {"stay-wrong", "stay", "19 samples"}, {"stay-slow", "stay", "no answer within 300ms"},
	} {
		if runtime.GOOS == "windows" && c.role == "killed" {
			continue
		}
		transport := Transport{Protocol: c.protocol, Tries: 1}
		if strings.HasSuffix(c.role, "slow") {
			transport.Timeout = 300 * time.Millisecond
		}
		s := as(t, c.role, transport)
		_, err := s.Sample(t.Context(), p, 20, 5)
		var wrong *Error
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v does not say %q", c.role, err, c.says)
		}
		if c.protocol == "" {
			transport = Transport{Tries: 2}
			s = as(t, c.role+" "+filepath.Join(t.TempDir(), "mark"), transport)
			if strings.HasSuffix(c.role, "slow") {
				continue
			}
			got, err := s.Sample(t.Context(), p, 20, 5)
			if err != nil || !equal(got, want) {
				t.Errorf("%s once, then right: %v", c.role, err)
			}
		}
	}
}

// A context that ends ends the call within a second.
func TestCancelled(t *testing.T) {
	p := NewProblem(machine(), 1)
	for role, transport := range map[string]Transport{"slow": {}, "stay-slow": {Protocol: "stay"}, "": {Folder: t.TempDir()}} {
		s := as(t, role, transport)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		began := time.Now()
		_, err := s.Sample(ctx, p, 20, 5)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 3*time.Second {
			t.Errorf("%s: %v after %v", role, err, time.Since(began))
		}
	}
}

// A folder holds the problem, waits for its samples and takes those that are there. Samples of another problem are thrown away.
func TestFolder(t *testing.T) {
	dir := t.TempDir()
	p := NewProblem(machine(), 1)
	s := as(t, "", Transport{Folder: dir, Timeout: 5 * time.Second})
	answer := func(p *Problem, ext string) {
		want := exactly(p, 1, 20, 5)
		var text bytes.Buffer
		if ext == ".npy" {
			values := make([]int8, 0, 180)
			for a := range 20 {
				for i := range 6 {
					values = append(values, want.Visible.At(i, a))
				}
				for mu := range 3 {
					values = append(values, want.Hidden.At(mu, a))
				}
			}
			if err := npy.Write(&text, []int{20, 9}, values); err != nil {
				t.Error(err)
			}
		} else {
			want.print(bufio.NewWriter(&text))
		}
		whole := filepath.Join(dir, "whole")
		if err := errors.Join(os.WriteFile(whole, text.Bytes(), 0o600), os.Rename(whole, filepath.Join(dir, "samples-5-20"+ext))); err != nil {
			t.Error(err)
		}
	}
	for _, ext := range []string{".txt", ".npy"} {
		go func() {
			for {
				if content, err := os.ReadFile(filepath.Join(dir, "problem-5-20.coo")); err == nil {
					answer(parse(strings.Split(string(content), "\n"), 6), ext)
					return
				}
				time.Sleep(time.Millisecond)
			}
		}()
		for range 2 { // the second time it is there
			got, err := s.Sample(t.Context(), p, 20, 5)
			if err != nil || !equal(got, exactly(p, 1, 20, 5)) {
				t.Fatalf("%s: %v", ext, err)
			}
		}
		if err := os.Remove(filepath.Join(dir, "problem-5-20.coo")); err != nil {
			t.Fatal(err)
		}
	}
	answer(p, ".txt")
	quick := as(t, "", Transport{Folder: dir, Timeout: 50 * time.Millisecond})
	if _, err := quick.Sample(t.Context(), NewProblem(machine(), 2), 20, 5); err == nil || !strings.Contains(err.Error(), "samples-5-20.txt or .npy within 50ms") {
		t.Errorf("samples of another problem: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "samples-5-20.txt"), []byte("1 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var wrong *Error
	if _, err := quick.Sample(t.Context(), NewProblem(machine(), 2), 20, 5); !errors.As(err, &wrong) || !strings.Contains(err.Error(), "samples-5-20.txt: line 1: 2 numbers") {
		t.Errorf("wrong samples: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, c := range []struct {
		words string
		t     Transport
		name  string
	}{{"", Transport{}, "sampler"}, {"a 'b", Transport{}, "sampler"}, {"sh", Transport{Protocol: "fax"}, "sampler_protocol"}, {"no-such-program x", Transport{}, "sampler"}, {"a", Transport{Format: "x"}, "sampler_format"},
		{"a", Transport{Timeout: -1}, "sampler_timeout"}, {"", Transport{Folder: "x", Protocol: "stay"}, "sampler_protocol"}} {
		_, err := Open(c.words, c.t)
		var wrong *setting.Error
		if !errors.As(err, &wrong) || wrong.Setting != c.name {
			t.Errorf("%q %+v: %v", c.words, c.t, err)
		}
	}
	s := as(t, "", Transport{Tries: 1})
	s.(*patient).Sampler.(*program).args = []string{filepath.Join(t.TempDir(), "none")}
	if _, err := s.Sample(t.Context(), NewProblem(machine(), 1), 1, 1); err == nil {
		t.Error("a program that is not there samples")
	}
}

func TestSplit(t *testing.T) {
	for words, want := range map[string][]string{
		"": nil, " a  b ": {"a", "b"}, `a 'b c' "d e"f`: {"a", "b c", "d ef"}, `a\ b`: {"a b"}, `''`: {""}, `"a\"b"`: {`a"b`}, `'a\b'`: {`a\b`},
	} {
		if got, err := Split(words); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, not %q (%v)", words, got, want, err)
		}
	}
	for _, words := range []string{"'a", `"a`, `a\`} {
		if got, err := Split(words); err == nil {
			t.Errorf("%q: %q", words, got)
		}
	}
}

// Every format holds every coefficient once.
func TestFormats(t *testing.T) {
	p := NewProblem(small(), 2)
	for _, f := range Formats {
		var text bytes.Buffer
		if err := f.Write(&text, p); err != nil {
			t.Fatal(err)
		}
		linear, quadratic := make([]float64, 5), make([]float64, 6)
		switch f.Name {
		case "coo":
			q := parse(strings.Split(text.String(), "\n"), 3)
			linear, quadratic = q.Linear, q.Quadratic
			if !strings.HasPrefix(text.String(), "# vartype=SPIN\n") {
				t.Errorf("COO begins with %.30q", text.String())
			}
		case "dimod":
			var d struct {
				Linear     []float64 `json:"linear_biases"`
				Biases     []float64 `json:"quadratic_biases"`
				Head, Tail []int     `json:"-"`
				H          []int     `json:"quadratic_head"`
				T          []int     `json:"quadratic_tail"`
				Type       string    `json:"variable_type"`
			}
			if err := json.Unmarshal(text.Bytes(), &d); err != nil || d.Type != "SPIN" {
				t.Fatal(err, d.Type)
			}
			linear = d.Linear
			for k, v := range d.Biases {
				quadratic[(d.T[k]-3)*3+d.H[k]] = v
			}
		case "bqpjson":
			var d struct {
				Linear []struct {
					ID    int
					Coeff float64
				} `json:"linear_terms"`
				Quadratic []struct {
					Tail  int `json:"id_tail"`
					Head  int `json:"id_head"`
					Coeff float64
				} `json:"quadratic_terms"`
				Domain string `json:"variable_domain"`
			}
			if err := json.Unmarshal(text.Bytes(), &d); err != nil || d.Domain != "spin" {
				t.Fatal(err, d.Domain)
			}
			for _, x := range d.Linear {
				linear[x.ID] = x.Coeff
			}
			for _, x := range d.Quadratic {
				quadratic[(x.Head-3)*3+x.Tail] = x.Coeff
			}
		}
		for k, v := range slices.Concat(p.Linear, p.Quadratic) {
			if got := slices.Concat(linear, quadratic)[k]; math.Abs(got-v) > 1e-12 {
				t.Errorf("%s: coefficient %d is %v, not %v", f.Name, k, got, v)
			}
		}
	}
}

func TestReadSamples(t *testing.T) {
	s, err := ReadSamples(strings.NewReader("# spins\n1,-1, +1\n\n-1\t1.0 -1.0"), 2, 1, 0)
	if err != nil || s.Visible.Cols() != 2 || s.Visible.At(1, 0) != -1 || s.Hidden.At(0, 1) != -1 || s.Visible.At(1, 1) != 1 {
		t.Errorf("%+v %v", s, err)
	}
	if _, err := ReadSamples(strings.NewReader(""), 2, 1, 0); err == nil || !strings.Contains(err.Error(), "0 samples, and some were asked for") {
		t.Errorf("nothing: %v", err)
	}
	for name, values := range map[string]any{"int64": []int64{1, 1, -1}, "float32": []float32{1, 1, -1}, "float64": []float64{1, 1, -1}} {
		var text bytes.Buffer
		if err := npy.Write(&text, []int{1, 3}, values); err != nil {
			t.Fatal(err)
		}
		if s, err := ReadSamples(&text, 2, 1, 1); err != nil || s.Hidden.At(0, 0) != -1 {
			t.Errorf("%s: %v", name, err)
		}
	}
	for says, write := range map[string]func(b *bytes.Buffer) error{
		"is 0, not 1 or -1":  func(b *bytes.Buffer) error { return npy.Write(b, []int{1, 3}, []int8{1, 0, 1}) },
		"of shape [3]":       func(b *bytes.Buffer) error { return npy.Write(b, []int{3}, []int8{1, 1, 1}) },
		"samples are int8":   func(b *bytes.Buffer) error { return npy.Write(b, []int{1, 3}, []uint32{1, 1, 1}) },
		"2 samples, and 5":   func(b *bytes.Buffer) error { return npy.Write(b, []int{2, 3}, []int8{1, 1, 1, 1, 1, 1}) },
		"not an .npy header": func(b *bytes.Buffer) error { _, err := b.WriteString("\x93NUMPYx"); return err },
	} {
		var text bytes.Buffer
		if err := write(&text); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadSamples(&text, 2, 1, 5); err == nil || says[0] != 'n' && !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", says, err)
		}
	}
}

// FuzzReadSamples: nothing panics, and samples have the shape that was asked for.
func FuzzReadSamples(f *testing.F) {
	f.Add([]byte("1 -1 1\n"))
	f.Add([]byte("\x93NUMPY\x01\x00"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := ReadSamples(bytes.NewReader(text), 2, 1, 2)
		if err == nil && (s.Visible.Cols() != 2 || s.Visible.Rows() != 2 || s.Hidden.Rows() != 1) {
			t.Errorf("%q: %d x %d", text, s.Visible.Rows(), s.Visible.Cols())
		}
	})
}
