// SPDX-License-Identifier: MIT
/*
 * Gates as least squares: rows of the weight and of the recurrence are one row, over
 * what comes in and the hidden state of the step before. The hidden states are the
 * dense network's, as if it had been right so far; the targets are its gates before
 * their activation. GRU's candidate sees the state through the reset gate: either
 * its inputs or, with linear_before_reset, its outputs are multiplied, and then what
 * comes in and what is remembered are two problems.
 */
#include <compress/blas.h>
#include <compress/reconstruct_layer.h>
#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { X, WEIGHT, RECURRENCE, BIAS, HIDDEN };
enum { STEPS, BATCH, FEATURES };
enum { LSTM_GATES = 4, GRU_GATES = 3 };

/**
 * struct gates - some rows of one direction
 * @layer: of the node
 * @node: in the pruned graph
 * @problem: of these rows
 * @direction: 0, or 1 for the second of a bidirectional layer
 * @reverse: from the last step to the first
 * @inputs: I
 * @hidden: H
 * @all: rows of a direction, 4·H or 3·H
 * @first: of the rows
 * @rows: how many
 * @use_input: x takes part
 * @use_hidden: h takes part
 * @reset: h is multiplied by GRU's reset gate
 * @bias: tensor that may be changed, or negative
 */
struct gates {
	const struct reconstruct_layer *layer;
	const struct graph_node *node;
	struct layer_problem problem;
	int64_t direction;
	bool reverse;
	int64_t inputs;
	int64_t hidden;
	int64_t all;
	int64_t first;
	int64_t rows;
	bool use_input;
	bool use_hidden;
	bool reset;
	int bias;
};

static int64_t weights_of(const struct gates *gates)
{
	return (gates->use_input ? gates->inputs : 0) +
	       (gates->use_hidden ? gates->hidden : 0);
}

/* ---- where a row's weights are ---- */

static float *weight_row(const struct gates *gates, const struct graph *graph,
			 int slot, int64_t row)
{
	int64_t columns = slot == WEIGHT ? gates->inputs : gates->hidden;

	return graph->tensors[gates->node->inputs[slot]].data +
	       (gates->direction * gates->all + row) * columns;
}

static uint8_t *keep_row(const struct gates *gates,
			 const struct prune_mask *mask, int slot, int64_t row)
{
	int64_t columns = slot == WEIGHT ? gates->inputs : gates->hidden;

	return mask->keep[gates->node->inputs[slot]] +
	       (gates->direction * gates->all + row) * columns;
}

/* Of a bias [D, 2·all], the part that belongs to weight or recurrence. */
static float *bias_at(const struct gates *gates, const struct graph *graph,
		      int slot, int64_t row)
{
	int64_t part = 2 * gates->direction + (slot == RECURRENCE);

	return graph->tensors[gates->node->inputs[BIAS]].data +
	       part * gates->all + row;
}

static bool has_bias(const struct gates *gates)
{
	return gates->node->input_count > BIAS &&
	       gates->node->inputs[BIAS] >= 0;
}

/* What is added to the rows of this problem. */
static float bias_sum(const struct gates *gates, const struct graph *graph,
		      int64_t row)
{
	float sum = 0;

	if (has_bias(gates) && gates->use_input)
		sum += *bias_at(gates, graph, WEIGHT, row);
	if (has_bias(gates) && gates->use_hidden)
		sum += *bias_at(gates, graph, RECURRENCE, row);
	return sum;
}

/* ---- observations ---- */

/**
 * struct scene - the observations of a tile
 * @gates: that they are of
 * @sample: which
 * @first: observation
 * @count: how many
 * @x: [inputs][@count], of the dense network
 * @h: [hidden][@count], likewise
 */
struct scene {
	const struct gates *gates;
	int sample;
	int64_t first;
	int64_t count;
	float *x;
	float *h;
};

