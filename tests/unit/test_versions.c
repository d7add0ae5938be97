/* SPDX-License-Identifier: MIT */
/* A library, devices and modules that are older and newer than each other. */
#include "published.h"
#include "random_model.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>

#include <drm/spmm_accel.h>
#include <runtime/device.h>
#include <sim/config.h>
#include <spmm/registers.h>

#define PATIENCE (60 * ACCEL_SECOND)

static void says(const char *words)
{
	if (!strstr(accel_last_error(), words))
		fail_msg("\"%s\" does not say \"%s\"", accel_last_error(),
			 words);
}

static struct sim_config config_of(uint32_t major, uint32_t minor)
{
	struct sim_config config;

	assert_int_equal(sim_config_preset("small", &config), 0);
	config.version_major = major;
	config.version_minor = minor;
	return config;
}

static struct accel_device *sim_open(const struct sim_config *config)
{
	struct accel_device *device = NULL;

	if (device_open_sim(config, &device))
		fail_msg("%s", accel_last_error());
	return device;
}

static void sim_refused(const struct sim_config *config, const char *words)
{
	struct accel_device *device = NULL;

	assert_int_equal(device_open_sim(config, &device), -EOPNOTSUPP);
	assert_null(device);
	says(words);
}

/* With every operation, or images alone. */
static struct accel_model *model_make(bool recurrent)
{
	sample_state = 5;
	return model_publish(recurrent ? sample_model() : random_model(9, 7));
}

static struct accel_plan_options sizes(bool recurrent)
{
	return (struct accel_plan_options){
		.size = sizeof(struct accel_plan_options),
		.flags = ACCEL_PLAN_KEEP_ACTIVATIONS,
		.height = recurrent ? 9 : 0,
		.width = recurrent ? 7 : 0,
	};
}

/* All activations are those of cpu:. */
static void is_exact(struct accel_device *device, bool recurrent)
{
	struct accel_difference difference = { .size = sizeof(difference) };
	struct accel_plan_options options = sizes(recurrent);
	struct accel_device *cpu = device_open("cpu:");
	struct accel_model *model = model_make(recurrent);
	struct accel_plan *plan = plan_create(device, model, &options);
	struct accel_plan *golden = plan_create(cpu, model, &options);

	assert_int_equal(accel_run(plan, NULL, 0, NULL, 0, PATIENCE), 0);
	assert_int_equal(accel_run(golden, NULL, 0, NULL, 0, PATIENCE), 0);
	assert_int_equal(accel_plan_compare(golden, plan, &difference), 0);
	assert_true(difference.values > 0);
	assert_int_equal(difference.differing, 0);
	accel_plan_destroy(plan);
	accel_plan_destroy(golden);
	accel_model_free(model);
	accel_device_close(cpu);
}

static void newer_devices_of_the_same_major_version_work(void **state)
{
	struct sim_config config = config_of(1, 65535);
	struct accel_device *device;

	(void)state;
	config.future_capabilities = 0xfff;
	device = sim_open(&config);
	is_exact(device, true);
	accel_device_close(device);
}

static void devices_of_another_major_version_are_refused(void **state)
{
	struct sim_config config = config_of(2, 3);

	(void)state;
	sim_refused(&config, "version 2.3; this library knows 1.x: a newer");
	config = config_of(0, 9);
	sim_refused(&config, "version 0.9; this library knows 1.x: an older");
}

static void what_is_omitted_is_done_without(void **state)
{
	struct sim_config config = config_of(1, 0);
	struct accel_device *device;

	(void)state;
	config.omitted = SPMM_OMITTED_STREAM;
	device = sim_open(&config);
	is_exact(device, true);
	accel_device_close(device);
}

/* Or else refused before anything runs, by the layer that needs it. */
static void what_cannot_be_done_without_is_refused(void **state)
{
	struct accel_plan_options options = sizes(true);
	struct sim_config config = config_of(1, 0);
	struct accel_model *model = model_make(true);
	struct accel_plan *plan = NULL;
	struct accel_device *device;

	(void)state;
	config.omitted = SPMM_OMITTED_RECURRENT;
	device = sim_open(&config);
	assert_int_equal(accel_plan_create(device, model, &options, &plan),
			 -ENOTSUP);
	says("recurrent");
	is_exact(device, false);
	accel_model_free(model);
	accel_device_close(device);
}

static void unknown_omissions_are_refused(void **state)
{
	struct sim_config config = config_of(1, 1);

	(void)state;
	config.omitted = SPMM_OMITTED_STREAM | 0x40;
	sim_refused(&config, "lacks parts (0x40)");
}

/* What a module answers that is another than this library was built with. */
static struct module {
	int major;
	uint32_t size; /* bytes that it tells */
	uint64_t features;
	uint32_t omitted;
} module;

