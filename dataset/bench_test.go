package dataset

import (
	"bytes"
	"testing"
)

// The benchmarks read a thousand samples with as many spins as MNIST has pixels.
const (
	benchSamples = 1000
	benchVisible = 784
)

func benchmark(b *testing.B, content []byte, opt Options) {
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decode("bench", content, opt); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkIDX(b *testing.B) {
	data := make([]byte, benchSamples*benchVisible)
	for k := range data {
		data[k] = byte(k * k)
	}
	benchmark(b, idxBytes(8, []uint32{benchSamples, 28, 28}, data...), Options{Threshold: level(127)})
}

func BenchmarkNPY(b *testing.B) {
	benchmark(b, npyArray("<f8", "(1000, 784)", make([]byte, 8*benchSamples*benchVisible)...), Options{})
}

func BenchmarkNPYFortran(b *testing.B) {
	benchmark(b, npyBytes("{'descr': '|i1', 'fortran_order': True, 'shape': (1000, 784)}", make([]byte, benchSamples*benchVisible)...), Options{})
}

func BenchmarkCSV(b *testing.B) {
	row := append(bytes.Repeat([]byte("0,1,"), benchVisible/2-1), "0,1\n"...)
	benchmark(b, bytes.Repeat(row, benchSamples), Options{})
}
