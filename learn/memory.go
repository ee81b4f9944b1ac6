package learn

import (
	"errors"
	"fmt"

	need "bethe/internal/memory"
	"bethe/setting"
)

// checkMemory returns a *SettingError if learning takes more memory than there is. It names
// the setting to lower.
func (r *Run) checkMemory() error {
	f, d := &r.recipe, &r.job.Data
	visible, hidden := f.size(d.Visible())
	err := need.Training{Visible: visible, Hidden: hidden, Samples: d.Len(), Batch: min(f.Batch, d.Len()), Chains: f.Chains}.Check()
	if large, ok := errors.AsType[*need.Error](err); ok {
		return setting.Errorf(large.Setting, fmt.Sprintf("%.0f", large.Value), "%v", err)
	}
	return err
}
