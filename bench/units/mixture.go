package main

import (
	"context"
	"fmt"

	"bethe/causes"
	"bethe/dataset"
	"bethe/evaluate"
	"bethe/rbm"
)

// asMixture prints the likelihood of samples under a machine of one hidden group, and under the
// directed mixture that it is.
func asMixture(ctx context.Context, model, data string) error {
	file, err := rbm.LoadKinds(model)
	if err != nil {
		return err
	}
	set, err := dataset.Read(data, dataset.Options{})
	if err != nil {
		return err
	}
	l, err := evaluate.FileLikelihood(ctx, file, evaluate.FileSamples{Bits: set.Samples}, nil, evaluate.Options{})
	if err != nil {
		return err
	}
	mixture, err := causes.OfGroup(file)
	if err != nil {
		return fmt.Errorf("%s: %w", model, err)
	}
	directed, _, err := mixture.Machine().LogLikelihood(ctx, set.Samples, set.Missing)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %.9f nats per sample; as a directed mixture %.9f\n", data, l.Mean, directed)
	return nil
}
