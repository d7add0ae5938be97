/* SPDX-License-Identifier: MIT */
/* Models on the simulated device and on the processor: the same bits. */
#include "published.h"
#include "random_model.h"

#define PATIENCE (60 * ACCEL_SECOND)
#define PORTS_MAX 24

struct arrays {
	float *data[PORTS_MAX];
	size_t count[PORTS_MAX];
	uint32_t ports;
};

static void arrays_create(const struct accel_plan *plan, bool outputs,
			  struct arrays *arrays)
{
	struct accel_plan_info info = { .size = sizeof(info) };

	assert_int_equal(accel_plan_get_info(plan, &info), 0);
	arrays->ports = outputs ? info.output_count : info.input_count;
	assert_in_range(arrays->ports, 0, PORTS_MAX);
	for (uint32_t i = 0; i < arrays->ports; i++) {
		struct accel_port_info port = { .size = sizeof(port) };

		assert_int_equal(outputs ?
					 accel_plan_get_output(plan, i, &port) :
					 accel_plan_get_input(plan, i, &port),
				 0);
		arrays->count[i] = port.elements;
		arrays->data[i] = malloc(port.elements * sizeof(float) + 1);
		assert_non_null(arrays->data[i]);
		for (size_t j = 0; j < port.elements; j++)
			arrays->data[i][j] =
				(float)sample_int(-2000, 2000) * 0.001f;
	}
}

static void arrays_free(struct arrays *arrays)
{
	for (uint32_t i = 0; i < arrays->ports; i++)
		free(arrays->data[i]);
}

static void run(struct accel_plan *plan, const struct arrays *inputs,
		const struct arrays *outputs)
{
	struct accel_input in[PORTS_MAX] = { 0 };
	struct accel_output out[PORTS_MAX] = { 0 };

	for (uint32_t i = 0; i < inputs->ports; i++)
		in[i] = (struct accel_input){ inputs->data[i], inputs->count[i],
					      ACCEL_LAYOUT_DEFAULT };
	for (uint32_t i = 0; i < outputs->ports; i++)
		out[i] = (struct accel_output){ outputs->data[i],
						outputs->count[i],
						ACCEL_LAYOUT_DEFAULT };
	if (accel_run(plan, in, inputs->ports, out, outputs->ports, PATIENCE))
		fail_msg("%s", accel_last_error());
}

static void figures_make_sense(struct accel_plan *plan)
{
	struct accel_plan_info info = { .size = sizeof(info) };
	struct accel_layer_info total = { .size = sizeof(total) };
	uint64_t macs = 0, inputs = 0;

	assert_int_equal(accel_plan_get_info(plan, &info), 0);
	assert_int_equal(accel_plan_get_total(plan, &total), 0);
	for (uint32_t i = 0; i < info.layer_count; i++) {
		struct accel_layer_info layer = { .size = sizeof(layer) };

		assert_int_equal(accel_plan_get_layer(plan, i, &layer), 0);
		assert_int_equal(layer.macs, layer.nnz * layer.n);
		assert_true(layer.cycles >= layer.roof_hard_cycles);
		macs += layer.macs;
		if (!strcmp(layer.name, "inputs"))
			inputs = layer.bytes_pcie;
	}
	assert_true(inputs > 0 && inputs <= total.bytes_pcie);
	assert_int_equal(total.macs, macs);
	assert_true(total.cycles > 0);
	assert_true(total.cycles >= total.roof_hard_cycles);
	assert_true(total.utilization >= 0 && total.utilization <= 1);
	assert_true(total.bytes_pcie > 0);
}

/* All layers on both, then the device with memory reused, and twice. */
static void compare(const char *uri, struct accel_model *model,
		    struct accel_plan_options options)
{
	struct accel_difference difference = { .size = sizeof(difference) };
	struct accel_device *sim = device_open(uri);
	struct accel_device *cpu = device_open("cpu:");
	struct accel_plan *on_sim, *on_cpu, *reusing;
	struct arrays inputs, expected, got;

	options.flags = ACCEL_PLAN_KEEP_ACTIVATIONS;
	on_sim = plan_create(sim, model, &options);
	on_cpu = plan_create(cpu, model, &options);
	options.flags = 0;
	reusing = plan_create(sim, model, &options);
	arrays_create(on_cpu, false, &inputs);
	arrays_create(on_cpu, true, &expected);
	arrays_create(on_cpu, true, &got);
	run(on_cpu, &inputs, &expected);
	run(on_sim, &inputs, &got);
	if (accel_plan_compare(on_cpu, on_sim, &difference))
		fail_msg("%s", accel_last_error());
	if (difference.differing)
		fail_msg(
			"%llu of %llu differ; %s, %s: row %u, column %llu: %d, not %d",
			(unsigned long long)difference.differing,
			(unsigned long long)difference.values, difference.layer,
			difference.tensor, difference.channel,
			(unsigned long long)difference.column,
			difference.second, difference.first);
	for (int i = 0; i < 2; i++) {
		run(reusing, &inputs, &got);
		figures_make_sense(reusing);
		for (uint32_t o = 0; o < got.ports; o++)
			assert_memory_equal(got.data[o], expected.data[o],
					    got.count[o] * sizeof(float));
	}
	arrays_free(&inputs);
	arrays_free(&expected);
	arrays_free(&got);
	accel_plan_destroy(on_sim);
	accel_plan_destroy(on_cpu);
	accel_plan_destroy(reusing);
	accel_device_close(sim);
	accel_device_close(cpu);
}

