package evaluate

import (
	"encoding/json"
	"errors"
	"math"
	"testing"

	"bethe/internal/kernel"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// frozen are digests of what is drawn and computed, a kernel tier each where products in
// float32 enter, else one for all.
var frozen = map[string]map[string]uint64{
	"binary likelihood": {"portable": 0x73b5376c7865fab9, "avx2": 0xc161194a4388e07d, "avx512": 0xefbb3dcbea4e8f68},
	"binary completed":  {"": 0x56f45e984fd879ca},
	"binary denoised":   {"": 0x667455ceff2770ce},
	"binary features":   {"portable": 0x4a1a240fc750b570, "avx2": 0xf95451dae7c26e83, "avx512": 0x88007dd9bb056ef1},
	"real likelihood":   {"portable": 0x26785162a30d6a4e, "avx2": 0xa9fc6a4a8c101dc2, "avx512": 0x6935ae5002a211f8},
	"real completed":    {"portable": 0xcbb346be513e5e78, "avx2": 0x3f0ada6d7d2727ef, "avx512": 0x5aff285f51b298ba},
	"real denoised":     {"portable": 0x5e8099c00b0dbbc8, "avx2": 0x656a68522a58fe41, "avx512": 0xbb3ecab67aa14fde},
	"real features":     {"portable": 0x8288926be5c5948a, "avx2": 0x7e7fc2b25976ff92, "avx512": 0x5289c748decf7ea9},
}

// hold fails unless a digest is the frozen one.
func hold(t *testing.T, name string, digest stream.Key) {
	t.Helper()
	want, ok := frozen[name][""]
	if !ok {
		want, ok = frozen[name][kernel.Sums()]
	}
	if !ok || uint64(digest) != want {
		t.Errorf("%s on %s: %#x, not %#x as before", name, kernel.Tier(), uint64(digest), want)
	}
}

// numbers returns what 0.2.0 told of an estimate but for intervals and the verdict.
func numbers(t *testing.T, l LogLikelihood) []byte {
	t.Helper()
	text, err := json.Marshal(l)
	all, of := map[string]any{}, []string{"mean", "exact", "forward_ais", "reverse_ais", "gap", "spread", "effective_chains", "reverse_spread",
		"reverse_effective_chains", "raise", "tempered", "ceiling", "log_weight", "sample_error"}
	if err := errors.Join(err, json.Unmarshal(text, &all)); err != nil {
		t.Fatal(err)
	}
	kept, q := map[string]any{}, all["equilibrium"].(map[string]any)
	for _, key := range of {
		kept[key] = all[key]
	}
	for _, key := range []string{"sweeps", "ensembles", "temperatures", "start_difference", "least_exchange_rate", "round_trips", "autocorrelation_sweeps", "path_length"} {
		kept[key] = q[key]
	}
	if text, err = json.Marshal(kept); err != nil {
		t.Fatal(err)
	}
	return text
}

// Estimates, restored samples and features are those of 0.2.0 to the bit. Other
// processors may fuse a product and a sum, so that last bits differ.
func TestFrozen(t *testing.T) {
	for _, kind := range []string{"binary", "real"} {
		m := machine(65, 37, stream.New(1))
		if kind == "real" {
			weights := make([]float32, 65*37)
			rng := stream.New(2).Rand()
			for k := range weights {
				weights[k] = float32(rng.NormFloat64())
			}
			m.Synapses = rbm.RealValued(65, 37, weights)
		}
		samples := spin.Random(65, 40, stream.New(3).Rand())
		l, err := Likelihood(t.Context(), OnMachine(m), samples, Options{Temperatures: 40, Chains: 33, Equilibration: 30, Key: stream.New(4)})
		if err != nil {
			t.Fatal(err)
		}
		text := numbers(t, l)
		key := stream.New(0)
		for _, c := range text {
			key = key.Sub(uint64(c))
		}
		hold(t, kind+" likelihood", key)
		for _, what := range []string{" completed", " denoised"} {
			key := stream.New(0)
			r := Restoring{Chains: 3, Sweeps: 20, Key: stream.New(5)}
			out, err := Complete(t.Context(), OnMachine(m), samples, []int{1, 5, 40}, r)
			if what == " denoised" {
				out, err = Denoise(t.Context(), OnMachine(m), samples, 0.1, r)
			}
			if err != nil {
				t.Fatal(err)
			}
			key = key.Sub(out.States.Hash())
			for _, v := range out.Mean {
				key = key.Sub(uint64(math.Float32bits(v)))
			}
			hold(t, kind+what, key)
		}
		key = stream.New(0)
		for _, v := range Features(OnMachine(m), samples, 0.5) {
			key = key.Sub(uint64(math.Float32bits(v)))
		}
		hold(t, kind+" features", key)
	}
}
