/* SPDX-License-Identifier: MIT */
/*
 * A plan that is loaded is the plan that is created, from portable and from packed files;
 * and what can go wrong on the way is told, and leaves nothing behind.
 */
#include "folder.h"
#include "published.h"
#include "sample_model.h"

#include <core/error.h>
#include <plan/matrix.h>
#include <runtime/object.h>

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIMEOUT (60 * ACCEL_SECOND)
#define HEIGHT 12
#define WIDTH 9

static const char *const uris[] = { "sim:", "cpu:", "nil:" };

static const struct accel_plan_options options = {
	.size = sizeof(options),
	.flags = ACCEL_PLAN_KEEP_ACTIVATIONS,
	.batch = 2,
	.height = HEIGHT,
	.width = WIDTH,
};

/* The file of the model for a device, packed for a batch of so many, or portable. */
static const char *model_write(const char *folder, const struct model *model,
			       const struct geometry *geometry, uint32_t batch)
{
	const struct model_sizes sizes = { batch, HEIGHT, WIDTH, 0 };
	const char *path = folder_path(folder, "model");
	struct model_packing *packing;

	if (!batch) {
		assert_int_equal(model_file_write(model, path), 0);
		return path;
	}
	if (plan_packing_create(model, geometry, &sizes, &packing) ||
	    model_file_write_packed(model, packing, path))
		fail_msg("%s", accel_last_error());
	model_packing_destroy(packing);
	return path;
}

static struct accel_plan *plan_load(struct accel_device *device,
				    const char *path)
{
	struct accel_plan *plan = NULL;

	if (accel_plan_load(device, path, &options, &plan))
		fail_msg("%s", accel_last_error());
	return plan;
}

/* What the inputs are does not matter, as long as they are the same. */
static void plan_run(struct accel_plan *plan)
{
	for (uint32_t i = 0; i < plan->model->model->input_count; i++) {
		uint8_t *bytes = plan->inputs[i].staging;
		float *values = plan->inputs[i].staging;

		for (size_t b = 0; b < plan->inputs[i].elements; b++)
			if (plan->inputs[i].tensor->type == MODEL_INT8)
				bytes[b] = (uint8_t)(b * 37);
			else
				values[b] = (float)(b % 17) / 16;
	}
	if (accel_run(plan, NULL, 0, NULL, 0, TIMEOUT))
		fail_msg("%s", accel_last_error());
}

static void assert_same_results(struct accel_plan *a, struct accel_plan *b)
{
	struct accel_difference difference = { .size = sizeof(difference) };
	struct accel_model *model = b->model;

	plan_run(a);
	plan_run(b);
	/* Each has read the model on its own, but it is the same. */
	b->model = a->model;
	if (accel_plan_compare(a, b, &difference))
		fail_msg("%s", accel_last_error());
	b->model = model;
	assert_true(difference.values > 0);
	assert_int_equal(difference.differing, 0);
}

static void assert_same_costs(const struct accel_plan *a,
			      const struct accel_plan *b)
{
	struct accel_layer_info first = { .size = sizeof(first) };
	struct accel_layer_info second = { .size = sizeof(second) };

	assert_int_equal(a->weight_bytes, b->weight_bytes);
	assert_int_equal(a->command_count, b->command_count);
	for (uint32_t i = 0; i < a->report.layer_count; i++) {
		assert_int_equal(accel_plan_get_layer(a, i, &first), 0);
		assert_int_equal(accel_plan_get_layer(b, i, &second), 0);
		assert_int_equal(first.nnz, second.nnz);
		assert_int_equal(first.issue_cycles, second.issue_cycles);
		assert_int_equal(first.optimal_cycles, second.optimal_cycles);
		assert_int_equal(first.bytes_weights, second.bytes_weights);
	}
}

