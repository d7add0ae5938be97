/* SPDX-License-Identifier: MIT */
#include "appraisal.h"

#include "json_print.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- for people ---- */

bool appraiser_has_features(const struct appraiser *appraiser)
{
	return appraiser && appraiser->quality.features.values;
}

bool appraiser_has_floor(const struct appraiser *appraiser)
{
	return appraiser_has_features(appraiser) && appraiser->others.values;
}

bool appraiser_has_more(const struct appraiser *appraiser)
{
	return appraiser &&
	       (appraiser->labels ||
		appraiser->metrics & ~(unsigned int)QUALITY_FEATURES);
}

static void print_distribution(const char *name,
			       const struct distribution_figures *figures)
{
	const struct neighbourhood_scores *scores = &figures->neighbourhood;

	printf("%-36.36s %9.4f %9.6f %8.6f %9.4f %7.4f %8.4f %8.4f\n", name,
	       figures->frechet, figures->kernel.mean,
	       figures->kernel.deviation, scores->precision, scores->recall,
	       scores->density, scores->coverage);
}

static void print_distributions(const struct appraiser *appraiser,
				const struct appraisal_row *rows,
				uint32_t count)
{
	const struct feature_set *real = &appraiser->quality.features;

	printf("\n%-36s %9s %9s %8s %9s %7s %8s %8s\n",
	       "pictures among the dense network's", "FID", "KID", "+-",
	       "precision", "recall", "density", "coverage");
	for (uint32_t i = 0; i < count; i++)
		print_distribution(rows[i].name,
				   &rows[i].appraisal->figures.distribution);
	if (appraiser_has_floor(appraiser))
		print_distribution("dense network, other latents",
				   &appraiser->quality.floor.distribution);
	printf("%zu pictures by %zu features; seed %" PRIu64 "%s\n",
	       real->count, real->size, appraiser->seed,
	       real->count > real->size ?
		       "" :
		       "; FID says little of so few pictures: raise --latents");
}

static bool has_pictures(const struct appraiser *appraiser)
{
	return appraiser->metrics & QUALITY_MS_SSIM &&
	       appraiser->quality.scales;
}

/* Gray is its own luminance, of which the PSNR is in the first table. */
static void print_pictures(const struct appraiser *appraiser,
			   const struct appraisal_row *rows, uint32_t count)
{
	size_t scales = appraiser->quality.scales;
	bool colours = appraiser->quality.dense.shape.dims[1] == 3;

	printf("\nMS-SSIM over %zu scale%s%s\n", scales, scales == 1 ? "" : "s",
	       colours ? "; PSNR of luminance, dB" : "");
	for (uint32_t i = 0; i < count; i++) {
		printf("%-36.36s %9.4f", rows[i].name,
		       rows[i].appraisal->figures.ms_ssim);
		if (colours)
			printf(" %9.2f",
			       rows[i].appraisal->figures.psnr_luminance);
		printf("\n");
	}
}

static void print_class_row(const char *name,
			    const struct classification_figures *figures)
{
	printf("%-36.36s %9.4f %9.4f %9.4f %9.4f\n", name, figures->accuracy,
	       figures->precision, figures->recall, figures->f1);
}

static void print_each_class(const struct appraiser *appraiser,
			     const char *name,
			     const struct class_figures *classes)
{
	for (size_t i = 0; i < appraiser->class_count; i++)
		printf("  %-27.27s class %-7zu %9zu %9.4f %9.4f %9.4f\n", name,
		       i, classes[i].count, classes[i].precision,
		       classes[i].recall, classes[i].f1);
}

static void print_classes(const struct appraiser *appraiser,
			  const struct appraisal_row *rows, uint32_t count)
{
	printf("\n%-36s %9s %9s %9s %9s\n", "classes", "accuracy", "precision",
	       "recall", "macro F1");
	for (uint32_t i = 0; i < count; i++)
		print_class_row(rows[i].name,
				&rows[i].appraisal->figures.classes);
	print_class_row("dense network", &appraiser->quality.classes);
	printf("\n  %-41s %9s %9s %9s %9s\n", "", "inputs", "precision",
	       "recall", "F1");
	for (uint32_t i = 0; i < count; i++)
		print_each_class(appraiser, rows[i].name,
				 rows[i].appraisal->classes);
	print_each_class(appraiser, "dense network", appraiser->classes);
}

static void print_drawn(const char *name, const struct stroke_statistics *drawn)
{
	printf("%-36.36s %9.1f %9.1f %9.1f %9.2f %9.2f %9.2f %8.0f%%\n", name,
	       drawn->steps.mean, drawn->steps.deviation, drawn->lifts.mean,
	       drawn->width.mean, drawn->height.mean, drawn->ink.mean,
	       100 * drawn->ended);
}

static void print_sketches(const struct appraiser *appraiser,
			   const struct appraisal_row *rows, uint32_t count)
{
	printf("\n%-36s %9s %9s\n", "sketches of the dense network, per step",
	       "NLL", "KL");
	for (uint32_t i = 0; i < count; i++)
		printf("%-36.36s %9.4f %9.4f\n", rows[i].name,
		       rows[i].appraisal->nll, rows[i].appraisal->kl);
	printf("%-36s %9.4f\n", "dense network", appraiser->nll);
	printf("\n%-36s %9s %9s %9s %9s %9s %9s %9s\n", "its own sketches",
	       "strokes", "+-", "lifts", "width", "height", "ink", "ended");
	for (uint32_t i = 0; i < count; i++)
		print_drawn(rows[i].name, &rows[i].appraisal->statistics);
	print_drawn("dense network", &appraiser->statistics);
}

