package browser

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// artefacts is where screenshots go: $SCREENSHOTS, else the tests' own folder.
func artefacts(t *testing.T) string {
	folder := os.Getenv("SCREENSHOTS")
	if folder == "" {
		folder = t.ArtifactDir()
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	return folder
}

// program builds the command once.
var program = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "bethe-browser")
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "bethe")
	cmd := exec.Command("go", "build", "-o", path, "./cmd/bethe")
	cmd.Dir = filepath.Join("..", "..")
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, text)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	status := m.Run()
	if path, err := program(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(status)
}

// start starts the command and returns the address of its page, and what stops
// it and waits.
func start(t *testing.T, args ...string) (address string, stop func()) {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	read, write := io.Pipe()
	cmd.Stdout, cmd.Stderr = write, write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	found := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(read)
		for lines.Scan() {
			if at := regexp.MustCompile(`http://\S+`).FindString(lines.Text()); at != "" {
				select {
				case found <- at:
				default:
				}
			}
		}
	}()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait(); write.Close() }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			_ = cmd.Process.Signal(syscall.SIGTERM)
			select {
			case <-ended:
			case <-time.After(30 * time.Second):
				_ = cmd.Process.Kill()
				t.Error("the command did not end in 30 s")
			}
		})
	}
	t.Cleanup(stop)
	select {
	case address = <-found:
	case err := <-ended:
		ended <- err
		t.Fatalf("bethe %v ended at once: %v", args, err)
	case <-time.After(time.Minute):
		t.Fatal("no address in a minute")
	}
	return address, stop
}

// open opens a tab of a new browser. Every error on its console fails the test.
func open(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if at, err := exec.LookPath(name); err == nil {
			path = at
			break
		}
	}
	if path == "" {
		t.Skip("SKIPPED, THE PAGE IS NOT TESTED IN A BROWSER: no chromium on this machine (apt-get install chromium)")
	}
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir())}
	for _, flag := range []string{"headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking", "disable-component-update", "disable-sync"} {
		options = append(options, chromedp.Flag(flag, true))
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(func() { _ = chromedp.Cancel(ctx); cancel() })
	ctx, cancel = context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	do(t, ctx, chromedp.EmulateViewport(1280, 900))
	messages, stop := context.WithCancel(ctx)
	var listening sync.WaitGroup
	console := chromedp.Console(messages)
	listening.Go(func() {
		for m, err := range console {
			if err != nil {
				return
			}
			if m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleWarning || m.Type == chromedp.ConsoleException {
				t.Errorf("the console says: %s: %s %s", m.Type, m.Text, m.URL)
			}
		}
	})
	requests := chromedp.Events(messages, network.RequestWillBeSent)
	listening.Go(func() {
		for e, err := range requests {
			if err != nil {
				return
			}
			if e.Request != nil && !strings.HasPrefix(e.Request.URL, "http://127.0.0.1:") && !strings.HasPrefix(e.Request.URL, "data:") {
				t.Errorf("the page asks elsewhere: %s", e.Request.URL)
			}
		}
	})
	t.Cleanup(func() { stop(); listening.Wait() })
	return ctx
}

func do(t *testing.T, ctx context.Context, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, actions...); err != nil {
		t.Fatalf("%s: %v", where(), err)
	}
}

func where() string {
	_, _, line, _ := runtime.Caller(2)
	return fmt.Sprintf("line %d", line)
}

