#include <stdio.h>
#include "digits.h"

int main(void) {
    digits_chain chain;
    digits_start(&chain, 1);
    for (int k = 0; k < 1000; k++)
        digits_sweep(&chain);
    for (int i = 0; i < DIGITS_VISIBLE; i++)
        printf("%c%s", digits_at(chain.visible, i) ? '#' : '.', i % 28 == 27 ? "\n" : "");
}
