/* SPDX-License-Identifier: MIT */
/*
 * How long it takes from a file to the first plan: portable, packed or compact, read and
 * planned one after the other and by accel_plan_load(), with the file in memory and with the
 * file on its disk.
 *
 * usage: bench_load [URI]; ACCEL_BENCH_DIR is a folder on the disk in question.
 */
#include "../unit/sample_model.h"
#include "workload.h"

#include <accel/error.h>
#include <core/deadline.h>
#include <model/file.h>
#include <plan/matrix.h>
#include <runtime/object.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODEL "esrgan_medium_x4"
#define ROUNDS 21
#define READ_SIZE (1u << 20)

/* Beside it, one that takes long to read: layers of random weights, so many each way. */
#define LARGE_ROUNDS 5
#define LARGE_LAYERS 4
#define LARGE_SIZE 1536

enum way {
	WAY_READ, /* nothing but the file */
	WAY_LOAD, /* accel_model_load() alone */
	WAY_ONE_AFTER_THE_OTHER,
	WAY_PLAN_LOAD,
	WAYS,
};

enum form {
	FORM_PORTABLE,
	FORM_PACKED,
	FORM_COMPACT,
	FORMS,
};

static const char *const form_names[] = { "portable", "packed", "compact" };

static const char *const way_names[] = { "read", "load", "load, create",
					 "plan_load" };

/** struct series - the times of one way */
struct series {
	double seconds[ROUNDS];
};

/**
 * struct bench - a model's files and what they took
 * @device: that the plans are for
 * @name: of the model
 * @rounds: that are measured
 * @sizes: of the plans
 * @path: of each form
 * @series: of each form, warm and cold, of each way
 */
struct bench {
	struct accel_device *device;
	const char *name;
	int rounds;
	struct accel_plan_options sizes;
	char path[FORMS][512];
	struct series series[FORMS][2][WAYS];
};

static int report_failure(const char *what)
{
	fprintf(stderr, "bench_load: %s: %s\n", what, accel_last_error());
	return -1;
}

/* Only what has been written to the disk can be forgotten. */
static int forget(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	fsync(fd);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	close(fd);
	return 0;
}

static int read_all(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *buffer = malloc(READ_SIZE);
	ssize_t got = -1;

	while (fd >= 0 && buffer && (got = read(fd, buffer, READ_SIZE)) > 0)
		;
	free(buffer);
	if (fd >= 0)
		close(fd);
	return got ? -1 : 0;
}

/* One after the other, as a program without accel_plan_load() would. */
static int load_and_create(const struct bench *bench, const char *path,
			   bool create, struct accel_plan **plan)
{
	struct accel_model *model;
	int ret = accel_model_load(path, &model);

	if (ret)
		return ret;
	if (create)
		ret = accel_plan_create(bench->device, model, &bench->sizes,
					plan);
	accel_model_free(model);
	return ret;
}

static int run_way(const struct bench *bench, const char *path, enum way way,
		   double *seconds)
{
	struct accel_plan *plan = NULL;
	uint64_t start = monotonic_ns();
	int ret;

	switch (way) {
	case WAY_READ:
		ret = read_all(path);
		break;
	case WAY_PLAN_LOAD:
		ret = accel_plan_load(bench->device, path, &bench->sizes,
				      &plan);
		break;
	default:
		ret = load_and_create(bench, path,
				      way == WAY_ONE_AFTER_THE_OTHER, &plan);
		break;
	}
	*seconds = (double)(monotonic_ns() - start) / 1e9;
	accel_plan_destroy(plan);
	return ret;
}

