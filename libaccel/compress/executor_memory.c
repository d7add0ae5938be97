/* SPDX-License-Identifier: MIT */
#include <compress/executor_memory.h>
#include <core/error.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/**
 * struct planner - state on the way through the nodes
 * @memory: the result
 * @graph: what is planned
 * @shapes: of its tensors
 * @last_use: the last node that reads a tensor; node_count: keep to the end
 * @taken: buffers that hold a living tensor
 */
struct planner {
	struct executor_memory *memory;
	const struct graph *graph;
	const struct graph_shape *shapes;
	int *last_use;
	bool *taken;
};

static void find_last_uses(struct planner *planner, bool keep)
{
	const struct graph *graph = planner->graph;

	for (int t = 0; t < graph->tensor_count; t++)
		planner->last_use[t] = keep ? graph->node_count : -1;
	if (keep)
		return;
	for (int n = 0; n < graph->node_count; n++)
		for (int i = 0; i < graph->nodes[n].input_count; i++)
			if (graph->nodes[n].inputs[i] >= 0)
				planner->last_use[graph->nodes[n].inputs[i]] =
					n;
	for (int i = 0; i < graph->output_count; i++)
		planner->last_use[graph->outputs[i]] = graph->node_count;
}

/* The smallest free buffer that is large enough, else the largest, else a new one. */
static int choose_slot(const struct planner *planner, int64_t size)
{
	const struct executor_memory *memory = planner->memory;
	int best = -1;

	for (int s = 0; s < memory->slot_count; s++) {
		int64_t have = memory->size[s];
		int64_t best_size = best < 0 ? 0 : memory->size[best];

		if (planner->taken[s])
			continue;
		if (best < 0 || (best_size < size && have > best_size) ||
		    (have >= size && have < best_size))
			best = s;
	}
	return best < 0 ? memory->slot_count : best;
}

static void give_slot(struct planner *planner, int tensor)
{
	struct executor_memory *memory = planner->memory;
	int64_t size = graph_shape_count(&planner->shapes[tensor]);
	int slot = choose_slot(planner, size);

	if (slot == memory->slot_count)
		memory->slot_count++;
	if (memory->size[slot] < size)
		memory->size[slot] = size;
	planner->taken[slot] = true;
	memory->slot[tensor] = slot;
}

static void free_slot_after(struct planner *planner, int tensor, int node)
{
	int slot = tensor < 0 ? -1 : planner->memory->slot[tensor];

	if (slot >= 0 && planner->last_use[tensor] <= node)
		planner->taken[slot] = false;
}

static void plan_node(struct planner *planner, int index)
{
	const struct graph_node *node = &planner->graph->nodes[index];

	/* All outputs first: none may lie over an input. */
	for (int i = 0; i < node->output_count; i++)
		if (node->outputs[i] >= 0)
			give_slot(planner, node->outputs[i]);
	for (int i = 0; i < node->input_count; i++)
		free_slot_after(planner, node->inputs[i], index);
	for (int i = 0; i < node->output_count; i++)
		free_slot_after(planner, node->outputs[i], index);
}

int executor_memory_plan(struct executor_memory *memory,
			 const struct graph *graph,
			 const struct graph_shape *shapes, bool keep)
{
	size_t tensors = (size_t)graph->tensor_count + 1;
	struct planner planner = {
		.memory = memory,
		.graph = graph,
		.shapes = shapes,
		.last_use = calloc(tensors, sizeof(*planner.last_use)),
		.taken = calloc(tensors, sizeof(*planner.taken)),
	};
	bool complete;

	*memory = (struct executor_memory){
		.slot = malloc(tensors * sizeof(*memory->slot)),
		.size = calloc(tensors, sizeof(*memory->size)),
	};
	complete = planner.last_use && planner.taken && memory->slot &&
		   memory->size;
	if (complete) {
		memset(memory->slot, -1, tensors * sizeof(*memory->slot));
		find_last_uses(&planner, keep);
		for (int n = 0; n < graph->node_count; n++)
			plan_node(&planner, n);
	}
	free(planner.last_use);
	free(planner.taken);
	if (complete)
		return 0;
	executor_memory_release(memory);
	return accel_error(-ENOMEM, "no memory to plan %d tensors",
			   graph->tensor_count);
}

void executor_memory_release(struct executor_memory *memory)
{
	free(memory->slot);
	free(memory->size);
	*memory = (struct executor_memory){ .slot_count = 0 };
}
