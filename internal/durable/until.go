package durable

import (
	"context"
	"io"
)

// Until returns a writer that fails with the context's error once that is done: a
// large file that nobody waits for any more is given up half way, and WriteFile leaves
// the old one.
func Until(ctx context.Context, w io.Writer) io.Writer { return until{ctx, w} }

type until struct {
	ctx context.Context
	w   io.Writer
}

// Write implements io.Writer.
func (u until) Write(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.w.Write(p)
}
