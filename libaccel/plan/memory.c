/* SPDX-License-Identifier: MIT */
#include "plan/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "plan/arena.h"

/*
 * A layer starts when the first results of the one before it are there, and ends
 * later than that began. So that it need not wait for the other's last read, what was
 * read stays for some moments more, and what is new goes elsewhere. Bands (band.h)
 * need one of them.
 */
#define OVERLAP_MOMENTS 2

static bool is_recurrent(const struct model_layer *layer)
{
	return layer->op == MODEL_LSTM || layer->op == MODEL_GRU;
}

static bool is_view(const struct model_layer *layer)
{
	return layer->op == MODEL_RESHAPE || layer->op == MODEL_SLICE;
}

static uint32_t concat_inputs_count(const struct model *model)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < model->layer_count; i++)
		if (model->layers[i].op == MODEL_CONCAT)
			count += model->layers[i].input_count;
	return count;
}

static uint32_t recurrent_count(const struct model *model)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < model->layer_count; i++)
		count += is_recurrent(&model->layers[i]);
	return count;
}

static int memory_allocate(const struct model *model,
			   struct plan_memory *memory)
{
	size_t tensors = (size_t)model->tensor_count + 1;
	uint32_t copies = concat_inputs_count(model);

	memory->tensor_count = model->tensor_count;
	memory->offset = calloc(tensors, sizeof(*memory->offset));
	memory->bytes = calloc(tensors, sizeof(*memory->bytes));
	memory->last_read = calloc(tensors, sizeof(*memory->last_read));
	memory->copies = calloc((size_t)copies + 1, sizeof(*memory->copies));
	memory->states = calloc((size_t)recurrent_count(model) + 1,
				sizeof(*memory->states));
	if (!memory->offset || !memory->bytes || !memory->last_read ||
	    !memory->copies || !memory->states)
		return accel_error(-ENOMEM, "out of memory");
	return storage_set_create(&memory->storage,
				  model->tensor_count + copies);
}

static void nodes_add(const struct model *model, const struct plan_shape *shape,
		      struct plan_memory *memory)
{
	for (uint32_t i = 0; i < model->tensor_count; i++) {
		size_t bytes = 0;

		plan_tensor_bytes(model, shape, i, &bytes);
		memory->bytes[i] = bytes;
		storage_add(&memory->storage, bytes, false);
	}
	for (uint32_t i = 0; i < model->input_count; i++)
		memory->storage.nodes[model->inputs[i].tensor].written = true;
}

static void latest(uint32_t *moment, uint32_t other)
{
	if (other > *moment)
		*moment = other;
}

/* When all of a tensor's bytes have been written. */
static uint32_t moment_written(const struct plan_memory *memory,
			       const struct model *model, uint32_t tensor)
{
	uint32_t moment = PLAN_MOMENT_INPUTS;

	for (uint32_t l = 0; l < model->layer_count; l++)
		for (uint32_t i = 0; i < model->layers[l].output_count; i++) {
			int32_t output = model->layers[l].outputs[i];

			if (output != MODEL_NO_TENSOR &&
			    memory->storage.nodes[output].written &&
			    storage_overlap(&memory->storage, (uint32_t)output,
					    tensor))
				latest(&moment, PLAN_MOMENT_OF_LAYER(l));
		}
	for (uint32_t i = 0; i < memory->copy_count; i++)
		if (storage_overlap(&memory->storage, memory->copies[i].node,
				    tensor))
			latest(&moment, memory->copies[i].moment);
	return moment;
}

static bool concat_copy(struct plan_memory *memory, uint32_t layer,
			uint32_t input, uint32_t output, int64_t distance)
{
	struct plan_copy *copy = &memory->copies[memory->copy_count++];

	copy->layer = layer;
	copy->tensor = input;
	copy->node = storage_add(&memory->storage, memory->bytes[input], true);
	copy->offset = 0;
	return storage_join(&memory->storage, output, copy->node, distance);
}

/* Which inputs of a concat may be written in place. */
enum concat_choice {
	CONCAT_ALIAS_ALL,
	CONCAT_ALIAS_ALONE, /* those that share memory with nothing else */
	CONCAT_ALIAS_NONE,
};

static bool may_alias(const struct plan_memory *memory, uint32_t tensor,
		      enum concat_choice choice)
{
	return choice == CONCAT_ALIAS_ALL ||
	       (choice == CONCAT_ALIAS_ALONE &&
		storage_is_alone(&memory->storage, tensor));
}

