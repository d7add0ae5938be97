/* SPDX-License-Identifier: MIT */
#include <core/error.h>
#include <train/gradient.h>
#include <train/tape_memory.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Floats of a cache line. */
#define ALIGNMENT 16

int tape_step_loss(const struct graph *graph)
{
	return graph->node_count;
}

int tape_step_back(const struct graph *graph, int node)
{
	return 2 * graph->node_count - node;
}

int tape_step_end(const struct graph *graph)
{
	return 2 * graph->node_count + 1;
}

bool tape_node_is_active(const struct graph_node *node,
			 const struct tape_role *roles)
{
	for (int i = 0; i < node->output_count; i++)
		if (node->outputs[i] >= 0 && roles[node->outputs[i]].active)
			return true;
	return false;
}

/* ---- offsets ---- */

/* Large ones first: small ones find gaps between them. */
static int compare_sizes(const void *left, const void *right)
{
	const struct tape_span *const *a = left, *const *b = right;

	if ((*a)->size != (*b)->size)
		return (*a)->size < (*b)->size ? 1 : -1;
	return *a < *b ? -1 : *a > *b;
}

/* Take the first gap between those placed, which are sorted by their offsets. */
static void place_span(struct tape_span **placed, int count,
		       struct tape_span *span)
{
	int64_t offset = 0;
	int at = 0;

	for (int i = 0; i < count; i++) {
		const struct tape_span *other = placed[i];

		if (other->end < span->begin || span->end < other->begin)
			continue;
		if (other->offset - offset >= span->size)
			break;
		if (other->offset + other->size > offset)
			offset = other->offset + other->size;
	}
	span->offset = offset;
	while (at < count && placed[at]->offset <= offset)
		at++;
	memmove(placed + at + 1, placed + at,
		(size_t)(count - at) * sizeof(struct tape_span *));
	placed[at] = span;
}

/* Laid end to end they must be countable; then no offset can overflow. */
static int check_sizes(const struct tape_span *spans, int count)
{
	int64_t total = 0;

	for (int i = 0; i < count; i++)
		if (spans[i].used &&
		    __builtin_add_overflow(total, spans[i].size, &total))
			return -EOVERFLOW;
	return 0;
}

int tape_memory_place(struct tape_span *spans, int count, int64_t *floats)
{
	size_t room = (size_t)count + 1;
	struct tape_span **order = calloc(room, sizeof(struct tape_span *));
	struct tape_span **placed = calloc(room, sizeof(struct tape_span *));
	int used = 0;
	int ret = order && placed ? check_sizes(spans, count) : -ENOMEM;

	*floats = 0;
	for (int i = 0; i < count && !ret; i++)
		if (spans[i].used)
			order[used++] = &spans[i];
	if (used)
		qsort(order, (size_t)used, sizeof(struct tape_span *),
		      compare_sizes);
	for (int i = 0; i < used; i++) {
		place_span(placed, i, order[i]);
		if (order[i]->offset + order[i]->size > *floats)
			*floats = order[i]->offset + order[i]->size;
	}
	free(order);
	free(placed);
	return ret;
}

/* ---- times ---- */

static void open_span(struct tape_span *span, int64_t size, int begin, int end)
{
	/* What cannot be counted fails later, when sizes are added. */
	if (size > INT64_MAX - ALIGNMENT)
		size = INT64_MAX - ALIGNMENT;
	*span = (struct tape_span){
		.used = true,
		.begin = begin,
		.end = end,
		.size = (size + ALIGNMENT) & -(int64_t)ALIGNMENT,
	};
}

static void extend(struct tape_span *span, int step)
{
	if (span->end < step)
		span->end = step;
}

static bool is_listed(const int *list, int count, int tensor)
{
	for (int i = 0; i < count; i++)
		if (list[i] == tensor)
			return true;
	return false;
}

