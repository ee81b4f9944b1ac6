package kernel

import (
	"os"
	"syscall"
	"testing"
	"unsafe"
)

// guarded returns a slice that ends at a page which may not be touched and
// starts after bytes that must not change.
func guarded[T any](tb testing.TB, n int) []T {
	tb.Helper()
	page := os.Getpagesize()
	var zero T
	size := n * int(unsafe.Sizeof(zero))
	body := (size + page) / page * page // at least one byte before the slice
	mem, err := syscall.Mmap(-1, 0, body+page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		tb.Fatal(err)
	}
	if err := syscall.Mprotect(mem[body:], syscall.PROT_NONE); err != nil {
		tb.Fatal(err)
	}
	before := mem[:body-size]
	for i := range before {
		before[i] = 0xa5
	}
	tb.Cleanup(func() {
		for i, b := range before {
			if b != 0xa5 {
				tb.Errorf("byte %d before a slice of %d bytes was written", len(before)-i, size)
				break
			}
		}
		if err := syscall.Munmap(mem); err != nil {
			tb.Error(err)
		}
	})
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&mem[body-size])), n)
}
