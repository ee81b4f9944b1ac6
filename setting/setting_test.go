package setting_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"bethe/setting"
)

func flag(name, value string) string { return strings.TrimSpace("--" + name + " " + value) }

func Example() {
	err := fmt.Errorf("trial 3: %w", setting.Errorf("beta", -1., "it must be positive and finite"))
	fmt.Println(err)
	text, _ := setting.Reworded(err, func(name, value string) string { return "--" + name + " " + value })
	fmt.Println(text)
	// Output:
	// trial 3: beta -1: it must be positive and finite
	// trial 3: --beta -1: it must be positive and finite
}

func TestOtherErrors(t *testing.T) {
	if text, found := setting.Reworded(errors.New("beta -1"), flag); found || text != "beta -1" {
		t.Errorf("another error: %q, %v", text, found)
	}
	if text, found := setting.Reworded(setting.Errorf("tasks", "", "at least %d", 1), flag); !found || text != "--tasks: at least 1" {
		t.Errorf("without a value: %q, %v", text, found)
	}
}

func TestAtLeastOne(t *testing.T) {
	if err := setting.AtLeastOne("both must be", setting.Count{Name: "steps", Value: 1}, setting.Count{Name: "starts", Value: 7}); err != nil {
		t.Error(err)
	}
	err := setting.AtLeastOne("both must be at least 1", setting.Count{Name: "steps", Value: 2}, setting.Count{Name: "starts", Value: 0})
	var e *setting.Error
	if !errors.As(err, &e) || e.Setting != "starts" || err.Error() != "steps 2 starts 0: both must be at least 1" {
		t.Error(err)
	}
}
