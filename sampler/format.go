package sampler

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"

	"bethe/exchange"
	"bethe/setting"
)

// A Format is how problems are written.
type Format struct {
	Name  string
	Ext   string // of files
	Write func(w io.Writer, p *Problem) error
}

// Formats are dimod's COO text, which exchange.WriteIsing writes too, dimod's JSON and bqpjson.
var Formats = []Format{{"coo", ".coo", writeCOO}, {"dimod", ".json", writeDimod}, {"bqpjson", ".json", writeBQPJSON}}

// FormatOf returns the format of a name; "" is the first. The error is a *setting.Error.
func FormatOf(name string) (Format, error) {
	for _, f := range Formats {
		if f.Name == name || name == "" {
			return f, nil
		}
	}
	return Format{}, setting.Errorf("sampler_format", name, "it is coo, dimod or bqpjson")
}

func writeCOO(w io.Writer, p *Problem) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "# vartype=SPIN\n")
	exchange.WriteCOO(b, p.Visible, p.Linear, p.Quadratic)
	return b.Flush()
}

// edges calls f for each coefficient of two spins.
func (p *Problem) edges(f func(i, j int, v float64)) {
	for i := range p.Visible {
		for mu := range p.Hidden {
			f(i, p.Visible+mu, p.Quadratic[mu*p.Visible+i])
		}
	}
}

// writeDimod writes what dimod's BinaryQuadraticModel.from_serializable reads, schema 3.0.0.
func writeDimod(w io.Writer, p *Problem) error {
	labels := make([]int, len(p.Linear))
	for u := range labels {
		labels[u] = u
	}
	var head, tail []int
	var biases []float64
	p.edges(func(i, j int, v float64) { head, tail, biases = append(head, i), append(tail, j), append(biases, v) })
	return json.NewEncoder(w).Encode(map[string]any{
		"type": "BinaryQuadraticModel", "version": map[string]string{"bqm_schema": "3.0.0"}, "use_bytes": false, "index_type": "int32", "bias_type": "float64",
		"num_variables": len(labels), "num_interactions": len(biases), "variable_labels": labels, "variable_type": "SPIN", "offset": 0, "info": map[string]any{},
		"linear_biases": p.Linear, "quadratic_biases": biases, "quadratic_head": head, "quadratic_tail": tail,
	})
}

// writeBQPJSON writes bqpjson of version 1.0.0.
func writeBQPJSON(w io.Writer, p *Problem) error {
	type linear struct {
		ID    int     `json:"id"`
		Coeff float64 `json:"coeff"`
	}
	type quadratic struct {
		Tail  int     `json:"id_tail"`
		Head  int     `json:"id_head"`
		Coeff float64 `json:"coeff"`
	}
	ids, own, pairs := []int{}, []linear{}, []quadratic{}
	for u, v := range p.Linear {
		ids = append(ids, u)
		own = append(own, linear{u, v})
	}
	p.edges(func(i, j int, v float64) { pairs = append(pairs, quadratic{i, j, v}) })
	return json.NewEncoder(w).Encode(map[string]any{
		"version": "1.0.0", "id": 0, "metadata": map[string]any{}, "variable_ids": ids, "variable_domain": "spin", "scale": 1.0, "offset": 0.0,
		"linear_terms": own, "quadratic_terms": pairs,
	})
}
