package usage

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestMan: the page has the texts of help, in roff, with flags in their groups and nothing that roff takes for its own.
func TestMan(t *testing.T) {
	root := command()
	root.Short = "A tool"
	verb := root.Commands()[0]
	verb.Short, verb.Long, verb.Example = "Learn a file", "One paragraph\nof two lines.\n\n.dots and 'quotes' and \\back\n\n  a table   as it is", "  tool learn x --steps 3\n\n  tool learn y"
	page := Man(verb, "tool 1", "2026-01-02", "Limits: steps time")
	for _, want := range []string{
		".TH TOOL\\-LEARN 1 2026-01-02 \"tool 1\" \"tool manual\"\n", ".SH NAME\ntool\\-learn \\- learn a file\n", "tool learn FILE [flags]\n", ".SH DESCRIPTION\nOne paragraph\nof two lines.\n.PP\n",
		"\n\\&.dots and \\(aqquotes\\(aq and \\eback\n", ".nf\n  a table   as it is\n.fi\n", ".SH EXAMPLES\n.nf\ntool learn x \\-\\-steps 3\n.sp\ntool learn y\n.fi\n",
		".SS Limits\n.TP\n\\fB\\-\\-steps\\fR \\fIint\\fR\n", ".SS Other flags\n", "\\fB\\-h\\fR, \\fB\\-\\-help\\fR", ".SH SEE ALSO\n.BR tool (1)\n",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in\n%s", want, page)
		}
	}
	if strings.Index(page, "steps") > strings.Index(page, "Other flags") || strings.Contains(page, "\n\n") {
		t.Error("groups out of order, or empty lines")
	}
	folder := filepath.Join(t.TempDir(), "man1")
	files, err := WriteMan(root, folder, "tool 1", "2026-01-02", func(*cobra.Command) string { return "" })
	if err != nil || len(files) != 2 || files[1] != filepath.Join(folder, "tool-learn.1") {
		t.Fatalf("%v, %v", files, err)
	}
	if text, err := os.ReadFile(files[0]); err != nil || !strings.Contains(string(text), ".TP\n.B learn\nLearn a file\n") || !strings.Contains(string(text), ".BR tool\\-learn (1)") {
		t.Errorf("%v: %s", err, text)
	}
	if _, err := WriteMan(root, files[0], "tool 1", "2026-01-02", func(*cobra.Command) string { return "" }); err == nil {
		t.Error("no error for a folder that is a file")
	}
}