static void fill_x(const struct scene *scene, const struct graph_walk *walk,
		   float *result)
{
	const struct gates *gates = scene->gates;
	const float *x =
		graph_walk_value(walk, scene->sample, gates->node->inputs[X])
			.values +
		scene->first * gates->inputs;

	for (int64_t j = 0; j < scene->count; j++)
		for (int64_t i = 0; i < gates->inputs; i++)
			result[i * scene->count + j] = x[j * gates->inputs + i];
}

/* The state before the first step; NULL for zero. */
static const float *initial_state(const struct scene *scene)
{
	const struct graph_node *node = scene->gates->node;

	return node->input_count > HIDDEN && node->inputs[HIDDEN] >= 0 ?
		       graph_walk_value(scene->gates->layer->targets,
					scene->sample, node->inputs[HIDDEN])
			       .values :
		       NULL;
}

/* Hidden state that an observation, a step of a batch element, starts from. */
static const float *state_before(const struct scene *scene, int64_t observation,
				 const float *y, const float *initial)
{
	const struct gates *gates = scene->gates;
	const int64_t *dims = graph_walk_value(gates->layer->targets,
					       scene->sample,
					       gates->node->inputs[X])
				      .shape->dims;
	int64_t width =
		gates->hidden *
		(gates->node->recurrent.direction == GRAPH_BIDIRECTIONAL ? 2 :
									   1);
	int64_t step = observation / dims[BATCH] + (gates->reverse ? 1 : -1);
	int64_t element = observation % dims[BATCH];

	if (step >= 0 && step < dims[STEPS])
		return y + (step * dims[BATCH] + element) * width +
		       gates->direction * gates->hidden;
	return initial ? initial + (gates->direction * dims[BATCH] + element) *
					   gates->hidden :
			 NULL;
}

static void fill_h(const struct scene *scene, float *result)
{
	const struct gates *gates = scene->gates;
	const float *initial = initial_state(scene);
	const float *y = graph_walk_sequence(
		gates->layer->targets, scene->sample, gates->layer->index);

	for (int64_t j = 0; j < scene->count; j++) {
		const float *h =
			state_before(scene, scene->first + j, y, initial);

		for (int64_t i = 0; i < gates->hidden; i++)
			result[i * scene->count + j] = h ? h[i] : 0;
	}
}

/* result [rows][count] += rows of a dense weight · values */
static int add_product(const struct scene *scene, int slot, int64_t first,
		       int64_t rows, const float *values, float *result)
{
	const struct gates *gates = scene->gates;
	int64_t depth = slot == WEIGHT ? gates->inputs : gates->hidden;

	return blas_multiply(
		rows, scene->count, depth,
		(struct blas_matrix){ .values = weight_row(gates,
							   gates->layer->dense,
							   slot, first),
				      .stride = depth },
		(struct blas_matrix){ .values = values,
				      .stride = scene->count },
		1, result, scene->count);
}

/* What the dense network's rows come to, before the activation. */
static int fill_targets(const struct scene *scene, int64_t first, int64_t rows,
			bool with_bias, float *targets)
{
	const struct gates *gates = scene->gates;
	int ret = 0;

	for (int64_t row = 0; row < rows; row++) {
		float bias = with_bias ? bias_sum(gates, gates->layer->dense,
						  first + row) :
					 0;

		for (int64_t j = 0; j < scene->count; j++)
			targets[row * scene->count + j] = bias;
	}
	if (gates->use_input)
		ret = add_product(scene, WEIGHT, first, rows, scene->x,
				  targets);
	if (!ret && gates->use_hidden)
		ret = add_product(scene, RECURRENCE, first, rows, scene->h,
				  targets);
	return ret;
}

/* h is multiplied by the dense network's reset gate, GRU's second. */
static int apply_reset(struct scene *scene)
{
	const struct gates *gates = scene->gates;
	size_t count = (size_t)(gates->hidden * scene->count);
	float *reset = malloc((count + 1) * sizeof(*reset));
	int ret = reset ? fill_targets(scene, gates->hidden, gates->hidden,
				       true, reset) :
			  -ENOMEM;

	for (size_t i = 0; i < count && !ret; i++)
		scene->h[i] *= 1 / (1 + expf(-reset[i]));
	free(reset);
	return ret;
}