/*
 * Put the inputs in place where that is possible and copy the others; false if a
 * copy would overwrite what an input brought with it.
 */
static bool concat_join(struct plan_memory *memory,
			const struct model_layer *layer, uint32_t number,
			enum concat_choice choice)
{
	uint32_t output = (uint32_t)layer->outputs[0];
	int64_t distance = 0;

	for (uint32_t i = 0; i < layer->input_count; i++) {
		uint32_t input = (uint32_t)layer->inputs[i];

		if (!may_alias(memory, input, choice) ||
		    !storage_join(&memory->storage, output, input, distance))
			if (!concat_copy(memory, number, input, output,
					 distance))
				return false;
		distance += (int64_t)memory->bytes[input];
	}
	return true;
}

/* Copying all always succeeds: nothing else is in the output's storage yet. */
static int concat_place(struct plan_memory *memory,
			const struct model_layer *layer, uint32_t number)
{
	uint32_t copies = memory->copy_count;
	struct storage_set before;
	int ret = storage_set_create(&before, memory->storage.capacity);

	if (ret)
		return ret;
	storage_set_copy(&before, &memory->storage);
	for (int choice = CONCAT_ALIAS_ALL; choice <= CONCAT_ALIAS_NONE;
	     choice++) {
		if (concat_join(memory, layer, number,
				(enum concat_choice)choice))
			break;
		storage_set_copy(&memory->storage, &before);
		memory->copy_count = copies;
	}
	storage_set_free(&before);
	return 0;
}

static int64_t slice_distance(const struct plan_memory *memory,
			      const struct plan_shape *shape,
			      const struct model_layer *layer)
{
	uint32_t input = (uint32_t)layer->inputs[0];
	uint64_t plane = memory->bytes[input] / shape->extents[input].channels;

	return (int64_t)(plane * layer->slice.first_channel);
}

static int layer_place(struct plan_memory *memory,
		       const struct plan_shape *shape,
		       const struct model_layer *layer, uint32_t number)
{
	struct storage_node *nodes = memory->storage.nodes;

	if (layer->op == MODEL_CONCAT)
		return concat_place(memory, layer, number);
	if (is_view(layer)) {
		int64_t distance =
			layer->op == MODEL_SLICE ?
				slice_distance(memory, shape, layer) :
				0;

		storage_join(&memory->storage, (uint32_t)layer->inputs[0],
			     (uint32_t)layer->outputs[0], distance);
		return 0;
	}
	for (uint32_t i = 0; i < layer->output_count; i++)
		if (layer->outputs[i] != MODEL_NO_TENSOR)
			nodes[layer->outputs[i]].written = true;
	return 0;
}

/*
 * A copy is made as soon as there is something to copy: it passes while the layers
 * go on that do not need it.
 */
static int compare_moment(const void *left, const void *right)
{
	const struct plan_copy *a = left, *b = right;

	if (a->moment != b->moment)
		return a->moment < b->moment ? -1 : 1;
	return a->node < b->node ? -1 : a->node > b->node;
}

static void copies_order(const struct model *model, struct plan_memory *memory)
{
	for (uint32_t i = 0; i < memory->copy_count; i++)
		memory->copies[i].moment =
			moment_written(memory, model, memory->copies[i].tensor);
	qsort(memory->copies, memory->copy_count, sizeof(*memory->copies),
	      compare_moment);
}

static void reads_record(const struct model *model, bool keep,
			 struct plan_memory *memory)
{
	int32_t operands[MODEL_INPUTS_MAX + 1];

	for (uint32_t l = 0; l < model->layer_count; l++) {
		uint32_t count =
			model_layer_operands(&model->layers[l], operands);

		/* These read nothing; their readers and the copies do. */
		if (is_view(&model->layers[l]) ||
		    model->layers[l].op == MODEL_CONCAT)
			continue;
		for (uint32_t i = 0; i < count; i++)
			memory->last_read[operands[i]] =
				PLAN_MOMENT_OF_LAYER(l);
	}
	for (uint32_t i = 0; i < memory->copy_count; i++)
		latest(&memory->last_read[memory->copies[i].tensor],
		       memory->copies[i].moment);
	for (uint32_t i = 0; i < model->output_count; i++)
		memory->last_read[model->outputs[i].tensor] = PLAN_MOMENT_END;
	for (uint32_t i = 0; keep && i < model->tensor_count; i++)
		memory->last_read[i] = PLAN_MOMENT_END;
}

