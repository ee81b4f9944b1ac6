package figure

import (
	"bethe/causes"
	"bethe/rbm"
	"bethe/units"
)

// RunPictures draws the pictures of a run folder: the Illustrator of a learning
// run. A width or height of 0 stands for the nearest square.
type RunPictures struct{}

// DrawData draws samples.
func (p RunPictures) DrawData(path string, samples units.Shown, width, height int) error {
	return p.DrawSamples(path, samples, width, height)
}

// DrawSynapses draws the synapses of a model file.
func (RunPictures) DrawSynapses(path string, file *rbm.File) error {
	return WritePNG(path, FileSynapses(file))
}

// DrawCauses draws what each cause of a directed machine looks like.
func (RunPictures) DrawCauses(path string, file *causes.File) error {
	return WritePNG(path, Causes(file))
}

// DrawDictionary draws the states of the groups of a tree.
func (RunPictures) DrawDictionary(path string, file *causes.File) error {
	return WritePNG(path, Dictionary(file))
}

// DrawDraws draws the means of visible units given drawn states (visible x count).
func (RunPictures) DrawDraws(path string, means []float32, visible, width, height int) error {
	count := len(means) / visible
	return WritePNG(path, Means(visible, count, func(i, a int) float64 { return float64(means[i*count+a]) }, width, height))
}

// DrawSamples draws the samples of chains.
func (RunPictures) DrawSamples(path string, chains units.Shown, width, height int) error {
	return WritePNG(path, Means(len(chains.Values)/max(1, chains.Count), chains.Count, func(i, a int) float64 { return float64(chains.Values[i*chains.Count+a]) }, width, height))
}
