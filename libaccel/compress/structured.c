/* SPDX-License-Identifier: MIT */
#include <compress/structured.h>

#include <compress/channel_group.h>
#include <compress/channel_removal.h>
#include <compress/hidden_units.h>
#include <compress/saliency.h>
#include <compress/weight_layout.h>
#include <core/error.h>

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

enum { X, WEIGHT, RECURRENCE };

/**
 * struct matrix - the weights between two sets of channels
 * @node: that has them
 * @slot: of the node's inputs that they are
 * @tensor: they
 * @rows: that are left
 * @columns: that are left
 * @cost: of what one row and one column have in common
 */
struct matrix {
	int node;
	int slot;
	int tensor;
	int64_t rows;
	int64_t columns;
	double cost;
};

/**
 * struct side - what a group has in a matrix
 * @matrix: which
 * @rows: that are its
 * @columns: that are its
 * @next: of the same group; −1: the last one
 */
struct side {
	int matrix;
	int64_t rows;
	int64_t columns;
	int next;
};

/**
 * struct choice - one call
 * @groups: of @graph
 * @graph: that is to get narrower
 * @scores: of its weights
 * @matrices: of layers
 * @matrix_count: number of them
 * @sides: of all groups
 * @side_count: number of them
 * @first: of each group: its first side, or −1
 * @worth: of each group
 * @gone: of each group: it goes
 * @left: cost of all weights that stay
 * @wanted: what it is to come down to
 */
struct choice {
	const struct channel_groups *groups;
	const struct graph *graph;
	float *const *scores;
	struct matrix *matrices;
	int matrix_count;
	struct side *sides;
	int side_count;
	int *first;
	double *worth;
	bool *gone;
	double left;
	double wanted;
};

/* ---- what hangs on a group ---- */

static bool is_layer(const struct graph_node *node)
{
	return (graph_op_is_linear(node->op) ||
		graph_op_is_recurrent(node->op)) &&
	       !node->structural;
}

static void add_matrix(struct choice *choice, int node, int slot,
		       const double *costs)
{
	const struct graph_node *own = &choice->graph->nodes[node];
	int tensor = own->inputs[slot];
	const struct graph_shape *shape = &choice->graph->tensors[tensor].shape;
	bool by_inputs = own->op == GRAPH_CONV_TRANSPOSE &&
			 !channel_is_depthwise(choice->graph, own);
	int64_t columns = by_inputs			 ? shape->dims[0] :
			  graph_op_is_recurrent(own->op) ? shape->dims[2] :
							   shape->dims[1];
	int64_t taps = shape->rank == 4 ? shape->dims[2] * shape->dims[3] : 1;

	choice->matrices[choice->matrix_count++] = (struct matrix){
		.node = node,
		.slot = slot,
		.tensor = tensor,
		.rows = graph_shape_count(shape) / (columns * taps),
		.columns = columns,
		.cost = (double)taps * (costs ? costs[tensor] : 1),
	};
}

/* Of a group's sides the newest comes first. */
static struct side *side_of(struct choice *choice, int group, int matrix)
{
	int newest = choice->first[group];

	if (newest < 0 || choice->sides[newest].matrix != matrix) {
		choice->sides[choice->side_count] =
			(struct side){ .matrix = matrix, .next = newest };
		choice->first[group] = choice->side_count++;
	}
	return &choice->sides[choice->first[group]];
}

static struct channel_sides find_sides(const struct choice *choice,
				       const struct matrix *matrix)
{
	return channel_groups_sides(choice->groups, choice->graph, matrix->node,
				    matrix->slot);
}

static void add_sides(struct choice *choice, int matrix)
{
	struct channel_sides sides =
		find_sides(choice, &choice->matrices[matrix]);

	for (int64_t i = 0; sides.rows && i < sides.row_count; i++)
		if (sides.rows[i] >= 0)
			side_of(choice, sides.rows[i], matrix)->rows +=
				sides.gates;
	for (int64_t i = 0; sides.columns && i < sides.column_count; i++)
		if (sides.columns[i] >= 0)
			side_of(choice, sides.columns[i], matrix)->columns++;
}

/*
 * By what is lost where it is read. What makes it says less: on the VAE decoder half of
 * the weights went at 25 dB with it, and at 32 without.
 */
static void add_worth(struct choice *choice, const struct matrix *matrix)
{
	const struct channel_sides sides = find_sides(choice, matrix);
	struct weight_layout layout =
		weight_layout_find(choice->graph, matrix->tensor);
	int64_t count = graph_shape_count(
		&choice->graph->tensors[matrix->tensor].shape);

	for (int64_t i = 0; sides.columns && i < count; i++) {
		int group = sides.columns[weight_layout_channel(&layout, i)];

		if (group >= 0)
			choice->worth[group] +=
				(double)choice->scores[matrix->tensor][i];
	}
}

