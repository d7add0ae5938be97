/* SPDX-License-Identifier: MIT */
/*
 * A grid of configurations of the simulator: a few fields with some values each, and
 * every combination of them. The last field changes fastest from point to point.
 */
#ifndef TOOL_GRID_H
#define TOOL_GRID_H

#include <sim/config.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GRID_AXES_MAX 16
#define GRID_POINTS_MAX 65536

/** struct grid_value - a number in decimal, or a preset's name */
struct grid_value {
	char text[24];
	uint64_t number;
};

/**
 * struct grid_axis - a field and what it is set to
 * @key: of the field, or "preset"
 * @values: in the order given
 * @count: of them
 */
struct grid_axis {
	char *key;
	struct grid_value *values;
	uint32_t count;
};

/**
 * struct grid - zeroed is one point without any fields
 * @axes: in the order given
 * @axis_count: of them
 */
struct grid {
	struct grid_axis axes[GRID_AXES_MAX];
	uint32_t axis_count;
};

/*
 * Add KEY=V1,V2,…; −EINVAL for what is none, with a text that says what would be
 * right. "preset" chooses a whole configuration and so comes first.
 */
int grid_add(struct grid *grid, const char *setting);

void grid_release(struct grid *grid);

uint32_t grid_points(const struct grid *grid);

/* The value that an axis has at a point. */
const struct grid_value *grid_value(const struct grid *grid, uint32_t axis,
				    uint32_t point);

/* "clusters=4 lanes=8": a point's values of the axes from the first one on. */
void grid_label(const struct grid *grid, uint32_t point, uint32_t first,
		char *text, size_t size);

/* A point's configuration: the base changed; −EINVAL where it is impossible. */
int grid_config(const struct grid *grid, uint32_t point,
		const struct sim_config *base, struct sim_config *config);

/* Does the first axis choose whole configurations? */
bool grid_has_preset(const struct grid *grid);

#endif