static int scene_fill(struct scene *scene, float *inputs, float *targets)
{
	const struct gates *gates = scene->gates;
	size_t input_count = (size_t)(gates->inputs * scene->count);
	int ret = 0;

	fill_x(scene, gates->layer->targets, scene->x);
	fill_h(scene, scene->h);
	if (gates->reset)
		ret = apply_reset(scene);
	if (!ret)
		ret = fill_targets(scene, gates->first, gates->rows,
				   gates->bias >= 0, targets);
	if (gates->use_input)
		fill_x(scene, gates->layer->inputs, inputs);
	if (gates->use_hidden)
		memcpy(inputs + (gates->use_input ? input_count : 0), scene->h,
		       (size_t)(gates->hidden * scene->count) * sizeof(float));
	return ret;
}

static int gates_fill(void *context, int sample, int64_t first, int64_t count,
		      float *inputs, float *targets)
{
	const struct gates *gates = context;
	struct scene scene = {
		.gates = gates,
		.sample = sample,
		.first = first,
		.count = count,
		.x = malloc((size_t)(gates->inputs * count + 1) *
			    sizeof(float)),
		.h = malloc((size_t)(gates->hidden * count + 1) *
			    sizeof(float)),
	};
	int ret = scene.x && scene.h ? scene_fill(&scene, inputs, targets) :
				       -ENOMEM;

	free(scene.x);
	free(scene.h);
	return ret;
}

static int gates_observe(struct gates *gates)
{
	const struct reconstruct_layer *layer = gates->layer;
	int64_t *counts = calloc((size_t)layer->samples, sizeof(*counts));
	struct least_squares_source source = {
		.counts = counts,
		.parts = layer->samples,
		.fill = gates_fill,
		.context = gates,
	};
	int ret;

	if (!counts)
		return accel_error(-ENOMEM, "%s: no memory for its inputs",
				   gates->node->name);
	for (int s = 0; s < layer->samples; s++) {
		const int64_t *dims = graph_walk_value(layer->inputs, s,
						       gates->node->inputs[X])
					      .shape->dims;

		counts[s] = dims[STEPS] * dims[BATCH];
	}
	ret = least_squares_add(gates->problem.system, &source);
	free(counts);
	return ret;
}

/* ---- the solution ---- */

/* Copy a row's weights between the graph and the problem. */
static void copy_row(const struct gates *gates,
		     const struct reconstruct_variant *variant,
		     const struct layer_problem *problem, int64_t row,
		     bool store)
{
	size_t at = (size_t)row * problem->columns;

	for (int slot = WEIGHT; slot <= RECURRENCE; slot++) {
		int64_t count = slot == WEIGHT ? gates->inputs : gates->hidden;
		uint8_t *keep = keep_row(gates, variant->mask, slot,
					 gates->first + row);
		float *weights = weight_row(gates, variant->pruned, slot,
					    gates->first + row);

		if (!(slot == WEIGHT ? gates->use_input : gates->use_hidden))
			continue;
		for (int64_t i = 0; i < count; i++, at++) {
			if (store) {
				keep[i] = problem->keep[at];
				weights[i] = keep[i] ? problem->values[at] : 0;
			} else {
				problem->keep[at] = keep[i];
				problem->values[at] = weights[i];
			}
		}
	}
}

/* x, h, the bias */
static void load_weights(const void *context,
			 const struct reconstruct_variant *variant,
			 struct layer_problem *problem)
{
	const struct gates *gates = context;

	for (int64_t row = 0; row < gates->rows; row++) {
		size_t last = (size_t)(row + 1) * problem->columns - 1;

		copy_row(gates, variant, problem, row, false);
		if (gates->bias < 0)
			continue;
		problem->keep[last] = 1;
		problem->values[last] =
			bias_sum(gates, variant->pruned, gates->first + row);
	}
}

