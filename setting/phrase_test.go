package setting_test

import (
	"fmt"
	"testing"

	"bethe/setting"
)

func ExamplePhrase() {
	err := setting.Phrase("centre", "{partition quenched} has no form with offsets: add {centre %v}", false)
	fmt.Println(err)
	fmt.Println(err.Words(func(setting, value string) string {
		if setting == "centre" && value == "false" {
			return "--no-centre"
		}
		return "--" + setting + "=" + value
	}))
	// Output:
	// partition quenched has no form with offsets: add centre false
	// --partition=quenched has no form with offsets: add --no-centre
}

// TestReworded: all names in a message change, around it nothing, and values that
// look like names or verbs stay.
func TestReworded(t *testing.T) {
	name := func(setting, value string) string { return "<" + setting + "|" + value + ">" }
	for _, c := range []struct {
		err         error
		plain, want string
	}{
		{setting.Phrase("rule", "{rule %q} with {steps}: %s", "{x} %d", "{y}"), `rule "{x} %d" with steps: {y}`, `<rule|"{x} %d"> with <steps|>: {y}`},
		{setting.Errorf("beta", -1., "it is %d", 3), "beta -1: it is 3", "<beta|-1>: it is 3"},
		{setting.Errorf("tasks", "", "none"), "tasks: none", "<tasks|>: none"},
	} {
		text, found := setting.Reworded(fmt.Errorf("trial 3: %w", c.err), name)
		if c.err.Error() != c.plain || !found || text != "trial 3: "+c.want {
			t.Errorf("%q: %q, %v", c.err, text, found)
		}
	}
}
