package learn

import (
	"testing"
	"time"
	"unsafe"
)

// jumped returns a moment as it would have been read had the clock on the wall
// been off by so many seconds: the monotonic reading, which tells how much time
// has passed, is the same.
func jumped(t *testing.T, at time.Time, seconds int64) time.Time {
	t.Helper()
	wall := (*uint64)(unsafe.Pointer(&at)) // bit 63: it has a monotonic reading; then 33 bits of seconds, 30 of nanoseconds
	if *wall>>63 != 1 {
		t.Fatal("a moment without a monotonic reading")
	}
	was := at.Unix()
	*wall += uint64(seconds) << 30
	if at.Unix() != was+seconds {
		t.Fatal("the layout of time.Time is another one")
	}
	return at
}

// TestClockJumps: whether the clock is set back or forward by hours, checkpoints
// and measurements come when so much time has passed. Learning counts its time
// itself and a checkpoint holds it as a duration, not as a date.
func TestClockJumps(t *testing.T) {
	for _, seconds := range []int64{-7200, 7200} {
		every := Interval{Time: time.Minute}
		if every.due(3, jumped(t, time.Now(), seconds)) {
			t.Errorf("a jump of %d s: a checkpoint is due at once", seconds)
		}
		if !every.due(3, jumped(t, time.Now().Add(-61*time.Second), seconds)) {
			t.Errorf("a jump of %d s: no checkpoint after a minute", seconds)
		}
		p := pace{share: 0.5, gap: time.Second, last: jumped(t, time.Now(), seconds)}
		if p.due(time.Now()) {
			t.Errorf("a jump of %d s: a measurement is due at once", seconds)
		}
		if !p.due(time.Now().Add(2 * time.Second)) {
			t.Errorf("a jump of %d s: no measurement after its time", seconds)
		}
	}
}
