package sweep

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bethe/setting"
)

func TestParseShard(t *testing.T) {
	if s, err := ParseShard("3/64"); err != nil || s != (Shard{3, 64}) || s.String() != "3/64" {
		t.Errorf("%v, %v", s, err)
	}
	for _, text := range []string{"", "1", "1/1", "-1/3", "a/b", "1/2/3", "0/0"} {
		var wrong *setting.Error
		if s, err := ParseShard(text); !errors.As(err, &wrong) || wrong.Setting != "shard" {
			t.Errorf("%q: %v, %v", text, s, err)
		}
	}
}

// TestReports: a sweep from its grid to a table, with a broken cell on the way.
func TestReports(t *testing.T) {
	folder := t.TempDir()
	grid := filepath.Join(folder, "g.toml")
	if err := os.WriteFile(grid, []byte("visible = 8\nhidden = 1\nalpha = [1, 2]\nbeta = 1.0\ninstances = 1\nrestarts = 1\nseed = 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cells, err := ReadGridFile(grid)
	if err != nil {
		t.Fatal(err)
	}
	s, _, err := Create(filepath.Join(folder, "s"), cells)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.RunShard(t.Context(), Shard{1, 2}, nil)
	if err != nil || r.Computed != 1 || r.Members != 1 || r.Cells != 2 || r.Shard != "1/2" || r.Broken != nil || r.Failed != nil || !(r.Seconds > 0) {
		t.Errorf("%+v, %v", r, err)
	}
	report, err := s.Report()
	if err != nil || report.Done != 1 || report.Missing != 1 || report.Cells != 2 || report.Broken == nil || len(report.Broken) != 0 {
		t.Errorf("%+v, %v", report, err)
	}
	var incomplete *IncompleteError
	if err := s.Complete(report.Missing); !errors.As(err, &incomplete) || incomplete.Error() != "1 of 2 cells are missing" || incomplete.Folder != s.Folder || s.Complete(0) != nil {
		t.Errorf("%v", err)
	}
	if files, err := filepath.Glob(filepath.Join(s.Folder, cellsFolder, "*", "*.json")); err != nil || len(files) != 1 || os.WriteFile(files[0], []byte("{"), 0o644) != nil {
		t.Fatal(files, err)
	}
	if report, err = s.Report(); err != nil || report.Done != 0 || len(report.Broken) != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	if r, err = s.RunShard(t.Context(), All, nil); err != nil || r.Computed != 2 || len(r.Broken) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	rows, _, err := s.Collect()
	if err != nil {
		t.Fatal(err)
	}
	table := filepath.Join(folder, "t.csv")
	if err := SaveTable(table, rows); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(table); err != nil || strings.Count(string(text), "\n") != 3 {
		t.Errorf("%v\n%s", err, text)
	}
	if err := SaveTable(filepath.Join(folder, "t.xls"), rows); err == nil || err.Error() != "out "+filepath.Join(folder, "t.xls")+": a table is a .csv or a .parquet file" {
		t.Error(err)
	}
	for engine, command := range map[string]string{"slurm": "", "k8s": "bethe"} {
		var job Job
		if err := job.Fill(s, engine); err != nil || job.Cells != 2 || job.Shards != 1 || job.Folder != s.Folder || command != "" && job.Command != command || job.Command == "" {
			t.Errorf("%s: %+v, %v", engine, job, err)
		}
	}
	job := Job{Command: "there", Shards: 7}
	if err := job.Fill(s, "slurm"); err != nil || job.Command != "there" || job.Shards != 7 {
		t.Errorf("%+v, %v", job, err)
	}
}
