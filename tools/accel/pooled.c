/* SPDX-License-Identifier: MIT */
#include "pooled.h"

#include "json_print.h"

#include <core/deadline.h>
#include <core/error.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Items lie one behind another only where the batch is the first axis. */
static bool is_split(enum accel_layout layout)
{
	return layout == ACCEL_LAYOUT_NF || layout == ACCEL_LAYOUT_NCHW ||
	       layout == ACCEL_LAYOUT_NTF;
}

static int refuse_layout(const struct accel_port_info *port)
{
	return accel_error(
		-ENOTSUP,
		"%s: its batch is not the first axis, so that it cannot be split; name one --device",
		port->name);
}

static int inputs_check(const struct pooled *pooled)
{
	const struct inputs *inputs = &pooled->workload->inputs;

	for (uint32_t i = 0; i < inputs->count; i++) {
		struct accel_port_info port = { .size = sizeof(port) };
		int ret = accel_model_get_input(pooled->workload->model, i,
						&port);

		if (ret)
			return ret;
		/* A state that starts as zero is zero for each item. */
		if (inputs->arrays[i].values && !is_split(port.layout))
			return refuse_layout(&port);
	}
	if (inputs->sizes.batch % pooled->item)
		return accel_error(
			-EINVAL,
			"a batch of %u cannot be split into items of %u; --item takes another",
			inputs->sizes.batch, pooled->item);
	return 0;
}

static int devices_open(struct pooled *pooled)
{
	int ret = 0;

	for (int i = 0; i < pooled->uris->count && !ret; i++) {
		ret = accel_device_open(pooled->uris->items[i], NULL,
					&pooled->devices[i]);
		pooled->device_count += !ret;
	}
	return ret;
}

/* A plan on the first device says what the outputs of an item are. */
static int output_create(struct pooled *pooled, const struct accel_plan *plan,
			 uint32_t index)
{
	struct accel_port_info *port = &pooled->ports[index];
	int ret;

	*port = (struct accel_port_info){ .size = sizeof(*port) };
	ret = accel_plan_get_output(plan, index, port);
	if (ret)
		return ret;
	if (!is_split(port->layout))
		return refuse_layout(port);
	port->dimensions[0] *= pooled->items;
	port->elements *= pooled->items;
	pooled->results[index] =
		calloc(port->elements + 1, sizeof(**pooled->results));
	return pooled->results[index] ?
		       0 :
		       accel_error(-ENOMEM, "%s: no memory for its values",
				   port->name);
}

static int outputs_create(struct pooled *pooled,
			  const struct accel_plan_options *sizes)
{
	struct accel_plan_info info = { .size = sizeof(info) };
	struct accel_plan *plan;
	int ret = accel_plan_create(pooled->devices[0], pooled->workload->model,
				    sizes, &plan);

	if (ret)
		return ret;
	ret = accel_plan_get_info(plan, &info);
	pooled->output_count = info.output_count;
	pooled->ports = calloc(info.output_count + 1, sizeof(*pooled->ports));
	pooled->results =
		calloc(info.output_count + 1, sizeof(*pooled->results));
	if (!ret && (!pooled->ports || !pooled->results))
		ret = accel_error(-ENOMEM, "no memory for the outputs");
	for (uint32_t i = 0; i < info.output_count && !ret; i++)
		ret = output_create(pooled, plan, i);
	accel_plan_destroy(plan);
	return ret;
}

int pooled_open(struct pooled *pooled)
{
	struct accel_plan_options sizes = pooled->workload->inputs.sizes;
	const struct accel_pool_options options = { .size = sizeof(options),
						    .plan = &sizes };
	int ret = inputs_check(pooled);

	if (ret)
		return ret;
	pooled->items = sizes.batch / pooled->item;
	sizes.batch = pooled->item;
	ret = devices_open(pooled);
	if (!ret)
		ret = outputs_create(pooled, &sizes);
	if (!ret)
		ret = accel_pool_create(pooled->devices, pooled->device_count,
					pooled->workload->model, &options,
					&pooled->pool);
	return ret;
}

