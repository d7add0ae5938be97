/* SPDX-License-Identifier: MIT */
/*
 * Changes that keep the graph consistent: who produces a tensor, who reads it, what
 * the outputs are called. Removal only unlinks; graph_compact() tidies up, because
 * a pass that walks over indices must not have them moved under it.
 */
#include <compress/graph.h>
#include <core/error.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_graph_output(const struct graph *graph, int tensor)
{
	for (int i = 0; i < graph->output_count; i++)
		if (graph->outputs[i] == tensor)
			return true;
	return false;
}

int graph_replace_uses(struct graph *graph, int from, int to)
{
	if (is_graph_output(graph, from)) {
		struct graph_tensor *old = &graph->tensors[from];
		struct graph_tensor *new = &graph->tensors[to];
		char *name = old->name;

		/* an output is computed, and has one name */
		if (new->producer < 0 || is_graph_output(graph, to))
			return -EBUSY;
		old->name = new->name;
		new->name = name;
	}
	for (int i = 0; i < graph->node_count; i++)
		for (int j = 0; j < graph->nodes[i].input_count; j++)
			if (graph->nodes[i].inputs[j] == from)
				graph->nodes[i].inputs[j] = to;
	for (int i = 0; i < graph->output_count; i++)
		if (graph->outputs[i] == from)
			graph->outputs[i] = to;
	return 0;
}

void graph_remove_node(struct graph *graph, int node)
{
	struct graph_node *removed = &graph->nodes[node];

	for (int i = 0; i < removed->output_count; i++)
		if (removed->outputs[i] != GRAPH_NO_TENSOR)
			graph->tensors[removed->outputs[i]].producer = -1;
	removed->input_count = 0;
	removed->output_count = 0;
}

/* A walk from the outputs to the inputs; every node after its producers. */
struct walk {
	struct graph *graph;
	int *order; /* nodes, in the order of the result */
	int *stack;
	int *next; /* the input of a node that is to be looked at */
	char *done;
	int count;
};

/* The producer of the next input, or -1 if there is none left. */
static int next_producer(struct walk *walk, int index)
{
	const struct graph_node *node = &walk->graph->nodes[index];

	while (walk->next[index] < node->input_count) {
		int tensor = node->inputs[walk->next[index]++];

		if (tensor != GRAPH_NO_TENSOR &&
		    walk->graph->tensors[tensor].producer >= 0)
			return walk->graph->tensors[tensor].producer;
	}
	return -1;
}

/* Depth first with a stack of our own: a hostile chain may be long. */
static int visit(struct walk *walk, int root)
{
	int depth = 0;

	if (walk->done[root])
		return 0;
	walk->stack[depth++] = root;
	walk->done[root] = 1;
	while (depth) {
		int index = walk->stack[depth - 1];
		int producer = next_producer(walk, index);

		if (producer < 0) {
			walk->done[index] = 2;
			walk->order[walk->count++] = index;
			depth--;
		} else if (walk->done[producer] == 1) {
			return accel_error(-EINVAL,
					   "%s depends on its own result",
					   walk->graph->nodes[producer].name);
		} else if (!walk->done[producer]) {
			walk->done[producer] = 1;
			walk->stack[depth++] = producer;
		}
	}
	return 0;
}

/* Visit in the old order, so that a sorted graph stays as it is. */
static int visit_all(struct walk *walk, const char *needed)
{
	int ret = 0;

	for (int i = 0; i < walk->graph->node_count && !ret; i++)
		if (needed[i])
			ret = visit(walk, i);
	return ret;
}

/* Mark the nodes that outputs depend on. */
static void mark_needed(const struct graph *graph, struct walk *walk,
			char *needed)
{
	int depth = 0;

	for (int i = 0; i < graph->output_count; i++) {
		int producer = graph->tensors[graph->outputs[i]].producer;

		if (producer >= 0 && !needed[producer]) {
			needed[producer] = 1;
			walk->stack[depth++] = producer;
		}
	}
	while (depth) {
		const struct graph_node *node =
			&graph->nodes[walk->stack[--depth]];

		for (int i = 0; i < node->input_count; i++) {
			int tensor = node->inputs[i];
			int producer = tensor == GRAPH_NO_TENSOR ?
					       -1 :
					       graph->tensors[tensor].producer;

			if (producer >= 0 && !needed[producer]) {
				needed[producer] = 1;
				walk->stack[depth++] = producer;
			}
		}
	}
}

