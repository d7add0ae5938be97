/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#define EXIT_USAGE 2

int main(void)
{
	fprintf(stderr, "usage: accel COMMAND ...\n");
	return EXIT_USAGE;
}
