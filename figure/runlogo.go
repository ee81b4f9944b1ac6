package figure

import (
	"errors"
	"io/fs"
	"path/filepath"

	"bethe/rbm"
	"bethe/runs"
	"bethe/sample"
	"bethe/stream"
)

// What the logo of a machine is drawn of.
const (
	logoChains = 200
	logoSweeps = 50
)

// runSamples returns a chart of samples of a run's machine if they are no pictures, else nil. For alignments it is a logo (if the machine is
// centred, with the logo of the training data above it); for real numbers, traces.
func runSamples(folder string) (Chart, error) {
	path := filepath.Join(folder, runs.ModelFile)
	model, err := runs.Open(folder, runs.ModelFile) // a regular file
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	model.Close()
	if rbm.FamilyOf(path) != "" {
		return nil, nil
	}
	file, err := rbm.LoadKinds(path)
	if err != nil {
		return nil, err
	}
	if !file.VisibleKind.Bits() && !Pictured(len(file.Scale.Mean), file.Info.Width, file.Info.Height) {
		return FileTraces(file), nil
	}
	if file.Info.Alphabet == "" || len(file.Info.Alphabet) != file.VisibleKind.States || !file.HiddenKind.Bits() {
		return nil, nil
	}
	return FileLogos(file), nil
}

// FileLogos returns the sequence logo of the machine of a file, whose colours are the letters of Info.Alphabet, from short chains,
// below that of the data if the machine is centred.
func FileLogos(file *rbm.File) Chart {
	of, n := file.VisibleKind.States, file.Visible()
	logo := func(title string, share func(feature int) float64) *Logo {
		l := &Logo{Title: title, Letters: file.Info.Alphabet}
		for i := 0; i < n; i += of {
			shares := make([]float64, of)
			for k := range shares {
				shares[k] = share(i + k)
			}
			l.Shares = append(l.Shares, shares)
		}
		return l
	}
	chains := sample.NewChains(sample.OnMachine(file.Machine()), logoChains, stream.New(0))
	chains.Sweep(logoSweeps)
	means := make([]float32, n*logoChains)
	chains.VisibleMeans(means)
	machine := logo("The machine", func(i int) float64 {
		sum := 0.0
		for _, v := range means[i*logoChains : (i+1)*logoChains] {
			sum += float64(v)
		}
		return (1 + sum/logoChains) / 2
	})
	machine.Note = "from 200 chains after 50 sweeps"
	total := 0.0
	for _, m := range file.VisibleOffset[:of] {
		total += (1 + m) / 2
	}
	if total < 0.5 { // features have no offsets
		return machine
	}
	data := logo("What it learned from", func(i int) float64 { return max(0, (1+file.VisibleOffset[i])/2) })
	return &Panels{Columns: 1, Charts: []Chart{data, machine}}
}
