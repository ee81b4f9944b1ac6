// READS SWEEPS SEED: an Ising problem in COO on standard input, samples on standard output.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>
#include "cpu_sa.h"
static bool never(void *const) { return false; }
int main(int argc, char **argv) {
  if (argc != 4) return 2;
  int reads = atoi(argv[1]), sweeps = atoi(argv[2]);
  uint64_t seed = strtoull(argv[3], 0, 10), x = seed * 2654435761u + 1;
  std::vector<double> h, w, betas;
  std::vector<int> a, b;
  char line[256];
  int i, j; double v;
  while (fgets(line, sizeof line, stdin)) {
    if (line[0] == '#' || sscanf(line, "%d %d %lf", &i, &j, &v) != 3) continue;
    size_t top = 1 + (i > j ? i : j);
    if (h.size() < top) h.resize(top, 0.0);
    if (i == j) h[i] += v; else { a.push_back(i); b.push_back(j); w.push_back(v); }
  }
  int n = h.size();
  std::vector<int8_t> s((size_t)reads * n);
  std::vector<double> e(reads);
  for (auto &u : s) { x ^= x << 13; x ^= x >> 7; x ^= x << 17; u = x >> 40 & 1 ? 1 : -1; }
  for (int k = 0; k < sweeps; k++) betas.push_back((k + 1.0) / sweeps); // to beta = 1
  using namespace dwave::samplers::sa;
  general_simulated_annealing(s.data(), e.data(), reads, h, a, b, w, 1, betas, seed, Sequential, Gibbs, never, nullptr);
  for (int r = 0; r < reads; r++)
    for (int u = 0; u < n; u++) printf(u + 1 < n ? "%d " : "%d\n", s[(size_t)r * n + u]);
  return 0;
}
