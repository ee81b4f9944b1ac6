package tiletest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
)

// A board has registers and a little memory.
type board struct {
	regs   [16]uint64
	memory [8192]byte
}

func (b *board) Register(n int) uint64 { return b.regs[n] }

func (b *board) at(at uint64, n int) ([]byte, error) {
	if at > uint64(len(b.memory)) || at+uint64(n) > uint64(len(b.memory)) {
		return nil, fmt.Errorf("no memory at %#x", at)
	}
	return b.memory[at:][:n], nil
}

func (b *board) Read(at uint64, x []byte) error {
	from, err := b.at(at, len(x))
	copy(x, from)
	return err
}

func (b *board) Write(at uint64, x []byte) error {
	to, err := b.at(at, len(x))
	copy(to, x)
	return err
}

// Encodings are those that the GNU assembler writes.
var (
	loadConfig  = []byte{0xc4, 0xe2, 0x78, 0x49, 0x00}                   // ldtilecfg [rax]
	loadConfig8 = []byte{0xc4, 0xc2, 0x78, 0x49, 0x40, 0x40}             // ldtilecfg [r8+0x40]
	zero3       = []byte{0xc4, 0xe2, 0x7b, 0x49, 0xd8}                   // tilezero tmm3
	load4       = []byte{0xc4, 0xe2, 0x7b, 0x4b, 0x24, 0x18}             // tileloadd tmm4, [rax+rbx]
	load4Hinted = []byte{0xc4, 0xe2, 0x79, 0x4b, 0x24, 0x18}             // tileloaddt1 tmm4, [rax+rbx]
	load6       = []byte{0xc4, 0xa2, 0x7b, 0x4b, 0x74, 0x8a, 0x10}       // tileloadd tmm6, [rdx+r9*4+0x10]
	product     = []byte{0xc4, 0xe2, 0x4b, 0x5e, 0xdc}                   // tdpbssd tmm3, tmm4, tmm6
	store3      = []byte{0xc4, 0x82, 0x7a, 0x4b, 0x9c, 0x18, 0, 4, 0, 0} // tilestored [r8+r11+0x400], tmm3
	release     = []byte{0xc4, 0xe2, 0x78, 0x49, 0xc0}                   // tilerelease
)

func TestProduct(t *testing.T) {
	var b board
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range b.memory[1024:4096] {
		b.memory[1024+i] = byte(rng.Uint32())
	}
	const rows, depth, cols = 3, 8, 5 // of sums, bytes of a row of tile 4, sums per row
	b.memory[0] = 1
	for tile, s := range map[int]shape{3: {rows, 4 * cols}, 4: {rows, depth}, 6: {depth / 4, 4 * cols}} {
		binary.LittleEndian.PutUint16(b.memory[16+2*tile:], uint16(s.bytes))
		b.memory[48+tile] = byte(s.rows)
	}
	var tiles Tiles
	do := func(code []byte) {
		t.Helper()
		if n, err := tiles.Do(append(append([]byte(nil), code...), 0x90, 0x90, 0x90), &b); err != nil || n != len(code) {
			t.Fatalf("% x: length %d, %v", code, n, err)
		}
	}
	do(loadConfig)
	b.regs[0], b.regs[3] = 1024, 70 // tile 4: rows 70 bytes apart
	b.regs[2], b.regs[9] = 2048, 25 // tile 6: 100 bytes apart
	b.regs[8], b.regs[11] = 4096, 64
	for which, load := range [][]byte{load4, load4Hinted} {
		b.memory[1024]++ // so that what an earlier load left does not do
		for _, code := range [][]byte{zero3, load, load6, product, product, store3} {
			do(code)
		}
		for i := range rows {
			for j := range cols {
				var want int32
				for k := range depth {
					want += 2 * int32(int8(b.memory[1024+70*i+k])) * int32(int8(b.memory[2048+16+100*(k/4)+4*j+k%4]))
				}
				if got := int32(binary.LittleEndian.Uint32(b.memory[4096+1024+64*i+4*j:])); got != want {
					t.Errorf("load %d: sum (%d, %d) is %d, want %d", which, i, j, got, want)
				}
			}
		}
	}
	do(release)
	if _, err := tiles.Do(zero3, &b); err == nil {
		t.Error("a tile without a shape is used")
	}
	copy(b.memory[4160:], b.memory[:64])
	do(loadConfig8)
	b.memory[48+6]++ // tile 6 has a row too many
	b.regs[0] = 0
	do(loadConfig)
	if _, err := tiles.Do(product, &b); err == nil {
		t.Error("a product of tiles that do not fit")
	}
}

func TestOtherInstructions(t *testing.T) {
	var tiles Tiles
	for _, code := range [][]byte{{}, {0x90}, {0x0f, 0x0b}, {0xc4, 0xe2, 0x79, 0x18, 0x00}, {0xc4, 0xe2, 0xfb, 0x49, 0xd8}, {0xc4, 0xe2, 0x7f, 0x49, 0xd8}, load4[:5]} {
		if _, err := tiles.Do(code, &board{}); err == nil {
			t.Errorf("% x is an instruction of tiles", code)
		}
	}
	if _, err := tiles.Do([]byte{0xc4, 0xe2, 0x79, 0x18, 0x00}, &board{}); !errors.Is(err, ErrOther) {
		t.Error("vbroadcastss is not another instruction")
	}
}

// Bad configurations are refused as the processor does.
func TestConfigure(t *testing.T) {
	for name, change := range map[string]func(c []byte){
		"palette":  func(c []byte) { c[0] = 2 },
		"row":      func(c []byte) { c[1] = 1 },
		"reserved": func(c []byte) { c[9] = 1 },
		"rows":     func(c []byte) { c[48] = 17 },
		"bytes":    func(c []byte) { c[16] = 65 },
		"no bytes": func(c []byte) { c[16] = 0 },
		"tile 9":   func(c []byte) { c[16+18], c[57] = 4, 4 },
	} {
		var b board
		b.memory[0], b.memory[16], b.memory[48] = 1, 64, 16
		var tiles Tiles
		if _, err := tiles.Do(loadConfig, &b); err != nil {
			t.Fatal(err)
		}
		change(b.memory[:64])
		if _, err := tiles.Do(loadConfig, &b); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
