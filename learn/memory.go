package learn

import (
	"errors"
	"fmt"

	need "bethe/internal/memory"
	"bethe/setting"
)

// checkMemory returns the *SettingError of what lowers the memory that learning takes,
// if that is more than there is.
func (r *Run) checkMemory() error {
	f, samples := &r.recipe, r.job.Data.Samples
	err := need.Training{Visible: f.folding(samples.Rows()).Visible(), Hidden: f.folding(samples.Rows()).Hidden(), Samples: samples.Cols(), Batch: min(f.Batch, samples.Cols()), Chains: f.Chains}.Check()
	if large, ok := errors.AsType[*need.Error](err); ok {
		return setting.Errorf(large.Setting, fmt.Sprintf("%.0f", large.Value), "%v", err)
	}
	return err
}
