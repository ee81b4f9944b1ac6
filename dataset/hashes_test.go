package dataset

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// TestHashes: lines that begin with # are comments, the header, or rows.
func TestHashes(t *testing.T) {
	for text, want := range map[string]string{
		"# a comment\n1,0\n0,1\n":          "\n1,0\n0,1\n",
		"#a,label\n1,0\n":                  "a,label\n1,0\n",
		"# made by me\n# a,label\n1,0\n":   "\na,label\n1,0\n",
		"a,b\n#N/A,1\n# why, oh, why\n0,1": "a,b\n#N/A,1\n\n0,1",
		"a,b\n1,\"two\n#lines,x\"\n#,1\n":  "a,b\n1,\"two\n#lines,x\"\n#,1\n",
		"1\n#2\n3":                         "1\n\n3",
		"# 5\" wafers, say\n1,2,3\n":       "\n1,2,3\n",
		"#only":                            "\n",
		"":                                 "",
		"\n\n#x,y\n\n1,0":                  "\n\n\nx,y\n1,0",
	} {
		for _, slow := range []bool{false, true} {
			var r io.Reader = strings.NewReader(text)
			if slow {
				r = iotest.OneByteReader(r)
			}
			got, err := io.ReadAll(newHashes(r, ','))
			if err != nil || string(got) != want {
				t.Errorf("%q becomes %q, not %q; %v", text, got, want, err)
			}
		}
	}
}

// TestOctave: text of Octave with one matrix is read, and with two refused.
func TestOctave(t *testing.T) {
	one := "# Created by Octave 8.4.0\n# name: X\n# type: matrix\n# rows: 2\n# columns: 3\n 1 0 1\n 0 1 1\n\n\n"
	set, err := DecodeStream("x.txt", strings.NewReader(one), Options{})
	if err != nil || set.Len() != 2 || set.Visible() != 3 {
		t.Errorf("%+v, %v", set, err)
	}
	if _, err := DecodeStream("x.txt", strings.NewReader(one+"# name: Y\n# type: matrix\n# rows: 1\n# columns: 3\n 1 1 1\n"), Options{}); err == nil || !strings.Contains(err.Error(), "several matrices") {
		t.Errorf("two matrices: %v", err)
	}
}
