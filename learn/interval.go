package learn

import (
	"strconv"
	"time"

	"bethe/setting"
)

// An Interval is the distance of two checkpoints, in steps or in time.
type Interval struct {
	Steps int // 0: Time counts
	Time  time.Duration
}

// DefaultInterval is the interval of checkpoints if nothing else is asked for.
var DefaultInterval = Interval{Time: time.Minute}

// ParseInterval reads a number of steps, such as 500, or a time, such as 2m. The
// error is a *SettingError.
func ParseInterval(text string) (Interval, error) {
	if steps, err := strconv.Atoi(text); err == nil && steps > 0 {
		return Interval{Steps: steps}, nil
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return Interval{Time: d}, nil
	}
	return Interval{}, setting.Phrase("checkpoint_every", "{checkpoint_every %q}: it is a number of steps, such as 500, or a time, such as 2m or 90s", text)
}

// due reports whether a checkpoint is due after a step, the last one having
// been saved at the given time.
func (i Interval) due(step int, saved time.Time) bool {
	if i.Steps > 0 {
		return step%i.Steps == 0
	}
	return time.Since(saved) >= i.Time
}
