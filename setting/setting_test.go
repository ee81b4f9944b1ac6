package setting_test

import (
	"errors"
	"fmt"
	"testing"

	"bethe/setting"
)

func flag(name string) string { return "--" + name }

func Example() {
	err := fmt.Errorf("trial 3: %w", setting.Errorf("beta", -1., "it must be positive and finite"))
	fmt.Println(err)
	text, _ := setting.Renamed(err, func(name string) string { return "--" + name })
	fmt.Println(text)
	// Output:
	// trial 3: beta -1: it must be positive and finite
	// trial 3: --beta -1: it must be positive and finite
}

func TestRenamed(t *testing.T) {
	if text, found := setting.Renamed(errors.New("beta -1"), flag); found || text != "beta -1" {
		t.Errorf("another error: %q, %v", text, found)
	}
	if text, found := setting.Renamed(setting.Errorf("tasks", "", "at least %d", 1), flag); !found || text != "--tasks: at least 1" {
		t.Errorf("without a value: %q, %v", text, found)
	}
}
