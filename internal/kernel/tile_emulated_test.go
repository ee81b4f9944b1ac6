//go:build linux && amd64 && !purego

package kernel

import (
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"bethe/internal/kernel/tiletest"
)

// The assembly for tiles runs in a second process, whose instructions of tiles are done in Go where the processor has none.
func TestTilesEmulated(t *testing.T) {
	if os.Getenv(emulated) != "" {
		t.Skip("this is the process with emulated tiles")
	}
	if !slices.Contains(Tiers(), "avx512") {
		t.Skip("NOT TESTED: the assembly for tiles needs AVX-512, which this processor lacks")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^(TestMulBitsCoarse|TestMulBitsCoarseExtremes|TestExpandedForms|TestManyTiles|TestTileThreads|TestTileLayout)$/^amx$", "-test.v")
	cmd.Env = append(os.Environ(), emulated+"=1")
	out, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	start := time.Now()
	status, err := tiletest.Run(cmd)
	text, readErr := os.ReadFile(out.Name())
	if err != nil || readErr != nil || status != 0 {
		t.Fatalf("status %d, %v, %v\n%s", status, err, readErr, text)
	}
	t.Logf("%v\n%s", time.Since(start), text)
}
