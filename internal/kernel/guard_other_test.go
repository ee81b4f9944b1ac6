//go:build !linux

package kernel

import (
	"slices"
	"testing"
	"unsafe"
)

// guarded returns a slice between bytes that must not change.
func guarded[T any](tb testing.TB, n int) []T {
	tb.Helper()
	const margin = 256 // elements
	all := make([]T, n+2*margin)
	var zero T
	size := int(unsafe.Sizeof(zero))
	outside := func() (b []byte) {
		b = unsafe.Slice((*byte)(unsafe.Pointer(&all[0])), len(all)*size)
		return append(append([]byte(nil), b[:margin*size]...), b[(n+margin)*size:]...)
	}
	before := outside()
	tb.Cleanup(func() {
		if !slices.Equal(before, outside()) {
			tb.Errorf("bytes around a slice of %d were written", n)
		}
	})
	return all[margin : margin+n : margin+n]
}
