// Package tiletest runs programs with matrix tiles (AMX) on processors that have none: to test the assembly of
// package kernel. Each instruction of tiles, which such a processor refuses, is done in Go.
package tiletest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"
)

// Tiles are the tile registers of a thread.
type Tiles struct {
	shapes [8]shape // no rows if there is none
	data   [8][maxRows][maxBytes]byte
}

const maxRows, maxBytes = 16, 64

// A shape is the size of a tile.
type shape struct{ rows, bytes int }

// A Machine is what instructions read and write beside the tiles.
type Machine interface {
	// Register returns a general register by its number in encodings.
	Register(n int) uint64
	Read(at uint64, b []byte) error
	Write(at uint64, b []byte) error
}

// ErrOther is the error of an instruction that is none of tiles.
var ErrOther = errors.New("tiletest: no instruction of tiles")

// Do does the instruction that code begins with, of up to 15 bytes, and returns its length. Instructions are those of
// Intel's manual (Instruction Set Reference, LDTILECFG to TILEZERO) for 8-bit integers.
func (t *Tiles) Do(code []byte, m Machine) (length int, err error) {
	if len(code) < 5 || code[0] != 0xc4 || code[1]&0x1f != 2 || code[2]&0x84 != 0 {
		return 0, ErrOther // VEX with map 0F38, W 0 and L 0
	}
	r, x, b := int(^code[1]>>7&1)<<3, int(^code[1]>>6&1)<<3, int(^code[1]>>5&1)<<3
	v, prefix := int(^code[2]>>3&15), code[2]&3
	op, mod, reg, rm := code[3], code[4]>>6, int(code[4]>>3&7)|r, int(code[4]&7)|b
	const none, p66, pF3, pF2 = 0, 1, 2, 3
	switch {
	case op == 0x49 && mod == 3 && prefix == none && code[4] == 0xc0:
		*t = Tiles{}
		return 5, nil
	case op == 0x49 && mod == 3 && prefix == pF2:
		if err := t.there(reg); err != nil {
			return 0, err
		}
		t.data[reg] = [maxRows][maxBytes]byte{}
		return 5, nil
	case op == 0x49 && mod != 3 && prefix == none && reg == 0:
		a, err := decode(code, m, mod, rm, x, b)
		if err != nil {
			return 0, err
		}
		var config [64]byte
		if err := m.Read(a.start+a.step, config[:]); err != nil {
			return 0, err
		}
		return a.length, t.configure(&config)
	case op == 0x4b && mod != 3 && prefix != none && code[4]&7 == 4: // p66 is a load with a hint for caches
		if err := t.there(reg); err != nil {
			return 0, err
		}
		a, err := decode(code, m, mod, rm, x, b)
		if err != nil {
			return 0, err
		}
		size, move := t.shapes[reg], m.Read
		if prefix == pF3 {
			move = m.Write
		} else {
			t.data[reg] = [maxRows][maxBytes]byte{}
		}
		if size == (shape{maxRows, maxBytes}) && a.step == maxBytes { // row after row, as most are
			return a.length, move(a.start, unsafe.Slice(&t.data[reg][0][0], maxRows*maxBytes))
		}
		for row := range size.rows {
			if err := move(a.start+uint64(row)*a.step, t.data[reg][row][:size.bytes]); err != nil {
				return 0, err
			}
		}
		return a.length, nil
	case op == 0x5e && mod == 3 && prefix == pF2:
		return 5, t.addProduct(reg, rm, v)
	}
	return 0, ErrOther
}

// there returns an error if a tile has no shape.
func (t *Tiles) there(n int) error {
	if n >= len(t.shapes) || t.shapes[n].rows == 0 {
		return fmt.Errorf("tiletest: tile %d has no shape", n)
	}
	return nil
}

// configure sets the shapes from the 64 bytes of LDTILECFG.
func (t *Tiles) configure(c *[64]byte) error {
	*t = Tiles{}
	if c[0] != 1 || c[1] != 0 {
		return fmt.Errorf("tiletest: palette %d and first row %d, not 1 and 0", c[0], c[1])
	}
	for i, v := range c[2:16] {
		if v != 0 {
			return fmt.Errorf("tiletest: byte %d of a configuration is %d", 2+i, v)
		}
	}
	for n := range 16 {
		s := shape{int(c[48+n]), int(binary.LittleEndian.Uint16(c[16+2*n:]))}
		if s.rows > maxRows || s.bytes > maxBytes || (s.rows == 0) != (s.bytes == 0) || n >= len(t.shapes) && s.rows > 0 {
			return fmt.Errorf("tiletest: tile %d of %d rows of %d bytes", n, s.rows, s.bytes)
		}
		if n < len(t.shapes) {
			t.shapes[n] = s
		}
	}
	return nil
}

// addProduct adds to sums of 32 bits the products of signed bytes of a and b.
func (t *Tiles) addProduct(sum, a, b int) error {
	for _, n := range []int{sum, a, b} {
		if err := t.there(n); err != nil {
			return err
		}
	}
	s, x, y := t.shapes[sum], t.shapes[a], t.shapes[b]
	if sum == a || sum == b || a == b || s.rows != x.rows || s.bytes != y.bytes || x.bytes != 4*y.rows || s.bytes%4 != 0 {
		return fmt.Errorf("tiletest: the product of tiles %d and %d, %v and %v, does not fit tile %d, %v", a, b, x, y, sum, s)
	}
	for i := range s.rows {
		var totals [maxBytes / 4]int32
		for k := range x.bytes / 4 {
			left, right := t.data[a][i][4*k:][:4], &t.data[b][k]
			l0, l1, l2, l3 := int32(int8(left[0])), int32(int8(left[1])), int32(int8(left[2])), int32(int8(left[3]))
			for j := range totals {
				r := right[4*j:][:4]
				totals[j] += l0*int32(int8(r[0])) + l1*int32(int8(r[1])) + l2*int32(int8(r[2])) + l3*int32(int8(r[3]))
			}
		}
		for j := range s.bytes / 4 {
			to := t.data[sum][i][4*j:][:4]
			binary.LittleEndian.PutUint32(to, binary.LittleEndian.Uint32(to)+uint32(totals[j]))
		}
	}
	return nil
}

// An operand is an address of rows.
type operand struct {
	start, step uint64 // of the first row; bytes from row to row: the scaled index register
	length      int    // of the instruction
}

// decode decodes the operand in memory: mod, rm, and the high bits of index and base.
func decode(code []byte, m Machine, mod byte, rm, x, b int) (o operand, err error) {
	at := 5
	base := rm
	var sib byte
	if rm&7 == 4 {
		if len(code) <= at {
			return o, ErrOther
		}
		sib = code[at]
		at++
		base = int(sib&7) | b
		if index := int(sib>>3&7) | x; index != 4 { // else there is none
			o.step = m.Register(index) << (sib >> 6)
		}
	}
	if mod == 0 && base&7 == 5 {
		return o, fmt.Errorf("tiletest: an operand without a base register")
	}
	size := []int{0, 1, 4}[mod]
	if len(code) < at+size {
		return o, ErrOther
	}
	var disp int64
	switch size {
	case 1:
		disp = int64(int8(code[at]))
	case 4:
		disp = int64(int32(binary.LittleEndian.Uint32(code[at:])))
	}
	o.start, o.length = m.Register(base)+uint64(disp), at+size
	return o, nil
}