static void reorder_nodes(struct graph *graph, const struct walk *walk,
			  struct graph_node *sorted)
{
	for (int i = 0; i < walk->count; i++)
		sorted[i] = graph->nodes[walk->order[i]];
	for (int i = 0; i < graph->node_count; i++)
		if (walk->done[i] != 2)
			graph_node_clear(&graph->nodes[i]);
	memcpy(graph->nodes, sorted, sizeof(*sorted) * (size_t)walk->count);
	graph->node_count = walk->count;
	for (int i = 0; i < graph->tensor_count; i++)
		graph->tensors[i].producer = -1;
	for (int i = 0; i < graph->node_count; i++)
		for (int j = 0; j < graph->nodes[i].output_count; j++)
			if (graph->nodes[i].outputs[j] != GRAPH_NO_TENSOR)
				graph->tensors[graph->nodes[i].outputs[j]]
					.producer = i;
}

static int sort_nodes(struct graph *graph)
{
	size_t count = (size_t)graph->node_count + 1;
	struct walk walk = { .graph = graph };
	struct graph_node *sorted = calloc(count, sizeof(*sorted));
	char *needed = calloc(count, 1);
	int ret = -ENOMEM;

	walk.order = calloc(count, sizeof(*walk.order));
	walk.stack = calloc(count, sizeof(*walk.stack));
	walk.next = calloc(count, sizeof(*walk.next));
	walk.done = calloc(count, 1);
	if (sorted && needed && walk.order && walk.stack && walk.next &&
	    walk.done) {
		mark_needed(graph, &walk, needed);
		ret = visit_all(&walk, needed);
		if (!ret)
			reorder_nodes(graph, &walk, sorted);
	}
	free(walk.order);
	free(walk.stack);
	free(walk.next);
	free(walk.done);
	free(sorted);
	free(needed);
	return ret;
}

static void renumber(int *indices, int count, const int *renumbered)
{
	for (int i = 0; i < count; i++)
		if (indices[i] != GRAPH_NO_TENSOR)
			indices[i] = renumbered[indices[i]];
}

static void mark_uses(const struct graph *graph, int *used)
{
	for (int i = 0; i < graph->input_count; i++)
		used[graph->inputs[i]] = 1;
	for (int i = 0; i < graph->output_count; i++)
		used[graph->outputs[i]] = 1;
	for (int i = 0; i < graph->node_count; i++)
		for (int j = 0; j < graph->nodes[i].input_count; j++)
			if (graph->nodes[i].inputs[j] != GRAPH_NO_TENSOR)
				used[graph->nodes[i].inputs[j]] = 1;
	for (int i = 0; i < graph->node_count; i++) {
		struct graph_node *node = &graph->nodes[i];

		for (int j = 0; j < node->output_count; j++)
			if (node->outputs[j] != GRAPH_NO_TENSOR &&
			    !used[node->outputs[j]])
				node->outputs[j] = GRAPH_NO_TENSOR;
	}
}

static int drop_tensors(struct graph *graph)
{
	int *used = calloc((size_t)graph->tensor_count + 1, sizeof(*used));
	int kept = 0;

	if (!used)
		return -ENOMEM;
	mark_uses(graph, used);
	for (int i = 0; i < graph->tensor_count; i++) {
		if (!used[i]) {
			graph_tensor_clear(&graph->tensors[i]);
			continue;
		}
		graph->tensors[kept] = graph->tensors[i];
		used[i] = kept++;
	}
	graph->tensor_count = kept;
	renumber(graph->inputs, graph->input_count, used);
	renumber(graph->outputs, graph->output_count, used);
	for (int i = 0; i < graph->node_count; i++) {
		struct graph_node *node = &graph->nodes[i];

		renumber(node->inputs, node->input_count, used);
		renumber(node->outputs, node->output_count, used);
	}
	free(used);
	return 0;
}

int graph_compact(struct graph *graph)
{
	int ret = sort_nodes(graph);

	if (!ret)
		ret = drop_tensors(graph);
	if (ret == -ENOMEM)
		return accel_error(ret, "out of memory to sort the graph");
	return ret;
}
