/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "folder.h"

#include <errno.h>
#include <string.h>

#include <accel/accel.h>
#include <runtime/device.h>
#include <sim/config.h>

static void refused(const char *uri, int error, const char *words)
{
	struct accel_device *device = (void *)1;

	assert_int_equal(accel_device_open(uri, NULL, &device), error);
	assert_null(device);
	assert_non_null(strstr(accel_last_error(), words));
}

static void unknown_devices_are_refused_with_the_known_ones(void **state)
{
	(void)state;
	refused("gpu:", -EINVAL, "cpu:");
	refused("", -EINVAL, "sim:");
	refused("sim", -EINVAL, "sim:");
	refused("cpu:0", -EINVAL, "nothing may follow");
	refused("nil:x", -EINVAL, "nothing may follow");
}

static void sockets_are_named_and_served(void **state)
{
	(void)state;
	refused("vfio-user:", -EINVAL, "which socket");
	refused("vfio-user:/nowhere/spmm", -ENOENT, "spmm-sim --socket");
	refused("vfio-user:/nowhere/spmm?trace=t", -EINVAL, "no parameters");
}

static void devices_of_vfio_are_named_by_address(void **state)
{
	(void)state;
	refused("vfio:", -EINVAL, "which device?");
	refused("vfio:01:00", -EINVAL, "no address of a PCI device");
	refused("vfio:01:00.0?", -EINVAL, "iommu=type1");
	refused("vfio:01:00.0?iommu=", -EINVAL, "iommu=type1");
	refused("vfio:01:00.0?iommu=none", -EINVAL, "iommu=noiommu");
	refused("vfio:01:00.0?queues=job", -EINVAL, "iommu=type1");
	refused("vfio:fffe:ff:1f.7?iommu=iommufd", -ENOENT,
		"fffe:ff:1f.7: there is no such PCI device");
}

static void nodes_are_those_of_the_module(void **state)
{
	(void)state;
	refused("dev:", -EINVAL, "which device?");
	refused("dev:/dev/null?queues=some", -EINVAL, "queues=job or");
	refused("dev:/dev/accel/none", -ENOENT, "module loaded");
	refused("dev:/dev/null", -ENODEV, "not a device of the spmm module");
}

static void wrong_parameters_are_refused(void **state)
{
	(void)state;
	refused("cpu:?trace=t.json", -EINVAL, "cpu: has no parameters");
	refused("nil:?vcd=w.vcd", -EINVAL, "nil: has no parameters");
	refused("sim:?", -EINVAL, "NAME=VALUE");
	refused("sim:?trace", -EINVAL, "NAME=VALUE");
	refused("sim:?trace=", -EINVAL, "trace= has no value");
	refused("sim:?tracy=t", -EINVAL, "unknown parameter \"tracy\"");
	refused("sim:?trace=a&trace=b", -EINVAL, "two of trace=");
	refused("sim:?trace=a&vcd=a", -EINVAL, "the same file");
	refused("sim:?limit=5", -EINVAL, "nothing to limit");
	refused("sim:?trace=a&limit=0", -EINVAL, "limit=0");
	refused("sim:?trace=a&limit=x", -EINVAL, "limit=x");
	refused("sim:?engine=slow", -EINVAL, "fast and reference");
	refused("sim:?trace=%", -EINVAL, "%25");
	refused("sim:?trace=a%2", -EINVAL, "%25");
	refused("sim:?trace=a%00", -EINVAL, "%25");
	refused("sim:a%zz", -EINVAL, "%25");
}

