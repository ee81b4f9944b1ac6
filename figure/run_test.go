package figure

import (
	"bytes"
	"image/png"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"bethe/rbm"
	"bethe/runs"
	"bethe/spin"
	"bethe/stream"
)

// told is a run of two hidden units as records would tell it.
func told(name string, starts int) Run {
	run := Run{Name: name, Info: runs.Info{Verb: "train", Data: "mnist", Visible: 9, Hidden: 2}}
	for start := range starts {
		for step := 0; step <= 400; step += 10 {
			x := float64(step) / 100
			r := runs.Record{Start: start, Step: step, Fraction: x / 4, Rate: runs.Number(0.02 * (1 - x/5)), Coupling: runs.Number(0.1 - x/100 + float64(start)/50),
				Polarised: runs.Number(math.Tanh(x) / 2), KL: runs.Number(x / 10), Overlap: &runs.Overlap{Mean: runs.Number(0.1 * x), Max: runs.Number(0.2 * x)}}
			if step > 0 {
				r.Engine = &runs.EngineReport{Name: "tap", Iterations: 5 + step%30, Residual: runs.Number(math.Exp(-x)), Converged: true}
				r.Bound = &runs.Bound{Value: runs.Number(-180 + 10*x), Data: runs.Number(2000 + 100*x), Partition: runs.Number(2179 + 90*x), KL: runs.Number(1 - 0.1*x)}
				r.Labels = &runs.Labels{Loss: runs.Number(2 * math.Exp(-x)), Error: runs.Number(0.9 * math.Exp(-x))}
				r.TeacherOverlaps = []runs.Number{runs.Number(x / 5), runs.Number(x / 10)}
			}
			if step%100 == 0 && step > 0 {
				v := runs.Number(-178 + 10*x)
				r.LogLikelihood = &runs.LogLikelihood{Data: "mnist:test", Forward: &runs.Estimate{Value: v, Low: v - 2, High: v + 2}, Reverse: &runs.Estimate{Value: v - 4, Low: v - 6, High: v - 3}}
				r.Validation = &runs.LogLikelihood{Data: "held out", Reverse: &runs.Estimate{Value: v - 7, Low: v - 8, High: v - 6}}
				r.Meter = &runs.Meter{LnZ: runs.Estimate{Value: 2000 - v, Low: 1999 - v, High: 2001 - v}, Online: &runs.Estimate{Value: v - 1, Low: v - 2, High: v},
					Validation: &runs.Estimate{Value: v - 3, Low: v - 4, High: v - 2}}
				r.Work = &runs.Work{Work: runs.Estimate{Value: -v / 100}, Heat: runs.Estimate{Value: v / 90}, Dissipated: runs.Number(0.3 / x), Total: &runs.Estimate{Value: 200 + v, Low: 199 + v, High: 201 + v}}
				r.SingularValues = []runs.Number{runs.Number(3 + x), runs.Number(1 + x/2)}
			}
			for k := range 20 {
				r.Magnetisations = append(r.Magnetisations, int(1000*math.Exp(-math.Pow(float64(k)-9.5, 2)/(1+10*x))))
			}
			run.Records = append(run.Records, r)
		}
	}
	return run
}

// TestRunGolden holds the figures of a run against pictures that were looked at.
func TestRunGolden(t *testing.T) {
	one := told("a", 1)
	charts := map[string]Chart{"run-bound": RunCurve("bound", one), "run-residual": RunCurve("residual", one), "run-terms": RunCurve("terms", one), "run-teacher": RunCurve("teacher", one),
		"run-several": RunCurve("bound", told("a", 2), told("b", 1)), "run-magnetisations": side(RunMagnetisations(one), RunMagnetisationHistory(one)), "run-spectrum": RunSpectrum(one)}
	for name, chart := range charts {
		var b bytes.Buffer
		if err := EncodePNG(&b, chart, Light); err != nil {
			t.Fatal(err)
		}
		golden(t, filepath.Join("testdata", name+".png"), b.Bytes())
	}
}

