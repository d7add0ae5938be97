/* SPDX-License-Identifier: MIT */
#include <core/error.h>
#include <train/distill_state.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/** struct part - one array of a state, for what treats all alike */
struct part {
	const char *tag;
	void *data;
	size_t size;
};

enum { PARTS_MAX = 8 };

/* The arrays there are, in a fixed order; returns their number. */
static int list_parts(const struct distill_state *state, struct part *parts)
{
	size_t floats = state->count * sizeof(float);
	const struct part all[] = {
		{ "values", state->values, floats },
		{ "keep", state->keep, state->count },
		{ "worth", state->worth, floats },
		{ "ranges", state->ranges,
		  state->range_count * sizeof(*state->ranges) },
		{ "first moments", state->optimizer.first, floats },
		{ "second moments", state->optimizer.second, floats },
		{ "average", state->optimizer.average, floats },
	};
	int count = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (all[i].data)
			parts[count++] = all[i];
	return count;
}

int distill_state_create(struct distill_state *state, size_t count,
			 size_t range_count,
			 const struct optimizer_options *options)
{
	int ret;

	*state = (struct distill_state){
		.numbers = { .factor = 1 },
		.count = count,
		.range_count = range_count,
		.values = calloc(count + 1, sizeof(float)),
		.keep = malloc(count + 1),
		.worth = calloc(count + 1, sizeof(float)),
		.ranges =
			calloc(range_count + 1, sizeof(struct quantize_range)),
	};
	if (!state->values || !state->keep || !state->worth || !state->ranges) {
		distill_state_release(state);
		return accel_error(-ENOMEM, "no memory for a training");
	}
	memset(state->keep, 1, count);
	ret = optimizer_create(&state->optimizer, options, count);
	if (ret)
		distill_state_release(state);
	return ret;
}

void distill_state_copy(struct distill_state *to,
			const struct distill_state *from)
{
	struct part a[PARTS_MAX], b[PARTS_MAX];
	int count = list_parts(to, a);

	list_parts(from, b);
	for (int i = 0; i < count; i++)
		memcpy(a[i].data, b[i].data, a[i].size);
	to->numbers = from->numbers;
	to->optimizer.step = from->optimizer.step;
}

void distill_state_put(const struct distill_state *state,
		       struct train_checkpoint *checkpoint)
{
	struct part parts[PARTS_MAX];
	int count = list_parts(state, parts);

	train_checkpoint_put(checkpoint, "numbers", &state->numbers,
			     sizeof(state->numbers));
	train_checkpoint_put(checkpoint, "optimizer", &state->optimizer.step,
			     sizeof(state->optimizer.step));
	for (int i = 0; i < count; i++)
		train_checkpoint_put(checkpoint, parts[i].tag, parts[i].data,
				     parts[i].size);
}

int distill_state_get(struct distill_state *state,
		      struct train_checkpoint *checkpoint)
{
	struct part parts[PARTS_MAX];
	int count = list_parts(state, parts);
	int ret = train_checkpoint_get(checkpoint, "numbers", &state->numbers,
				       sizeof(state->numbers));

	if (!ret)
		ret = train_checkpoint_get(checkpoint, "optimizer",
					   &state->optimizer.step,
					   sizeof(state->optimizer.step));
	for (int i = 0; i < count && !ret; i++)
		ret = train_checkpoint_get(checkpoint, parts[i].tag,
					   parts[i].data, parts[i].size);
	return ret;
}

void distill_state_release(struct distill_state *state)
{
	free(state->values);
	free(state->keep);
	free(state->worth);
	free(state->ranges);
	optimizer_release(&state->optimizer);
	*state = (struct distill_state){ 0 };
}