static void random_networks_compare(const char *uri, uint64_t first,
				    uint64_t last)
{
	for (uint64_t seed = first; seed <= last; seed++) {
		struct accel_plan_options options = { .size = sizeof(options) };
		uint32_t height, width;
		struct accel_model *model;

		sample_state = seed;
		height = (uint32_t)sample_int(2, 12);
		width = (uint32_t)sample_int(2, 12);
		model = model_publish(random_model(height, width));
		options.batch = (uint32_t)sample_int(1, 5);
		compare(uri, model, options);
		accel_model_free(model);
	}
}

static void random_networks_agree(void **state)
{
	(void)state;
	random_networks_compare("sim:", 1, 60);
}

/* sim: with a file of these lines, which is gone again when it has been used. */
static void with_config(const char *lines, void (*use)(const char *uri))
{
	char path[] = "/tmp/accel-test-config-XXXXXX", uri[64];
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	dprintf(fd, "%s", lines);
	close(fd);
	snprintf(uri, sizeof(uri), "sim:%s", path);
	use(uri);
	unlink(path);
}

static void some_random_networks_compare(const char *uri)
{
	random_networks_compare(uri, 100, 115);
}

/* The presets, and a device of odd sizes. */
static void other_geometries_agree(void **state)
{
	static const char *const configs[] = {
		"preset = small\n",
		"preset = hbm2e\n",
		"clusters = 3\nlanes = 4\nbanks = 8\nprefetch_bytes = 4K\nsram_bytes = 64K\n",
	};

	(void)state;
	for (int i = 0; i < 3; i++)
		with_config(configs[i], some_random_networks_compare);
}

/* Something wide between a layer and its only reader, both of random windows. */
static struct accel_model *wide_model(void)
{
	struct golden_quantization q = sample_quantization();
	struct model_port port = { 0, MODEL_LAYOUT_NCHW, 0, 1 };
	struct model *model = model_create("wide");
	uint32_t scale = (uint32_t)sample_int(1, 3);
	struct model_layer layer;

	sample_tensor(model, "x", MODEL_INT8, q, 4);
	model->tensors[0].height = (uint32_t)sample_int(20, 33);
	model->tensors[0].width = (uint32_t)sample_int(20, 33);
	model_add_input(model, &port);
	sample_tensor(model, "wide", MODEL_INT8, q, 96);
	layer = sample_spmm(model, "writer", 0, 1, (uint32_t)sample_int(1, 5));
	layer.spmm.replicate_height = layer.spmm.replicate_width = scale;
	sample_add(model, &layer);
	sample_tensor(model, "y", MODEL_INT8, q, 3);
	layer = sample_spmm(model, "reader", 1, 2, (uint32_t)sample_int(1, 5));
	layer.spmm.window.stride_height = (uint32_t)sample_int(1, 3);
	layer.spmm.window.dilation_height = (uint32_t)sample_int(1, 2);
	sample_add(model, &layer);
	port.tensor = 2;
	model_add_output(model, &port);
	return model_publish(model);
}

static void wide_models_compare(const char *uri)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct accel_plan_options options = { .size = sizeof(options),
						      .batch = 2 };
		struct accel_plan_info info = { .size = sizeof(info) };
		struct accel_device *device = device_open(uri);
		struct accel_model *model;
		struct accel_plan *plan;

		sample_state = seed;
		model = wide_model();
		compare(uri, model, options);
		plan = plan_create(device, model, &options);
		assert_int_equal(accel_plan_get_info(plan, &info), 0);
		/* In and out, and more than one command for each layer. */
		assert_true(info.command_count >= 6);
		accel_plan_destroy(plan);
		accel_model_free(model);
		accel_device_close(device);
	}
}

static void layers_in_bands_agree(void **state)
{
	(void)state;
	with_config("prefetch_bytes = 4K\nsram_bytes = 64K\n",
		    wide_models_compare);
}

static void every_operation_agrees(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct accel_plan_options options = { .size = sizeof(options) };
		struct accel_model *model;

		sample_state = seed;
		model = model_publish(sample_model());
		options.batch = (uint32_t)sample_int(1, 9);
		options.height = (uint32_t)sample_int(5, 11);
		options.width = (uint32_t)sample_int(5, 11);
		compare("sim:", model, options);
		accel_model_free(model);
	}
}

/* All weights pruned: the biases remain. */
static void empty_layers_agree(void **state)
{
	struct accel_plan_options options = { .size = sizeof(options),
					      .batch = 3 };
	struct golden_quantization q = { 0.02f, 3 };
	struct model_port port = { 0, MODEL_LAYOUT_NCHW, 0, 1 };
	struct model *model = model_create("empty");
	struct accel_model *published;
	struct model_layer layer;

	(void)state;
	sample_state = 77;
	sample_tensor(model, "x", MODEL_INT8, q, 3);
	model->tensors[0].height = model->tensors[0].width = 7;
	model_add_input(model, &port);
	for (int i = 1; i <= 2; i++) {
		const char *name = i == 1 ? "empty" : "last";

		sample_tensor(model, name, MODEL_INT8, q, 40);
		layer = sample_spmm(model, name, i - 1, i, 3);
		if (i == 1)
			memset(layer.spmm.weights.row_start, 0,
			       41 * sizeof(*layer.spmm.weights.row_start));
		sample_add(model, &layer);
	}
	port.tensor = 2;
	model_add_output(model, &port);
	published = model_publish(model);
	compare("sim:", published, options);
	accel_model_free(published);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_operation_agrees),
		cmocka_unit_test(random_networks_agree),
		cmocka_unit_test(other_geometries_agree),
		cmocka_unit_test(layers_in_bands_agree),
		cmocka_unit_test(empty_layers_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
