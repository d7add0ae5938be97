/* SPDX-License-Identifier: MIT */
#include <train/dataset.h>

#include <core/error.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Of samples without a test set of their own, so many are one for the test. */
#define HOLD_OUT 10

void dataset_part_release(struct dataset_part *part)
{
	free(part->bytes);
	free(part->values);
	free(part->labels);
	*part = (struct dataset_part){ .count = 0 };
}

void dataset_release(struct dataset *dataset)
{
	dataset_part_release(&dataset->train);
	dataset_part_release(&dataset->test);
}

void dataset_sample(const struct dataset_part *part, size_t index,
		    float *values)
{
	float low = part->range.low;
	float width = part->range.high - low;

	if (part->values) {
		memcpy(values, part->values + index * part->size,
		       part->size * sizeof(*values));
		return;
	}
	for (size_t i = 0; i < part->size; i++)
		values[i] = low +
			    width * (float)part->bytes[index * part->size + i] /
				    255.0f;
}

/* ---- the samples held out ---- */

static void *allocate(const void *like, size_t count, size_t size)
{
	return like ? calloc(count ? count : 1, size) : NULL;
}

static int part_allocate(struct dataset_part *part,
			 const struct dataset_part *like, size_t count)
{
	*part = *like;
	part->count = count;
	part->bytes = allocate(like->bytes, count * like->size, 1);
	part->values =
		allocate(like->values, count * like->size, sizeof(float));
	part->labels = allocate(like->labels, count, sizeof(*part->labels));
	if (!part->bytes == !like->bytes && !part->values == !like->values &&
	    !part->labels == !like->labels)
		return 0;
	dataset_part_release(part);
	return accel_error(-ENOMEM, "no memory for %zu samples", count);
}

static void sample_copy(struct dataset_part *to, size_t at,
			const struct dataset_part *from, size_t index)
{
	size_t size = to->size;

	if (to->bytes)
		memmove(to->bytes + at * size, from->bytes + index * size,
			size);
	if (to->values)
		memmove(to->values + at * size, from->values + index * size,
			size * sizeof(float));
	if (to->labels)
		to->labels[at] = from->labels[index];
}

/* What stays closes up in place: a second copy of it might not fit into memory. */
int dataset_split(struct dataset *dataset)
{
	struct dataset_part *train = &dataset->train;
	size_t kept = 0, held = 0;
	int ret;

	if (train->count < HOLD_OUT)
		return accel_error(
			-EINVAL,
			"%zu samples are too few: every tenth is held out for the test",
			train->count);
	ret = part_allocate(&dataset->test, train, train->count / HOLD_OUT);
	if (ret)
		return ret;
	for (size_t i = 0; i < train->count; i++) {
		if (i % HOLD_OUT == HOLD_OUT - 1)
			sample_copy(&dataset->test, held++, train, i);
		else
			sample_copy(train, kept++, train, i);
	}
	train->count = kept;
	return 0;
}
