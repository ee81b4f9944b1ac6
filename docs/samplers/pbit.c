/* p-bits that sample the machine of an exported header: READS SEED, a line a read. */
#include <stdio.h>
#include <stdlib.h>
#include "model.h"

int main(int argc, char **argv) {
	int r, k, reads = argc > 1 ? atoi(argv[1]) : 100;
	uint64_t seed = argc > 2 ? strtoull(argv[2], 0, 10) : 1;
	for (r = 0; r < reads; r++) {
		model_chain chain;
		model_start(&chain, seed + (uint64_t)r);
		for (k = 0; k < 1000; k++)
			model_sweep(&chain);
		for (k = 0; k < MODEL_VISIBLE; k++)
			printf("%d ", 2 * model_at(chain.visible, k) - 1);
		for (k = 0; k < MODEL_HIDDEN; k++)
			printf("%d ", 2 * model_at(chain.hidden, k) - 1);
		putchar('\n');
	}
	return 0;
}