/* Portable; packed for these sizes; packed for others, so that some mappings differ. */
static void loaded_plans_are_created_plans(void **state)
{
	static const uint32_t batches[] = { 0, 2, 64 };

	for (size_t u = 0; u < sizeof(uris) / sizeof(uris[0]); u++) {
		struct model *model = sample_model();
		struct accel_device *packer = device_open("sim:");
		struct accel_device *device = device_open(uris[u]);
		struct accel_model *loaded;
		struct accel_plan *created;

		for (int i = 0; i < 3; i++) {
			const char *path = model_write(
				*state, model, packer->geometry, batches[i]);
			struct accel_plan *plan = plan_load(device, path);

			assert_int_equal(accel_model_load(path, &loaded), 0);
			created = plan_create(device, loaded, &options);
			assert_same_costs(plan, created);
			if (strcmp(uris[u], "nil:"))
				assert_same_results(plan, created);
			accel_plan_destroy(plan);
			accel_plan_destroy(created);
			accel_model_free(loaded);
		}
		accel_device_close(device);
		accel_device_close(packer);
		model_destroy(model);
	}
}

static void a_file_for_another_geometry_loads(void **state)
{
	struct model *model = sample_model();
	struct accel_device *device = device_open("sim:");
	struct geometry other = *device->geometry;
	struct accel_device *golden = device_open("cpu:");
	struct accel_plan *plan, *expected;
	const char *path;

	other.lanes /= 2;
	other.banks /= 2;
	path = model_write(*state, model, &other, 2);
	plan = plan_load(device, path);
	expected = plan_load(golden, path);
	assert_same_results(plan, expected);
	accel_plan_destroy(plan);
	accel_plan_destroy(expected);
	accel_device_close(golden);
	accel_device_close(device);
	model_destroy(model);
}

/* Nothing of the device is taken when a load fails. */
static void assert_load_fails(struct accel_device *device, const char *path,
			      int error)
{
	struct accel_device_info before = { .size = sizeof(before) };
	struct accel_device_info after = { .size = sizeof(after) };
	struct accel_plan *plan = (struct accel_plan *)1;
	int ret;

	assert_int_equal(accel_device_get_info(device, &before), 0);
	ret = accel_plan_load(device, path, &options, &plan);
	if (error)
		assert_int_equal(ret, error);
	assert_true(ret < 0);
	assert_null(plan);
	assert_non_null(strstr(accel_last_error(), path));
	assert_int_equal(accel_device_get_info(device, &after), 0);
	assert_int_equal(after.memory_used, before.memory_used);
}

static void byte_flip(const char *path, long at)
{
	FILE *file = fopen(path, "r+b");
	int byte;

	assert_non_null(file);
	assert_int_equal(fseek(file, at, at < 0 ? SEEK_END : SEEK_SET), 0);
	byte = fgetc(file);
	assert_int_equal(fseek(file, -1, SEEK_CUR), 0);
	fputc(byte ^ 1, file);
	assert_int_equal(fclose(file), 0);
}

/* Weights lie at the end of either form: bytes have no larger alignment. */
static void damaged_files_are_refused(void **state)
{
	struct accel_device *device = device_open("sim:");
	struct model *model = sample_model();
	struct accel_plan *plan;
	struct stat status;

	for (uint32_t batch = 0; batch <= 2; batch += 2) {
		const char *path =
			model_write(*state, model, device->geometry, batch);

		byte_flip(path, -2);
		assert_load_fails(device, path, -EBADMSG);
		byte_flip(path, -2);
		byte_flip(path, 100);
		assert_load_fails(device, path, 0);
		byte_flip(path, 100);
		plan = plan_load(device, path);
		accel_plan_destroy(plan);
		assert_int_equal(stat(path, &status), 0);
		assert_int_equal(truncate(path, status.st_size - 1), 0);
		assert_load_fails(device, path, 0);
		assert_int_equal(truncate(path, 4), 0);
		assert_load_fails(device, path, -EINVAL);
	}
	assert_load_fails(device, "/nowhere/at/all", -ENOENT);
	assert_load_fails(device, "/dev/zero", -EINVAL);
	accel_device_close(device);
	model_destroy(model);
}

/* Weights for several windows of the transfer. */
static struct model *large_model(void)
{
	struct golden_quantization q = sample_quantization();
	struct model *model = model_create("large");
	struct model_port port = sample_port(0, MODEL_LAYOUT_NF);
	struct model_layer layer;