/* One arena item for each storage, and for the states, which live throughout. */
struct lives {
	struct arena_item *items;
	int64_t *low; /* of each root: distance of its storage's first byte */
	int64_t *high;
};

static void life_extend(struct arena_item *item, uint32_t moment)
{
	if (moment < item->first)
		item->first = moment;
	if (moment > item->last)
		item->last = moment;
}

static void writes_extend(const struct model *model,
			  const struct plan_memory *memory,
			  struct arena_item *items)
{
	int64_t distance;

	for (uint32_t i = 0; i < model->input_count; i++)
		life_extend(
			&items[storage_root(&memory->storage,
					    (uint32_t)model->inputs[i].tensor,
					    &distance)],
			PLAN_MOMENT_INPUTS);
	for (uint32_t l = 0; l < model->layer_count; l++)
		for (uint32_t i = 0; i < model->layers[l].output_count; i++) {
			int32_t tensor = model->layers[l].outputs[i];

			if (tensor == MODEL_NO_TENSOR)
				continue;
			life_extend(&items[storage_root(&memory->storage,
							(uint32_t)tensor,
							&distance)],
				    PLAN_MOMENT_OF_LAYER(l));
		}
	for (uint32_t i = 0; i < memory->copy_count; i++)
		life_extend(
			&items[storage_root(&memory->storage,
					    memory->copies[i].node, &distance)],
			memory->copies[i].moment);
}

static void reads_extend(const struct plan_memory *memory,
			 struct arena_item *items)
{
	int64_t distance;

	for (uint32_t i = 0; i < memory->tensor_count; i++) {
		uint32_t last = memory->last_read[i];

		if (last && last < PLAN_MOMENT_END - OVERLAP_MOMENTS)
			last += OVERLAP_MOMENTS;
		if (last)
			life_extend(&items[storage_root(&memory->storage, i,
							&distance)],
				    last);
	}
}

static void extents_measure(const struct plan_memory *memory,
			    struct lives *lives)
{
	for (uint32_t i = 0; i < memory->storage.count; i++) {
		int64_t distance;
		uint32_t root = storage_root(&memory->storage, i, &distance);
		int64_t end =
			distance + (int64_t)memory->storage.nodes[i].bytes;

		if (distance < lives->low[root])
			lives->low[root] = distance;
		if (end > lives->high[root])
			lives->high[root] = end;
	}
	for (uint32_t i = 0; i < memory->storage.count; i++)
		lives->items[i].bytes =
			(uint64_t)(lives->high[i] - lives->low[i]);
}

static uint64_t sequence_bytes(const struct plan_shape *shape,
			       const struct model_layer *layer)
{
	if (layer->outputs[0] != MODEL_NO_TENSOR)
		return 0;
	return (uint64_t)shape->extents[layer->inputs[0]].height *
	       layer->recurrent.hidden * shape->batch;
}

static uint32_t states_add(const struct model *model,
			   const struct plan_shape *shape,
			   struct plan_memory *memory, struct arena_item *items)
{
	uint32_t count = 0;

	for (uint32_t l = 0; l < model->layer_count; l++) {
		const struct model_layer *layer = &model->layers[l];
		uint64_t values;

		if (!is_recurrent(layer))
			continue;
		values = (uint64_t)layer->recurrent.hidden * shape->batch;
		memory->states[memory->state_count++].layer = l;
		items[count++].bytes = values * sizeof(float);
		items[count++].bytes = values;
		items[count++].bytes = sequence_bytes(shape, layer);
	}
	for (uint32_t i = 0; i < count; i++)
		items[i].last = PLAN_MOMENT_END;
	return count;
}

