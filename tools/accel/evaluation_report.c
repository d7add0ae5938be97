/* SPDX-License-Identifier: MIT */
#include "evaluation_report.h"

#include "appraisal_page.h"
#include "page.h"
#include "page_image.h"
#include "weight_picture.h"

#include <compress/onnx_import.h>
#include <core/error.h>
#include <formats/atomic_file.h>
#include <model/file.h>

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A histogram in units of its drawing. */
#define BAR_WIDTH 6
#define BAR_HEIGHT 60

static double seconds_of(const struct evaluation_set *set, uint64_t cycles)
{
	return set->device_info.clock_hz ?
		       (double)cycles / set->device_info.clock_hz :
		       0;
}

static double zeros_of(const struct accel_model_info *info)
{
	return info->weights ?
		       1 - (double)info->nonzeros / (double)info->weights :
		       0;
}

static void add_count(struct markup *markup, uint64_t count)
{
	markup_add(markup, "<td>");
	markup_count(markup, count);
	markup_add(markup, "</td>");
}

/*
 * Bits of a weight that stays: as it lies in the file, and what entropy allows where
 * values take 8 (H(p)/p + 8).
 */
static double entropy_bits(double density)
{
	double zeros = 1 - density;

	if (density <= 0 || density >= 1)
		return 8;
	return 8 - (density * log2(density) + zeros * log2(zeros)) / density;
}

/* ---- models ---- */

static void add_model_row(struct markup *markup,
			  const struct evaluation_set *set,
			  const struct evaluation *item)
{
	double density = 1 - zeros_of(&item->info);
	uint64_t cycles = item->total.cycles;

	markup_add(markup, "<tr><td>");
	markup_escape(markup, item->path);
	markup_add(markup, "</td><td>%.1f %%</td>", 100 * (1 - density));
	add_count(markup, item->info.nonzeros);
	add_count(markup, item->file_bytes);
	markup_number(markup,
		      (double)item->info.dense_bytes / (double)item->file_bytes,
		      1);
	markup_number(markup,
		      8.0 * (double)item->file_bytes /
			      (double)item->info.nonzeros,
		      2);
	markup_number(markup, entropy_bits(density), 2);
	markup_number(markup, item->psnr, 2);
	markup_number(markup, item->ssim, 4);
	markup_number(markup, item->max_error, 4);
	add_count(markup, cycles);
	markup_number(markup, 1e3 * seconds_of(set, cycles), 3);
	markup_number(markup, 100 * item->total.utilization, 1);
	markup_add(markup, "</tr>\n");
}

static void add_models(struct markup *markup, const struct evaluation_set *set)
{
	markup_add(
		markup,
		"<h2>Against the dense network</h2>\n<p class=\"note\">The same inputs "
		"through both; %" PRId64
		" of them; the peak of PSNR is %g. Bits are of a weight that stays: "
		"in the file, and what entropy asks for where each value takes 8.</p>\n"
		"<div class=\"wide\"><table>\n<tr><th>model</th><th>zeros</th>"
		"<th>non-zeros</th><th>bytes</th><th>times smaller than fp32</th>"
		"<th>bits</th><th>bits by entropy</th><th>PSNR dB</th><th>SSIM</th>"
		"<th>largest error</th><th>cycles</th><th>device ms</th>"
		"<th>of the hard roof %%</th></tr>\n",
		set->reference.shape.dims[0],
		(double)(set->range.high - set->range.low));
	for (uint32_t i = 0; i < set->count; i++)
		add_model_row(markup, set, &set->items[i]);
	markup_add(markup, "</table></div>\n");
}

/* What --metrics and --features found, and how near the original is. */
static int add_appraisals(struct markup *markup,
			  const struct evaluation_set *set)
{
	struct appraisal_row *rows = calloc(set->count + 1, sizeof(*rows));

	if (!rows)
		return accel_error(-ENOMEM, "no memory for a table");
	for (uint32_t i = 0; i < set->count; i++)
		rows[i] = (struct appraisal_row){
			.name = set->items[i].path,
			.appraisal = &set->items[i].appraisal,
		};
	appraisal_page_add(markup, set->appraiser, rows, set->count);
	free(rows);
	return 0;
}

