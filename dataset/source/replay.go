package source

import (
	"bytes"
	"io"
)

// Replay returns a reader of the same content as r that begins again after its end,
// for an Input that may be opened more than once. It keeps what it has read.
func Replay(r io.Reader) io.Reader { return &replay{r: r} }

type replay struct {
	r    io.Reader
	kept []byte
	all  bool          // whether kept is all of it
	next *bytes.Reader // the rest of this round, once all is kept
}

func (p *replay) Read(b []byte) (int, error) {
	if !p.all {
		n, err := p.r.Read(b)
		p.kept = append(p.kept, b[:n]...)
		if err == io.EOF {
			p.all, p.next = true, bytes.NewReader(p.kept)
		}
		return n, err
	}
	n, err := p.next.Read(b)
	if err == io.EOF {
		p.next.Reset(p.kept)
	}
	return n, err
}
