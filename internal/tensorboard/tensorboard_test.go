package tensorboard

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// The decoder below is written from the formats' descriptions and shares no
// code with the writer: checksums bit by bit, wire format by hand.

// crcBits is CRC-32C, reflected, one bit at a time.
func crcBits(b []byte) uint32 {
	crc := ^uint32(0)
	for _, v := range b {
		crc ^= uint32(v)
		for range 8 {
			low := crc & 1
			crc >>= 1
			if low == 1 {
				crc ^= 0x82f63b78
			}
		}
	}
	return ^crc
}

func unmask(stored uint32) uint32 {
	rotated := stored - 0xa282ead8
	return rotated>>17 | rotated<<15
}

// fields of a message: varints and fixed numbers as integers, the rest as bytes.
type fields struct {
	number map[int]uint64
	bytes  map[int][]byte
}

func decode(t *testing.T, b []byte) fields {
	t.Helper()
	f := fields{map[int]uint64{}, map[int][]byte{}}
	varint := func() (v uint64) {
		for shift := 0; ; shift += 7 {
			if len(b) == 0 || shift > 63 {
				t.Fatal("varint without end")
			}
			v |= uint64(b[0]&0x7f) << shift
			last := b[0] < 0x80
			if b = b[1:]; last {
				return v
			}
		}
	}
	for len(b) > 0 {
		key := varint()
		field := int(key >> 3)
		switch key & 7 {
		case 0:
			f.number[field] = varint()
		case 1:
			f.number[field] = binary.LittleEndian.Uint64(b)
			b = b[8:]
		case 2:
			n := varint()
			f.bytes[field] = b[:n]
			b = b[n:]
		case 5:
			f.number[field] = uint64(binary.LittleEndian.Uint32(b))
			b = b[4:]
		default:
			t.Fatalf("wire type %d", key&7)
		}
	}
	return f
}

// events decodes a file and checks its framing.
func events(t *testing.T, path string) []fields {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []fields
	for len(b) > 0 {
		n := binary.LittleEndian.Uint64(b)
		if crcBits(b[:8]) != unmask(binary.LittleEndian.Uint32(b[8:])) {
			t.Fatal("checksum of a length")
		}
		body := b[12 : 12+n]
		if crcBits(body) != unmask(binary.LittleEndian.Uint32(b[12+n:])) {
			t.Fatal("checksum of a record")
		}
		all = append(all, decode(t, body))
		b = b[16+n:]
	}
	return all
}

func double(v uint64) float64 { return math.Float64frombits(v) }

func doubles(b []byte) (x []float64) {
	for ; len(b) > 0; b = b[8:] {
		x = append(x, double(binary.LittleEndian.Uint64(b)))
	}
	return x
}

func TestEvents(t *testing.T) {
	if crcBits([]byte("123456789")) != 0xe3069283 { // the check value of CRC-32C
		t.Fatal("the decoder's checksum is wrong")
	}
	folder, at := t.TempDir(), time.Unix(1700000000, 500000000)
	w, err := Create(folder, at, 40)
	if err != nil {
		t.Fatal(err)
	}
	w.Scalar(at, 41, "bound", -118.25)
	w.Scalar(at, 41, "bound", math.NaN())
	w.Image(at, 42, "synapses", 3, 2, []byte("PNG"))
	w.Histogram(at, 300, "magnetisation", []float64{-1, 0, 1}, []int{3, 5})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	all := events(t, filepath.Join(folder, "events.out.tfevents.1700000000.bethe"))
	if len(all) != 5 {
		t.Fatalf("%d events", len(all))
	}
	for k, e := range all {
		if double(e.number[1]) != 1700000000.5 {
			t.Errorf("event %d at %v", k, double(e.number[1]))
		}
	}
	if string(all[0].bytes[3]) != "brain.Event:2" || all[1].number[2] != 40 || decode(t, all[1].bytes[7]).number[1] != 1 {
		t.Errorf("beginning %v %v", all[0], all[1])
	}
	value := func(k int) (step uint64, tag string, v fields) {
		v = decode(t, decode(t, all[k].bytes[5]).bytes[1])
		return all[k].number[2], string(v.bytes[1]), v
	}
	step, tag, v := value(2)
	if step != 41 || tag != "bound" || math.Float32frombits(uint32(v.number[2])) != -118.25 {
		t.Errorf("scalar %d %s %v", step, tag, v)
	}
	step, tag, v = value(3)
	img := decode(t, v.bytes[4])
	if step != 42 || tag != "synapses" || img.number[1] != 2 || img.number[2] != 3 || img.number[3] != 4 || !bytes.Equal(img.bytes[4], []byte("PNG")) {
		t.Errorf("image %d %s %v", step, tag, img)
	}
	step, tag, v = value(4)
	h := decode(t, v.bytes[5])
	if step != 300 || tag != "magnetisation" || double(h.number[1]) != -1 || double(h.number[2]) != 1 || double(h.number[3]) != 8 ||
		double(h.number[4]) != 1 || double(h.number[5]) != 2 || fmt.Sprint(doubles(h.bytes[6])) != "[-1 0 1]" || fmt.Sprint(doubles(h.bytes[7])) != "[0 3 5]" {
		t.Errorf("histogram %d %s %v", step, tag, h)
	}
	// One bit changed anywhere is seen.
	path := filepath.Join(folder, "events.out.tfevents.1700000000.bethe")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, place := range []int{0, 9, 20, len(b) - 1} {
		b[place] ^= 4
		n := binary.LittleEndian.Uint64(b)
		if place < 12 && crcBits(b[:8]) == unmask(binary.LittleEndian.Uint32(b[8:])) {
			t.Errorf("a changed bit at %d is not seen", place)
		}
		if place == 20 && crcBits(b[12:12+n]) == unmask(binary.LittleEndian.Uint32(b[12+n:])) {
			t.Errorf("a changed bit at %d is not seen", place)
		}
		b[place] ^= 4
	}
}

func TestFiles(t *testing.T) {
	folder, at := t.TempDir(), time.Unix(5, 0)
	for range 2 {
		w, err := Create(folder, at, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	names, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil || len(names) != 2 || filepath.Base(names[1]) != "events.out.tfevents.0000000006.bethe" {
		t.Errorf("%v, %v", names, err)
	}
	if _, err := Create(filepath.Join(folder, "missing"), at, 0); err == nil {
		t.Error("no error for a missing folder")
	}
	w, err := Create(folder, at, 0)
	if err != nil {
		t.Fatal(err)
	}
	w.f.Close()
	w.Scalar(at, 1, "x", 1)
	if w.Flush() == nil || w.Close() == nil {
		t.Error("no error from a closed file")
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic for a histogram without edges")
		}
	}()
	w.Histogram(at, 1, "x", nil, []int{1})
}
