package memory

import "testing"

func TestMeminfo(t *testing.T) {
	text := "MemTotal:       24000000 kB\nMemFree:  1 kB\nMemAvailable:   20000000 kB\n"
	if v, ok := meminfo(text); !ok || v != 20000000*1024 {
		t.Error(v, ok)
	}
	for _, text := range []string{"", "MemAvailable: x kB", "MemAvailable: 3"} {
		if v, ok := meminfo(text); ok {
			t.Errorf("%q: %v", text, v)
		}
	}
}

func TestCgroup(t *testing.T) {
	files := map[string]string{
		"/sys/fs/cgroup/a/memory.max": "max\n", "/sys/fs/cgroup/a/b/memory.max": "1000\n", "/sys/fs/cgroup/a/b/memory.current": "700\n",
		"/sys/fs/cgroup/a/b/memory.stat": "anon 5\ninactive_file 200\n", "/sys/fs/cgroup/memory.max": "400",
		"/sys/fs/cgroup/memory/job/memory.limit_in_bytes": "900", "/sys/fs/cgroup/memory/job/memory.usage_in_bytes": "1000",
		"/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
	}
	for groups, want := range map[string]float64{
		"0::/a/b\n":                             400, // of the root
		"12:cpu:/x\n11:memory:/job\n0::/none\n": 0,   // used up
		"11:memory:/other\n":                    -1,
		"":                                      -1,
		"0::/../../etc\n":                       400,
	} {
		got, ok := cgroup(groups, func(name string) string { return files[name] })
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: %v, %v", groups, got, ok)
		}
	}
	delete(files, "/sys/fs/cgroup/memory.max")
	if got, ok := cgroup("0::/a/b\n", func(name string) string { return files[name] }); !ok || got != 500 {
		t.Error(got, ok)
	}
}
