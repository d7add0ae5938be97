/* SPDX-License-Identifier: MIT */
#include "evaluation.h"

#include "execute.h"
#include "json_print.h"
#include "outputs.h"

#include <core/error.h>
#include <formats/image.h>
#include <metrics/pixel_error.h>
#include <metrics/structural_similarity.h>

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* Most images of a batch that a picture shows. */
#define COLUMNS_MAX 8
/* Smaller images are enlarged to at least this width. */
#define WIDTH_MIN 84

static int64_t element_count(const struct evaluation_set *set)
{
	return graph_shape_count(&set->reference.shape);
}

static bool is_image(const struct graph_shape *shape)
{
	return shape->rank == 4 && (shape->dims[1] == 1 || shape->dims[1] == 3);
}

/* Both results are of the same inputs, so they are alike in size or of other networks. */
static int measure(struct evaluation *evaluation,
		   const struct evaluation_set *set,
		   const struct accel_port_info *port)
{
	const struct graph_shape *shape = &set->reference.shape;
	size_t count = (size_t)element_count(set);

	if (port->elements != count)
		return accel_error(
			-EINVAL,
			"%s: its result has %" PRIu64
			" values and the dense network's %zu: they are not the same network",
			evaluation->path, port->elements, count);
	evaluation->psnr = metrics_psnr(set->reference.values,
					evaluation->values, count, set->range);
	evaluation->max_error = metrics_max_error(set->reference.values,
						  evaluation->values, count);
	evaluation->ssim = NAN;
	if (is_image(shape)) {
		struct metrics_planes planes = {
			.planes = (size_t)(shape->dims[0] * shape->dims[1]),
			.height = (size_t)shape->dims[2],
			.width = (size_t)shape->dims[3],
		};

		evaluation->ssim = metrics_ssim(set->reference.values,
						evaluation->values, &planes,
						set->range);
	}
	if (set->original)
		evaluation->against_original =
			original_compare(set->original, evaluation->values);
	return 0;
}

static int read_costs(struct evaluation *evaluation,
		      const struct accel_plan *plan)
{
	struct accel_plan_info info = { .size = sizeof(info) };
	int ret = accel_plan_get_info(plan, &info);

	evaluation->total.size = sizeof(evaluation->total);
	if (!ret)
		ret = accel_plan_get_total(plan, &evaluation->total);
	if (ret)
		return ret;
	evaluation->layers =
		calloc(info.layer_count + 1, sizeof(*evaluation->layers));
	if (!evaluation->layers)
		return accel_error(-ENOMEM, "no memory for its layers");
	evaluation->layer_count = info.layer_count;
	for (uint32_t i = 0; i < info.layer_count && !ret; i++) {
		evaluation->layers[i].size = sizeof(evaluation->layers[i]);
		ret = accel_plan_get_layer(plan, i, &evaluation->layers[i]);
	}
	return ret;
}

static int run_session(struct evaluation *evaluation,
		       const struct evaluation_set *set,
		       const struct session *session, double timeout_seconds)
{
	struct execution execution = {
		.session = session,
		.repeat = 1,
		.timeout_seconds = timeout_seconds,
	};
	struct accel_port_info port = { .size = sizeof(port) };
	int ret = execute(&execution);

	if (!ret)
		ret = output_read(session->plan, 0, ARRAY_LAYOUT_NCHW, &port,
				  &evaluation->values);
	if (ret)
		return ret;
	evaluation->host_seconds = execution.host_seconds;
	ret = read_costs(evaluation, session->plan);
	return ret ? ret : measure(evaluation, set, &port);
}

int evaluation_run(struct evaluation *evaluation,
		   const struct evaluation_set *set, struct accel_model *model,
		   const struct inputs *inputs, double timeout_seconds)
{
	struct session session = { .device = set->device };
	struct stat status;
	int ret;

	if (stat(evaluation->path, &status))
		return accel_error(-errno, "%s: cannot tell its size",
				   evaluation->path);
	evaluation->file_bytes = (uint64_t)status.st_size;
	evaluation->info.size = sizeof(evaluation->info);
	ret = accel_model_get_info(model, &evaluation->info);
	if (!ret)
		ret = session_prepare(&session, model, inputs, 0);
	if (!ret)
		ret = run_session(evaluation, set, &session, timeout_seconds);
	accel_plan_destroy(session.plan);
	if (!ret && set->appraiser)
		ret = appraiser_judge(set->appraiser, set->device, model,
				      evaluation->values, timeout_seconds,
				      &evaluation->appraisal);
	return ret;
}