static void offsets_assign(struct plan_memory *memory,
			   const struct lives *lives)
{
	const struct arena_item *states = lives->items + memory->storage.count;
	int64_t distance;
	uint32_t root;

	for (uint32_t i = 0; i < memory->tensor_count; i++) {
		root = storage_root(&memory->storage, i, &distance);
		memory->offset[i] = lives->items[root].offset +
				    (uint64_t)(distance - lives->low[root]);
	}
	for (uint32_t i = 0; i < memory->copy_count; i++) {
		root = storage_root(&memory->storage, memory->copies[i].node,
				    &distance);
		memory->copies[i].offset =
			lives->items[root].offset +
			(uint64_t)(distance - lives->low[root]);
	}
	for (uint32_t i = 0; i < memory->state_count; i++, states += 3) {
		memory->states[i].cell = states[0].offset;
		memory->states[i].hidden = states[1].offset;
		memory->states[i].sequence =
			states[2].bytes ? states[2].offset : PLAN_MEMORY_NONE;
	}
}

static void lives_free(struct lives *lives)
{
	free(lives->items);
	free(lives->low);
	free(lives->high);
}

static int lives_create(const struct plan_memory *memory, uint32_t extra,
			struct lives *lives)
{
	size_t count = (size_t)memory->storage.count + extra + 1;

	lives->items = calloc(count, sizeof(*lives->items));
	lives->low = calloc(count, sizeof(*lives->low));
	lives->high = calloc(count, sizeof(*lives->high));
	if (lives->items && lives->low && lives->high)
		return 0;
	lives_free(lives);
	return accel_error(-ENOMEM, "out of memory");
}

static int storages_place(const struct model *model,
			  const struct plan_shape *shape,
			  struct plan_memory *memory)
{
	uint32_t count = memory->storage.count;
	struct lives lives;
	int ret = lives_create(memory, 3 * recurrent_count(model), &lives);

	if (ret)
		return ret;
	for (uint32_t i = 0; i < count; i++)
		lives.items[i].first = PLAN_MOMENT_END;
	writes_extend(model, memory, lives.items);
	reads_extend(memory, lives.items);
	extents_measure(memory, &lives);
	count += states_add(model, shape, memory, lives.items + count);
	ret = arena_place(lives.items, count, &memory->total);
	if (!ret)
		offsets_assign(memory, &lives);
	lives_free(&lives);
	return ret;
}

/* A recurrent state is not in memory as a tensor but as struct plan_state. */
static void states_exclude(const struct model *model,
			   struct plan_memory *memory)
{
	for (uint32_t l = 0; l < model->layer_count; l++) {
		const struct model_layer *layer = &model->layers[l];

		if (!is_recurrent(layer))
			continue;
		for (uint32_t i = 1; i < layer->input_count; i++)
			if (layer->inputs[i] != MODEL_NO_TENSOR)
				memory->offset[layer->inputs[i]] =
					PLAN_MEMORY_NONE;
		for (uint32_t i = 1; i < layer->output_count; i++)
			if (layer->outputs[i] != MODEL_NO_TENSOR)
				memory->offset[layer->outputs[i]] =
					PLAN_MEMORY_NONE;
	}
}

int plan_memory_create(const struct model *model,
		       const struct plan_shape *shape, bool keep,
		       struct plan_memory *memory)
{
	int ret;

	memset(memory, 0, sizeof(*memory));
	ret = memory_allocate(model, memory);
	if (ret)
		return ret;
	nodes_add(model, shape, memory);
	for (uint32_t l = 0; l < model->layer_count && !ret; l++)
		ret = layer_place(memory, shape, &model->layers[l], l);
	if (ret)
		return ret;
	copies_order(model, memory);
	reads_record(model, keep, memory);
	ret = storages_place(model, shape, memory);
	if (ret)
		return ret;
	states_exclude(model, memory);
	return 0;
}

void plan_memory_free(struct plan_memory *memory)
{
	free(memory->offset);
	free(memory->bytes);
	free(memory->last_read);
	free(memory->copies);
	free(memory->states);
	storage_set_free(&memory->storage);
	memset(memory, 0, sizeof(*memory));
}

bool plan_memory_is_last_read(const struct plan_memory *memory, uint32_t tensor,
			      uint32_t layer)
{
	for (uint32_t i = 0; i < memory->tensor_count; i++)
		if (memory->last_read[i] > PLAN_MOMENT_OF_LAYER(layer) &&
		    storage_overlap(&memory->storage, i, tensor))
			return false;
	/* A copy of the same moment comes behind the layer. */
	for (uint32_t i = 0; i < memory->copy_count; i++)
		if (memory->copies[i].moment >= PLAN_MOMENT_OF_LAYER(layer) &&
		    storage_overlap(&memory->storage, memory->copies[i].tensor,
				    tensor))
			return false;
	return true;
}