/* Escapes stand for what they say, in each part. */
static void odd_file_names_can_be_given(void **state)
{
	char uri[2 * FOLDER_PATH + 64];
	struct accel_device *device;
	FILE *file = fopen(folder_path(*state, "c?%&=.conf"), "w");

	assert_non_null(file);
	fputs("clusters = 3\n", file);
	fclose(file);
	snprintf(uri, sizeof(uri),
		 "sim:%s/c%%3F%%25&=.conf?trace=%s/t%%26?%%41=.json&limit=1K",
		 (char *)*state, (char *)*state);
	assert_int_equal(accel_device_open(uri, NULL, &device), 0);
	assert_int_equal(access(folder_path(*state, "t&?A=.json"), R_OK), 0);
	assert_int_equal(accel_device_end_trace(device), 0);
	assert_int_equal(accel_device_end_trace(device), 0);
	accel_device_close(device);
}

static void a_record_that_cannot_be_written_is_an_error(void **state)
{
	struct accel_device *device;

	(void)state;
	refused("sim:?trace=/no/such/t.json", -ENOENT, "/no/such/t.json");
	refused("sim:?vcd=/no/such/w.vcd", -ENOENT, "/no/such/w.vcd");
	assert_int_equal(accel_device_end_trace(NULL), -EINVAL);
	assert_int_equal(accel_device_open("cpu:", NULL, &device), 0);
	assert_int_equal(accel_device_end_trace(device), 0);
	accel_device_close(device);
	if (access("/dev/full", W_OK))
		return;
	assert_int_equal(accel_device_open("sim:?vcd=/dev/full", NULL, &device),
			 0);
	assert_int_equal(accel_device_end_trace(device), -ENOSPC);
	assert_non_null(strstr(accel_last_error(), "/dev/full"));
	accel_device_close(device);
}

static void sizes_of_structures_are_checked(void **state)
{
	struct accel_device_options options = { 0 };
	struct accel_device_info info = { 0 };
	struct accel_device *device;

	(void)state;
	assert_int_equal(accel_device_open("nil:", &options, &device), -EINVAL);
	options.size = sizeof(options);
	options.stall_timeout_ns = -1;
	assert_int_equal(accel_device_open("nil:", &options, &device), -EINVAL);
	options.stall_timeout_ns = 0;
	assert_int_equal(accel_device_open("nil:", &options, &device), 0);
	assert_int_equal(accel_device_get_info(device, &info), -EINVAL);
	info.size = sizeof(info);
	assert_int_equal(accel_device_get_info(device, &info), 0);
	assert_string_equal(info.uri, "nil:");
	assert_string_equal(info.backend, "nil");
	accel_device_close(device);
}

static void an_older_caller_gets_what_it_knows(void **state)
{
	union {
		struct accel_device_info info;
		char bytes[sizeof(struct accel_device_info)];
	} older;
	size_t known = offsetof(struct accel_device_info, name);
	struct accel_device *device;

	(void)state;
	memset(&older, 0x55, sizeof(older));
	older.info.size = known;
	assert_int_equal(accel_device_open("nil:", NULL, &device), 0);
	assert_int_equal(accel_device_get_info(device, &older.info), 0);
	assert_string_equal(older.info.uri, "nil:");
	for (size_t i = known; i < sizeof(older); i++)
		assert_int_equal(older.bytes[i], 0x55);
	accel_device_close(device);
}

static void a_newer_caller_may_only_leave_zeros(void **state)
{
	struct {
		struct accel_device_options known;
		long added;
	} newer = { .known = { .size = sizeof(newer) } };
	struct accel_device *device;

	(void)state;
	assert_int_equal(accel_device_open("nil:", &newer.known, &device), 0);
	accel_device_close(device);
	newer.added = 1;
	assert_int_equal(accel_device_open("nil:", &newer.known, &device),
			 -EINVAL);
}

static void null_handles_are_refused_or_ignored(void **state)
{
	struct accel_device_info info = { .size = sizeof(info) };

	(void)state;
	assert_int_equal(accel_device_open("nil:", NULL, NULL), -EINVAL);
	assert_int_equal(accel_device_get_info(NULL, &info), -EINVAL);
	accel_device_close(NULL);
	accel_plan_destroy(NULL);
	accel_queue_destroy(NULL);
	accel_buffer_destroy(NULL);
	accel_model_free(NULL);
}

