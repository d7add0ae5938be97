/* SPDX-License-Identifier: MIT */
/* A small network to prune, two matrices one after the other, and data for it. */
#ifndef TWO_LAYERS_H
#define TWO_LAYERS_H

#include "float_graph.h"
#include "unit.h"

#include <compress/calibration_data.h>

#include <stdlib.h>

enum { ROWS = 16, COLUMNS = 12, SAMPLES = 4, BATCH = 32 };

static inline struct graph *two_layers(void)
{
	struct graph_shape in = { 2, { GRAPH_DIM_DYNAMIC, COLUMNS } };
	struct graph_shape out = { 2, { GRAPH_DIM_DYNAMIC, ROWS } };
	struct graph *graph = graph_create("test");
	int tensor = graph_add_tensor(graph, "x", &in);
	uint64_t seed = 7;

	graph_add_input(graph, tensor);
	for (int layer = 0; layer < 2; layer++) {
		int columns = layer ? ROWS : COLUMNS;
		float values[ROWS * ROWS];
		int inputs[2] = { tensor, 0 };

		for (int i = 0; i < ROWS * columns; i++)
			values[i] = (float)(random_unit(&seed) - 0.5);
		inputs[1] = add_constant(graph, 2, (int64_t[]){ ROWS, columns },
					 values);
		tensor = graph_add_tensor(graph, layer ? "y" : "h", &out);
		graph_add_node(graph, GRAPH_GEMM, layer ? "second" : "first",
			       inputs, 2, &tensor, 1);
	}
	graph_add_output(graph, tensor);
	return graph;
}

static inline void make_data(struct calibration_data *data)
{
	uint64_t seed = 3;

	*data = (struct calibration_data){ .input_count = 1,
					   .sample_count = SAMPLES };
	data->samples = calloc(SAMPLES, sizeof(*data->samples));
	data->is_state = calloc(1, sizeof(bool));
	for (int s = 0; s < SAMPLES; s++) {
		struct array *array = calloc(1, sizeof(*array));

		array->shape = (struct graph_shape){ 2, { BATCH, COLUMNS } };
		array->values = malloc(BATCH * COLUMNS * sizeof(float));
		for (int i = 0; i < BATCH * COLUMNS; i++)
			array->values[i] = (float)(random_unit(&seed) - 0.5);
		data->samples[s] = array;
	}
}

#endif