static const struct drm_spmm_device_info told = {
	.memory_bytes = 1 << 30,
	.sram_bytes = 1 << 20,
	.memory_bandwidth = 1,
	.link_bandwidth = 1,
	.clock_hz = 1000,
	.version = SPMM_VERSION_1_0,
	.clusters = 2,
	.lanes = 8,
	.vector_width = 32,
	.banks = 16,
	.accumulators = 4,
	.decoder_rate = 8,
	.queues = 64,
	.queue_entries = 4096,
	.job_commands_max = 4096,
	.job_timeout_ms = 1000,
	.job_limit_ms = 1000,
};

static int query_answer(struct drm_spmm_query *query)
{
	unsigned char answer[2 * sizeof(told)];
	struct drm_spmm_device_info info = told;
	uint32_t copied = query->size < module.size ? query->size : module.size;

	info.features = module.features;
	info.omitted = module.omitted;
	memset(answer, 0xee, sizeof(answer));
	memcpy(answer, &info, sizeof(info));
	memset((void *)(uintptr_t)query->pointer, 0, query->size);
	memcpy((void *)(uintptr_t)query->pointer, answer, copied);
	query->size = module.size;
	return 0;
}

/* Instead of the C library's: /dev/null is a node of that module. */
int ioctl(int file, unsigned long request, ...)
{
	struct drm_version *version;
	va_list arguments;
	void *argument;

	(void)file;
	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	if (request == DRM_IOCTL_SPMM_QUERY)
		return query_answer(argument);
	if (request != DRM_IOCTL_VERSION) {
		errno = ENOTTY;
		return -1;
	}
	version = argument;
	version->version_major = module.major;
	version->version_minor = 9;
	version->name_len = 4;
	memcpy(version->name, "spmm", 4);
	return 0;
}

static int module_open(const char *uri)
{
	struct accel_device_info info = { .size = sizeof(info) };
	struct accel_device *device = NULL;
	int ret = accel_device_open(uri, NULL, &device);

	if (ret)
		return ret;
	assert_int_equal(accel_device_get_info(device, &info), 0);
	assert_int_equal(info.clusters, told.clusters);
	assert_int_equal(info.queue_depth, told.queue_entries / 2);
	accel_device_close(device);
	return 0;
}

/* Before OMITTED was told, nothing was omitted. */
static void older_modules_tell_less(void **state)
{
	(void)state;
	module = (struct module){
		.major = 1,
		.size = offsetof(struct drm_spmm_device_info, omitted),
		.omitted = UINT32_MAX,
	};
	assert_int_equal(module_open("dev:/dev/null"), 0);
	assert_int_equal(module_open("dev:/dev/null?queues=user"), -EOPNOTSUPP);
	says("has no user queues");
	module.size = offsetof(struct drm_spmm_device_info, job_limit_ms);
	assert_int_equal(module_open("dev:/dev/null"), -EOPNOTSUPP);
	says("a newer one is needed");
}

static void newer_modules_tell_more(void **state)
{
	(void)state;
	module = (struct module){
		.major = 1,
		.size = sizeof(told) + 40,
		.features = ~0ull,
	};
	assert_int_equal(module_open("dev:/dev/null"), 0);
	assert_int_equal(module_open("dev:/dev/null?queues=user"), 0);
}

static void modules_of_another_major_version_are_refused(void **state)
{
	(void)state;
	module = (struct module){ .major = 2, .size = sizeof(told) };
	assert_int_equal(module_open("dev:/dev/null"), -EOPNOTSUPP);
	says("the module's interface is version 2.9; this library knows 1.x");
	module.major = 0;
	assert_int_equal(module_open("dev:/dev/null"), -EOPNOTSUPP);
	says("an older one is needed");
}

static void modules_of_devices_that_lack_something(void **state)
{
	(void)state;
	module = (struct module){
		.major = 1,
		.size = sizeof(told),
		.omitted = SPMM_OMITTED_KNOWN,
	};
	assert_int_equal(module_open("dev:/dev/null"), 0);
	module.omitted = 0x80;
	assert_int_equal(module_open("dev:/dev/null"), -EOPNOTSUPP);
	says("lacks parts (0x80)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(newer_devices_of_the_same_major_version_work),
		cmocka_unit_test(devices_of_another_major_version_are_refused),
		cmocka_unit_test(what_is_omitted_is_done_without),
		cmocka_unit_test(what_cannot_be_done_without_is_refused),
		cmocka_unit_test(unknown_omissions_are_refused),
		cmocka_unit_test(older_modules_tell_less),
		cmocka_unit_test(newer_modules_tell_more),
		cmocka_unit_test(modules_of_another_major_version_are_refused),
		cmocka_unit_test(modules_of_devices_that_lack_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