/* May the caller ask for its values? */
static bool is_visible(const struct graph *graph, const struct tape_role *roles,
		       int tensor)
{
	return roles[tensor].seeded ||
	       is_listed(graph->inputs, graph->input_count, tensor) ||
	       is_listed(graph->outputs, graph->output_count, tensor);
}

static void find_value_times(struct tape_memory *memory,
			     const struct graph *graph,
			     const struct graph_shape *shapes,
			     const struct tape_role *roles)
{
	for (int t = 0; t < graph->tensor_count; t++) {
		int producer = graph->tensors[t].producer;
		int begin = producer < 0 ? 0 : producer;

		if (roles[t].computed)
			open_span(&memory->values[t],
				  graph_shape_count(&shapes[t]), begin,
				  is_visible(graph, roles, t) ?
					  tape_step_end(graph) :
					  begin);
	}
	for (int n = 0; n < graph->node_count; n++) {
		const struct graph_node *node = &graph->nodes[n];
		bool active = tape_node_is_active(node, roles);

		for (int i = 0; i < node->input_count; i++) {
			if (node->inputs[i] < 0)
				continue;
			extend(&memory->values[node->inputs[i]],
			       active && gradient_reads_values(node->op) ?
				       tape_step_back(graph, n) :
				       n);
		}
	}
}

/* From the last reader's way back, or the loss, to the producer's. */
static void find_gradient_times(struct tape_memory *memory,
				const struct graph *graph,
				const struct graph_shape *shapes,
				const struct tape_role *roles)
{
	int loss = tape_step_loss(graph);

	for (int t = 0; t < graph->tensor_count; t++) {
		int producer = graph->tensors[t].producer;
		int end = loss;

		if (roles[t].active)
			end = producer < 0 ? tape_step_end(graph) :
					     tape_step_back(graph, producer);
		if (roles[t].wanted)
			end = tape_step_end(graph);
		if (roles[t].wanted || roles[t].seeded || roles[t].active)
			open_span(&memory->gradients[t],
				  graph_shape_count(&shapes[t]), loss, end);
	}
	for (int n = 0; n < graph->node_count; n++) {
		const struct graph_node *node = &graph->nodes[n];
		bool active = tape_node_is_active(node, roles);

		for (int i = 0; active && i < node->input_count; i++) {
			int t = node->inputs[i];

			/* Later readers come first on the way back. */
			if (t >= 0 && roles[t].active && !roles[t].seeded)
				memory->gradients[t].begin =
					tape_step_back(graph, n);
		}
	}
}

static void find_pass_times(struct tape_memory *memory,
			    const struct graph *graph,
			    const struct graph_shape *shapes,
			    const struct tape_role *roles)
{
	for (int t = 0; t < graph->tensor_count; t++) {
		int64_t bytes = graph_shape_count(&shapes[t]);

		if (roles[t].computed && roles[t].transformed &&
		    roles[t].active)
			open_span(&memory->passes[t],
				  bytes / (int64_t)sizeof(float) + 1,
				  memory->values[t].begin,
				  memory->gradients[t].end);
	}
}

int tape_memory_plan(struct tape_memory *memory, const struct graph *graph,
		     const struct graph_shape *shapes,
		     const struct tape_role *roles)
{
	size_t tensors = (size_t)graph->tensor_count;
	struct tape_span *spans = calloc(3 * tensors + 1, sizeof(*spans));

	memory->values = spans;
	if (!spans)
		return -ENOMEM;
	memory->gradients = spans + tensors;
	memory->passes = spans + 2 * tensors;
	find_value_times(memory, graph, shapes, roles);
	find_gradient_times(memory, graph, shapes, roles);
	find_pass_times(memory, graph, shapes, roles);
	return tape_memory_place(spans, (int)(3 * tensors), &memory->floats);
}

void tape_memory_release(struct tape_memory *memory)
{
	free(memory->values);
	*memory = (struct tape_memory){ .floats = 0 };
}
