/* SPDX-License-Identifier: MIT */
/* accel compare: two files, no model: for results that came from anywhere. */
#include "command.h"
#include "json_print.h"
#include "options.h"

#include <compress/array.h>
#include <core/error.h>
#include <formats/image.h>
#include <formats/npy.h>
#include <metrics/pixel_error.h>
#include <metrics/structural_similarity.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** struct compare_arguments - the command line */
struct compare_arguments {
	const char *paths[2];
	struct quantize_range range;
	bool json;
};

/** struct comparison - what is printed; ssim is NaN for what is no image */
struct comparison {
	size_t values;
	double psnr;
	double ssim;
	double max_error;
};

/* A picture as an array [height, width, channels] of 0 … 1. */
static int read_picture(struct npy_array *array, const char *path)
{
	struct image image;
	int ret = image_read_png(&image, path);

	if (ret)
		return ret;
	*array = (struct npy_array){
		.type = NPY_FLOAT32,
		.rank = 3,
		.shape = { image.height, image.width, image.channels },
		.count = image.height * image.width * image.channels,
		.data = image.pixels,
	};
	return 0;
}

static int read_array(struct npy_array *array, const char *path)
{
	return array_path_is_png(path) ? read_picture(array, path) :
					 npy_read_float(array, path);
}

/* Also of another layout: then nothing lies beside what it is compared with. */
static bool same_shape(const struct npy_array *a, const struct npy_array *b)
{
	return a->rank == b->rank &&
	       !memcmp(a->shape, b->shape, a->rank * sizeof(*a->shape));
}

/* [N,H,W,C] or [H,W,C] if the last axis can be colours, else [..., H, W]. */
static bool find_planes(const struct npy_array *array, size_t *channels,
			struct metrics_planes *planes)
{
	unsigned int rank = array->rank;
	size_t last = rank ? array->shape[rank - 1] : 0;

	*channels = rank >= 3 && (last == 1 || last == 3) ? last : 1;
	if (rank < 2 || (*channels == last && rank < 3))
		return false;
	if (rank >= 3 && *channels == last)
		rank--;
	planes->height = array->shape[rank - 2];
	planes->width = array->shape[rank - 1];
	planes->planes = array->count / (planes->height * planes->width);
	return true;
}

/* Interleaved channels, one plane after the other; for free(). */
static float *take_planes(const struct npy_array *array, size_t channels,
			  const struct metrics_planes *planes)
{
	struct graph_shape shape = {
		.rank = 4,
		.dims = { (int64_t)(planes->planes / channels),
			  (int64_t)channels, (int64_t)planes->height,
			  (int64_t)planes->width },
	};
	float *values = malloc(array->count * sizeof(*values));

	if (values)
		array_to_nchw(array->data, &shape, values);
	return values;
}

/* NaN for what is no image, and without memory: the other figures stand. */
static double images_ssim(const struct npy_array arrays[2],
			  struct quantize_range range)
{
	struct metrics_planes planes;
	float *a, *b;
	double ssim = NAN;
	size_t channels;

	if (!find_planes(&arrays[0], &channels, &planes))
		return NAN;
	a = take_planes(&arrays[0], channels, &planes);
	b = take_planes(&arrays[1], channels, &planes);
	if (a && b)
		ssim = metrics_ssim(a, b, &planes, range);
	free(a);
	free(b);
	return ssim;
}

/* As given; a picture's; else what the reference reaches. */
static struct quantize_range range_of(const struct compare_arguments *arguments,
				      const struct npy_array *reference)
{
	const float *values = reference->data;
	struct quantize_range range = { 0, 1 };

	if (arguments->range.low < arguments->range.high)
		return arguments->range;
	if (array_path_is_png(arguments->paths[1]))
		return range;
	range = (struct quantize_range){ values[0], values[0] };
	for (size_t i = 1; i < reference->count; i++) {
		range.low = fminf(range.low, values[i]);
		range.high = fmaxf(range.high, values[i]);
	}
	return range;
}

/* The same shape, or the comparison would be of values that have nothing to do with each other. */
static int measure(const struct compare_arguments *arguments,
		   const struct npy_array arrays[2],
		   struct comparison *comparison)
{
	struct quantize_range range;

	if (!same_shape(&arrays[0], &arrays[1]))
		return accel_error(-EINVAL, "%s and %s: their shapes differ",
				   arguments->paths[0], arguments->paths[1]);
	if (!arrays[0].count)
		return accel_error(-EINVAL, "%s: holds no numbers",
				   arguments->paths[0]);
	range = range_of(arguments, &arrays[1]);
	comparison->values = arrays[0].count;
	comparison->psnr = metrics_psnr(arrays[0].data, arrays[1].data,
					arrays[0].count, range);
	comparison->max_error = metrics_max_error(
		arrays[0].data, arrays[1].data, arrays[0].count);
	comparison->ssim = images_ssim(arrays, range);
	return 0;
}

static int print_json(const struct comparison *comparison)
{
	return json_print(json_pack("{s:I, s:o, s:o, s:o}", "values",
				    (json_int_t)comparison->values, "psnr",
				    json_finite(comparison->psnr), "ssim",
				    json_finite(comparison->ssim), "max_error",
				    json_finite(comparison->max_error)));
}

static int print_comparison(const struct comparison *comparison)
{
	printf("%zu values, PSNR %.2f dB", comparison->values,
	       comparison->psnr);
	if (!isnan(comparison->ssim))
		printf(", SSIM %.5f", comparison->ssim);
	printf(", largest error %.6g\n", comparison->max_error);
	return 0;
}

static int compare_files(const struct compare_arguments *arguments)
{
	struct comparison comparison;
	struct npy_array arrays[2];
	int ret = read_array(&arrays[0], arguments->paths[0]);

	if (ret)
		return ret;
	ret = read_array(&arrays[1], arguments->paths[1]);
	if (!ret) {
		ret = measure(arguments, arrays, &comparison);
		npy_release(&arrays[1]);
	}
	npy_release(&arrays[0]);
	if (ret)
		return ret;
	return arguments->json ? print_json(&comparison) :
				 print_comparison(&comparison);
}

int command_compare(int count, char **arguments)
{
	struct compare_arguments line = { .json = false };
	const struct option options[] = {
		{ "range", 0, OPTION_RANGE, &line.range, "LO:HI",
		  "both are clipped to it, its width is the peak" },
		{ "json", 0, OPTION_FLAG, &line.json, NULL, "print JSON" },
		{ .name = NULL },
	};
	const struct option_usage usage = {
		.command = "compare",
		.synopsis = "FILE REFERENCE [--range LO:HI] [--json]",
		.about =
			"Prints PSNR, SSIM (of images) and the largest error between two .npy\n"
			"files, or two PNGs. The range is the reference's unless it is given.",
		.options = options,
		.operands_min = 2,
		.operands_max = 2,
	};
	int status;

	if (!options_parse(&usage, count, arguments, line.paths, &status))
		return status;
	return compare_files(&line) ? command_fail("compare") : STATUS_OK;
}