// value evaluates an expression on the page.
func value[T any](t *testing.T, ctx context.Context, expression string) (v T) {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// until waits for an expression to be true.
func until(t *testing.T, ctx context.Context, expression string, limit time.Duration) {
	t.Helper()
	for began := time.Now(); time.Since(began) < limit; time.Sleep(50 * time.Millisecond) {
		if value[bool](t, ctx, expression) {
			return
		}
	}
	t.Fatalf("not within %v: %s", limit, expression)
}

func screenshot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	do(t, ctx, chromedp.Sleep(300*time.Millisecond))
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(artefacts(t), name), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestPage watches a run while it learns: the page paints fast, numbers and
// curves move, the slider goes back, drawings are completed, by pointer and by
// keyboard, in the light and in the dark, on a desk and on a phone.
func TestPage(t *testing.T) {
	ctx := open(t)
	out := filepath.Join(t.TempDir(), "digits")
	address, stop := start(t, "train", "--data", "mnist:test", "--hidden", "40", "--time", "3m", "--measure-every", "40", "--seed", "1", "--out", out, "--serve=127.0.0.1:0")
	do(t, ctx, chromedp.Navigate(address), chromedp.WaitVisible("#n-step"))
	until(t, ctx, `document.querySelector("#figure-kl img").naturalWidth > 0`, 30*time.Second)
	if paint := value[float64](t, ctx, `performance.getEntriesByName("first-contentful-paint")[0].startTime`); !(paint > 0 && paint < 1000) {
		t.Errorf("first paint after %v ms", paint)
	} else {
		t.Logf("first paint after %.0f ms", paint)
	}

	// Numbers and curves move.
	step, src := value[string](t, ctx, `document.querySelector("#n-step").textContent`), value[string](t, ctx, `document.querySelector("#figure-kl img").src`)
	until(t, ctx, fmt.Sprintf(`document.querySelector("#n-step").textContent !== %q && document.querySelector("#figure-kl img").src !== %q`, step, src), 30*time.Second)
	until(t, ctx, `document.querySelector("#figure-bound img").naturalWidth > 0 && !document.querySelector("#figure-bound").hidden`, 30*time.Second)
	if alt := value[string](t, ctx, `document.querySelector("#figure-bound img").alt`); !strings.Contains(alt, "nats per sample at step") {
		t.Errorf("what a screen reader says of the bound: %q", alt)
	}

	// The slider goes back to the first checkpoint, by keyboard, and stays there.
	until(t, ctx, `Number(document.querySelector("#slider").max) >= 1`, 90*time.Second)
	do(t, ctx, chromedp.Focus("#slider"), chromedp.SendKeys("#slider", kb.Home))
	first := value[string](t, ctx, `document.querySelector("#slider-step").textContent`)
	if !strings.Contains(first, "(1 of ") {
		t.Errorf("the slider at its beginning says %q", first)
	}
	number := strings.Fields(first)[1]
	until(t, ctx, fmt.Sprintf(`document.querySelector("#synapses").src.includes("%08s") && document.querySelector("#synapses").naturalWidth > 0`, zeros(number)), 10*time.Second)

	// Drawing completes, with the pointer ...
	do(t, ctx, chromedp.ScrollIntoView("#canvas"))
	drag(t, ctx)
	until(t, ctx, `document.querySelectorAll("#completions canvas").length === 8`, 10*time.Second)
	t.Log(value[string](t, ctx, `document.querySelector("#draw-status").textContent`))
	ink := `[...document.querySelectorAll("#completions canvas")].map((c) => [...c.getContext("2d").getImageData(0, 0, c.width, c.height).data].filter((v, k) => k % 4 === 0 && v < 100).length)`
	for k, n := range value[[]int](t, ctx, ink) {
		if n < 20 || n > 500 {
			t.Errorf("completion %d has %d dark dots of 784", k, n)
		}
	}
	// ... and from the keyboard.
	do(t, ctx, chromedp.Click("#clear"), chromedp.Focus("#canvas"), chromedp.SendKeys("#canvas", " "+kb.ArrowDown+" "+kb.ArrowDown+" x"+kb.Enter))
	until(t, ctx, `document.querySelector("#draw-status").textContent.includes(" 3 known dots")`, 10*time.Second)
	if place := value[string](t, ctx, `document.querySelector("#canvas-place").textContent`); !strings.Contains(place, "paper") {
		t.Errorf("what a screen reader says of the place: %q", place)
	}
	do(t, ctx, chromedp.Click("#clear"))
	drag(t, ctx)
	until(t, ctx, `document.querySelectorAll("#completions canvas").length === 8`, 10*time.Second)

	// The machine as spiking neurons, which is drawn anew on demand.
	value[any](t, ctx, `(({tau}) => { tau.value = "10"; tau.dispatchEvent(new Event("change")); })({tau: document.querySelector("#tau")})`)
	until(t, ctx, `document.querySelector("#raster").naturalWidth === 300 && document.querySelector("#raster").naturalHeight > 784 && !document.querySelector("#raster-figure").hidden`, 10*time.Second)
	do(t, ctx, chromedp.Click("#respike"))
	until(t, ctx, `document.querySelector("#raster").src.includes("draw=1")`, 10*time.Second)

	// Everything that can be pressed or looked at has a name.
	if nameless := value[[]string](t, ctx, `[...document.querySelectorAll("img, button, input, select, canvas")].filter((e) => !e.closest("[hidden]") && !(e.getAttribute("aria-label") || e.alt || e.textContent.trim() || e.labels?.length)).map((e) => e.outerHTML)`); len(nameless) > 0 {
		t.Errorf("without a name: %v", nameless)
	}
	value[any](t, ctx, `document.activeElement.blur(); window.scrollTo(0, 0)`)
	screenshot(t, ctx, "desktop-light.png")
	do(t, ctx, chromedp.SetValue("#theme", "dark"))
	value[any](t, ctx, `document.querySelector("#theme").dispatchEvent(new Event("change"))`)
	until(t, ctx, `document.querySelector("#figure-kl img").src.includes("theme=dark") && getComputedStyle(document.body).backgroundColor === "rgb(21, 24, 29)"`, 10*time.Second)
	screenshot(t, ctx, "desktop-dark.png")
	do(t, ctx, chromedp.EmulateViewport(390, 844, chromedp.EmulateScale(2), chromedp.EmulateMobile), chromedp.SetValue("#theme", "light"))
	value[any](t, ctx, `document.querySelector("#theme").dispatchEvent(new Event("change"))`)
	until(t, ctx, `document.documentElement.scrollWidth <= innerWidth`, 5*time.Second)
	until(t, ctx, `document.querySelector("#figure-kl img").src.includes("theme=light")`, 10*time.Second)
	// Type in charts has 9 points of those that the server drew, 3/4 of the pixels that were asked for.
	until(t, ctx, `[...document.querySelectorAll(".figures img")].filter((img) => img.clientWidth).every((img) => 9 * img.clientWidth / (0.75 * new URL(img.src).searchParams.get("w")) >= 11)`, 10*time.Second)
	screenshot(t, ctx, "phone.png")

	// The end is told, with the last pictures and without errors: half of the
	// time the run ends while the page asks for some.
	stop()
	until(t, ctx, `document.querySelector("#status").textContent.includes("has ended")`, 15*time.Second)
	until(t, ctx, `[...document.querySelectorAll("figure img")].every((img) => !img.dataset.busy)`, 10*time.Second)
}

func zeros(number string) string { return strings.Repeat("0", 8-len(number)) + number }

// drag draws a stroke like that of a seven with the pointer.
func drag(t *testing.T, ctx context.Context) {
	t.Helper()
	value[any](t, ctx, `document.querySelector("#canvas").scrollIntoView({block: "center"})`)
	box := value[map[string]float64](t, ctx, `(({x, y, width, height}) => ({x, y, width, height}))(document.querySelector("#canvas").getBoundingClientRect())`)
	at := func(x, y float64) (float64, float64) { return box["x"] + x*box["width"], box["y"] + y*box["height"] }
	points := [][2]float64{{0.3, 0.25}, {0.7, 0.25}, {0.5, 0.6}, {0.45, 0.8}}
	x, y := at(points[0][0], points[0][1])
	do(t, ctx, chromedp.MouseEvent(chromedp.MousePressed, x, y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
	for k := 1; k < len(points); k++ {
		x, y := at(points[k][0], points[k][1])
		do(t, ctx, chromedp.MouseEvent(chromedp.MouseMoved, x, y, chromedp.ButtonLeft))
	}
	x, y = at(points[3][0], points[3][1])
	do(t, ctx, chromedp.MouseEvent(chromedp.MouseReleased, x, y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
}

// TestRuns shows several runs over each other, finished ones, by keyboard too.
func TestRuns(t *testing.T) {
	ctx := open(t)
	folder := t.TempDir()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	for k, name := range []string{"a", "b"} {
		cmd := exec.Command(path, "train", "--data", "mnist:test", "--hidden", "10", "--steps", "60", "--measure-every", "10", "--seed", fmt.Sprint(k), "--out", filepath.Join(folder, name), "--quiet")
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
	}
	address, _ := start(t, "serve", folder, "--listen", "127.0.0.1:0")
	do(t, ctx, chromedp.Navigate(address), chromedp.WaitVisible("#runs-section"))
	until(t, ctx, `document.querySelectorAll("#runs tbody tr").length === 2 && document.querySelector("#run-title").textContent === "b"`, 10*time.Second)
	if text := value[string](t, ctx, `document.querySelector("#runs").innerText`); !strings.Contains(text, "log-likelihood, reverse") {
		t.Errorf("the table: %s", text)
	}
	order := `[...document.querySelectorAll("#runs tbody tr")].map((row) => row.dataset.run).join()`
	for _, want := range []string{"a,b", "b,a"} { // a click sorts, another turns the order
		value[any](t, ctx, `document.querySelector("#runs thead button").click()`)
		if got := value[string](t, ctx, order); got != want {
			t.Errorf("sorted by run: %s, not %s", got, want)
		}
	}
	if command := value[string](t, ctx, `document.querySelector("#command").textContent`); !strings.Contains(command, "--hidden 10 --measure-every 10 --seed 1") || !strings.HasSuffix(command, "-again") {
		t.Errorf("this command again: %q", command)
	}
	do(t, ctx, chromedp.Click(`tr[data-run="a"] input`))
	until(t, ctx, `document.querySelector("#figure-bound img").src.includes("run=a&run=b") && document.querySelector("#figure-bound img").naturalWidth > 0`, 10*time.Second)
	screenshot(t, ctx, "several-runs.png")
	value[any](t, ctx, `document.activeElement.blur()`)
	do(t, ctx, chromedp.KeyEvent("r"))
	until(t, ctx, `document.querySelector("#run-title").textContent === "a"`, 5*time.Second)
	do(t, ctx, chromedp.KeyEvent("t"))
	until(t, ctx, `document.documentElement.dataset.theme === "dark"`, 5*time.Second)
}

// TestRefused: requests under a name that somebody else points at this machine are
// refused, and so are paths out of the folder, also if the browser itself asks.
func TestRefused(t *testing.T) {
	ctx := open(t)
	folder := filepath.Join(t.TempDir(), "run")
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	if text, err := exec.Command(path, "train", "--data", "mnist:test", "--hidden", "4", "--steps", "3", "--out", folder, "--quiet").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(folder), "secret.png"), []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	address, _ := start(t, "serve", folder, "--listen", "127.0.0.1:0")
	do(t, ctx, chromedp.Navigate(address), chromedp.WaitVisible("#n-step"))
	for _, way := range []string{"/picture/../../secret.png?run=run", "/picture/..%2f..%2fsecret.png?run=run", "/picture/%2e%2e%2fsecret.png?run=run", "/picture/secret.png?run=..", "/../secret.png", "/picture/run.json?run=run"} {
		conn, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(address, "http://"), "/"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", way, conn.RemoteAddr())
		reply, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(reply.Body)
		conn.Close()
		if err != nil || reply.StatusCode < 300 || strings.Contains(string(text), "secret") && strings.Contains(string(text), "PNG") || string(text) == "secret" {
			t.Errorf("%s: %s %s %v", way, reply.Status, text, err)
		}
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "evil.example:80"
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	reply.Body.Close()
	if reply.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("a hostile Host: %s", reply.Status)
	}
}
