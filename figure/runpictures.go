package figure

import (
	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
)

// RunPictures draws the pictures of a run folder: the Illustrator of a learning
// run. A width or height of 0 stands for the nearest square.
type RunPictures struct{}

// DrawData draws samples (visible x count).
func (RunPictures) DrawData(path string, samples *spin.Matrix, width, height int) error {
	return WritePNG(path, Samples(samples, width, height))
}

// DrawSynapses draws the synapses of a model file.
func (RunPictures) DrawSynapses(path string, file *rbm.File) error {
	return WritePNG(path, FileSynapses(file))
}

// DrawSamples draws what chains show.
func (RunPictures) DrawSamples(path string, chains *sample.SpinChains[float32], visible, width, height int) error {
	return WritePNG(path, ChainMeans(chains, visible, width, height))
}
