/* SPDX-License-Identifier: MIT */
/* Every network of the shared material imports, into the fewest nodes. */
#include "unit.h"

#include <accel/error.h>
#include <compress/graph.h>
#include <compress/onnx_import.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *name;
	int nodes;
	int linear; /* of them, layers with weights, recurrent ones included */
} models[] = {
	{ "esrgan_medium_x4", 63, 28 },	   { "esrgan_medium_x4_sp80", 63, 28 },
	{ "esrgan_slim_x2", 23, 12 },	   { "esrgan_slim_x2_sp80", 23, 12 },
	{ "esrgan_slim_x2_sp90", 23, 12 }, { "esrgan_slim_x4", 23, 12 },
	{ "fashion_dcgan", 7, 3 },	   { "fashion_dcgan_sp80", 7, 3 },
	{ "fashion_mlp", 3, 2 },	   { "fashion_mlp_sp90", 3, 2 },
	{ "fashion_vae_dec", 9, 4 },	   { "fashion_vae_dec_sp90", 9, 4 },
	{ "fashion_vae_enc", 9, 5 },	   { "sketchrnn_bird", 2, 2 },
};

static int count_layers(const struct graph *graph)
{
	int count = 0;

	for (int i = 0; i < graph->node_count; i++)
		count += graph_op_is_linear(graph->nodes[i].op) ||
			 graph_op_is_recurrent(graph->nodes[i].op);
	return count;
}

static void models_import(void **state)
{
	const char *folder = *state;
	char path[4096];

	for (size_t i = 0; i < sizeof(models) / sizeof(*models); i++) {
		struct graph *graph;

		snprintf(path, sizeof(path), "%s/%s.onnx", folder,
			 models[i].name);
		if (onnx_import(path, &graph))
			fail_msg("%s", accel_last_error());
		assert_int_equal(graph->node_count, models[i].nodes);
		assert_int_equal(count_layers(graph), models[i].linear);
		graph_destroy(graph);
	}
}

int main(void)
{
	static char folder[4000];
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(models_import, folder),
	};
	const char *shared = getenv("ACCEL_SHARED_DIR");

	snprintf(folder, sizeof(folder), "%s/models", shared ? shared : "");
	if (access(folder, R_OK)) {
		printf("skipped: no models in %s\n", folder);
		return EXIT_SKIP;
	}
	return cmocka_run_group_tests_name("onnx_models", tests, NULL, NULL);
}
