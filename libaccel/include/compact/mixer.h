/* SPDX-License-Identifier: MIT */
/*
 * What the next bit will be: several opinions, each from what was seen in one respect, and a
 * mixer that learns whom to believe (M. Mahoney, "Adaptive weighing of context models for
 * lossless data compression", 2005). Whole numbers only, so that all machines agree.
 */
#ifndef COMPACT_MIXER_H
#define COMPACT_MIXER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <compact/coder.h>

#define MIXER_INPUTS_MAX 6

/* Log odds, log(p / (1 − p)), in parts of 1 << ODDS_BITS, between ∓ODDS_MAX. */
#define ODDS_BITS 8
#define ODDS_MAX ((8 << ODDS_BITS) - 1)
#define ODDS_TABLE_BITS 12

/* An opinion that has seen so many bits changes no slower from then on. */
#define OPINION_LIMIT 255

/**
 * struct opinion - how often a bit was 1 in one situation
 * @one: probability of a 1
 * @seen: how many bits it knows, up to OPINION_LIMIT
 */
struct opinion {
	uint16_t one;
	uint16_t seen;
};

/**
 * struct odds - tables for all mixers
 * @of: log odds of probabilities in parts of 1 << ODDS_TABLE_BITS
 * @share: of a new bit in an opinion that has seen so many, in parts of 1 << CODER_BITS
 */
struct odds {
	int16_t of[1 << ODDS_TABLE_BITS];
	uint16_t share[OPINION_LIMIT + 1];
};

/**
 * struct mixer - what opinions count
 * @odds: shared
 * @inputs: how many opinions there are
 * @weights: sets of @inputs, in parts of 1 << 16
 */
struct mixer {
	const struct odds *odds;
	uint32_t inputs;
	int32_t *weights;
};

void odds_create(struct odds *odds);

/* So many sets of weights, all alike; −ENOMEM. mixer_release() is due in any case. */
int mixer_create(struct mixer *mixer, const struct odds *odds, uint32_t inputs,
		 uint32_t sets);
void mixer_release(struct mixer *mixer);

/* Opinions that know the probability of a 1 as from so many bits. */
void opinions_reset(struct opinion *opinions, size_t count, uint32_t one,
		    uint16_t seen);

/* A bit by all opinions, which learn it. */
uint32_t mixer_bit(struct mixer *mixer, struct coder *coder, uint32_t set,
		   struct opinion *const *opinions, uint32_t bit);

/* A number < 1 << bits likewise, by trees of 1 << bits opinions and as many sets. */
uint32_t mixer_tree(struct mixer *mixer, struct coder *coder, uint32_t bits,
		    struct opinion *const *trees, uint32_t value);

/* The same by one opinion, and by one tree, alone. */
uint32_t opinion_bit(struct opinion *opinion, const struct odds *odds,
		     struct coder *coder, uint32_t bit);
uint32_t opinion_tree(struct opinion *tree, const struct odds *odds,
		      struct coder *coder, uint32_t bits, uint32_t value);

#endif