static size_t array_count(const struct array *array)
{
	return array->values ? (size_t)graph_shape_count(&array->shape) : 0;
}

static int arrays_run(struct pooled *pooled, struct accel_input *in,
		      struct accel_output *out, int64_t timeout_ns)
{
	const struct inputs *inputs = &pooled->workload->inputs;

	for (uint32_t i = 0; i < inputs->count; i++)
		in[i] = (struct accel_input){
			.data = inputs->arrays[i].values,
			.count = array_count(&inputs->arrays[i]),
		};
	for (uint32_t i = 0; i < pooled->output_count; i++)
		out[i] = (struct accel_output){
			.data = pooled->results[i],
			.count = pooled->ports[i].elements,
			.layout = output_layout(&pooled->ports[i],
						inputs->layout),
		};
	return accel_pool_run(pooled->pool, in, inputs->count, out,
			      pooled->output_count, pooled->items, timeout_ns);
}

int pooled_run(struct pooled *pooled, double timeout_seconds)
{
	struct accel_input *in =
		calloc(pooled->workload->inputs.count + 1, sizeof(*in));
	struct accel_output *out =
		calloc(pooled->output_count + 1, sizeof(*out));
	uint64_t start = monotonic_ns();
	int ret;

	if (in && out)
		ret = arrays_run(pooled, in, out,
				 (int64_t)(timeout_seconds * 1e9));
	else
		ret = accel_error(-ENOMEM, "no memory for the arrays");
	pooled->host_seconds = (double)(monotonic_ns() - start) / 1e9;
	free(in);
	free(out);
	return ret;
}

static int print_device(const struct pooled *pooled, uint32_t index)
{
	struct accel_pool_info info = { .size = sizeof(info) };
	int ret = accel_pool_get_info(pooled->pool, index, &info);

	if (ret)
		return ret;
	printf("%-40s %8" PRIu64 " %12.3f %8" PRIu32 "\n", info.uri, info.items,
	       (double)info.item_ns / 1e6, info.failures);
	return 0;
}

static int print_table(const struct pooled *pooled)
{
	int ret = 0;

	printf("%-40s %8s %12s %8s\n", "device", "items", "ms each", "failed");
	for (uint32_t i = 0; i < pooled->device_count && !ret; i++)
		ret = print_device(pooled, i);
	printf("%" PRIu32 " items of %" PRIu32 " in %.3f ms\n", pooled->items,
	       pooled->item, 1e3 * pooled->host_seconds);
	return ret;
}

static json_t *device_json(const struct pooled *pooled, uint32_t index)
{
	struct accel_pool_info info = { .size = sizeof(info) };

	if (accel_pool_get_info(pooled->pool, index, &info))
		return NULL;
	return json_pack("{s:s, s:I, s:f, s:I, s:i}", "uri", info.uri, "items",
			 (json_int_t)info.items, "item_seconds",
			 (double)info.item_ns / 1e9, "failures",
			 (json_int_t)info.failures, "error", (int)info.error);
}

static int print_json(const struct pooled *pooled)
{
	json_t *devices = json_array();

	for (uint32_t i = 0; i < pooled->device_count; i++)
		json_array_append_new(devices, device_json(pooled, i));
	return json_print(json_pack("{s:o, s:I, s:I, s:f}", "devices", devices,
				    "items", (json_int_t)pooled->items,
				    "item_batch", (json_int_t)pooled->item,
				    "host_seconds", pooled->host_seconds));
}

int pooled_print(const struct pooled *pooled, bool json)
{
	return json ? print_json(pooled) : print_table(pooled);
}

void pooled_close(struct pooled *pooled)
{
	accel_pool_destroy(pooled->pool);
	for (uint32_t i = 0; i < pooled->device_count; i++)
		accel_device_close(pooled->devices[i]);
	for (uint32_t i = 0; pooled->results && i < pooled->output_count; i++)
		free(pooled->results[i]);
	free(pooled->results);
	free(pooled->ports);
}
