/* SPDX-License-Identifier: MIT */
#include <compact/text.h>

#include <compact/number.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Opinions after the last 0, 1, 2, 3 and 5 bytes, and within a word. */
#define ORDERS 6
#define WORD (ORDERS - 1)
static const uint32_t order_bytes[WORD] = { 0, 1, 2, 3, 5 };

/* Opinions of one order; contexts that share some by chance do little harm. */
#define TABLE_BITS 16
#define TABLE (1u << TABLE_BITS)

/* Claimed for a byte. */
#define BYTE_WORK 16

#define HASH 0x9e3779b97f4a7c15ull

/**
 * struct text_model - a text so far
 * @mixer: of the orders, a set for each byte before
 * @opinions: of each order
 * @last: eight bytes, the latest lowest
 * @word: hash of the letters since the last other character; digits do not count
 */
struct text_model {
	struct mixer mixer;
	struct opinion *opinions;
	uint64_t last;
	uint64_t word;
};

static uint64_t context_of(const struct text_model *model, int order)
{
	uint64_t mask;

	if (order == WORD)
		return model->word;
	mask = ((uint64_t)1 << (8 * order_bytes[order])) - 1;
	return ((model->last & mask) + 1) * HASH;
}

static struct opinion *find(const struct text_model *model, int order,
			    uint64_t context, uint32_t node)
{
	uint64_t hash = (context + node) * HASH;

	return model->opinions + (size_t)order * TABLE +
	       (hash >> (64 - TABLE_BITS));
}

static void text_learn(struct text_model *model, uint8_t byte)
{
	model->last = model->last << 8 | byte;
	if ((byte >= 'a' && byte <= 'z') || byte == '_')
		model->word = (model->word + byte) * HASH;
	else if (byte < '0' || byte > '9')
		model->word = 0;
}

static uint8_t byte_code(struct text_model *model, struct coder *coder,
			 uint8_t byte)
{
	struct opinion *opinions[ORDERS];
	uint64_t context[ORDERS];
	uint32_t node = 1;

	for (int i = 0; i < ORDERS; i++)
		context[i] = context_of(model, i);
	for (int bit = 7; bit >= 0; bit--) {
		for (int i = 0; i < ORDERS; i++)
			opinions[i] = find(model, i, context[i], node);
		node = node << 1 | mixer_bit(&model->mixer, coder,
					     model->last & 0xff, opinions,
					     byte >> bit & 1);
	}
	text_learn(model, (uint8_t)node);
	return (uint8_t)node;
}

static int model_create(struct text_model *model, const struct odds *odds)
{
	size_t count = (size_t)ORDERS * TABLE;
	int ret = mixer_create(&model->mixer, odds, ORDERS, 256);

	model->opinions = malloc(count * sizeof(*model->opinions));
	if (!model->opinions)
		return -ENOMEM;
	opinions_reset(model->opinions, count, CODER_HALF, 0);
	return ret;
}

static uint64_t length_code(const struct odds *odds, struct coder *coder,
			    uint64_t length)
{
	struct number_model model;

	number_reset(&model);
	length = number_code(&model, odds, coder, length);
	if (length > SIZE_MAX / BYTE_WORK ||
	    !coder_claim(coder, length * BYTE_WORK))
		coder_fail(coder, -EBADMSG);
	return length;
}

int text_code(const struct odds *odds, struct coder *coder, char **text)
{
	uint64_t length =
		length_code(odds, coder, coder->decodes ? 0 : strlen(*text));
	struct text_model model = { .last = 0 };
	char *bytes = coder->decodes ? NULL : *text;

	if (coder->error)
		return coder->error;
	if (!bytes)
		bytes = calloc(length + 1, 1);
	if (!bytes || model_create(&model, odds))
		coder_fail(coder, -ENOMEM);
	for (uint64_t i = 0; !coder->error && i < length; i++) {
		uint8_t byte = byte_code(&model, coder, (uint8_t)bytes[i]);

		if (coder->decodes)
			bytes[i] = (char)byte;
	}
	mixer_release(&model.mixer);
	free(model.opinions);
	if (coder->decodes)
		*text = bytes;
	return coder->error;
}
