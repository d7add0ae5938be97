/* SPDX-License-Identifier: MIT */
#include <metrics/quality.h>

#include <core/error.h>
#include <metrics/classifier_features.h>
#include <metrics/frechet_distance.h>
#include <metrics/pixel_error.h>
#include <metrics/structural_similarity.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	unsigned int metrics;
} names[] = {
	{ "psnr", QUALITY_PSNR },
	{ "ssim", QUALITY_SSIM },
	{ "msssim", QUALITY_MS_SSIM },
	{ "fid", QUALITY_FID },
	{ "kid", QUALITY_KID },
	{ "pr", QUALITY_PRECISION_RECALL },
	{ "dc", QUALITY_DENSITY_COVERAGE },
	{ "nll", QUALITY_NLL },
	{ "robustness", QUALITY_ROBUSTNESS },
	{ "all", 2 * QUALITY_ROBUSTNESS - 1 },
};

static int parse_name(const char *name, size_t length, unsigned int *metrics)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i].name) == length &&
		    !strncmp(names[i].name, name, length)) {
			*metrics |= names[i].metrics;
			return 0;
		}
	return accel_error(
		-EINVAL,
		"%.*s: no such metric; there are psnr, ssim, msssim, fid, kid, pr, dc, nll, robustness and all",
		(int)length, name);
}

int quality_parse(const char *list, unsigned int *metrics)
{
	int ret;

	*metrics = 0;
	for (;;) {
		size_t length = strcspn(list, ",");

		ret = parse_name(list, length, metrics);
		if (ret || !list[length])
			return ret;
		list += length + 1;
	}
}

static size_t value_count(const struct quality *quality)
{
	return (size_t)graph_shape_count(&quality->dense.shape);
}

static size_t row_count(const struct quality *quality)
{
	return (size_t)quality->dense.shape.dims[0];
}

static bool is_image(const struct graph_shape *shape)
{
	return shape->rank == 4 && (shape->dims[1] == 1 || shape->dims[1] == 3);
}

static struct metrics_planes planes_of(const struct graph_shape *shape)
{
	return (struct metrics_planes){
		.planes = (size_t)(shape->dims[0] * shape->dims[1]),
		.height = (size_t)shape->dims[2],
		.width = (size_t)shape->dims[3],
	};
}

static int check_finite(const float *values, size_t count, const char *whose)
{
	for (size_t i = 0; i < count; i++)
		if (!isfinite(values[i]))
			return accel_error(
				-EINVAL,
				"value %zu of %s is not a finite number", i,
				whose);
	return 0;
}

/* ---- sets of pictures ---- */

/* Its features, for free(). */
static int look(const struct quality *quality, const float *values,
		struct feature_set *set)
{
	const struct classifier_pictures pictures = {
		.values = values,
		.count = row_count(quality),
		.size = value_count(quality) / row_count(quality),
		.range = quality->dense.range,
	};
	float *features;
	int ret = classifier_features(quality->options.classifier, &pictures,
				      &features, &set->size);

	set->values = features;
	set->count = pictures.count;
	return ret;
}

static struct distribution_figures no_distribution(void)
{
	return (struct distribution_figures){
		.frechet = NAN,
		.kernel = { NAN, NAN },
		.neighbourhood = { NAN, NAN, NAN, NAN },
	};
}

static int compare_neighbours(const struct quality *quality,
			      const struct feature_set *made,
			      struct neighbourhood_scores *scores)
{
	unsigned int metrics = quality->options.metrics;
	int ret = neighbourhood_compare(&quality->features, made,
					NEIGHBOURHOOD_NEAREST, scores);

	if (!(metrics & QUALITY_PRECISION_RECALL))
		scores->precision = scores->recall = NAN;
	if (!(metrics & QUALITY_DENSITY_COVERAGE))
		scores->density = scores->coverage = NAN;
	return ret;
}

static int compare_features(const struct quality *quality,
			    const struct feature_set *made, uint64_t seed,
			    struct distribution_figures *figures)
{
	unsigned int metrics = quality->options.metrics;
	int ret = 0;

	if (metrics & QUALITY_FID)
		ret = frechet_distance(&quality->features, made,
				       &figures->frechet);
	if (!ret && metrics & QUALITY_KID)
		ret = kernel_distance(&quality->features, made, seed,
				      &figures->kernel);
	if (!ret &&
	    metrics & (QUALITY_PRECISION_RECALL | QUALITY_DENSITY_COVERAGE))
		ret = compare_neighbours(quality, made,
					 &figures->neighbourhood);
	return ret;
}

