package memory

import (
	"math"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// available reads what the kernel says.
func available() (float64, bool) {
	bytes, ok := meminfo(read("/proc/meminfo"))
	group, limited := cgroup(read("/proc/self/cgroup"), read)
	bytes, ok = least(bytes, ok, group, limited)
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_AS, &limit); err == nil && limit.Cur < math.MaxInt64 {
		pages, _, _ := strings.Cut(read("/proc/self/statm"), " ")
		used, _ := strconv.ParseFloat(pages, 64)
		bytes, ok = least(bytes, ok, max(0, float64(limit.Cur)-used*float64(os.Getpagesize())), true)
	}
	return bytes, ok
}

// read returns a file of the kernel's, "" if there is none.
func read(name string) string {
	text, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	return string(text)
}

// meminfo returns MemAvailable of /proc/meminfo.
func meminfo(text string) (float64, bool) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[0] == "MemAvailable:" && fields[2] == "kB" {
			v, err := strconv.ParseFloat(fields[1], 64)
			return 1024 * v, err == nil
		}
	}
	return 0, false
}

// cgroup returns the memory that the control groups of a process leave: those of
// version 2, or the one of memory of version 1, and all above them. The text of
// /proc/self/cgroup says where they are.
func cgroup(groups string, read func(name string) string) (bytes float64, ok bool) {
	for line := range strings.Lines(groups) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		root, limit, usage, cache := "/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"
		switch {
		case parts[0] == "0" && parts[1] == "":
		case parts[1] == "memory":
			root, limit, usage, cache = "/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
		default:
			continue
		}
		for at := path.Clean("/" + parts[2]); ; at = path.Dir(at) {
			folder := path.Join(root, at)
			most, err := strconv.ParseFloat(strings.TrimSpace(read(path.Join(folder, limit))), 64)
			if err == nil && most < 1<<60 { // beyond it there is none
				used, _ := strconv.ParseFloat(strings.TrimSpace(read(path.Join(folder, usage))), 64)
				for line := range strings.Lines(read(path.Join(folder, "memory.stat"))) {
					if name, value, _ := strings.Cut(strings.TrimSpace(line), " "); name == cache { // can be had back
						v, _ := strconv.ParseFloat(value, 64)
						used -= v
					}
				}
				bytes, ok = least(bytes, ok, max(0, most-max(0, used)), true)
			}
			if at == "/" {
				break
			}
		}
	}
	return bytes, ok
}
