/* SPDX-License-Identifier: MIT */
/* Writes a few good files for each fuzz target to start from: seeds FOLDER. */
#include <accel/error.h>
#include <formats/npy.h>
#include <formats/safetensors.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

/* FOLDER/TARGET/NAME, with the folders made. */
static const char *seed_path(const char *folder, const char *target,
			     const char *name)
{
	static char path[PATH_MAX];

	mkdir(folder, 0777);
	snprintf(path, sizeof(path), "%s/%s", folder, target);
	mkdir(path, 0777);
	snprintf(path, sizeof(path), "%s/%s/%s", folder, target, name);
	return path;
}

static int npy_seeds(const char *folder)
{
	static double elements[6];
	struct npy_array array = { .rank = 2,
				   .shape = { 2, 3 },
				   .data = elements };

	for (int type = 0; type < NPY_TYPES; type++) {
		char name[8];
		int ret;

		snprintf(name, sizeof(name), "%d", type);
		array.type = (enum npy_type)type;
		ret = npy_write(seed_path(folder, "npy", name), &array);
		if (ret)
			return ret;
	}
	return 0;
}

static int safetensors_seeds(const char *folder)
{
	static const double elements[4];
	const struct safetensors_tensor tensors[] = {
		{ "a.values", SAFETENSORS_I8, 1, { 3 }, elements, 3 },
		{ "a.scale", SAFETENSORS_F32, 2, { 1, 2 }, elements, 8 },
		{ "a.crow_indices", SAFETENSORS_I64, 1, { 2 }, elements, 16 },
	};
	const struct safetensors_text text = { "graph", "{}" };

	return safetensors_save(seed_path(folder, "safetensors", "0"), tensors,
				3, &text, 1);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	if (npy_seeds(argv[1]) || safetensors_seeds(argv[1])) {
		fprintf(stderr, "%s\n", accel_last_error());
		return 1;
	}
	return 0;
}