// texts returns the words in a chart.
func texts(t *testing.T, chart Chart) string {
	t.Helper()
	var b bytes.Buffer
	if err := EncodeSVG(&b, chart, Dark); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestRunCurves: every curve is drawn of one run and of several, with their
// names, and there is none where nothing was measured.
func TestRunCurves(t *testing.T) {
	for _, name := range RunCurves {
		chart := RunCurve(name, told("first", 1))
		if chart == nil || strings.Contains(texts(t, chart), "first") {
			t.Errorf("%s of one run", name)
		}
		several := texts(t, RunCurve(name, told("first", 1), told("second", 2)))
		for _, want := range []string{">first<", ">second, start 1<", ">second, start 2<"} {
			if !strings.Contains(several, want) {
				t.Errorf("%s of several runs lacks %q", name, want)
			}
		}
		if starts := texts(t, RunCurve(name, told("first", 2))); !strings.Contains(starts, ">start 2<") {
			t.Errorf("%s of two starts lacks their names", name)
		}
		for _, none := range []Run{{}, {Records: []runs.Record{{Rate: runs.Number(math.NaN()), Coupling: runs.Number(math.NaN()), KL: runs.Number(math.NaN()), Polarised: runs.Number(math.NaN())}}}} {
			if chart := RunCurve(name, none); chart != nil {
				t.Errorf("%s of a run without it", name)
			}
		}
	}
	if RunMagnetisations(Run{}) != nil || RunSpectrum(Run{}) != nil || RunSpectrum(Run{Records: make([]runs.Record, 1)}) != nil || RunMagnetisations(Run{Records: make([]runs.Record, 1)}) != nil {
		t.Error("figures of a run without records")
	}
	early := told("a", 1)
	early.Records = early.Records[:1]
	if RunMagnetisations(early) == nil || RunMagnetisationHistory(early) != nil {
		t.Error("one histogram is no story")
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic for an unknown curve")
		}
	}()
	RunCurve("unknown")
}

// TestFileFigures draws those of a model with binary and with real synapses.
func TestFileFigures(t *testing.T) {
	q := rbm.NewPosterior[float32](4, 3)
	q.Theta[0], q.Theta[5] = 20, -20
	file := &rbm.File{Params: rbm.NewParams(4, 3, 1), Synapses: rbm.Learned(q.Sign(), q), Info: rbm.Info{Width: 2, Height: 2}}
	if s := texts(t, FileTiles(file)); !strings.Contains(s, "uncertainty") || strings.Count(s, "<image") != 2 {
		t.Error("tiles of binary synapses")
	}
	if s := texts(t, FileOverlaps(file)); !strings.Contains(s, "overlap") || !strings.Contains(s, ">0.00<") {
		t.Error("overlaps")
	}
	weights := make([]float32, 12)
	weights[3] = 2
	real := &rbm.File{Params: rbm.NewParams(4, 3, 1), Synapses: rbm.RealValued(4, 3, weights), Info: rbm.Info{Width: 2, Height: 2}}
	if s := texts(t, FileTiles(real)); strings.Contains(s, "uncertainty") || strings.Count(s, "<image") != 1 {
		t.Error("tiles of real synapses")
	}
	large := rbm.NewPosterior[float32](2, maxTiles+1)
	file = &rbm.File{Params: rbm.NewParams(2, maxTiles+1, 1), Synapses: rbm.Learned(large.Sign(), large)}
	if s := texts(t, FileTiles(file)); !strings.Contains(s, "the first 400 of 401 hidden units") {
		t.Error("note of many tiles")
	}
	data, samples := Samples(spin.Random(4, 9, stream.New(1).Rand()), 2, 2), Samples(spin.Random(4, 9, stream.New(2).Rand()), 2, 2)
	for count, chart := range map[int]Chart{2: SamplesBesideData(data, samples), 1: SamplesBesideData(nil, samples)} {
		if strings.Count(texts(t, chart), "<image") != count {
			t.Errorf("%d pictures of samples and data", count)
		}
	}
	if SamplesBesideData(nil, nil) != nil {
		t.Error("no samples")
	}
	var b bytes.Buffer
	if err := EncodePNG(&b, SamplesBesideData(data, samples), Dark); err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(&b); err != nil {
		t.Error(err)
	}
}
