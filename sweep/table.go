package sweep

import (
	"encoding/csv"
	"io"
	"strconv"

	"github.com/parquet-go/parquet-go"
)

// A Row of the collected table is a cell and its result. It holds no times and
// nothing of the machine, so that a table has the same bytes however it came
// about.
type Row struct {
	ID               string   `parquet:"id"`
	Visible          int64    `parquet:"visible"`
	Hidden           int64    `parquet:"hidden"`
	Alpha            float64  `parquet:"alpha"`
	Beta             float64  `parquet:"beta"`
	Correlation      float64  `parquet:"correlation"`
	Instances        int64    `parquet:"instances"`
	Restarts         int64    `parquet:"restarts"`
	Seed             int64    `parquet:"seed"`
	Oracle           bool     `parquet:"oracle"`
	Samples          int64    `parquet:"samples"`
	Overlap          float64  `parquet:"overlap"`
	OverlapSpread    float64  `parquet:"overlap_spread"`
	OverlapBestStart float64  `parquet:"overlap_best_start"`
	OverlapOfMeans   float64  `parquet:"overlap_of_means"`
	Bound            float64  `parquet:"bound_per_sample"`
	Bayes            *float64 `parquet:"bayes_overlap,optional"` // nil without oracle
	BayesRandomStart *float64 `parquet:"bayes_overlap_random_start,optional"`
}

// Columns are the names of the columns of the table.
var Columns = []string{"id", "visible", "hidden", "alpha", "beta", "correlation", "instances", "restarts", "seed", "oracle", "samples",
	"overlap", "overlap_spread", "overlap_best_start", "overlap_of_means", "bound_per_sample", "bayes_overlap", "bayes_overlap_random_start"}

// A Table holds the rows of the cells that are done, in the order of their parameters.
type Table interface {
	Len() int
	// WriteCSV writes the table with a line of column names. Numbers have the
	// fewest digits that give the float64 back; what does not apply is empty.
	WriteCSV(w io.Writer) error
	// WriteParquet writes it as a Parquet file.
	WriteParquet(w io.Writer) error
	// add returns the table with the row of one more cell.
	add(c *Cell, r *Result) Table
}

// Rows are a table of cells of one set each.
type Rows []Row

// Collect returns the table of the cells that are done and says which are not. All cells of a sweep
// are of one set, or of several.
func (s *Sweep) Collect() (Table, *Status, error) {
	results, status, err := s.results()
	if err != nil {
		return nil, nil, err
	}
	var table Table = Rows{}
	if len(s.Cells) > 0 && s.Cells[0].several() {
		table = setsRows{}
	}
	for k, r := range results {
		if r != nil {
			table = table.add(&s.Cells[k], r)
		}
	}
	return table, status, nil
}

func (t Rows) add(c *Cell, r *Result) Table {
	return append(t, Row{
		ID: c.ID(), Visible: int64(c.Visible), Hidden: int64(c.Hidden), Alpha: c.Alpha, Beta: c.Beta, Correlation: c.Correlation,
		Instances: int64(c.Instances), Restarts: int64(c.Restarts), Seed: int64(c.Seed), Oracle: c.Oracle,
		Samples: int64(r.Samples), Overlap: r.Overlap, OverlapSpread: r.OverlapSpread, OverlapBestStart: r.OverlapBestStart,
		OverlapOfMeans: r.OverlapOfMeans, Bound: r.Bound, Bayes: r.Bayes, BayesRandomStart: r.BayesRandomStart,
	})
}

// Len implements Table.
func (t Rows) Len() int { return len(t) }

func float(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

func integer(x int64) string { return strconv.FormatInt(x, 10) }

// optional is empty where nothing applies.
func optional(x *float64) string {
	if x == nil {
		return ""
	}
	return float(*x)
}

// WriteCSV implements Table.
func (t Rows) WriteCSV(w io.Writer) error {
	lines := csv.NewWriter(w)
	if err := lines.Write(Columns); err != nil {
		return err
	}
	for _, r := range t {
		if err := lines.Write([]string{r.ID, integer(r.Visible), integer(r.Hidden), float(r.Alpha), float(r.Beta), float(r.Correlation),
			integer(r.Instances), integer(r.Restarts), integer(r.Seed), strconv.FormatBool(r.Oracle), integer(r.Samples),
			float(r.Overlap), float(r.OverlapSpread), float(r.OverlapBestStart), float(r.OverlapOfMeans), float(r.Bound),
			optional(r.Bayes), optional(r.BayesRandomStart)}); err != nil {
			return err
		}
	}
	lines.Flush()
	return lines.Error()
}

// WriteParquet implements Table.
func (t Rows) WriteParquet(w io.Writer) error { return writeParquet(w, t) }

func writeParquet[R any](w io.Writer, rows []R) error {
	out := parquet.NewGenericWriter[R](w, parquet.Compression(&parquet.Snappy))
	if _, err := out.Write(rows); err != nil {
		return err
	}
	return out.Close()
}
