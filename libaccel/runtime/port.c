/* SPDX-License-Identifier: MIT */
#include "runtime/port.h"

static int64_t dimension(uint32_t size)
{
	return size ? (int64_t)size : ACCEL_DYNAMIC;
}

static void dimensions_set(struct accel_port_info *info, uint32_t count,
			   int64_t first, int64_t second, int64_t third,
			   int64_t fourth)
{
	info->dimension_count = count;
	info->dimensions[0] = first;
	info->dimensions[1] = second;
	info->dimensions[2] = third;
	info->dimensions[3] = fourth;
}

static void dimensions_describe(enum model_layout layout,
				const struct model_extent *extent,
				uint32_t batch, struct accel_port_info *info)
{
	int64_t n = dimension(batch);
	int64_t channels = dimension(extent->channels);
	int64_t height = dimension(extent->height);
	int64_t width = dimension(extent->width);

	switch (layout) {
	case MODEL_LAYOUT_NF:
		info->layout = ACCEL_LAYOUT_NF;
		dimensions_set(info, 2, n, channels, 0, 0);
		break;
	case MODEL_LAYOUT_NCHW:
		info->layout = ACCEL_LAYOUT_NCHW;
		dimensions_set(info, 4, n, channels, height, width);
		break;
	case MODEL_LAYOUT_TNF:
		info->layout = ACCEL_LAYOUT_TNF;
		dimensions_set(info, 3, height, n, channels, 0);
		break;
	case MODEL_LAYOUT_NTF:
		info->layout = ACCEL_LAYOUT_NTF;
		dimensions_set(info, 3, n, height, channels, 0);
		break;
	case MODEL_LAYOUT_DNF:
		info->layout = ACCEL_LAYOUT_DNF;
		dimensions_set(info, 3, 1, n, channels, 0);
		break;
	}
}

static uint64_t elements_count(const struct accel_port_info *info)
{
	uint64_t elements = 1;

	for (uint32_t i = 0; i < info->dimension_count; i++) {
		if (info->dimensions[i] < 0)
			return 0;
		elements *= (uint64_t)info->dimensions[i];
	}
	return elements;
}

void port_describe(const struct model *model, const struct model_port *port,
		   const struct model_extent *extent, uint32_t batch,
		   struct accel_port_info *info)
{
	const struct model_tensor *tensor = &model->tensors[port->tensor];

	info->name = tensor->name;
	info->channels = extent->channels;
	info->range_low = port->range_low;
	info->range_high = port->range_high;
	if (tensor->type == MODEL_INT8) {
		info->scale = tensor->quantization.scale;
		info->zero = tensor->quantization.zero;
	}
	dimensions_describe(port->layout, extent, batch, info);
	info->elements = elements_count(info);
}