/* All ways in turn: what else the machine does meets them alike. */
static int run_round(struct bench *bench, int round)
{
	for (int i = 0; i < 2 * FORMS * WAYS; i++) {
		int form = i / WAYS % FORMS, cold = i / WAYS / FORMS;
		int way = i % WAYS;

		if (cold && forget(bench->path[form]))
			return report_failure(bench->path[form]);
		if (run_way(bench, bench->path[form], (enum way)way,
			    &bench->series[form][cold][way].seconds[round]))
			return report_failure(way_names[way]);
	}
	return 0;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(struct series *series, int rounds)
{
	qsort(series->seconds, (size_t)rounds, sizeof(series->seconds[0]),
	      by_value);
	return series->seconds[rounds / 2];
}

static double size_of(const char *path)
{
	struct stat status;

	return stat(path, &status) ? 0 : (double)status.st_size;
}

static void print(struct bench *bench)
{
	double warm = 0;

	printf("%s on %s ms until the first plan, medians of %d\n\n",
	       bench->name, bench->device->uri, bench->rounds);
	printf("%-9s %9s %-5s", "file", "bytes", "cache");
	for (int way = 0; way < WAYS; way++)
		printf(" %13s", way_names[way]);
	printf(" %8s %9s\n", "ratio", "sum");
	for (int i = 0; i < 2 * FORMS; i++) {
		struct series *series = bench->series[i / 2][i % 2];
		double ms[WAYS];

		for (int way = 0; way < WAYS; way++)
			ms[way] = median(&series[way], bench->rounds) * 1e3;
		printf("%-9s %9.0f %-5s", form_names[i / 2],
		       size_of(bench->path[i / 2]), i % 2 ? "cold" : "warm");
		for (int way = 0; way < WAYS; way++)
			printf(" %13.2f", ms[way]);
		printf(" %7.2fx",
		       ms[WAY_ONE_AFTER_THE_OTHER] / ms[WAY_PLAN_LOAD]);
		if (i % 2)
			printf(" %9.2f", ms[WAY_READ] + warm);
		warm = ms[WAY_PLAN_LOAD];
		printf("\n");
	}
	printf("sum: of reading alone and of plan_load with the file in memory\n\n");
}

static int write_files(struct bench *bench, const struct model *model)
{
	const struct model_sizes packed_for = {
		.batch = bench->sizes.batch,
		.height = bench->sizes.height,
		.width = bench->sizes.width,
	};
	struct model_packing *packing;
	int ret = model_file_write(model, bench->path[FORM_PORTABLE]);

	if (!ret)
		ret = model_file_write_compact(model,
					       bench->path[FORM_COMPACT]);
	if (!ret)
		ret = plan_packing_create(model, bench->device->geometry,
					  &packed_for, &packing);
	if (ret)
		return ret;
	ret = model_file_write_packed(model, packing, bench->path[FORM_PACKED]);
	model_packing_destroy(packing);
	return ret;
}

/* A published network. */
static int public_model(struct bench *bench, struct accel_model **model)
{
	static const struct pruning none = { "as given", 0, 0 };
	char *path = workload_path(MODEL);
	int ret;

	bench->name = MODEL;
	bench->rounds = ROUNDS;
	bench->sizes.height = bench->sizes.width = 128;
	if (!path) {
		printf("skipped: no %s in ACCEL_SHARED_DIR\n", MODEL);
		return EXIT_SKIP;
	}
	ret = workload_load(path, &none, model);
	free(path);
	return ret ? report_failure(MODEL) : 0;
}

static void large_layer(struct model *model, int number)
{
	struct golden_quantization q = { 0.01f, 0 };
	char name[8];
	struct model_layer layer;
	int tensor;

	snprintf(name, sizeof(name), "t%d", number);
	tensor = sample_tensor(model, name, MODEL_INT8, q, LARGE_SIZE);
	if (!number)
		return;
	layer = sample_spmm(model, name, tensor - 1, tensor, 1);
	sample_add(model, &layer);
}

static int large_model(struct bench *bench, struct accel_model **out)
{
	struct model_port port = sample_port(0, MODEL_LAYOUT_NF);
	struct model *model = model_create("random");

	bench->name = "random weights";
	bench->rounds = LARGE_ROUNDS;
	bench->sizes.height = bench->sizes.width = 0;
	for (int i = 0; i <= LARGE_LAYERS; i++)
		large_layer(model, i);
	model_add_input(model, &port);
	port.tensor = LARGE_LAYERS;
	model_add_output(model, &port);
	*out = loaded_model_create();
	if (!*out) {
		model_destroy(model);
		return -1;
	}
	(*out)->model = model;
	return 0;
}

static int create_files(struct bench *bench, const char *folder,
			struct accel_model *model)
{
	int ret;

	for (int i = 0; i < FORMS; i++)
		snprintf(bench->path[i], sizeof(bench->path[i]), "%s/%d",
			 folder, i);
	ret = write_files(bench, model->model);
	accel_model_free(model);
	return ret ? report_failure("files") : 0;
}

static int run(struct bench *bench, const char *folder,
	       struct accel_model *model)
{
	int ret = create_files(bench, folder, model);

	for (int round = 0; !ret && round < bench->rounds; round++)
		ret = run_round(bench, round);
	if (!ret)
		print(bench);
	for (int i = 0; i < FORMS; i++)
		unlink(bench->path[i]);
	return ret;
}

static int run_both(struct bench *bench, const char *folder)
{
	struct accel_model *model;
	int ret = large_model(bench, &model);

	if (!ret)
		ret = run(bench, folder, model);
	if (!ret)
		ret = public_model(bench, &model);
	return ret ? ret : run(bench, folder, model);
}

int main(int argc, char **argv)
{
	const char *root = getenv("ACCEL_BENCH_DIR");
	const char *uri = argc > 1 ? argv[1] : "sim:";
	static struct bench bench = { .sizes = { .size = sizeof(bench.sizes),
						 .batch = 1 } };
	char folder[256];
	int ret;

	snprintf(folder, sizeof(folder), "%s/accel-bench-XXXXXX",
		 root ? root : "/var/tmp");
	if (!mkdtemp(folder)) {
		perror(folder);
		return EXIT_FAILURE;
	}
	ret = accel_device_open(uri, NULL, &bench.device) ?
		      report_failure(uri) :
		      0;
	if (!ret && !bench.device->geometry) {
		fprintf(stderr, "bench_load: %s packs no weights\n", uri);
		ret = -1;
	}
	if (!ret)
		ret = run_both(&bench, folder);
	accel_device_close(bench.device);
	rmdir(folder);
	return ret < 0 ? EXIT_FAILURE : ret;
}
