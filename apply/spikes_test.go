package apply

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"bethe/causes"
	"bethe/exchange"
	"bethe/internal/npy"
	"bethe/rbm"
)

// TestSpiking: machines of all families run as spiking neurons, whose decoded means are the exact ones.
func TestSpiking(t *testing.T) {
	for name, j := range map[string]Job{"rbm": job(t), "mixture": directedJob(t, causes.MixtureModel), "tree": directedJob(t, causes.TreeModel)} {
		folder := t.TempDir()
		s := &Spiking{Job: j, Tau: 3, Steps: 120, Burn: 10, Networks: 60, Sweeps: 10, Noise: NeuronNoise, Out: filepath.Join(folder, "s.npz"), Raster: filepath.Join(folder, "r.png")}
		r, err := s.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if r.Reference != "exact" || r.Against.RMSZ > 2.5 || r.Against.RMS > 0.1 || r.Rate <= 0 || r.Spikes == 0 || r.Autocorrelation < r.GibbsAutocorrelation/2 {
			t.Errorf("%s: %+v", name, r)
		}
		a, err := npy.ReadArchive(s.Out, 1<<24)
		if err != nil {
			t.Fatal(err)
		}
		layer, err := npy.Get[int64](a, "layer", -1)
		if err != nil || len(layer) != r.Spikes {
			t.Errorf("%s: %d layers of %d spikes, %v", name, len(layer), r.Spikes, err)
		}
		neuron, _ := npy.Get[int64](a, "neuron", -1)
		for k, l := range layer {
			first, p := int64(0), r.Populations
			for _, below := range p[:l] {
				first += int64(below.Size)
			}
			if neuron[k] < first || neuron[k] >= first+int64(p[l].Size) {
				t.Fatalf("%s: neuron %d in layer %d", name, neuron[k], l)
			}
		}
		first, err := os.ReadFile(s.Out)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if again, _ := os.ReadFile(s.Out); !bytes.Equal(again, first) {
			t.Errorf("%s: run again, other bytes", name)
		}
		s.Clamp, s.From, s.Out, s.Raster = "top", "pairs:5", "", filepath.Join(folder, "r.svg")
		if r, err = s.Run(t.Context()); err != nil || r.Clamped != 3 || r.Against.RMS > 0.15 {
			t.Errorf("%s, clamped: %+v, %v", name, r, err)
		}
		if text, err := os.ReadFile(s.Raster); err != nil || !bytes.Contains(text, []byte("<svg")) {
			t.Errorf("%s: no raster: %v", name, err)
		}
	}
	integers(t)
	s := &Spiking{Job: job(t), Tau: 1, Steps: 100, Networks: 20, Sweeps: 20, Noise: SynapseNoise}
	if r, err := s.Run(t.Context()); err != nil || r.Against.RMS == 0 {
		t.Errorf("noise of synapses: %+v, %v", r, err)
	}
	s.Job = directedJob(t, causes.MixtureModel)
	_, err := s.Run(t.Context())
	wrong(t, "noise", err)
	s.Noise, s.Integers = NeuronNoise, true
	_, err = s.Run(t.Context())
	wrong(t, "noise", err)
	s.Noise, s.Integers = SynapseNoise, false
	s.Job = job(t)
	for name, change := range map[string]func(s *Spiking){
		"tau": func(s *Spiking) { s.Tau = 0 }, "tau ": func(s *Spiking) { s.Tau = 2 }, "steps": func(s *Spiking) { s.Steps = 0 }, "networks": func(s *Spiking) { s.Networks = 1 },
		"noise": func(s *Spiking) { s.Noise = "loud" }, "clamp": func(s *Spiking) { s.Clamp = "top" }, "raster": func(s *Spiking) { s.Raster = "r.gif" },
		"integers": func(s *Spiking) { s.Integers = true },
		"from":     func(s *Spiking) { s.Clamp, s.From = "top", "pairs:1,2" },
	} {
		other := *s
		change(&other)
		_, err := other.Run(t.Context())
		wrong(t, string(bytes.TrimSpace([]byte(name))), err)
	}
}

// integers: the spikes in the file are those of the machine in integers, from the seed.
func integers(t *testing.T) {
	s := &Spiking{Job: job(t), Tau: 4, Steps: 80, Burn: 7, Networks: 30, Sweeps: 10, Noise: NeuronNoise, Integers: true, Out: filepath.Join(t.TempDir(), "s.npz")}
	s.Seed = 11
	r, err := s.Run(t.Context())
	if err != nil || !r.Integers || r.Against.RMS > 0.2 {
		t.Fatalf("%+v, %v", r, err)
	}
	a, err := npy.ReadArchive(s.Out, 1<<24)
	if err != nil {
		t.Fatal(err)
	}
	neuron, _ := npy.Get[int64](a, "neuron", -1)
	at, _ := npy.Get[int64](a, "time", -1)
	file, err := rbm.Load(s.Model)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := exchange.Pack(file.Machine())
	if err != nil {
		t.Fatal(err)
	}
	var wantNeuron, wantTime []int64
	alone := packed.Circuit(11, 1, 4)
	for k := range int64(87) {
		alone.Step()
		if k >= 7 {
			alone.Spikes(0, func(n int) { wantNeuron, wantTime = append(wantNeuron, int64(n)), append(wantTime, k-7) })
		}
	}
	if !slices.Equal(neuron, wantNeuron) || !slices.Equal(at, wantTime) || len(at) == 0 {
		t.Errorf("%d spikes, not the %d of the integers", len(at), len(wantTime))
	}
}
