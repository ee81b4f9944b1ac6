// Package tensorboard writes event files that TensorBoard reads: records framed
// as in TFRecord files (length, masked CRC-32C, bytes, masked CRC-32C), each a
// tensorflow.Event in the protocol buffers' wire format.
package tensorboard

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of tensorflow/core/util/event.proto and
// tensorflow/core/framework/summary.proto.
const (
	eventWallTime, eventStep, eventFileVersion, eventSummary, eventSession = 1, 2, 3, 5, 7

	sessionStatus, sessionStart = 1, 1

	summaryValue                                    = 1
	valueTag, valueScalar, valueImage, valueHisto   = 1, 2, 4, 5
	imageHeight, imageWidth, imageColours, imagePNG = 1, 2, 3, 4

	histoMin, histoMax, histoNum, histoSum, histoSumSquares, histoLimits, histoCounts = 1, 2, 3, 4, 5, 6, 7
)

// A Writer writes one event file. The first error is kept and returned by Flush
// and Close.
type Writer struct {
	f   *os.File
	w   *bufio.Writer
	err error
}

// Create begins a new event file in a folder at a time, which TensorBoard reads
// after the files of earlier times. step is the one that the run goes on from:
// later ones in earlier files no longer count.
func Create(folder string, at time.Time, step int) (*Writer, error) {
	for k := at.Unix(); ; k++ {
		path := filepath.Join(folder, fmt.Sprintf("events.out.tfevents.%010d.bethe", k))
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
		if os.IsExist(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		w := &Writer{f: f, w: bufio.NewWriter(f)}
		w.event(at, 0, eventFileVersion, []byte("brain.Event:2"))
		w.event(at, step, eventSession, protowire.AppendVarint(protowire.AppendTag(nil, sessionStatus, protowire.VarintType), sessionStart))
		return w, w.Flush()
	}
}

// event writes an event with one field of bytes.
func (w *Writer) event(at time.Time, step int, field protowire.Number, content []byte) {
	b := protowire.AppendTag(nil, eventWallTime, protowire.Fixed64Type)
	b = protowire.AppendFixed64(b, math.Float64bits(float64(at.UnixNano())/1e9))
	b = protowire.AppendTag(b, eventStep, protowire.VarintType)
	b = protowire.AppendVarint(b, uint64(step))
	w.record(appendBytes(b, field, content))
}

func appendBytes(b []byte, field protowire.Number, content []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), content)
}

func appendDouble(b []byte, field protowire.Number, v float64) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(b, field, protowire.Fixed64Type), math.Float64bits(v))
}

func appendInt(b []byte, field protowire.Number, v int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), uint64(v))
}

// value writes a summary of one value.
func (w *Writer) value(at time.Time, step int, tag string, rest []byte) {
	v := appendBytes(nil, valueTag, []byte(tag))
	w.event(at, step, eventSummary, appendBytes(nil, summaryValue, append(v, rest...)))
}

// Scalar adds a number; one that is not finite is left out.
func (w *Writer) Scalar(at time.Time, step int, tag string, v float64) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return
	}
	b := protowire.AppendTag(nil, valueScalar, protowire.Fixed32Type)
	w.value(at, step, tag, protowire.AppendFixed32(b, math.Float32bits(float32(v))))
}

// Image adds a picture of width x height dots, encoded as PNG.
func (w *Writer) Image(at time.Time, step int, tag string, width, height int, png []byte) {
	const rgba = 4
	b := appendInt(nil, imageHeight, height)
	b = appendInt(b, imageWidth, width)
	b = appendInt(b, imageColours, rgba)
	b = appendBytes(b, imagePNG, png)
	w.value(at, step, tag, appendBytes(nil, valueImage, b))
}

// Histogram adds counts of values between edges. There is one more edge than counts.
// Sums are computed as if values were in the middle of their bins.
func (w *Writer) Histogram(at time.Time, step int, tag string, edges []float64, counts []int) {
	if len(edges) != len(counts)+1 {
		panic(fmt.Sprintf("tensorboard: histogram of %d edges and %d counts", len(edges), len(counts)))
	}
	var limits, buckets []byte
	var num, sum, squares float64
	// The first bucket of TensorBoard has no lower end: an empty one gives it one.
	limits = protowire.AppendFixed64(limits, math.Float64bits(edges[0]))
	buckets = protowire.AppendFixed64(buckets, math.Float64bits(0))
	for k, n := range counts {
		limits = protowire.AppendFixed64(limits, math.Float64bits(edges[k+1]))
		buckets = protowire.AppendFixed64(buckets, math.Float64bits(float64(n)))
		middle := (edges[k] + edges[k+1]) / 2
		num, sum, squares = num+float64(n), sum+float64(n)*middle, squares+float64(n)*middle*middle
	}
	b := appendDouble(nil, histoMin, edges[0])
	b = appendDouble(b, histoMax, edges[len(edges)-1])
	b = appendDouble(b, histoNum, num)
	b = appendDouble(b, histoSum, sum)
	b = appendDouble(b, histoSumSquares, squares)
	b = appendBytes(b, histoLimits, limits)
	b = appendBytes(b, histoCounts, buckets)
	w.value(at, step, tag, appendBytes(nil, valueHisto, b))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// masked is the checksum as TFRecord files store it.
func masked(b []byte) uint32 {
	crc := crc32.Checksum(b, castagnoli)
	return (crc>>15 | crc<<17) + 0xa282ead8
}

func (w *Writer) record(b []byte) {
	if w.err != nil {
		return
	}
	head := binary.LittleEndian.AppendUint64(nil, uint64(len(b)))
	head = binary.LittleEndian.AppendUint32(head, masked(head))
	tail := binary.LittleEndian.AppendUint32(nil, masked(b))
	for _, part := range [][]byte{head, b, tail} {
		if _, err := w.w.Write(part); err != nil && w.err == nil {
			w.err = err
		}
	}
}

// Flush hands all events to the file system.
func (w *Writer) Flush() error {
	if err := w.w.Flush(); err != nil && w.err == nil {
		w.err = err
	}
	return w.err
}

// Close flushes and closes the file.
func (w *Writer) Close() error {
	err := w.Flush()
	if e := w.f.Close(); err == nil {
		err = e
	}
	return err
}