static void add_originals(struct markup *markup,
			  const struct evaluation_set *set)
{
	if (!set->original)
		return;
	markup_add(markup,
		   "<h2>Against the original</h2>\n<p class=\"note\">PSNR of "
		   "luminance, dB; %.3f of the dense network.</p>\n"
		   "<div class=\"wide\"><table>\n<tr><th>model</th><th>PSNR-Y"
		   "</th><th>lost</th></tr>\n",
		   set->original->dense);
	for (uint32_t i = 0; i < set->count; i++) {
		double found = set->items[i].against_original;

		markup_add(markup, "<tr><td>");
		markup_escape(markup, set->items[i].path);
		markup_add(markup, "</td>");
		markup_number(markup, found, 3);
		markup_number(markup, set->original->dense - found, 3);
		markup_add(markup, "</tr>\n");
	}
	markup_add(markup, "</table></div>\n");
}

/* ---- a curve ---- */

#define CURVE_WIDTH 560
#define CURVE_HEIGHT 220
#define CURVE_EDGE 36

static void find_reach(const struct evaluation_set *set, double *most_bytes,
		       double *most_psnr)
{
	*most_bytes = 1;
	*most_psnr = 1;
	for (uint32_t i = 0; i < set->count; i++) {
		*most_bytes =
			fmax(*most_bytes, (double)set->items[i].file_bytes);
		if (isfinite(set->items[i].psnr))
			*most_psnr = fmax(*most_psnr, set->items[i].psnr);
	}
}

/* Quality over size: one model is no curve. */
static void add_curve(struct markup *markup, const struct evaluation_set *set)
{
	double bytes, psnr;

	if (set->count < 2)
		return;
	find_reach(set, &bytes, &psnr);
	markup_add(
		markup,
		"<h2>Quality over size</h2>\n<svg class=\"curve\" viewBox=\"0 0 %d %d\" role=\"img\" "
		"aria-label=\"PSNR over bytes\">\n<text x=\"%d\" y=\"12\">%.1f dB</text>"
		"<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.0f bytes</text>\n"
		"<path class=\"grid\" d=\"M%d 16V%dH%d\" fill=\"none\"/>\n",
		CURVE_WIDTH, CURVE_HEIGHT, CURVE_EDGE, psnr, CURVE_WIDTH,
		CURVE_HEIGHT - 2, bytes, CURVE_EDGE, CURVE_HEIGHT - 16,
		CURVE_WIDTH);
	for (uint32_t i = 0; i < set->count; i++) {
		const struct evaluation *item = &set->items[i];
		double quality = isfinite(item->psnr) ? fmax(item->psnr, 0) :
							psnr;

		markup_add(
			markup,
			"<circle class=\"layer\" r=\"5\" cx=\"%.1f\" cy=\"%.1f\"><title>",
			CURVE_EDGE + (double)item->file_bytes / bytes *
					     (CURVE_WIDTH - CURVE_EDGE - 8),
			CURVE_HEIGHT - 16 -
				quality / psnr * (CURVE_HEIGHT - 40));
		markup_escape(markup, item->path);
		markup_add(markup, ": %.2f dB</title></circle>\n", quality);
	}
	markup_add(markup, "</svg>\n");
}

/* ---- layers ---- */

/* As the tallest bin but that of zero, which would hide all others. */
static double tallest(const struct weight_picture *picture)
{
	double most = 1;

	for (int i = 0; i < WEIGHT_BINS; i++)
		if (i != WEIGHT_BINS / 2)
			most = fmax(most, fmax((double)picture->dense[i],
					       (double)picture->kept[i]));
	return most;
}

static void add_bars(struct markup *markup, const char *class,
		     const uint64_t *counts, double most)
{
	markup_add(markup, "<path class=\"%s\" d=\"", class);
	for (int i = 0; i < WEIGHT_BINS; i++) {
		double height = fmin(1, (double)counts[i] / most) * BAR_HEIGHT;

		if (height > 0)
			markup_add(markup, "M%d %dv%.1fh%dV%dz", i * BAR_WIDTH,
				   BAR_HEIGHT, -height, BAR_WIDTH - 1,
				   BAR_HEIGHT);
	}
	markup_add(markup, "\"/>");
}

