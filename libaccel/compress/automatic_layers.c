// SPDX-License-Identifier: MIT
/* What each layer alone loses by the methods that it may choose from. */
#include <compress/automatic_search.h>
#include <compress/calibration_patches.h>

#include <errno.h>

/* Methods that layers may choose from: the best of those that score. */
#define LAYER_METHODS 3
/* To measure layers with, fewer pictures will do. */
#define LAYER_PATCHES 48
#define HELD_OUT_PATCHES 24

static void choose_layer_methods(struct automatic_search *search)
{
	bool taken[AUTOMATIC_METHODS_MAX] = { false };

	while (search->layer_method_count < LAYER_METHODS) {
		int best = -1;

		for (int m = 0; m < search->method_count; m++)
			if (search->methods[m].scores && !taken[m] &&
			    !search->methods[m].method->shrinks &&
			    (best < 0 ||
			     automatic_rate_method(search, m) >
				     automatic_rate_method(search, best)))
				best = m;
		if (best < 0)
			return;
		taken[best] = true;
		search->layer_methods[search->layer_method_count++] = best;
	}
}

static void tell_layers(void *context, int done, int total)
{
	automatic_tell(context, "measuring the layers", done, total);
}

static int measure(struct automatic_search *search,
		   const struct calibration_data *data,
		   const struct calibration_data *check)
{
	struct sensitivity_scores scores[SENSITIVITY_METHODS_MAX];
	const struct sensitivity_options options = {
		.scores = scores,
		.methods = search->layer_method_count,
		.kept = automatic_kept,
		.kept_count = AUTOMATIC_KEPT_COUNT,
		.formats = search->formats + 1,
		.format_count = search->format_count - 1,
		.workers = search->options->compress.workers,
		.stop = search->options->stop,
		.observer = tell_layers,
		.observer_context = search,
	};

	for (int i = 0; i < options.methods; i++) {
		const struct automatic_method *method =
			&search->methods[search->layer_methods[i]];

		scores[i] = (struct sensitivity_scores){
			method->method->name,
			(const float *const *)method->scores
		};
	}
	return sensitivity_measure(&search->sensitivity, search->graph, data,
				   check, &options);
}

static int measure_on_patches(struct automatic_search *search)
{
	const struct calibration_patches some = {
		.count = LAYER_PATCHES,
		.seed = search->options->compress.seed,
	};
	const struct calibration_patches others = {
		.count = HELD_OUT_PATCHES,
		.seed = search->options->compress.seed + 1,
	};
	struct calibration_data data, check;
	int ret = calibration_patches_cut(&data, search->graph, search->data,
					  &some);

	if (ret)
		return ret;
	ret = calibration_patches_cut(&check, search->graph, search->data,
				      &others);
	if (!ret) {
		ret = measure(search, &data, &check);
		calibration_data_release(&check);
	}
	calibration_data_release(&data);
	return ret;
}

static int measure_all(struct automatic_search *search)
{
	if (search->pruning != search->data)
		return measure_on_patches(search);
	return measure(search, search->data,
		       search->options->held_out ? search->options->held_out :
						   search->data);
}

int automatic_measure_layers(struct automatic_search *search)
{
	int ret;

	if (!search->layer_method_count)
		choose_layer_methods(search);
	if (!search->layer_method_count)
		return 0;
	sensitivity_release(&search->sensitivity);
	if (sensitivity_create(&search->sensitivity, search->graph,
			       search->layer_method_count, AUTOMATIC_KEPT_COUNT,
			       search->format_count - 1))
		return -ENOMEM;
	if (automatic_count_bits(search))
		return -ENOMEM;
	ret = measure_all(search);
	/* half of the losses are none */
	if (ret == -EINTR)
		search->layer_method_count = 0;
	return ret;
}
