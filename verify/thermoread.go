package verify

import (
	"bethe/rbm"
	"bethe/spin"
	"bethe/thermo"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Limits on an oracle of thermodynamics, whose states are all enumerated.
const (
	maxThermoUnits    = 8
	maxThermoNetworks = 1000
	maxPaths          = 1 << 14
	maxPairs          = 8 // units of both layers
	maxHeatSweeps     = 100
)

// A thermoOracle is an oracle of thermodynamics, part by part.
type thermoOracle struct {
	Machine struct {
		Synapses      [][]float64 `json:"synapses"`
		Coupling      float64     `json:"coupling"`
		VisibleField  []float64   `json:"visible_field"`
		HiddenField   []float64   `json:"hidden_field"`
		VisibleOffset []float64   `json:"visible_offset"`
		HiddenOffset  []float64   `json:"hidden_offset"`
		Base          []float64   `json:"base_field"`
		PlainVisible  []float64   `json:"plain_visible_field"`
		PlainHidden   []float64   `json:"plain_hidden_field"`
	}
	Curves struct {
		Points       []thermo.Point `json:"points"`
		PeakBeta     float64        `json:"peak_beta"`
		PeakCapacity float64        `json:"peak_heat_capacity"`
		Ground       float64        `json:"ground_energy"`
	}
	Path struct {
		Points []struct {
			T        float64 `json:"t"`
			LnZ      float64 `json:"ln_z"`
			Score    float64 `json:"mean_score"`
			Marginal float64 `json:"marginal_variance"`
			Joint    float64 `json:"joint_variance"`
		} `json:"points"`
		Marginal float64 `json:"length_marginal"`
		Joint    float64 `json:"length_joint"`
	}
	Ladder           []float64
	Forward, Reverse protocol
	Crooks           struct {
		thermoNetwork
		Base         []float64 `json:"base_field"`
		Ladder       []float64 `json:"ladder"`
		Ratio        float64   `json:"ln_z_ratio"`
		MeanForward  float64   `json:"mean_forward"`
		MeanReverse  float64   `json:"mean_reverse"`
		Acceptance   float64   `json:"acceptance"`
		DissipatedF  float64   `json:"forward_dissipated"`
		DissipatedR  float64   `json:"reverse_dissipated"`
		Work         []float64 `json:"work"`
		ForwardPaths []float64 `json:"forward"`
		ReversePaths []float64 `json:"reverse"`
	}
	Asymmetry   float64
	Palindromic heatExchange
	Block       heatExchange
	Violation   float64
	Learning    struct {
		protocol
		LogLikelihood []float64       `json:"log_likelihood"`
		Data          [][]float64     `json:"data"`
		Networks      []thermoNetwork `json:"networks"`
		AtData        struct {
			Jarzynski float64 `json:"jarzynski"`
			Error     float64 `json:"error"`
		} `json:"started_at_data"`
	}
	Sampler []struct {
		True        float64     `json:"beta_true"`
		Visible     [][]float64 `json:"visible"`
		Hidden      [][]float64 `json:"hidden"`
		Energy      float64     `json:"mean_energy"`
		Global      float64     `json:"beta_likelihood"`
		GlobalError float64     `json:"beta_likelihood_error"`
		Local       float64     `json:"beta_pseudolikelihood"`
		LocalError  float64     `json:"beta_pseudolikelihood_error"`
		Couplings   *float64    `json:"beta_couplings"`
		Fields      *float64    `json:"beta_fields"`
	}
	XuOates struct {
		Data          [][]float64 `json:"data"`
		DataEnergy    float64     `json:"data_energy"`
		SamplerEnergy float64     `json:"sampler_energy"`
		Beta          float64     `json:"beta"`
		Gradient      float64     `json:"gradient"`
	}
	Problem struct {
		FieldRange    float64     `json:"h_range"`
		CouplingRange float64     `json:"j_range"`
		Bits          int         `json:"bits"`
		Scale         float64     `json:"scale"`
		Linear        []float64   `json:"linear"`
		Quadratic     [][]float64 `json:"quadratic"`
		RoundedLnZ    float64     `json:"rounded_ln_z"`
		RoundingKL    float64     `json:"rounding_kl"`
		GaugeVisible  []float64   `json:"gauge_visible"`
		GaugeHidden   []float64   `json:"gauge_hidden"`
	}
	BAR struct {
		Forward  []float64 `json:"forward_work"`
		Reverse  []float64 `json:"reverse_work_seen_forward"`
		Ratio    float64   `json:"ln_z_ratio"`
		Error    float64   `json:"standard_error"`
		Exact    float64   `json:"exact"`
		ForwardZ float64   `json:"forward_only"`
		ReverseZ float64   `json:"reverse_only"`
	}

	net *rbm.Network[float64] // the plain machine
}

// protocol is a walk along networks in the oracle.
type protocol struct {
	Steps []struct {
		Step       int      `json:"step"`
		Work       float64  `json:"mean_work"`
		Variance   float64  `json:"work_variance"`
		LnZ        float64  `json:"ln_z"`
		Jarzynski  float64  `json:"jarzynski"`
		Share      float64  `json:"effective_share"`
		AfterWork  float64  `json:"kl_after_work"`
		AfterSweep *float64 `json:"kl_after_sweep"`
		Production *float64 `json:"sweep_entropy_production"`
	} `json:"steps"`
	Dissipated float64  `json:"dissipated"`
	Relaxation float64  `json:"relaxation"`
	KLEnd      float64  `json:"kl_end"`
	Ratio      float64  `json:"ln_z_ratio"`
	FromLength *float64 `json:"bound_from_length"`
}

type thermoNetwork struct {
	Coupling     [][]float64 `json:"coupling"` // visible x hidden
	VisibleField []float64   `json:"visible_field"`
	HiddenField  []float64   `json:"hidden_field"`
}

type heatExchange struct {
	Start      float64 `json:"beta_start"`
	Bath       float64 `json:"beta_bath"`
	Sweeps     int     `json:"sweeps"`
	Heat       float64 `json:"mean_heat"`
	Exp        float64 `json:"mean_exp"`
	Production float64 `json:"entropy_production"`
}

// parts returns where each part of the file goes, by its key.
func (o *thermoOracle) parts() map[string]any {
	return map[string]any{"machine": &o.Machine, "curves": &o.Curves, "path": &o.Path, "ladder": &o.Ladder, "forward": &o.Forward, "reverse": &o.Reverse,
		"crooks": &o.Crooks, "joint_block_gibbs_asymmetry": &o.Asymmetry, "heat_exchange_palindromic": &o.Palindromic, "heat_exchange_block": &o.Block,
		"heat_exchange_violation_of_block_gibbs": &o.Violation, "learning": &o.Learning, "sampler": &o.Sampler, "xu_oates": &o.XuOates, "problem": &o.Problem, "bar": &o.BAR}
}

// decode reads all parts.
func (o *thermoOracle) decode(raw map[string]json.RawMessage) error {
	parts := o.parts()
	for _, key := range slices.Sorted(maps.Keys(parts)) {
		text, there := raw[key]
		if !there {
			return fmt.Errorf("it has no %s", key)
		}
		if err := json.Unmarshal(text, parts[key]); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

// network returns a network of the oracle.
func (n *thermoNetwork) network() (*rbm.Network[float64], error) {
	v, h := len(n.VisibleField), len(n.HiddenField)
	if v == 0 || h == 0 || max(v, h) > maxThermoUnits {
		return nil, fmt.Errorf("%d visible and %d hidden units: each must be at least 1 and at most %d", v, h, maxThermoUnits)
	}
	if err := shape("coupling", n.Coupling, v, h); err != nil {
		return nil, err
	}
	net := rbm.NewNetwork[float64](v, h)
	copy(net.VisibleField, n.VisibleField)
	copy(net.HiddenField, n.HiddenField)
	for i, row := range n.Coupling {
		for mu, k := range row {
			net.Coupling[mu*v+i] = k
		}
	}
	return net, nil
}

// shape returns an error unless a matrix has so many rows and columns.
func shape(name string, x [][]float64, rows, cols int) error {
	if len(x) != rows {
		return fmt.Errorf("%s has %d rows, not %d", name, len(x), rows)
	}
	for _, row := range x {
		if len(row) != cols {
			return fmt.Errorf("%s has a row of %d numbers, not %d", name, len(row), cols)
		}
	}
	return nil
}

// spins returns rows of ±1 as columns.
func spins(name string, rows [][]float64, units int) (*spin.Matrix, error) {
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s has no rows", name)
	}
	if err := shape(name, rows, len(rows), units); err != nil {
		return nil, err
	}
	m := spin.New(units, len(rows))
	for a, row := range rows {
		for i, s := range row {
			if s != 1 && s != -1 {
				return nil, fmt.Errorf("%s[%d][%d] is %v, not ±1", name, a, i, s)
			}
			m.Set(i, a, int8(s))
		}
	}
	return m, nil
}

// thermoKey reports whether a key is one of an oracle of thermodynamics.
func thermoKey(name string) bool {
	_, ok := (&thermoOracle{}).parts()[strings.ToLower(name)]
	return ok
}
