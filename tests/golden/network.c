/* SPDX-License-Identifier: MIT */
#include "network.h"

#include "fashion_mnist.h"

#include <core/error.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Images of the training set that calibrate. */
#define CALIBRATION_IMAGES 512

#define SUPER_RESOLUTION(model, least)                                         \
	{                                                                      \
		.name = model, .calibration = "sr_in_astronaut_64x64_u8range", \
		.probes = { { "sr_in_astronaut_32x32",                         \
			      { model "__astronaut_32x32" } },                 \
			    { "sr_in_coffee_17x23",                            \
			      { model "__coffee_17x23" } } },                  \
		.range = { 0, 255 }, .psnr = least                             \
	}

#define LATENTS(model, dense, low, least)                             \
	{                                                             \
		.name = model,                                        \
		.probes = { { dense "__z32", { model "__img32" } } }, \
		.range = { low, 1 }, .psnr = least                    \
	}

#define CLASSIFIER(model, correct)                                            \
	{                                                                     \
		.name = model, .kind = NETWORK_CLASSIFIER, .on_images = true, \
		.probes = { { "fashion_mlp__x64", { model "__logits64" } } }, \
		.accuracy = correct                                           \
	}

#define PICTURE(model, least)                                               \
	{                                                                   \
		.name = model, .in_tree = true,                             \
		.calibration = "astronaut_lr_x2.png", .pixels = { 0, 255 }, \
		.probes = { { .input = "coffee_lr_x2.png" } },              \
		.range = { 0, 255 }, .psnr = least                          \
	}

#define SAMPLED(model, low, least)                                   \
	{                                                            \
		.name = model, .in_tree = true, .range = { low, 1 }, \
		.psnr = least                                        \
	}

/*
 * The decibels are what is reached, less half a one: never below 38, which is what
 * users are promised.
 */
const struct network networks[] = {
	PICTURE("esrgan_slim_x2", 48.2),
	PICTURE("esrgan_slim_x2_sp80", 46.7),
	SAMPLED("fashion_dcgan", -1, 43),
	SAMPLED("fashion_dcgan_sp80", -1, 43.9),
	SAMPLED("fashion_vae_dec", 0, 41.9),
	SAMPLED("fashion_vae_dec_sp90", 0, 41.5),
	SUPER_RESOLUTION("esrgan_slim_x2", 44.8),
	SUPER_RESOLUTION("esrgan_slim_x2_sp80", 43),
	SUPER_RESOLUTION("esrgan_slim_x2_sp90", 40.7),
	SUPER_RESOLUTION("esrgan_slim_x4", 49.5),
	SUPER_RESOLUTION("esrgan_medium_x4", 45.3),
	SUPER_RESOLUTION("esrgan_medium_x4_sp80", 41.2),
	LATENTS("fashion_dcgan", "fashion_dcgan", -1, 43.5),
	LATENTS("fashion_dcgan_sp80", "fashion_dcgan", -1, 44.2),
	LATENTS("fashion_vae_dec", "fashion_vae_dec", 0, 41.4),
	LATENTS("fashion_vae_dec_sp90", "fashion_vae_dec", 0, 41),
	{ .name = "fashion_vae_enc",
	  .on_images = true,
	  .probes = { { "fashion_vae_enc__x32",
			{ "fashion_vae_enc__mu32",
			  "fashion_vae_enc__logvar32" } } },
	  .psnr = 55 },
	CLASSIFIER("fashion_mlp", .8917),
	CLASSIFIER("fashion_mlp_sp90", .8834),
	{ .name = "sketchrnn_bird",
	  .kind = NETWORK_SKETCH,
	  .calibration = "sketchrnn_bird__x",
	  .probes = { { "sketchrnn_bird__x", { "sketchrnn_bird__y" } } } },
};

const size_t network_count = sizeof(networks) / sizeof(*networks);

/* For free(3). */
static char *make_path(const char *folder, const char *subfolder,
		       const char *name, const char *suffix)
{
	char *path;

	if (!name ||
	    asprintf(&path, "%s%s%s%s", folder, subfolder, name, suffix) < 0)
		return NULL;
	return path;
}

static char *model_path(const struct network *network)
{
	if (network->in_tree)
		return make_path(getenv("ACCEL_TEST_MODELS"), "/",
				 network->name, ".onnx");
	return make_path(getenv("ACCEL_SHARED_DIR"), "/models/", network->name,
			 ".onnx");
}

static char *data_path(const struct network *network, const char *name)
{
	if (network->in_tree)
		return make_path(getenv("ACCEL_TEST_MODELS"), "/../photos/",
				 name, "");
	return make_path(getenv("ACCEL_SHARED_DIR"), "/models/golden/", name,
			 ".npy");
}

const char *network_missing(const struct network *network)
{
	char *path = model_path(network);
	const char *missing = NULL;

	if (!network->in_tree && (!path || access(path, R_OK)))
		missing = "it does not lie beside the source tree";
	else if (network->on_images && !fashion_mnist_present())
		missing = "dataset-fashion-mnist is not installed";
	free(path);
	return missing;
}

static int compress_on_images(const char *onnx, struct compressed *compressed)
{
	char folder[] = "/tmp/accel-images-XXXXXX";
	char path[sizeof(folder) + sizeof("/images.npy")];
	struct fashion_mnist images;
	int ret = fashion_mnist_read(&images, "train", CALIBRATION_IMAGES);

	if (ret)
		return ret;
	if (mkdtemp(folder)) {
		snprintf(path, sizeof(path), "%s/images.npy", folder);
		ret = fashion_mnist_write(&images, path);
		if (!ret)
			ret = compressed_create(compressed, onnx, path,
						(struct quantize_range){ 0,
									 0 });
		unlink(path);
		rmdir(folder);
	} else {
		ret = accel_error(-errno, "%s: %s", folder, strerror(errno));
	}
	fashion_mnist_release(&images);
	return ret;
}

int network_compress(const struct network *network,
		     struct compressed *compressed)
{
	char *onnx = model_path(network);
	char *calibration = data_path(network, network->calibration);
	int ret;

	if (network->on_images)
		ret = compress_on_images(onnx, compressed);
	else
		ret = compressed_create(compressed, onnx, calibration,
					network->pixels);
	free(onnx);
	free(calibration);
	return ret;
}

bool network_has_probe(const struct network *network, int index)
{
	return network->probes[index].input || (network->in_tree && !index);
}

int network_probe(const struct network *network,
		  const struct compressed *compressed, int index,
		  struct probe *probe)
{
	char *input = data_path(network, network->probes[index].input);
	char *outputs[PROBE_OUTPUTS];
	int ret;

	for (int i = 0; i < PROBE_OUTPUTS; i++)
		outputs[i] =
			data_path(network, network->probes[index].outputs[i]);
	if (network->in_tree)
		ret = probe_compute(probe, compressed->graph, input,
				    network->pixels);
	else
		ret = probe_read(probe, input, (const char *const *)outputs);
	free(input);
	for (int i = 0; i < PROBE_OUTPUTS; i++)
		free(outputs[i]);
	return ret;
}
