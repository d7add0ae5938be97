/* SPDX-License-Identifier: MIT */
/*
 * How long it takes from a file to the first plan: portable and packed, read and planned
 * one after the other and by accel_plan_load(), with the file in memory and with the file
 * on its disk. Then how much of the reading is hidden behind the rest.
 *
 * usage: bench_load [URI]; ACCEL_BENCH_DIR is a folder on the disk in question.
 */
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
#define ROUNDS 15
#define READ_SIZE (1u << 20)

static const struct accel_plan_options sizes = {
	.size = sizeof(sizes),
	.batch = 1,
	.height = 128,
	.width = 128,
};

enum way {
	WAY_READ, /* nothing but the file */
	WAY_LOAD, /* accel_model_load() alone */
	WAY_ONE_AFTER_THE_OTHER,
	WAY_PLAN_LOAD,
	WAYS,
};

static const char *const way_names[] = { "read", "load", "load, create",
					 "plan_load" };

/** struct series - the times of one way */
struct series {
	double seconds[ROUNDS];
};

/** struct bench - the files and what they took */
struct bench {
	struct accel_device *device;
	char path[2][512]; /* portable, packed */
	struct series series[2][2][WAYS]; /* file, is it cold, way */
};

static int fail(const char *what)
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
static int load_and_create(struct accel_device *device, const char *path,
			   bool create, struct accel_plan **plan)
{
	struct accel_model *model;
	int ret = accel_model_load(path, &model);

	if (ret)
		return ret;
	if (create)
		ret = accel_plan_create(device, model, &sizes, plan);
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
		ret = accel_plan_load(bench->device, path, &sizes, &plan);
		break;
	default:
		ret = load_and_create(bench->device, path,
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
	for (int i = 0; i < 2 * 2 * WAYS; i++) {
		int file = i / WAYS % 2, cold = i / WAYS / 2, way = i % WAYS;

		if (cold && forget(bench->path[file]))
			return fail(bench->path[file]);
		if (run_way(bench, bench->path[file], (enum way)way,
			    &bench->series[file][cold][way].seconds[round]))
			return fail(way_names[way]);
	}
	return 0;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(struct series *series)
{
	qsort(series->seconds, ROUNDS, sizeof(series->seconds[0]), by_value);
	return series->seconds[ROUNDS / 2];
}

static double size_of(const char *path)
{
	struct stat status;

	return stat(path, &status) ? 0 : (double)status.st_size;
}

static void print(struct bench *bench)
{
	static const char *const files[] = { "portable", "packed" };

	printf("%s on %s: ms until the first plan, medians of %d\n\n", MODEL,
	       bench->device->uri, ROUNDS);
	printf("%-9s %9s %-5s", "file", "bytes", "cache");
	for (int way = 0; way < WAYS; way++)
		printf(" %13s", way_names[way]);
	printf(" %8s %7s\n", "ratio", "hidden");
	for (int i = 0; i < 4; i++) {
		struct series *series = bench->series[i / 2][i % 2];
		double ms[WAYS], warm, hidden;

		for (int way = 0; way < WAYS; way++)
			ms[way] = median(&series[way]) * 1e3;
		warm = median(&bench->series[i / 2][0][WAY_PLAN_LOAD]) * 1e3;
		hidden = 1 - (ms[WAY_PLAN_LOAD] - warm) / ms[WAY_READ];
		printf("%-9s %9.0f %-5s", files[i / 2],
		       size_of(bench->path[i / 2]), i % 2 ? "cold" : "warm");
		for (int way = 0; way < WAYS; way++)
			printf(" %13.2f", ms[way]);
		printf(" %7.2fx",
		       ms[WAY_ONE_AFTER_THE_OTHER] / ms[WAY_PLAN_LOAD]);
		if (i % 2)
			printf(" %6.0f%%", 100 * hidden);
		printf("\n");
	}
	printf("\nhidden: part of the reading from disk by which a cold plan_load does not\n"
	       "take longer than a warm one\n");
}

static int write_files(struct bench *bench, const struct model *model)
{
	const struct model_sizes packed_for = { sizes.batch, sizes.height,
						sizes.width, sizes.steps };
	struct model_packing *packing;
	int ret = model_file_write(model, bench->path[0]);

	if (!ret)
		ret = plan_packing_create(model, bench->device->geometry,
					  &packed_for, &packing);
	if (ret)
		return ret;
	ret = model_file_write_packed(model, packing, bench->path[1]);
	model_packing_destroy(packing);
	return ret;
}

static int create_files(struct bench *bench, const char *folder)
{
	static const struct pruning none = { "as given", 0, 0 };
	struct accel_model *model;
	char *path = workload_path(MODEL);
	int ret;

	for (int i = 0; i < 2; i++)
		snprintf(bench->path[i], sizeof(bench->path[i]), "%s/%d",
			 folder, i);
	if (!path) {
		printf("skipped: no %s in ACCEL_SHARED_DIR\n", MODEL);
		return 77;
	}
	ret = workload_load(path, &none, &model);
	free(path);
	if (ret)
		return fail(MODEL);
	ret = write_files(bench, model->model);
	accel_model_free(model);
	return ret ? fail("files") : 0;
}

static int run(struct bench *bench, const char *folder)
{
	int ret = create_files(bench, folder);

	for (int round = 0; !ret && round < ROUNDS; round++)
		ret = run_round(bench, round);
	if (!ret)
		print(bench);
	for (int i = 0; i < 2; i++)
		unlink(bench->path[i]);
	return ret;
}

int main(int argc, char **argv)
{
	const char *root = getenv("ACCEL_BENCH_DIR");
	const char *uri = argc > 1 ? argv[1] : "sim:";
	static struct bench bench;
	char folder[256];
	int ret;

	snprintf(folder, sizeof(folder), "%s/accel-bench-XXXXXX",
		 root ? root : "/var/tmp");
	if (!mkdtemp(folder)) {
		perror(folder);
		return EXIT_FAILURE;
	}
	ret = accel_device_open(uri, NULL, &bench.device) ? fail(uri) : 0;
	if (!ret && !bench.device->geometry) {
		fprintf(stderr, "bench_load: %s packs no weights\n", uri);
		ret = -1;
	}
	if (!ret)
		ret = run(&bench, folder);
	accel_device_close(bench.device);
	rmdir(folder);
	return ret < 0 ? EXIT_FAILURE : ret;
}