void evaluation_release(struct evaluation *evaluation)
{
	free(evaluation->values);
	free(evaluation->layers);
	free(evaluation->appraisal.classes);
}

/* ---- for people and programs ---- */

/* Of the whole model: layers that stay dense count as well. */
static double sparsity(const struct accel_model_info *info)
{
	return info->weights ?
		       1 - (double)info->nonzeros / (double)info->weights :
		       0;
}

static double ratio(const struct evaluation *evaluation)
{
	return evaluation->file_bytes ? (double)evaluation->info.dense_bytes /
						(double)evaluation->file_bytes :
					0;
}

static double device_seconds(const struct evaluation_set *set,
			     const struct evaluation *evaluation)
{
	uint32_t clock = set->device_info.clock_hz;

	return clock ? (double)evaluation->total.cycles / clock : 0;
}

/* The last part of a path. */
static const char *file_name(const char *path)
{
	const char *name = path;

	for (const char *c = path; *c; c++)
		if (*c == '/')
			name = c + 1;
	return name;
}

static void print_item(const struct evaluation_set *set,
		       const struct evaluation *item)
{
	printf("%-36.36s %6.1f%% %9" PRIu64 " %6.1fx %7.2f %7.4f %10" PRIu64
	       " %9" PRIu64 " %5.1f%% %9.3f\n",
	       file_name(item->path), 100 * sparsity(&item->info),
	       item->file_bytes, ratio(item), item->psnr, item->ssim,
	       item->total.cycles, item->total.roof_hard_cycles,
	       100 * item->total.utilization, 1e3 * device_seconds(set, item));
}

static void print_originals(const struct evaluation_set *set)
{
	double dense = set->original->dense;

	printf("\n%-36s %9s %9s\n", "luminance against the original", "PSNR dB",
	       "lost");
	for (uint32_t i = 0; i < set->count; i++) {
		double found = set->items[i].against_original;

		printf("%-36.36s %9.3f %9.3f\n", file_name(set->items[i].path),
		       found, dense - found);
	}
	printf("%-36s %9.3f\n", "dense network", dense);
}

static int print_appraisals(const struct evaluation_set *set)
{
	struct appraisal_row *rows = calloc(set->count + 1, sizeof(*rows));

	if (!rows)
		return accel_error(-ENOMEM, "no memory for a table");
	for (uint32_t i = 0; i < set->count; i++)
		rows[i] = (struct appraisal_row){
			.name = file_name(set->items[i].path),
			.appraisal = &set->items[i].appraisal,
		};
	appraiser_print(set->appraiser, rows, set->count);
	free(rows);
	return 0;
}

int evaluation_print(const struct evaluation_set *set)
{
	printf("%-36s %7s %9s %7s %7s %7s %10s %9s %6s %9s\n",
	       "against the dense network", "zeros", "bytes", "smaller",
	       "PSNR dB", "SSIM", "cycles", "hard roof", "util.", "device ms");
	for (uint32_t i = 0; i < set->count; i++)
		print_item(set, &set->items[i]);
	printf("dense network: %" PRIu64
	       " bytes in fp32, %.3f ms on one thread of this processor; peak of PSNR %g\n",
	       set->items[0].info.dense_bytes, 1e3 * set->reference.seconds,
	       (double)(set->range.high - set->range.low));
	if (set->original)
		print_originals(set);
	return set->appraiser ? print_appraisals(set) : 0;
}