static void add_histogram(struct markup *markup,
			  const struct weight_picture *picture)
{
	double most = tallest(picture);

	markup_add(
		markup,
		"<td><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"weights from "
		"%.3g to %.3g\">",
		WEIGHT_BINS * BAR_WIDTH, BAR_HEIGHT, -picture->limit,
		picture->limit);
	add_bars(markup, "before", picture->dense, most);
	add_bars(markup, "after", picture->kept, most);
	markup_add(markup, "</svg></td>");
}

static int add_cells(struct markup *markup,
		     const struct weight_picture *picture)
{
	struct image image;
	double most = 0;
	int ret = image_create(&image, picture->columns, picture->rows, 1);

	if (ret)
		return ret;
	for (uint32_t r = 0; r < picture->rows; r++)
		for (uint32_t c = 0; c < picture->columns; c++)
			most = fmax(most, picture->filled[r][c]);
	for (uint32_t r = 0; r < picture->rows; r++)
		for (uint32_t c = 0; c < picture->columns; c++)
			image.pixels[r * picture->columns + c] =
				(float)(picture->filled[r][c] /
					(most > 0 ? most : 1));
	markup_add(markup, "<td>");
	ret = page_add_image(markup, &image, "cells", "where weights stay");
	markup_add(markup, "</td>");
	image_release(&image);
	return ret;
}

static const struct accel_layer_info *find_cost(const struct evaluation *item,
						const struct model_layer *layer)
{
	for (uint32_t i = 0; i < item->layer_count; i++)
		if (!strcmp(item->layers[i].name, layer->name) &&
		    item->layers[i].m)
			return &item->layers[i];
	return NULL;
}

static int add_layer_row(struct markup *markup, const struct graph *dense,
			 const struct evaluation *item,
			 const struct model_layer *layer)
{
	const struct accel_layer_info *cost = find_cost(item, layer);
	struct weight_picture picture;
	double places;
	int ret;

	if (!cost || !weight_picture_take(&picture, dense, layer))
		return 0;
	places = cost->n ? (double)cost->macs_dense / (double)cost->n : 0;
	markup_add(markup, "<tr><td>");
	markup_escape_end(markup, layer->name, 40);
	markup_add(markup,
		   "</td><td>%" PRIu64 " &#215; %" PRIu64 " &#215; %" PRIu64
		   "</td>",
		   cost->m, cost->k, cost->n);
	add_count(markup, cost->nnz);
	markup_number(markup,
		      places > 0 ? 100 * (double)cost->nnz / places : NAN, 1);
	markup_number(markup, 100 * picture.energy, 1);
	add_count(markup, cost->cycles);
	markup_number(markup, 100 * cost->utilization, 1);
	add_count(markup, cost->bytes_weights);
	add_histogram(markup, &picture);
	ret = add_cells(markup, &picture);
	markup_add(markup, "</tr>\n");
	return ret;
}

static void add_provenance(struct markup *markup, const struct model *model)
{
	if (!model->provenance)
		return;
	markup_add(markup, "<p class=\"note\">Made with: ");
	markup_escape(markup, model->provenance);
	markup_add(markup, "</p>\n");
}

static int add_layers(struct markup *markup, const struct graph *dense,
		      const struct evaluation *item)
{
	struct model *model;
	int ret = model_file_read(item->path, &model);

	if (ret)
		return ret;
	markup_add(markup, "<h2>Layers of ");
	markup_escape(markup, item->path);
	markup_add(markup, "</h2>\n");
	add_provenance(markup, model);
	markup_add(
		markup,
		"<div class=\"wide\"><table>\n<tr><th>layer</th><th>M &#215; K &#215; N</th>"
		"<th>non-zeros</th><th>density %%</th><th>energy %%</th><th>cycles</th>"
		"<th>of the hard roof %%</th><th>packed bytes</th>"
		"<th>weights: dense grey, now blue</th><th>where they stay</th></tr>\n");
	for (uint32_t i = 0; i < model->layer_count && !ret; i++)
		ret = add_layer_row(markup, dense, item, &model->layers[i]);
	markup_add(
		markup,
		"</table></div>\n<p class=\"note\">Energy: sum of the squares of the weights, by that of the "
		"dense ones; where others take over for those that went, it may exceed 100.</p>\n");
	model_destroy(model);
	return ret;
}