static void release_choice(struct choice *choice)
{
	free(choice->matrices);
	free(choice->sides);
	free(choice->first);
	free(choice->worth);
	free(choice->gone);
}

/* At most as many sides as channels on both sides of all matrices. */
static size_t count_sides(const struct choice *choice)
{
	size_t count = 1;

	for (int m = 0; m < choice->matrix_count; m++)
		count += (size_t)(choice->matrices[m].rows +
				  choice->matrices[m].columns);
	return count;
}

static int create_choice(struct choice *choice, const double *costs)
{
	const struct graph *graph = choice->graph;
	size_t groups = (size_t)choice->groups->count + 1;

	/* Two of a recurrent layer. */
	choice->matrices = calloc(2 * (size_t)graph->node_count + 1,
				  sizeof(*choice->matrices));
	choice->first = calloc(groups, sizeof(*choice->first));
	choice->worth = calloc(groups, sizeof(*choice->worth));
	choice->gone = calloc(groups, sizeof(*choice->gone));
	if (!choice->matrices || !choice->first || !choice->worth ||
	    !choice->gone)
		return -ENOMEM;
	for (int n = 0; n < graph->node_count; n++) {
		if (is_layer(&graph->nodes[n]))
			add_matrix(choice, n, WEIGHT, costs);
		if (graph_op_is_recurrent(graph->nodes[n].op))
			add_matrix(choice, n, RECURRENCE, costs);
	}
	choice->sides = calloc(count_sides(choice), sizeof(*choice->sides));
	if (!choice->sides)
		return -ENOMEM;
	for (int g = 0; g < choice->groups->count; g++)
		choice->first[g] = -1;
	for (int m = 0; m < choice->matrix_count; m++) {
		add_sides(choice, m);
		add_worth(choice, &choice->matrices[m]);
	}
	return 0;
}

/* ---- who goes ---- */

/* Cost of the weights that would go with a group; 0: a layer would be empty. */
static double find_gain(const struct choice *choice, int group)
{
	double gain = 0;

	for (int s = choice->first[group]; s >= 0; s = choice->sides[s].next) {
		const struct side *side = &choice->sides[s];
		const struct matrix *matrix = &choice->matrices[side->matrix];
		int64_t rows = matrix->rows - side->rows;
		int64_t columns = matrix->columns - side->columns;

		if (rows < 1 || columns < 1)
			return 0;
		gain += matrix->cost * (double)(matrix->rows * matrix->columns -
						rows * columns);
	}
	return gain;
}

static void remove_group(struct choice *choice, int group, double gain)
{
	for (int s = choice->first[group]; s >= 0; s = choice->sides[s].next) {
		const struct side *side = &choice->sides[s];

		choice->matrices[side->matrix].rows -= side->rows;
		choice->matrices[side->matrix].columns -= side->columns;
	}
	choice->gone[group] = true;
	choice->left -= gain;
}

/* The least worth by what it takes, of those that the budget has no room for. */
static int cheapest_group(const struct choice *choice, double *gain)
{
	double least = INFINITY;
	int best = -1;

	for (int g = 0; g < choice->groups->count; g++) {
		double own = choice->gone[g] ? 0 : find_gain(choice, g);

		if (own > 0 && choice->left - own >= choice->wanted &&
		    choice->worth[g] / own < least) {
			least = choice->worth[g] / own;
			*gain = own;
			best = g;
		}
	}
	return best;
}

static void choose_groups(struct choice *choice)
{
	double gain;
	int group;

	while ((group = cheapest_group(choice, &gain)) >= 0)
		remove_group(choice, group, gain);
}

static void clear_scores(const struct choice *choice,
			 const struct matrix *matrix)
{
	const struct channel_sides sides = find_sides(choice, matrix);
	struct weight_layout layout =
		weight_layout_find(choice->graph, matrix->tensor);
	int64_t count = graph_shape_count(
		&choice->graph->tensors[matrix->tensor].shape);
	float *scores = choice->scores[matrix->tensor];

	for (int64_t i = 0; i < count; i++) {
		int row = sides.rows ?
				  sides.rows[weight_layout_neuron(&layout, i)] :
				  CHANNEL_FIXED;
		int column =
			sides.columns ?
				sides.columns[weight_layout_channel(&layout, i)] :
				CHANNEL_FIXED;

		if ((row >= 0 && choice->gone[row]) ||
		    (column >= 0 && choice->gone[column]))
			scores[i] = 0;
	}
}

