package main

import (
	"context"
	"fmt"
	"io"

	"bethe/exchange"
	"bethe/internal/durable"
	"bethe/internal/npy"
	"bethe/rbm"
)

// sampleIntegers draws as exported source does.
func (c *console) sampleIntegers(ctx context.Context, path string, machine *rbm.Machine, f *sampleFlags) error {
	packed, err := exchange.Pack(machine)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	bar := c.progress("sampling")
	defer bar.done()
	samples, err := packed.Sample(ctx, f.count, f.sweeps, c.seed, func(done float64) { bar.set(done, "") })
	if err != nil {
		return err
	}
	values := sampleRows(samples)
	if err := durable.WriteFile(f.out, func(w io.Writer) error { return npy.WriteArchive(w, []npy.Array{values}) }); err != nil {
		return err
	}
	c.printf("%d samples in %s\n", f.count, f.out)
	return c.object(sampleReport{Model: path, Samples: f.count, Sweeps: f.sweeps, Out: f.out})
}
