/* SPDX-License-Identifier: MIT */
#include "grid.h"

#include "suggest.h"

#include <core/error.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PRESET "preset"

/* Cannot overflow: grid_add() keeps to GRID_POINTS_MAX. */
uint32_t grid_points(const struct grid *grid)
{
	uint32_t points = 1;

	for (uint32_t i = 0; i < grid->axis_count; i++)
		points *= grid->axes[i].count;
	return points;
}

bool grid_has_preset(const struct grid *grid)
{
	return grid->axis_count && !strcmp(grid->axes[0].key, PRESET);
}

static bool field_exists(const char *name)
{
	const char *field;

	for (unsigned int i = 0; (field = sim_config_field(i)); i++)
		if (!strcmp(field, name))
			return true;
	return false;
}

/* What is wrong with a key shows here, before anything has run. */
static int check_key(const struct grid *grid, const char *key)
{
	char close[256];

	if (grid->axis_count == GRID_AXES_MAX)
		return accel_error(-EINVAL, "%s: more than %d keys", key,
				   GRID_AXES_MAX);
	for (uint32_t i = 0; i < grid->axis_count; i++)
		if (!strcmp(grid->axes[i].key, key))
			return accel_error(
				-EINVAL,
				"%s is set twice; give all its values at once",
				key);
	if (!strcmp(key, PRESET))
		return grid->axis_count ?
			       accel_error(
				       -EINVAL,
				       "preset replaces all fields, so it comes first") :
			       0;
	if (field_exists(key))
		return 0;
	suggest_fields(key, close, sizeof(close));
	if (*close)
		return accel_error(
			-EINVAL,
			"'%s' is not a field of a configuration; close ones are %s",
			key, close);
	return accel_error(
		-EINVAL,
		"'%s' is not a field of a configuration; Documentation/device.rst lists them",
		key);
}

/*
 * Only whether it is a value at all: what a device can be of it is asked at each
 * point, so that a grid may reach beyond the possible.
 */
static int parse_value(const char *key, const char *text,
		       struct grid_value *value)
{
	struct sim_config unused;

	if (!strcmp(key, PRESET)) {
		snprintf(value->text, sizeof(value->text), "%s", text);
		value->number = 0;
		return sim_config_preset(text, &unused) ? -EINVAL : 0;
	}
	if (!sim_config_number(text, &value->number))
		return accel_error(-EINVAL, "%s: '%s' is not a number", key,
				   text);
	snprintf(value->text, sizeof(value->text), "%llu",
		 (unsigned long long)value->number);
	return 0;
}

/* Equal points would be one row too many, and two marks in the same place. */
static int check_repeated(const struct grid_axis *axis)
{
	const struct grid_value *last = &axis->values[axis->count];

	for (uint32_t i = 0; i < axis->count; i++)
		if (!strcmp(axis->values[i].text, last->text))
			return accel_error(-EINVAL, "%s is %s twice", axis->key,
					   last->text);
	return 0;
}

/* The list is cut up in place, its commas replaced by ends. */
static int parse_values(struct grid_axis *axis, char *list, uint32_t room)
{
	char *text;

	while ((text = strsep(&list, ","))) {
		struct grid_value *values;
		int ret;

		if (axis->count == room)
			return accel_error(
				-EINVAL, "%s: the grid has more than %d points",
				axis->key, GRID_POINTS_MAX);
		values = reallocarray(axis->values, axis->count + 1,
				      sizeof(*values));
		if (!values)
			return accel_error(-ENOMEM, "%s: no memory", axis->key);
		axis->values = values;
		ret = parse_value(axis->key, text, &values[axis->count]);
		if (!ret)
			ret = check_repeated(axis);
		if (ret)
			return ret;
		axis->count++;
	}
	return 0;
}

int grid_add(struct grid *grid, const char *setting)
{
	struct grid_axis axis = { .key = strdup(setting) };
	char *list;
	int ret;

	if (!axis.key)
		return accel_error(-ENOMEM, "%s: no memory", setting);
	list = strchr(axis.key, '=');
	if (!list || list == axis.key || !list[1]) {
		free(axis.key);
		return accel_error(-EINVAL, "'%s' is not KEY=V1,V2,...",
				   setting);
	}
	*list++ = '\0';
	ret = check_key(grid, axis.key);
	if (!ret)
		ret = parse_values(&axis, list,
				   GRID_POINTS_MAX / grid_points(grid));
	if (ret) {
		free(axis.key);
		free(axis.values);
		return ret;
	}
	grid->axes[grid->axis_count++] = axis;
	return 0;
}

void grid_release(struct grid *grid)
{
	for (uint32_t i = 0; i < grid->axis_count; i++) {
		free(grid->axes[i].key);
		free(grid->axes[i].values);
	}
	grid->axis_count = 0;
}

/* A point is a number whose digits are the axes' values, the last one the lowest. */
const struct grid_value *grid_value(const struct grid *grid, uint32_t axis,
				    uint32_t point)
{
	for (uint32_t i = grid->axis_count - 1; i > axis; i--)
		point /= grid->axes[i].count;
	return &grid->axes[axis].values[point % grid->axes[axis].count];
}

void grid_label(const struct grid *grid, uint32_t point, uint32_t first,
		char *text, size_t size)
{
	size_t used = 0;

	*text = '\0';
	for (uint32_t i = first; i < grid->axis_count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s=%s",
					 i > first ? " " : "",
					 grid->axes[i].key,
					 grid_value(grid, i, point)->text);
}

int grid_config(const struct grid *grid, uint32_t point,
		const struct sim_config *base, struct sim_config *config)
{
	int ret = 0;

	*config = *base;
	for (uint32_t i = 0; i < grid->axis_count && !ret; i++) {
		const char *key = grid->axes[i].key;
		const char *value = grid_value(grid, i, point)->text;

		ret = strcmp(key, PRESET) ? sim_config_set(config, key, value) :
					    sim_config_preset(value, config);
	}
	return ret ? ret : sim_config_check(config);
}
