/* SPDX-License-Identifier: MIT */
#ifndef TRAIN_DISTILL_LAMP_H
#define TRAIN_DISTILL_LAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Scores of one layer's weights that can be compared with those of other layers: w² over
 * the sum of all squares of the layer that are no smaller (Lee et al., 2021). The largest
 * weight of each layer scores 1, so that none is emptied. What is not kept scores 0.
 * False without memory.
 */
bool distill_lamp(const float *values, const uint8_t *keep, size_t count,
		  float *scores);

#endif