/* ---- the page ---- */

static int add_pictures(struct markup *markup, const struct evaluation_set *set)
{
	const struct graph_shape *shape = &set->reference.shape;
	struct image picture;
	int ret;

	if (shape->rank != 4 || (shape->dims[1] != 1 && shape->dims[1] != 3))
		return 0;
	ret = evaluation_make_picture(set, &picture);
	if (ret)
		return ret;
	markup_add(
		markup,
		"<h2>Before and after</h2>\n<p class=\"note\">The dense network first, then "
		"each model.</p>\n<p>");
	ret = page_add_image(markup, &picture, "pictures",
			     "results of the dense network and of each model");
	markup_add(markup, "</p>\n");
	image_release(&picture);
	return ret;
}

static void add_command(struct markup *markup,
			const struct evaluation_report *report)
{
	markup_add(markup, "<p class=\"note\">Made by</p>\n<pre>");
	markup_escape(markup, report->command);
	markup_add(markup,
		   "</pre>\n<p class=\"note\">Seed %" PRIu64 "; device ",
		   report->seed);
	markup_escape(markup, report->set->device_info.uri);
	markup_add(markup, ".</p>\n");
}

static int add_all_layers(struct markup *markup,
			  const struct evaluation_report *report)
{
	struct graph *dense;
	int ret = onnx_import(report->dense, &dense);

	if (ret)
		return ret;
	for (uint32_t i = 0; i < report->set->count && !ret; i++)
		ret = add_layers(markup, dense, &report->set->items[i]);
	graph_destroy(dense);
	return ret;
}

static int write_page(const struct evaluation_report *report, const char *path)
{
	struct markup markup = { .text = NULL };
	int ret;

	page_begin(&markup, report->dense, "compressed");
	add_command(&markup, report);
	add_models(&markup, report->set);
	add_originals(&markup, report->set);
	ret = add_appraisals(&markup, report->set);
	add_curve(&markup, report->set);
	if (!ret)
		ret = add_pictures(&markup, report->set);
	if (!ret)
		ret = add_all_layers(&markup, report);
	page_end(&markup);
	if (!ret)
		ret = markup.failed ?
			      accel_error(-ENOMEM, "%s: no memory for it",
					  path) :
			      atomic_file_save(path, markup.text,
					       markup.length);
	markup_release(&markup);
	return ret;
}

static int write_figures(const struct evaluation_report *report,
			 const char *path)
{
	json_t *json = evaluation_json(report->set);
	char *name, *text = NULL;
	size_t length = strlen(path);
	int ret;

	json_object_set_new(json, "command", json_string(report->command));
	json_object_set_new(json, "seed",
			    json_integer((json_int_t)report->seed));
	text = json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
	json_decref(json);
	if (length > 5 && !strcmp(path + length - 5, ".html"))
		length -= 5;
	if (!text || asprintf(&name, "%.*s.json", (int)length, path) < 0) {
		free(text);
		return accel_error(-ENOMEM, "%s: no memory for its figures",
				   path);
	}
	ret = atomic_file_save(name, text, strlen(text));
	free(name);
	free(text);
	return ret;
}

int evaluation_report_write(const struct evaluation_report *report,
			    const char *path)
{
	int ret = write_page(report, path);

	return ret ? ret : write_figures(report, path);
}

char *evaluation_report_command(int count, char *const *words)
{
	char *text = strdup("accel");

	for (int i = 0; i < count && text; i++) {
		char *longer = NULL;

		if (asprintf(&longer, "%s %s", text, words[i]) < 0)
			longer = NULL;
		free(text);
		text = longer;
	}
	return text;
}