static json_t *item_json(const struct evaluation_set *set,
			 const struct evaluation *item)
{
	json_t *json = json_pack(
		"{s:s, s:f, s:I, s:f, s:o, s:o, s:f, s:I, s:I, s:I, s:f, s:f, s:f}",
		"model", item->path, "sparsity", sparsity(&item->info), "bytes",
		(json_int_t)item->file_bytes, "ratio", ratio(item), "psnr",
		json_finite(item->psnr), "ssim", json_finite(item->ssim),
		"max_error", item->max_error, "cycles",
		(json_int_t)item->total.cycles, "roof_hard_cycles",
		(json_int_t)item->total.roof_hard_cycles,
		"roof_structural_cycles",
		(json_int_t)item->total.roof_structural_cycles, "utilization",
		item->total.utilization, "device_seconds",
		device_seconds(set, item), "host_seconds", item->host_seconds);

	if (set->original)
		json_object_set_new(json, "original_psnr_luminance",
				    json_finite(item->against_original));
	if (appraiser_has_features(set->appraiser))
		json_object_set_new(
			json, "distribution",
			distribution_json(
				&item->appraisal.figures.distribution));
	if (appraiser_has_more(set->appraiser))
		json_object_set_new(json, "appraisal",
				    appraisal_json(set->appraiser,
						   &item->appraisal));
	return json;
}

json_t *evaluation_json(const struct evaluation_set *set)
{
	json_t *models = json_array();
	json_t *json;

	for (uint32_t i = 0; i < set->count; i++)
		json_array_append_new(models, item_json(set, &set->items[i]));
	json = json_pack("{s:s, s:I, s:I, s:f, s:f, s:o}", "device",
			 set->device_info.uri, "seed", (json_int_t)set->seed,
			 "dense_bytes",
			 (json_int_t)set->items[0].info.dense_bytes,
			 "dense_host_seconds", set->reference.seconds, "peak",
			 (double)(set->range.high - set->range.low), "models",
			 models);
	if (set->original)
		json_object_set_new(json, "dense_original_psnr_luminance",
				    json_finite(set->original->dense));
	if (appraiser_has_floor(set->appraiser))
		json_object_set_new(
			json, "floor",
			distribution_json(
				&set->appraiser->quality.floor.distribution));
	if (appraiser_has_more(set->appraiser))
		json_object_set_new(json, "appraisal",
				    appraiser_json(set->appraiser));
	return json;
}

int evaluation_print_json(const struct evaluation_set *set)
{
	return json_print(evaluation_json(set));
}

/* ---- for the eye ---- */

/* Row 0 is the dense network, each further one a model. */
static int make_cell(struct image *cell, const struct evaluation_set *set,
		     uint32_t row, size_t column)
{
	const struct graph_shape *shape = &set->reference.shape;
	const float *values = row ? set->items[row - 1].values :
				    set->reference.values;
	size_t size = (size_t)element_count(set) / (size_t)shape->dims[0];
	size_t width = (size_t)shape->dims[3];
	struct image image;
	int ret = image_from_tensor(&image, values + column * size, IMAGE_CHW,
				    (size_t)shape->dims[1],
				    (size_t)shape->dims[2], width,
				    set->range.low, set->range.high);

	if (ret)
		return ret;
	ret = image_enlarge(cell, &image, (WIDTH_MIN + width - 1) / width);
	image_release(&image);
	return ret;
}

int evaluation_make_picture(const struct evaluation_set *set,
			    struct image *picture)
{
	const struct graph_shape *shape = &set->reference.shape;
	size_t rows = (size_t)set->count + 1, made = 0;
	struct image *cells;
	size_t columns;
	int ret = 0;

	if (!is_image(shape))
		return accel_error(
			-EINVAL,
			"the result is no image of one or three channels");
	columns = shape->dims[0] < COLUMNS_MAX ? (size_t)shape->dims[0] :
						 COLUMNS_MAX;
	cells = calloc(rows * columns, sizeof(*cells));
	if (!cells)
		return accel_error(-ENOMEM, "no memory for the picture");
	for (; made < rows * columns && !ret; made += !ret)
		ret = make_cell(&cells[made], set, (uint32_t)(made / columns),
				made % columns);
	if (!ret)
		ret = image_grid(picture, cells, made,
				 columns == 1 ? rows : columns);
	while (made)
		image_release(&cells[--made]);
	free(cells);
	return ret;
}

int evaluation_write_picture(const struct evaluation_set *set, const char *path)
{
	struct image picture;
	int ret = evaluation_make_picture(set, &picture);

	if (ret)
		return accel_error_prefix(ret, "%s", path);
	ret = image_write_png(path, &picture);
	image_release(&picture);
	return ret;
}