/* Only what goes with its channel has no score at all. */
static void raise_scores(const struct graph *graph, float **scores)
{
	for (int t = 0; t < graph->tensor_count; t++)
		for (int64_t i = 0;
		     scores[t] &&
		     i < graph_shape_count(&graph->tensors[t].shape);
		     i++)
			scores[t][i] = fmaxf(scores[t][i], FLT_MIN);
}

static double total_cost(const struct graph *graph, float *const *scores,
			 const double *costs)
{
	double total = 0;

	for (int t = 0; t < graph->tensor_count; t++)
		if (scores[t])
			total += (costs ? costs[t] : 1) *
				 (double)graph_shape_count(
					 &graph->tensors[t].shape);
	return total;
}

static int choose(const struct prune_method_context *context,
		  const struct channel_groups *groups, float **scores)
{
	const struct prune_budget *budget = context->budget;
	struct choice choice = {
		.groups = groups,
		.graph = context->graph,
		.scores = scores,
		.left = total_cost(context->graph, scores, budget->costs),
	};
	int ret = create_choice(&choice, budget->costs);

	if (!ret) {
		choice.wanted = (1 - budget->sparsity) * choice.left;
		choose_groups(&choice);
		raise_scores(context->graph, scores);
		for (int m = 0; m < choice.matrix_count; m++)
			clear_scores(&choice, &choice.matrices[m]);
	}
	release_choice(&choice);
	return ret;
}

/* ---- the method ---- */

static int find_groups(struct channel_groups *groups, const struct graph *graph,
		       const struct calibration_data *data)
{
	struct graph_shape *shapes =
		calloc((size_t)graph->input_count + 1, sizeof(*shapes));
	int ret;

	if (!shapes)
		return accel_error(-ENOMEM, "no memory to look for channels");
	for (int i = 0; i < graph->input_count; i++)
		shapes[i] = data->samples[0][i].shape;
	ret = channel_groups_find(groups, graph, shapes);
	free(shapes);
	return ret;
}

/* @groups: for channel_groups_release() if 0 is returned */
static int find_choice(const struct prune_method_context *context,
		       struct channel_groups *groups)
{
	const struct prune_budget *budget = context->budget;
	int ret;

	if (budget->sparsities || budget->pattern.of ||
	    budget->scope != PRUNE_GLOBAL)
		return accel_error(
			-ENOTSUP,
			"structured takes channels of the whole network: no part of a single layer, and no pattern");
	ret = find_groups(groups, context->graph, context->data);
	if (ret || groups->count)
		return ret;
	channel_groups_release(groups);
	return accel_error(
		-ENOTSUP,
		"%s: none of its neurons, channels and hidden units can go: inputs and outputs need them",
		context->graph->name);
}

int structured_score(const struct prune_method_context *context, float **scores)
{
	const struct saliency_options options = {
		.seed = context->seed,
		.workers = context->workers,
		.progress = context->progress,
	};
	struct channel_groups groups;
	/* Said before the scores are waited for. */
	int ret = find_choice(context, &groups);

	if (ret)
		return ret;
	ret = saliency_gauss_newton(context->graph, context->data, &options,
				    scores);
	if (!ret && choose(context, &groups, scores))
		ret = accel_error(-ENOMEM, "no memory to choose channels");
	channel_groups_release(&groups);
	return ret;
}

int structured_choose(const struct prune_method_context *context,
		      float **scores)
{
	struct channel_groups groups;
	int ret = find_choice(context, &groups);

	if (ret)
		return ret;
	if (choose(context, &groups, scores))
		ret = accel_error(-ENOMEM, "no memory to choose channels");
	channel_groups_release(&groups);
	return ret;
}

int structured_shrink(struct graph *graph, const struct calibration_data *data,
		      struct prune_mask *mask)
{
	struct channel_groups groups;
	bool *dead;
	int ret = find_groups(&groups, graph, data);

	if (ret)
		return ret;
	dead = calloc((size_t)groups.count + 1, sizeof(*dead));
	if (dead) {
		channels_find_dead(&groups, graph, dead);
		channels_remove(&groups, dead, graph, mask);
	} else {
		ret = accel_error(-ENOMEM, "no memory to take channels out");
	}
	free(dead);
	channel_groups_release(&groups);
	return ret;
}

int structured_whole(const struct graph *graph,
		     const struct calibration_data *data,
		     void (*tell)(void *context, const char *layer,
				  const char *reason),
		     void *context)
{
	struct channel_groups groups;
	int ret = find_groups(&groups, graph, data);

	if (ret)
		return ret;
	for (int n = 0; n < graph->node_count; n++) {
		const struct graph_node *node = &graph->nodes[n];
		const char *reason =
			graph_op_is_recurrent(node->op) ?
				hidden_units_reason(&groups, graph, n) :
				NULL;

		if (reason)
			tell(context, node->name, reason);
	}
	channel_groups_release(&groups);
	return 0;
}
