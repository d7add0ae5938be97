/* SPDX-License-Identifier: MIT */
#include <compact/mixer.h>

#include <errno.h>
#include <stdlib.h>

#define ONE (1u << CODER_BITS)

/* 1 ÷ (1 + exp(−x)) in parts of ONE for x = −8, −7.5 … 8. */
#define STEP_BITS (ODDS_BITS - 1)
static const uint16_t logistic[] = {
	22,    36,    60,    98,    162,   267,	  439,	 720,	1179,
	1921,  3108,  4971,  7812,  11955, 17625, 24743, 32768, 40793,
	47911, 53581, 57724, 60565, 62428, 63615, 64357, 64816, 65097,
	65269, 65374, 65438, 65476, 65500, 65514,
};

/* What an opinion that stands alone may be sure of. */
#define ALONE_MIN 32u

#define WEIGHT_SHIFT 16
#define WEIGHT_FIRST 20000
/* Bounds the sums of what a hostile file can teach. */
#define WEIGHT_MAX (16 << WEIGHT_SHIFT)
/* How slowly weights follow. */
#define GRADIENT_SHIFT 14

static uint32_t probability(int32_t odds)
{
	uint32_t x = (uint32_t)(odds + ODDS_MAX + 1);
	uint32_t step = x >> STEP_BITS;
	uint32_t part = x & ((1u << STEP_BITS) - 1);
	uint32_t rise = (uint32_t)logistic[step + 1] - logistic[step];

	return logistic[step] + (rise * part >> STEP_BITS);
}

/* The inverse of probability(). */
void odds_create(struct odds *odds)
{
	uint32_t next = 0;

	for (int32_t x = -ODDS_MAX; x <= ODDS_MAX; x++) {
		uint32_t p = probability(x) >> (CODER_BITS - ODDS_TABLE_BITS);

		for (; next <= p; next++)
			odds->of[next] = (int16_t)x;
	}
	for (; next < 1u << ODDS_TABLE_BITS; next++)
		odds->of[next] = ODDS_MAX;
	for (uint32_t seen = 0; seen <= OPINION_LIMIT; seen++)
		odds->share[seen] = (uint16_t)(ONE / (seen + 2));
}

int mixer_create(struct mixer *mixer, const struct odds *odds, uint32_t inputs,
		 uint32_t sets)
{
	size_t count = (size_t)inputs * sets;

	mixer->odds = odds;
	mixer->inputs = inputs;
	mixer->weights = malloc(count * sizeof(*mixer->weights));
	if (!mixer->weights)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		mixer->weights[i] = WEIGHT_FIRST;
	return 0;
}

void mixer_release(struct mixer *mixer)
{
	free(mixer->weights);
}

void opinions_reset(struct opinion *opinions, size_t count, uint32_t one,
		    uint16_t seen)
{
	for (size_t i = 0; i < count; i++)
		opinions[i] = (struct opinion){ (uint16_t)one, seen };
}

/* The mean of all bits at first, later of the last ones. */
static inline void opinion_learn(struct opinion *opinion,
				 const struct odds *odds, uint32_t bit)
{
	uint32_t share = odds->share[opinion->seen];
	uint32_t one = opinion->one;

	if (bit)
		one += (ONE - 1 - one) * share >> CODER_BITS;
	else
		one -= one * share >> CODER_BITS;
	opinion->one = (uint16_t)one;
	opinion->seen += opinion->seen < OPINION_LIMIT;
}

static inline int32_t clamp(int64_t value, int32_t most)
{
	if (value > most)
		return most;
	return value < -most ? -most : (int32_t)value;
}

uint32_t mixer_bit(struct mixer *mixer, struct coder *coder, uint32_t set,
		   struct opinion *const *opinions, uint32_t bit)
{
	int32_t *weights = mixer->weights + (size_t)set * mixer->inputs;
	const struct odds *odds = mixer->odds;
	int32_t said[MIXER_INPUTS_MAX];
	int64_t sum = 0;
	uint32_t one;
	int32_t error;

	for (uint32_t i = 0; i < mixer->inputs; i++) {
		said[i] = odds->of[opinions[i]->one >>
				   (CODER_BITS - ODDS_TABLE_BITS)];
		sum += (int64_t)weights[i] * said[i];
	}
	one = probability(clamp(sum / (1 << WEIGHT_SHIFT), ODDS_MAX));
	bit = coder_bit(coder, one, bit);
	error = (int32_t)(bit << CODER_BITS) - (int32_t)one;
	for (uint32_t i = 0; i < mixer->inputs; i++) {
		weights[i] =
			clamp((int64_t)weights[i] +
				      said[i] * error / (1 << GRADIENT_SHIFT),
			      WEIGHT_MAX);
		opinion_learn(opinions[i], odds, bit);
	}
	return bit;
}

uint32_t mixer_tree(struct mixer *mixer, struct coder *coder, uint32_t bits,
		    struct opinion *const *trees, uint32_t value)
{
	struct opinion *opinions[MIXER_INPUTS_MAX];
	uint32_t node = 1;

	for (uint32_t i = bits; i--;) {
		for (uint32_t j = 0; j < mixer->inputs; j++)
			opinions[j] = trees[j] + node;
		node = node << 1 |
		       mixer_bit(mixer, coder, node, opinions, value >> i & 1);
	}
	return node - (1u << bits);
}

uint32_t opinion_bit(struct opinion *opinion, const struct odds *odds,
		     struct coder *coder, uint32_t bit)
{
	uint32_t one = opinion->one;

	if (one < ALONE_MIN)
		one = ALONE_MIN;
	if (one > ONE - ALONE_MIN)
		one = ONE - ALONE_MIN;
	bit = coder_bit(coder, one, bit);
	opinion_learn(opinion, odds, bit);
	return bit;
}

uint32_t opinion_tree(struct opinion *tree, const struct odds *odds,
		      struct coder *coder, uint32_t bits, uint32_t value)
{
	uint32_t node = 1;

	for (uint32_t i = bits; i--;)
		node = node << 1 |
		       opinion_bit(&tree[node], odds, coder, value >> i & 1);
	return node - (1u << bits);
}
