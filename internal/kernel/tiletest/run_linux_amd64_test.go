package tiletest

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Offsets in a program that program writes: its code, then its data.
const (
	loadedAt = 0x400000 // the address of the file's first byte
	codeAt   = 64 + 56  // after the two headers
	configAt = 512
	leftAt   = configAt + 64
	rightAt  = leftAt + 4
	sumAt    = rightAt + 4
	fileSize = sumAt + 4
)

// program writes an executable file (ELF) with some code and, for tiles of one row of four bytes, two factors. A machine
// with tiles does the same program itself.
func program(t *testing.T, code []byte) *exec.Cmd {
	t.Helper()
	if len(code) > configAt-codeAt {
		t.Fatalf("%d bytes of code", len(code))
	}
	file := make([]byte, fileSize)
	le := binary.LittleEndian
	copy(file, "\x7fELF\x02\x01\x01") // 64 bits, little endian, version 1
	le.PutUint16(file[16:], 2)        // an executable
	le.PutUint16(file[18:], 62)       // of x86-64
	le.PutUint32(file[20:], 1)
	le.PutUint64(file[24:], loadedAt+codeAt)
	le.PutUint64(file[32:], 64) // where the header of the one segment is
	le.PutUint16(file[52:], 64)
	le.PutUint16(file[54:], 56)
	le.PutUint16(file[56:], 1)
	le.PutUint32(file[64:], 1) // loaded
	le.PutUint32(file[68:], 7) // to read, write and execute
	le.PutUint64(file[80:], loadedAt)
	le.PutUint64(file[96:], fileSize)
	le.PutUint64(file[104:], fileSize)
	le.PutUint64(file[112:], 4096)
	copy(file[codeAt:], code)
	file[configAt] = 1 // palette
	for n := range 3 {
		file[configAt+16+2*n], file[configAt+48+n] = 4, 1
	}
	copy(file[leftAt:], []byte{1, 2, 3, 4})
	copy(file[rightAt:], []byte{5, 6, 7, 0xf8}) // the last is -8
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, file, 0o700); err != nil {
		t.Fatal(err)
	}
	return exec.Command(path)
}

// rax sets a register to the address of a byte of the program.
func rax(offset uint32) []byte {
	return binary.LittleEndian.AppendUint32([]byte{0xb8}, loadedAt+offset)
}

// A program multiplies (1 2 3 4) by (5 6 7 -8) in tiles and exits with the sum.
func TestRunProduct(t *testing.T) {
	code := slices.Concat(
		[]byte{0xb8, 158, 0, 0, 0, 0xbf, 0x23, 0x10, 0, 0, 0xbe, 18, 0, 0, 0, 0x0f, 0x05}, // asks the system for tiles
		[]byte{0xb9, 4, 0, 0, 0}, // ecx: the bytes from row to row
		rax(configAt), []byte{0xc4, 0xe2, 0x78, 0x49, 0x00},
		rax(leftAt), []byte{0xc4, 0xe2, 0x7b, 0x4b, 0x04, 0x08},
		rax(rightAt), []byte{0xc4, 0xe2, 0x7b, 0x4b, 0x0c, 0x08},
		[]byte{0xb9, 4, 0, 0, 0},
		[]byte{0xc4, 0xe2, 0x7b, 0x49, 0xd0}, // tile 2 is zero
		[]byte{0xc4, 0xe2, 0x73, 0x5e, 0xd0}, // and the product
		rax(sumAt), []byte{0xc4, 0xe2, 0x7a, 0x4b, 0x14, 0x08},
		[]byte{0xc4, 0xe2, 0x78, 0x49, 0xc0},                           // the tiles are released
		rax(sumAt), []byte{0x8b, 0x38, 0xb8, 231, 0, 0, 0, 0x0f, 0x05}, // exit
	)
	status, err := Run(program(t, code))
	if want := 5 + 12 + 21 - 32; err != nil || status != want {
		t.Errorf("status %d, %v; want %d", status, err, want)
	}
}

// What is no instruction of tiles is left to the program; one that cannot be done ends the run.
func TestRunEnds(t *testing.T) {
	if status, err := Run(exec.Command("/bin/sh", "-c", "exit 3")); status != 3 || err != nil {
		t.Errorf("status %d, %v; want 3", status, err)
	}
	if _, err := Run(exec.Command("/bin/sh", "-c", "kill -9 $$")); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("a killed program: %v", err)
	}
	if _, err := Run(program(t, []byte{0x0f, 0x0b})); err == nil || !strings.Contains(err.Error(), "illegal instruction") {
		t.Errorf("another illegal instruction: %v", err)
	}
	if _, err := Run(program(t, []byte{0xc4, 0xe2, 0x7b, 0x49, 0xd0})); err == nil || !strings.Contains(err.Error(), "tile 2 has no shape") {
		t.Errorf("a tile without a shape: %v", err)
	}
	if _, err := Run(exec.Command("/no/such/program")); err == nil {
		t.Error("no program: no error")
	}
}