	sample_tensor(model, "x", MODEL_INT8, q, 2000);
	sample_tensor(model, "y", MODEL_INT8, q, 1500);
	sample_tensor(model, "z", MODEL_INT8, q, 700);
	layer = sample_spmm(model, "first", 0, 1, 1);
	sample_add(model, &layer);
	layer = sample_spmm(model, "second", 1, 2, 1);
	sample_add(model, &layer);
	model_add_input(model, &port);
	port.tensor = 2;
	model_add_output(model, &port);
	return model;
}

/* The transfer queue works again after a load that failed amid the upload. */
static void a_device_goes_on_after_a_failure(void **state)
{
	struct accel_device *device = device_open("sim:");
	struct model *model = large_model();
	const char *path = model_write(*state, model, device->geometry, 2);
	struct accel_plan *first = plan_load(device, path), *second, *golden;
	struct accel_device *cpu = device_open("cpu:");

	/* At the end, and in each of the two matrices. */
	for (int i = 1; i <= 3; i++) {
		long at = i == 1 ? -1 : i == 2 ? -500000 : -2000000;

		byte_flip(path, at);
		assert_load_fails(device, path, -EBADMSG);
		byte_flip(path, at);
	}
	second = plan_load(device, path);
	golden = plan_load(cpu, path);
	assert_same_results(first, second);
	assert_same_results(second, golden);
	accel_plan_destroy(golden);
	accel_device_close(cpu);
	accel_plan_destroy(first);
	accel_plan_destroy(second);
	accel_device_close(device);
	model_destroy(model);
}

static void a_lost_device_is_told(void **state)
{
	char uri[FOLDER_PATH + 16], faults[FOLDER_PATH];
	struct model *model = large_model();
	struct accel_device *device = device_open("sim:");
	const char *path = model_write(*state, model, device->geometry, 2);
	char copy[FOLDER_PATH];
	FILE *file;

	snprintf(copy, sizeof(copy), "%s", path);
	accel_device_close(device);
	snprintf(faults, sizeof(faults), "%s", folder_path(*state, "faults"));
	file = fopen(faults, "w");
	assert_non_null(file);
	fputs("g: gone on copy after 3 armed\n", file);
	assert_int_equal(fclose(file), 0);
	snprintf(uri, sizeof(uri), "sim:?fault=%s", faults);
	device = device_open(uri);
	assert_load_fails(device, copy, -ENODEV);
	assert_load_fails(device, copy, 0);
	accel_device_close(device);
	model_destroy(model);
}

/* As containers do it. */
static int io_uring_forbid(void)
{
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { 4, code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void it_works_where_io_uring_is_forbidden(void **state)
{
	struct model *model = sample_model();
	struct accel_device *device;
	pid_t child = fork();
	int status;

	if (!child) {
		if (io_uring_forbid())
			_exit(EXIT_SKIP);
		device = device_open("sim:");
		for (uint32_t batch = 0; batch <= 2; batch += 2)
			accel_plan_destroy(plan_load(
				device, model_write(*state, model,
						    device->geometry, batch)));
		accel_device_close(device);
		_exit(0);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == EXIT_SKIP)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
	model_destroy(model);
}

static void wrong_arguments_are_refused(void **state)
{
	struct accel_device *device = device_open("nil:");
	struct accel_plan *plan = NULL;
	struct accel_plan_options unknown = options;

	(void)state;
	unknown.flags = 0x80;
	assert_int_equal(accel_plan_load(NULL, "x", &options, &plan), -EINVAL);
	assert_int_equal(accel_plan_load(device, NULL, &options, &plan),
			 -EINVAL);
	assert_int_equal(accel_plan_load(device, "x", &options, NULL), -EINVAL);
	assert_int_equal(accel_plan_load(device, "x", &unknown, &plan),
			 -EINVAL);
	accel_device_close(device);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		folder_test(loaded_plans_are_created_plans),
		folder_test(a_file_for_another_geometry_loads),
		folder_test(damaged_files_are_refused),
		folder_test(a_device_goes_on_after_a_failure),
		folder_test(a_lost_device_is_told),
		folder_test(it_works_where_io_uring_is_forbidden),
		cmocka_unit_test(wrong_arguments_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