static void print_robustness(const struct appraisal_row *rows, uint32_t count)
{
	printf("\n%-36s", "PSNR dB on changed inputs");
	for (int i = 0; i < ROBUSTNESS_CASES; i++)
		printf(" %9s", robustness_names[i]);
	printf("\n");
	for (uint32_t i = 0; i < count; i++) {
		printf("%-36.36s", rows[i].name);
		for (int j = 0; j < ROBUSTNESS_CASES; j++)
			printf(" %9.2f", rows[i].appraisal->robustness[j]);
		printf("\n");
	}
}

void appraiser_print(const struct appraiser *appraiser,
		     const struct appraisal_row *rows, uint32_t count)
{
	if (appraiser_has_features(appraiser))
		print_distributions(appraiser, rows, count);
	if (has_pictures(appraiser))
		print_pictures(appraiser, rows, count);
	if (appraiser->labels)
		print_classes(appraiser, rows, count);
	if (appraiser->sketches)
		print_sketches(appraiser, rows, count);
	if (appraiser->metrics & QUALITY_ROBUSTNESS)
		print_robustness(rows, count);
	if (appraiser_has_more(appraiser))
		printf("seed %" PRIu64 "\n", appraiser->seed);
}

/* ---- for programs ---- */

json_t *distribution_json(const struct distribution_figures *figures)
{
	const struct neighbourhood_scores *scores = &figures->neighbourhood;
	const struct kernel_distance *kernel = &figures->kernel;

	return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "fid",
			 figures->frechet, "kid", kernel->mean, "kid_deviation",
			 kernel->deviation, "precision", scores->precision,
			 "recall", scores->recall, "density", scores->density,
			 "coverage", scores->coverage);
}

static json_t *classes_json(const struct appraiser *appraiser,
			    const struct classification_figures *figures,
			    const struct class_figures *classes)
{
	json_t *each = json_array();

	for (size_t i = 0; i < appraiser->class_count; i++)
		json_array_append_new(
			each,
			json_pack("{s:I, s:f, s:f, s:f}", "inputs",
				  (json_int_t)classes[i].count, "precision",
				  classes[i].precision, "recall",
				  classes[i].recall, "f1", classes[i].f1));
	return json_pack("{s:f, s:f, s:f, s:f, s:o}", "accuracy",
			 figures->accuracy, "precision", figures->precision,
			 "recall", figures->recall, "f1", figures->f1, "each",
			 each);
}

static json_t *robustness_json(const struct appraisal *appraisal)
{
	json_t *json = json_object();

	for (int i = 0; i < ROBUSTNESS_CASES; i++)
		json_object_set_new(json, robustness_names[i],
				    json_finite(appraisal->robustness[i]));
	return json;
}

static json_t *figure_json(const struct stroke_figure *figure)
{
	return json_pack("{s:f, s:f}", "mean", figure->mean, "deviation",
			 figure->deviation);
}

static json_t *sketches_json(const struct stroke_statistics *drawn)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:f}", "strokes",
			 figure_json(&drawn->steps), "lifts",
			 figure_json(&drawn->lifts), "width",
			 figure_json(&drawn->width), "height",
			 figure_json(&drawn->height), "ink",
			 figure_json(&drawn->ink), "ended", drawn->ended);
}

json_t *appraisal_json(const struct appraiser *appraiser,
		       const struct appraisal *appraisal)
{
	const struct quality_figures *figures = &appraisal->figures;
	json_t *json = json_pack("{s:o, s:o, s:o, s:o}", "ms_ssim",
				 json_finite(figures->ms_ssim),
				 "psnr_luminance",
				 json_finite(figures->psnr_luminance), "nll",
				 json_finite(appraisal->nll), "kl",
				 json_finite(appraisal->kl));

	if (appraiser->labels)
		json_object_set_new(json, "classes",
				    classes_json(appraiser, &figures->classes,
						 appraisal->classes));
	if (appraiser->metrics & QUALITY_ROBUSTNESS)
		json_object_set_new(json, "robustness",
				    robustness_json(appraisal));
	if (appraiser->sketches)
		json_object_set_new(json, "sketches",
				    sketches_json(&appraisal->statistics));
	return json;
}

json_t *appraiser_json(const struct appraiser *appraiser)
{
	json_t *json = json_pack("{s:I, s:I, s:o}", "seed",
				 (json_int_t)appraiser->seed, "scales",
				 (json_int_t)appraiser->quality.scales, "nll",
				 json_finite(appraiser->nll));

	if (appraiser->labels)
		json_object_set_new(json, "classes",
				    classes_json(appraiser,
						 &appraiser->quality.classes,
						 appraiser->classes));
	if (appraiser->sketches)
		json_object_set_new(json, "sketches",
				    sketches_json(&appraiser->statistics));
	return json;
}
