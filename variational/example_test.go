package variational_test

import (
	"context"
	"fmt"
	"log"

	"bethe/dual"
	"bethe/planted"
	"bethe/stream"
	"bethe/units"
	"bethe/variational"
)

// Learn two hidden units from 500 samples of a teacher with 100 visible units,
// and compare with the teacher's synapses.
func Example() {
	ctx, key := context.Background(), stream.New(1)
	teacher, err := planted.NewTeacher(100, 2, 1, 0, key.Sub(0))
	if err != nil {
		log.Fatal(err)
	}
	samples, err := planted.Data(ctx, teacher, 500, key.Sub(1))
	if err != nil {
		log.Fatal(err)
	}

	data := units.NewSpins[float64](samples)
	model := variational.NewModel[float64](variational.Initial{Hidden: 2, Coupling: teacher.Coupling(), Deviation: 0.5, Key: key.Sub(2)}, samples)
	trainer, err := variational.NewTrainer(model, data,
		&dual.Annealed[float64]{Engine: dual.Exact[float64]{}},
		variational.Mixture[float64]{},
		variational.Options{Steps: 200, Rate: 0.2, FinalRate: 0.1})
	if err != nil {
		log.Fatal(err)
	}
	if err := trainer.Run(ctx, nil); err != nil {
		log.Fatal(err)
	}

	terms, _, err := trainer.Objective.Terms(ctx, model, data)
	if err != nil {
		log.Fatal(err)
	}
	match := planted.Match(model.Posterior.Sign(), teacher.Signs())
	fmt.Printf("bound %.1f nats per sample, overlap %.1f\n", terms.Bound(), match.Mean())
	// Output: bound -69.2 nats per sample, overlap 0.9
}