/* Of two biases that just add, one takes what is new. */
static void store_weights(const void *context,
			  const struct reconstruct_variant *variant,
			  const struct layer_problem *problem)
{
	const struct gates *gates = context;
	struct graph *graph = variant->pruned;
	int slot = gates->use_input ? WEIGHT : RECURRENCE;

	for (int64_t row = 0; row < gates->rows; row++) {
		size_t last = (size_t)(row + 1) * problem->columns - 1;

		copy_row(gates, variant, problem, row, true);
		if (gates->bias >= 0)
			*bias_at(gates, graph, slot, gates->first + row) +=
				problem->values[last] -
				bias_sum(gates, graph, gates->first + row);
	}
}

static int gates_solve(struct gates *gates)
{
	const struct reconstruct_rows rows = { gates, load_weights,
					       store_weights };

	return reconstruct_layer_solve(gates->layer, &gates->problem, &rows);
}

static void add_part(struct gates *gates, int slot)
{
	struct layer_problem *problem = &gates->problem;
	struct layer_part *part = &problem->parts[problem->part_count++];
	bool second = slot == RECURRENCE && gates->use_input;

	*part = (struct layer_part){
		.tensor = gates->node->inputs[slot],
		.first_row =
			(size_t)(gates->direction * gates->all + gates->first),
		.end = (size_t)((slot == WEIGHT || second ? gates->inputs : 0) +
				(slot == RECURRENCE ? gates->hidden : 0)),
	};
}

static int gates_run(struct gates gates)
{
	const struct least_squares_options options = {
		.unknowns = (int)weights_of(&gates) + (gates.bias >= 0),
		.rows = (int)gates.rows,
		.constant = gates.bias >= 0,
		.workers = gates.layer->workers,
	};
	int ret = layer_problem_create(&gates.problem, gates.node->name,
				       &options);

	if (ret)
		return ret;
	if (gates.use_input)
		add_part(&gates, WEIGHT);
	if (gates.use_hidden)
		add_part(&gates, RECURRENCE);
	ret = gates_observe(&gates);
	if (!ret)
		ret = gates_solve(&gates);
	layer_problem_release(&gates.problem);
	return ret;
}

/* Update and reset gate are ordinary rows; the candidate is not. */
static int gru_run(const struct gates *direction)
{
	struct gates gates = *direction;
	bool split = gates.node->recurrent.linear_before_reset;
	int ret;

	gates.rows = 2 * gates.hidden;
	ret = gates_run(gates);
	gates.first = 2 * gates.hidden;
	gates.rows = gates.hidden;
	gates.reset = !split;
	gates.use_hidden = !split;
	if (!ret)
		ret = gates_run(gates);
	if (ret || !split)
		return ret;
	gates.use_input = false;
	gates.use_hidden = true;
	return gates_run(gates);
}

int reconstruct_recurrent(const struct reconstruct_layer *layer)
{
	const struct graph_node *node = reconstruct_layer_node(layer);
	const struct graph_recurrent *recurrent = &node->recurrent;
	int64_t count = node->op == GRAPH_LSTM ? LSTM_GATES : GRU_GATES;
	struct gates gates = {
		.layer = layer,
		.node = node,
		.reverse = recurrent->direction == GRAPH_REVERSE,
		.inputs = layer->dense->tensors[node->inputs[WEIGHT]]
				  .shape.dims[FEATURES],
		.hidden = recurrent->hidden,
		.all = count * recurrent->hidden,
		.rows = count * recurrent->hidden,
		.use_input = true,
		.use_hidden = true,
		.bias = GRAPH_NO_TENSOR,
	};
	int directions = recurrent->direction == GRAPH_BIDIRECTIONAL ? 2 : 1;
	int ret = 0;

	if (has_bias(&gates) &&
	    reconstruct_layer_owns(layer, node->inputs[BIAS]))
		gates.bias = node->inputs[BIAS];
	for (int d = 0; d < directions && !ret; d++) {
		gates.direction = d;
		gates.reverse = gates.reverse || d;
		ret = node->op == GRAPH_LSTM ? gates_run(gates) :
					       gru_run(&gates);
	}
	return ret;
}
