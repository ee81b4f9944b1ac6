package learn

import "bethe/setting"

// A SettingError says which setting of a recipe or a job is wrong, why, and what
// helps. It names settings as JSON does; Words puts a caller's names in their place.
type SettingError = setting.Error