static void devices_of_any_configuration_follow_each_other(void **state)
{
	(void)state;
	for (uint32_t clusters = 1; clusters <= 4; clusters++) {
		struct accel_device_info info = { .size = sizeof(info) };
		struct accel_device *device;
		struct sim_config config;

		assert_int_equal(sim_config_preset("small", &config), 0);
		config.clusters = clusters;
		assert_int_equal(device_open_sim(&config, &device), 0);
		assert_int_equal(accel_device_get_info(device, &info), 0);
		assert_int_equal(info.clusters, clusters);
		assert_string_equal(info.uri, "sim:");
		accel_device_close(device);
	}
}

static void nop_runs(struct accel_device *device, uint32_t depth)
{
	struct accel_operation nop = { .opcode = ACCEL_OPERATION_NOP };
	struct accel_completion completion;
	struct accel_queue *queue;

	assert_int_equal(accel_queue_create(device, NULL, &queue), 0);
	/* More than the ring has, so that it goes round. */
	for (uint32_t i = 0; i < 4 * depth + 4; i++) {
		assert_int_equal(accel_queue_submit(queue, &nop, 1), 1);
		assert_int_equal(accel_queue_wait(queue, &completion, 1, 1,
						  5000000000),
				 1);
		assert_int_equal(completion.status, 0);
	}
	accel_queue_destroy(queue);
}

/* No ring is larger than the device's can be, unless somebody asks for it. */
static void devices_of_short_rings_work(void **state)
{
	(void)state;
	for (uint32_t entries = 2; entries <= 33; entries++) {
		const struct accel_queue_options deep = { .size = sizeof(deep),
							  .depth = 32 };
		struct accel_device_info info = { .size = sizeof(info) };
		struct accel_device *device;
		struct accel_queue *queue;
		struct sim_config config;

		assert_int_equal(sim_config_preset("small", &config), 0);
		config.queue_entries = entries;
		assert_int_equal(device_open_sim(&config, &device), 0);
		assert_int_equal(accel_device_get_info(device, &info), 0);
		assert_int_equal(info.queue_depth, entries / 2);
		nop_runs(device, info.queue_depth);
		assert_int_equal(accel_queue_create(device, &deep, &queue),
				 -EINVAL);
		accel_device_close(device);
	}
}

/* One queue has the commands and one moves what they need. */
static void devices_of_one_queue_are_refused(void **state)
{
	struct accel_device *device;
	struct sim_config config;

	(void)state;
	assert_int_equal(sim_config_preset("small", &config), 0);
	config.queues = 1;
	assert_int_equal(device_open_sim(&config, &device), -EINVAL);
	assert_non_null(strstr(accel_last_error(), "queues"));
	config.queues = 2;
	config.contexts = 2;
	assert_int_equal(device_open_sim(&config, &device), -EINVAL);
	assert_non_null(strstr(accel_last_error(), "contexts"));
	config.contexts = 3;
	assert_int_equal(device_open_sim(&config, &device), 0);
	accel_device_close(device);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			unknown_devices_are_refused_with_the_known_ones),
		cmocka_unit_test(devices_of_vfio_are_named_by_address),
		cmocka_unit_test(nodes_are_those_of_the_module),
		cmocka_unit_test(sockets_are_named_and_served),
		cmocka_unit_test(wrong_parameters_are_refused),
		folder_test(odd_file_names_can_be_given),
		cmocka_unit_test(a_record_that_cannot_be_written_is_an_error),
		cmocka_unit_test(sizes_of_structures_are_checked),
		cmocka_unit_test(an_older_caller_gets_what_it_knows),
		cmocka_unit_test(a_newer_caller_may_only_leave_zeros),
		cmocka_unit_test(
			devices_of_any_configuration_follow_each_other),
		cmocka_unit_test(devices_of_short_rings_work),
		cmocka_unit_test(devices_of_one_queue_are_refused),
		cmocka_unit_test(null_handles_are_refused_or_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
