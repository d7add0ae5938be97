/* SPDX-License-Identifier: MIT */
/*
 * Programs that are older or newer than the library: each structure that has a size, as a
 * program with fewer members would give it, and as one with more.
 */
#include "check.h"
#include "conformance.h"
#include "device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* How many bytes a future version has added. */
#define ADDED 64

/* Sizes that nobody has set. */
static const size_t impossible[] = { 0, 1, sizeof(size_t) - 1, 1 << 20,
				     SIZE_MAX };

/* What calls may need, made once. */
static struct accel_device *device;
static struct accel_model *model;
static struct accel_plan *plan;
static struct accel_queue *queue;

/**
 * struct sized - one public structure
 * @known: sizeof(), as this suite was compiled
 * @least: a smaller one lacks what the call needs
 * @fill: what the call needs of options; NULL for what is written by the library
 * @call: with it
 */
struct sized {
	size_t known;
	size_t least;
	void (*fill)(void *structure);
	int (*call)(void *structure);
};

static void fill_nothing(void *structure)
{
	(void)structure;
}

static int open_call(void *structure)
{
	struct accel_device *opened = NULL;
	int ret = accel_device_open("nil:", structure, &opened);

	CHECK(!ret == !!opened);
	accel_device_close(opened);
	return ret;
}

static int queue_call(void *structure)
{
	struct accel_queue *made = NULL;
	int ret = accel_queue_create(device, structure, &made);

	CHECK(!ret == !!made);
	accel_queue_destroy(made);
	return ret;
}

static void plan_fill(void *structure)
{
	struct accel_plan_options *options = structure;

	options->height = 4;
	options->width = 4;
}

static void import_fill(void *structure)
{
	static int file = -1;
	struct accel_buffer_import *import = structure;

	if (file < 0) {
		file = memfd_create("conformance", MFD_CLOEXEC);
		CHECK(file >= 0 && !ftruncate(file, 4096));
	}
	import->file = file;
	import->length = 4096;
}

static int import_call(void *structure)
{
	struct accel_device *nil = device_open_uri("nil:");
	struct accel_buffer *buffer = NULL;
	int ret = accel_buffer_import(nil, structure, &buffer);

	CHECK(!ret == !!buffer);
	accel_buffer_destroy(buffer);
	accel_device_close(nil);
	return ret;
}

static int plan_call(void *structure)
{
	struct accel_plan *made = NULL;
	int ret = accel_plan_create(device, model, structure, &made);

	CHECK(!ret == !!made);
	accel_plan_destroy(made);
	return ret;
}

static int device_info_call(void *structure)
{
	return accel_device_get_info(device, structure);
}

static int model_info_call(void *structure)
{
	return accel_model_get_info(model, structure);
}

static int model_input_call(void *structure)
{
	return accel_model_get_input(model, 0, structure);
}

static int model_output_call(void *structure)
{
	return accel_model_get_output(model, 0, structure);
}

static int plan_info_call(void *structure)
{
	return accel_plan_get_info(plan, structure);
}

static int plan_input_call(void *structure)
{
	return accel_plan_get_input(plan, 0, structure);
}

static int plan_output_call(void *structure)
{
	return accel_plan_get_output(plan, 0, structure);
}

static int layer_call(void *structure)
{
	return accel_plan_get_layer(plan, 0, structure);
}

static int total_call(void *structure)
{
	return accel_plan_get_total(plan, structure);
}

static int stats_call(void *structure)
{
	return accel_queue_get_stats(queue, structure);
}

static int compare_call(void *structure)
{
	return accel_plan_compare(plan, plan, structure);
}

static const struct sized options[] = {
	{ sizeof(struct accel_device_options), sizeof(size_t), fill_nothing,
	  open_call },
	{ sizeof(struct accel_queue_options), sizeof(size_t), fill_nothing,
	  queue_call },
	{ sizeof(struct accel_plan_options),
	  offsetof(struct accel_plan_options, steps), plan_fill, plan_call },
	{ sizeof(struct accel_buffer_import),
	  sizeof(struct accel_buffer_import), import_fill, import_call },
};

