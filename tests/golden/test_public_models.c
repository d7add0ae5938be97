/* SPDX-License-Identifier: MIT */
/*
 * Real networks, compressed with the zeros that they have: import, calibration,
 * quantization, file, plan, the golden arithmetic and the simulated device, against
 * the networks in binary32.
 */
#include "../unit/unit.h"

#include "measure.h"

#include <accel/error.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Of a classifier: 0.3 points. */
#define ACCURACY_LOSS 0.003
/* Of a decoder, per step, on the sketch whose figure is known. */
#define NLL_DENSE (-1.308)
#define NLL_LOSS 0.05

#define assert_success(expression)                                           \
	do {                                                                 \
		if (expression)                                              \
			fail_msg("%s: %s", #expression, accel_last_error()); \
	} while (0)

static void check_psnr(const struct network *network,
		       const struct figures *figures)
{
	for (int i = 0; i < NETWORK_PROBES; i++) {
		if (isnan(figures->psnr[i]))
			continue;
		printf("    %.2f dB\n", figures->psnr[i]);
		if (network->psnr > 0 && figures->psnr[i] < network->psnr)
			fail_msg("%s: %.2f dB, less than %.1f", network->name,
				 figures->psnr[i], network->psnr);
	}
}

static void check_accuracy(const struct network *network,
			   const struct figures *figures)
{
	printf("    accuracy %.4f, %.4f in binary32\n", figures->accuracy,
	       network->accuracy);
	assert_true(fabs(figures->accuracy - network->accuracy) <=
		    ACCURACY_LOSS);
}

static void check_nll(const struct figures *figures)
{
	printf("    negative log-likelihood per step %.4f, %.4f in binary32\n",
	       figures->nll.compressed, figures->nll.dense);
	printf("    on sampled sketches %.4f, %.4f in binary32\n",
	       figures->sampled.compressed, figures->sampled.dense);
	assert_true(fabs(figures->nll.compressed - NLL_DENSE) <= NLL_LOSS);
	assert_true(isfinite(figures->sampled.compressed));
}

static void a_network_stays_what_it_was(void **state)
{
	const struct network *network = *state;
	const char *missing = network_missing(network);
	struct compressed compressed;
	struct figures figures;

	if (missing) {
		printf("    %s: %s\n", network->name, missing);
		skip();
	}
	assert_success(network_compress(network, &compressed));
	assert_success(measure(network, &compressed, &figures));
	compressed_destroy(&compressed);
	assert_true(figures.values > 0);
	assert_int_equal(figures.differing, 0);
	check_psnr(network, &figures);
	if (network->kind == NETWORK_CLASSIFIER)
		check_accuracy(network, &figures);
	if (network->kind == NETWORK_SKETCH)
		check_nll(&figures);
}

/* The demo's networks lie beside the tree, too, with another runtime's outputs. */
static const char *test_name(const struct network *network)
{
	static char names[64][64];
	static size_t count;
	char *name = names[count++ % 64];

	snprintf(name, sizeof(names[0]), "%s%s", network->name,
		 network->in_tree ? ", against itself" : "");
	return name;
}

int main(void)
{
	struct CMUnitTest *tests = calloc(network_count, sizeof(*tests));
	int failed;

	if (!tests)
		return EXIT_FAILURE;
	for (size_t i = 0; i < network_count; i++)
		tests[i] = (struct CMUnitTest){
			.name = test_name(&networks[i]),
			.test_func = a_network_stays_what_it_was,
			.initial_state = (void *)&networks[i],
		};
	failed = _cmocka_run_group_tests("networks", tests, network_count, NULL,
					 NULL);
	free(tests);
	return failed;
}