static int measure_set(const struct quality *quality, const float *values,
		       uint64_t seed, struct distribution_figures *figures)
{
	struct feature_set set = { .values = NULL };
	int ret;

	if (!quality->features.values)
		return 0;
	ret = look(quality, values, &set);
	if (!ret)
		ret = compare_features(quality, &set, seed, figures);
	free((void *)set.values);
	return ret;
}

/* ---- pairs, classes ---- */

static void measure_pairs(const struct quality *quality, const float *values,
			  struct quality_figures *figures)
{
	const struct quality_dense *dense = &quality->dense;
	unsigned int metrics = quality->options.metrics;
	size_t count = value_count(quality);
	struct metrics_planes planes;

	if (metrics & QUALITY_PSNR) {
		figures->psnr = metrics_psnr(dense->values, values, count,
					     dense->range);
		figures->max_error =
			metrics_max_error(dense->values, values, count);
	}
	if (!is_image(&dense->shape))
		return;
	planes = planes_of(&dense->shape);
	if (metrics & QUALITY_PSNR && dense->shape.dims[1] == 3)
		figures->psnr_luminance = metrics_psnr_luminance(
			dense->values, values, &planes, 3, 0, dense->range);
	if (metrics & QUALITY_SSIM)
		figures->ssim = metrics_ssim(dense->values, values, &planes,
					     dense->range);
	if (metrics & QUALITY_MS_SSIM)
		figures->ms_ssim = metrics_ms_ssim(dense->values, values,
						   &planes, dense->range);
}

static int measure_classes(const struct quality *quality, const float *values,
			   struct classification_figures *figures)
{
	size_t rows = row_count(quality);

	*figures = (struct classification_figures){ NAN, NAN, NAN, NAN };
	if (!quality->options.labels)
		return 0;
	return classification_measure(values, rows, value_count(quality) / rows,
				      quality->options.labels, NULL, figures);
}

int quality_measure(const struct quality *quality, const float *values,
		    struct quality_figures *figures)
{
	int ret = check_finite(values, value_count(quality),
			       "the compressed network's result");

	*figures = (struct quality_figures){
		.psnr = NAN,
		.psnr_luminance = NAN,
		.max_error = NAN,
		.ssim = NAN,
		.ms_ssim = NAN,
		.distribution = no_distribution(),
	};
	if (ret)
		return ret;
	measure_pairs(quality, values, figures);
	ret = measure_classes(quality, values, &figures->classes);
	return ret ? ret :
		     measure_set(quality, values, quality->options.seed,
				 &figures->distribution);
}

/* ---- the dense network ---- */

static int check(const struct quality *quality)
{
	const struct quality_dense *dense = &quality->dense;
	size_t count;
	int ret;

	if (graph_shape_count(&dense->shape) <= 0)
		return accel_error(-EINVAL,
				   "the dense network's result is empty");
	if (!(dense->range.low < dense->range.high))
		return accel_error(-EINVAL,
				   "black %g is not below white %g: say both",
				   (double)dense->range.low,
				   (double)dense->range.high);
	count = value_count(quality);
	ret = check_finite(dense->values, count, "the dense network's result");
	if (ret || !dense->others)
		return ret;
	return check_finite(dense->others, count,
			    "the dense network's other result");
}

static int open_features(struct quality *quality)
{
	const char *name = quality->options.classifier_name;
	int ret = look(quality, quality->dense.values, &quality->features);

	/* against itself: too few pictures show before any model runs */
	if (!ret)
		ret = feature_set_check(&quality->features, &quality->features,
					NEIGHBOURHOOD_NEAREST + 1);
	if (!ret && quality->dense.others)
		ret = measure_set(quality, quality->dense.others,
				  quality->options.seed + 1,
				  &quality->floor.distribution);
	return ret && name ? accel_error_prefix(ret, "%s", name) : ret;
}

int quality_open(struct quality *quality, const struct quality_dense *dense,
		 const struct quality_options *options)
{
	int ret;

	*quality = (struct quality){
		.dense = *dense,
		.options = *options,
		.floor = { .psnr = NAN,
			   .psnr_luminance = NAN,
			   .max_error = NAN,
			   .ssim = NAN,
			   .ms_ssim = NAN,
			   .distribution = no_distribution() },
	};
	ret = check(quality);
	if (ret)
		return ret;
	if (is_image(&dense->shape)) {
		const struct metrics_planes planes = planes_of(&dense->shape);

		quality->scales = metrics_scales(&planes);
	}
	ret = measure_classes(quality, dense->values, &quality->classes);
	if (!ret && options->classifier && options->metrics & QUALITY_FEATURES)
		ret = open_features(quality);
	return ret;
}

void quality_close(struct quality *quality)
{
	free((void *)quality->features.values);
	quality->features.values = NULL;
}