static const struct sized infos[] = {
	{ sizeof(struct accel_device_info), 0, NULL, device_info_call },
	{ sizeof(struct accel_model_info), 0, NULL, model_info_call },
	{ sizeof(struct accel_port_info), 0, NULL, model_input_call },
	{ sizeof(struct accel_port_info), 0, NULL, model_output_call },
	{ sizeof(struct accel_plan_info), 0, NULL, plan_info_call },
	{ sizeof(struct accel_port_info), 0, NULL, plan_input_call },
	{ sizeof(struct accel_port_info), 0, NULL, plan_output_call },
	{ sizeof(struct accel_layer_info), 0, NULL, layer_call },
	{ sizeof(struct accel_layer_info), 0, NULL, total_call },
	{ sizeof(struct accel_difference), 0, NULL, compare_call },
	{ sizeof(struct accel_queue_stats), 0, NULL, stats_call },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void objects_open(void)
{
	device = device_open();
	model = model_load();
	plan = plan_create(device, model, ACCEL_PLAN_KEEP_ACTIVATIONS);
	queue = queue_create(device, 4);
	CHECK_OK(accel_run(plan, NULL, 0, NULL, 0, PATIENCE));
}

static void objects_close(void)
{
	accel_queue_destroy(queue);
	accel_plan_destroy(plan);
	accel_model_free(model);
	accel_device_close(device);
}

/* Of just that many bytes, so that a sanitizer sees what reaches beyond. */
static void *structure_of(const struct sized *sized, size_t size)
{
	unsigned char whole[4096] = { 0 }, *structure = malloc(size);

	CHECK(structure);
	if (sized->fill)
		sized->fill(whole);
	else
		memset(whole, 0x5a, sizeof(whole));
	memcpy(structure, whole, size);
	memcpy(structure, &size, sizeof(size));
	return structure;
}

static void options_of_an_older_program(void)
{
	objects_open();
	for (size_t i = 0; i < COUNT(options); i++)
		for (size_t size = options[i].least; size < options[i].known;
		     size += 4) {
			void *structure = structure_of(&options[i], size);

			CHECK_OK(options[i].call(structure));
			free(structure);
		}
	objects_close();
}

/* What it knows of is heeded: it may be worse to ignore it than to fail. */
static void options_of_a_newer_program(void)
{
	objects_open();
	for (size_t i = 0; i < COUNT(options); i++)
		for (size_t at = 0; at <= ADDED; at += 4) {
			size_t known = options[i].known;
			unsigned char *structure =
				structure_of(&options[i], known + ADDED);

			if (at < ADDED) {
				structure[known + at] = 1;
				CHECK_FAILS(options[i].call(structure),
					    -EINVAL);
			} else {
				CHECK_OK(options[i].call(structure));
			}
			free(structure);
		}
	objects_close();
}

static void infos_of_an_older_program(void)
{
	objects_open();
	for (size_t i = 0; i < COUNT(infos); i++) {
		size_t known = infos[i].known;
		unsigned char *whole = structure_of(&infos[i], known);

		CHECK_OK(infos[i].call(whole));
		for (size_t size = sizeof(size_t); size < known; size += 4) {
			unsigned char *part = structure_of(&infos[i], size);

			CHECK_OK(infos[i].call(part));
			CHECK(!memcmp(&size, part, sizeof(size)));
			CHECK(!memcmp(part + sizeof(size), whole + sizeof(size),
				      size - sizeof(size)));
			free(part);
		}
		free(whole);
	}
	objects_close();
}

/* What the library does not know of is zero. */
static void infos_of_a_newer_program(void)
{
	objects_open();
	for (size_t i = 0; i < COUNT(infos); i++) {
		size_t known = infos[i].known, size = known + ADDED;
		unsigned char *structure = structure_of(&infos[i], size);

		CHECK_OK(infos[i].call(structure));
		CHECK(!memcmp(&size, structure, sizeof(size)));
		for (size_t at = known; at < size; at++)
			CHECK_EQUAL(structure[at], 0);
		free(structure);
	}
	objects_close();
}

static void wrong_sizes(const struct sized *sized, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t s = 0; s < COUNT(impossible); s++) {
			unsigned char *structure =
				structure_of(&sized[i], sized[i].known);

			memcpy(structure, &impossible[s], sizeof(size_t));
			CHECK_FAILS(sized[i].call(structure), -EINVAL);
			free(structure);
		}
}

static void sizes_that_nobody_has_set(void)
{
	objects_open();
	wrong_sizes(options, COUNT(options));
	wrong_sizes(infos, COUNT(infos));
	objects_close();
}

const struct test size_tests[] = {
	{ "options of an older program are completed",
	  options_of_an_older_program, 0 },
	{ "options of a newer program are refused unless zero",
	  options_of_a_newer_program, 0 },
	{ "an older program is told what it knows", infos_of_an_older_program,
	  0 },
	{ "a newer program is told zeros", infos_of_a_newer_program, 0 },
	{ "sizes that nobody has set are refused", sizes_that_nobody_has_set,
	  0 },
	{ 0 },
};
