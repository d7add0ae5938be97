/* SPDX-License-Identifier: MIT */
#include "packing.h"

#include <core/error.h>
#include <model/file.h>
#include <plan/matrix.h>
#include <runtime/device.h>
#include <runtime/object.h>
#include <sim/config.h>

#include <errno.h>

/* Large enough for the mapping to be that of any picture or sequence. */
#define OPEN_SIZE 128

/* The presets first: a file of such a name can be given with its folder. */
static int config_find(const char *name, struct sim_config *config)
{
	int ret = sim_config_preset(name ? name : "default", config);

	return ret == -ENOENT ? sim_config_load(name, config) : ret;
}

/* As the device itself would report it. */
static int geometry_find(const char *name, struct geometry *geometry)
{
	struct accel_device *device;
	struct sim_config config;
	int ret = config_find(name, &config);

	if (!ret)
		ret = device_open_sim(&config, &device);
	if (ret)
		return ret;
	*geometry = *device->geometry;
	accel_device_close(device);
	return 0;
}

static void size_choose(uint32_t fixed, uint32_t *size)
{
	if (!fixed && !*size)
		*size = OPEN_SIZE;
}

/* What neither model nor user decides. */
static struct model_sizes sizes_choose(const struct model *model,
				       const struct packing_options *options)
{
	struct model_sizes sizes = {
		.batch = options->batch ? (uint32_t)options->batch : 1,
		.height = (uint32_t)options->height,
		.width = (uint32_t)options->width,
		.steps = (uint32_t)options->steps,
	};

	for (uint32_t i = 0; i < model->input_count; i++) {
		const struct model_tensor *tensor =
			&model->tensors[model->inputs[i].tensor];

		switch (model->inputs[i].layout) {
		case MODEL_LAYOUT_NCHW:
			size_choose(tensor->height, &sizes.height);
			size_choose(tensor->width, &sizes.width);
			break;
		case MODEL_LAYOUT_TNF:
		case MODEL_LAYOUT_NTF:
			size_choose(tensor->height, &sizes.steps);
			break;
		default:
			break;
		}
	}
	return sizes;
}

int packing_write(struct model *model, const struct packing_options *options,
		  const char *path)
{
	struct model_sizes sizes = sizes_choose(model, options);
	struct model_packing *packing;
	struct geometry geometry;
	int ret = geometry_find(options->config, &geometry);

	if (!ret)
		ret = plan_packing_create(model, &geometry, &sizes, &packing);
	if (ret)
		return ret;
	model_packing_destroy(model->packing);
	model->packing = packing;
	return model_file_write_packed(model, packing, path);
}

int compact_write(struct model *model, const struct packing_options *options,
		  const char *path)
{
	return options->config ? packing_write(model, options, path) :
				 model_file_write_compact(model, path);
}
