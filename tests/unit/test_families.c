/* SPDX-License-Identifier: MIT */
/*
 * Generators as they are written elsewhere, from ONNX file to quantized model: what
 * is computed stays close to binary32, and it takes no more layers than it should.
 */
#include "unit.h"

#include "float_graph.h"
#include "onnx_builder.h"

#include <stdarg.h>

/* A network that is being written: the last value's name, and its channels. */
struct writer {
	struct onnx_builder *builder;
	char last[16];
	int channels;
	int count;
	uint64_t seed;
};

static struct writer begin(const char *input, int channels)
{
	struct writer writer = {
		.builder = onnx_builder_create(13),
		.last = "x",
		.channels = channels,
		.seed = 5,
	};

	onnx_builder_input(writer.builder, "x", input);
	return writer;
}

__attribute__((format(printf, 2, 3))) static const char *
text(char buffer[128], const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(buffer, 128, format, list);
	va_end(list);
	return buffer;
}

/* A constant with the spread that keeps a network's values near 1. */
static void constant(struct writer *writer, const char *name, const char *dims,
		     size_t count, float middle, float spread)
{
	float *values = malloc(count * sizeof(*values));

	for (size_t i = 0; i < count; i++)
		values[i] =
			middle +
			spread * (float)(2 * random_unit(&writer->seed) - 1);
	onnx_builder_floats(writer->builder, name, dims, values);
	free(values);
}

/* Append a node that reads the last value and, perhaps, others. */
static void node(struct writer *writer, const char *op, const char *others)
{
	char inputs[128], output[16];

	snprintf(inputs, sizeof(inputs), "%s %s", writer->last, others);
	snprintf(output, sizeof(output), "v%d", writer->count++);
	onnx_builder_node(writer->builder, op, inputs, output);
	strcpy(writer->last, output);
}

static void window(struct writer *writer, int kernel, int stride, int pad)
{
	char list[128];

	onnx_builder_ints(writer->builder, "kernel_shape",
			  text(list, "%d %d", kernel, kernel));
	onnx_builder_ints(writer->builder, "strides",
			  text(list, "%d %d", stride, stride));
	onnx_builder_ints(writer->builder, "pads",
			  text(list, "%d %d %d %d", pad, pad, pad, pad));
}

static void conv(struct writer *writer, int outputs, int kernel, int pad)
{
	int inputs = writer->channels;
	char dims[128], weight[128], bias[128], both[260];

	text(weight, "w%d", writer->count);
	text(bias, "b%d", writer->count);
	constant(writer, weight,
		 text(dims, "%d %d %d %d", outputs, inputs, kernel, kernel),
		 (size_t)(outputs * inputs * kernel * kernel), 0,
		 sqrtf(5.0f / (float)(inputs * kernel * kernel)));
	constant(writer, bias, text(dims, "%d", outputs), (size_t)outputs, 0,
		 0.1f);
	snprintf(both, sizeof(both), "%s %s", weight, bias);
	node(writer, "Conv", both);
	window(writer, kernel, 1, pad);
	writer->channels = outputs;
}

static void deconv(struct writer *writer, int outputs, int kernel, int stride,
		   int pad)
{
	int inputs = writer->channels;
	char dims[128], weight[128];

	text(weight, "w%d", writer->count);
	constant(writer, weight,
		 text(dims, "%d %d %d %d", inputs, outputs, kernel, kernel),
		 (size_t)(outputs * inputs * kernel * kernel), 0,
		 sqrtf(5.0f * (float)(stride * stride) /
		       (float)(inputs * kernel * kernel)));
	node(writer, "ConvTranspose", weight);
	window(writer, kernel, stride, pad);
	writer->channels = outputs;
}

static void batch_normalization(struct writer *writer)
{
	static const char *const parts[4] = { "g", "h", "m", "s" };
	char dims[128], name[128], names[128] = "";

	text(dims, "%d", writer->channels);
	for (int i = 0; i < 4; i++) {
		text(name, "%s%d", parts[i], writer->count);
		constant(writer, name, dims, (size_t)writer->channels,
			 i == 0 || i == 3, 0.4f);
		strcat(strcat(names, name), " ");
	}
	node(writer, "BatchNormalization", names);
}

static void prelu(struct writer *writer)
{
	char dims[128], name[128];

	constant(writer, text(name, "p%d", writer->count),
		 text(dims, "%d 1 1", writer->channels),
		 (size_t)writer->channels, 0.2f, 0.2f);
	node(writer, "PRelu", name);
}

static void scale(struct writer *writer, float factor)
{
	char name[128];

	constant(writer, text(name, "k%d", writer->count), "1", 1, factor, 0);
	node(writer, "Mul", name);
}

static void pixel_shuffle(struct writer *writer, int block)
{
	node(writer, "DepthToSpace", "");
	onnx_builder_int(writer->builder, "blocksize", block);
	onnx_builder_string(writer->builder, "mode", "CRD");
	writer->channels /= block * block;
}

/* Concatenate the last value with earlier ones. */
static void join(struct writer *writer, const char *others, int channels)
{
	node(writer, "Concat", others);
	onnx_builder_int(writer->builder, "axis", 1);
	writer->channels += channels;
}

static struct graph *finish(struct writer *writer)
{
	onnx_builder_output(writer->builder, writer->last);
	return onnx_builder_graph(writer->builder);
}

static double signal_to_error(const struct graph *graph,
			      const struct float_run *run,
			      const struct model *model, const float *input)
{
	const float *expected =
		executor_values(run->executor, graph->outputs[0]);
	int64_t count = graph_shape_count(
		executor_shape(run->executor, graph->outputs[0]));
	double error = 0, peak = 0;
	float *result;

	run_model(model, graph, &input, &result);
	for (int64_t i = 0; i < count; i++) {
		error += pow((double)result[i] - (double)expected[i], 2);
		peak = fmax(peak, fabs((double)expected[i]));
	}
	free(result);
	return peak / sqrt(error / (double)count + 1e-30);
}

/* Run at one size what was lowered for any. */
static void check(struct graph *graph, const struct graph_shape *shape,
		  uint32_t layers, double ratio)
{
	struct graph *sized = graph_clone(graph);
	struct lower_options options = { 0 };
	size_t count = (size_t)graph_shape_count(shape);
	float *input = malloc(count * sizeof(*input));
	struct model *model;
	struct float_run run;
	uint64_t state = 9;
	double got;

	for (size_t i = 0; i < count; i++)
		input[i] = (float)(2 * random_unit(&state) - 1);
	sized->tensors[sized->inputs[0]].shape = *shape;
	assert_true(settle_shapes(sized));
	run_float(sized, (const float *const *)&input, &run);
	options.ranges = run.ranges;
	CHECK(graph_lower(graph, &options, &model));
	/* what `run --output NAME=FILE` asks for */
	assert_string_equal(model->tensors[model->outputs[0].tensor].name,
			    graph->tensors[graph->outputs[0]].name);
	got = signal_to_error(sized, &run, model, input);
	print_message("%u layers, signal to error %.0f\n", model->layer_count,
		      got);
	assert_int_equal(model->layer_count, layers);
	assert_true(got > ratio);
	model_destroy(model);
	float_run_release(&run);
	graph_destroy(sized);
	graph_destroy(graph);
	free(input);
}

static const struct graph_shape picture = { 4, { 2, 3, 11, 13 } };

/* SRResNet: batch normalization, PReLU, residuals, pixel shuffle. */
static void test_srresnet(void **state)
{
	struct writer w = begin("N 3 H W", 3);
	char first[16], skip[16];

	(void)state;
	conv(&w, 16, 9, 4);
	prelu(&w);
	strcpy(first, w.last);
	for (int i = 0; i < 3; i++) {
		strcpy(skip, w.last);
		conv(&w, 16, 3, 1);
		batch_normalization(&w);
		prelu(&w);
		conv(&w, 16, 3, 1);
		batch_normalization(&w);
		node(&w, "Add", skip);
	}
	conv(&w, 16, 3, 1);
	batch_normalization(&w);
	node(&w, "Add", first);
	conv(&w, 64, 3, 1);
	pixel_shuffle(&w, 2);
	prelu(&w);
	conv(&w, 3, 9, 4);
	scale(&w, 0.1f);
	node(&w, "Tanh", "");
	check(finish(&w), &picture, 10, 40);
}

/* Residual in residual dense blocks with skips scaled by 0.2. */
static void test_residual_in_residual(void **state)
{
	struct writer w = begin("N 3 H W", 3);
	char outer[16], inner[16];

	(void)state;
	conv(&w, 8, 3, 1);
	strcpy(outer, w.last);
	for (int block = 0; block < 2; block++) {
		char grown[64];

		strcpy(inner, w.last);
		strcpy(grown, w.last);
		for (int i = 0; i < 2; i++) {
			int channels = w.channels;

			conv(&w, 4, 3, 1);
			node(&w, "LeakyRelu", "");
			onnx_builder_float(w.builder, "alpha", 0.2f);
			join(&w, grown, channels);
			strcpy(grown, w.last);
		}
		conv(&w, 8, 3, 1);
		scale(&w, 0.2f);
		node(&w, "Add", inner);
	}
	scale(&w, 0.2f);
	node(&w, "Add", outer);
	conv(&w, 3, 3, 1);
	/* Two joins a block; one table for the outer scale, and its addition. */
	check(finish(&w), &picture, 1 + 2 * 5 + 2 + 1, 40);
}

/* FSRCNN: shrinking, PReLU, a large deconvolution whose pad leaves a crop. */
static void test_fsrcnn(void **state)
{
	struct writer w = begin("N 1 H W", 1);

	(void)state;
	conv(&w, 12, 5, 2);
	prelu(&w);
	conv(&w, 6, 1, 0);
	prelu(&w);
	conv(&w, 6, 3, 1);
	prelu(&w);
	conv(&w, 12, 1, 0);
	prelu(&w);
	deconv(&w, 1, 9, 3, 4);
	onnx_builder_ints(w.builder, "output_padding", "2 2");
	check(finish(&w), &(struct graph_shape){ 4, { 1, 1, 9, 8 } }, 5, 40);
}

/* DCGAN from a 1 × 1 image of latents. */
static void test_dcgan(void **state)
{
	struct writer w = begin("N 20 1 1", 20);

	(void)state;
	deconv(&w, 16, 4, 1, 0);
	batch_normalization(&w);
	node(&w, "Relu", "");
	deconv(&w, 8, 4, 2, 1);
	batch_normalization(&w);
	node(&w, "Relu", "");
	deconv(&w, 3, 4, 2, 1);
	node(&w, "Tanh", "");
	check(finish(&w), &(struct graph_shape){ 4, { 3, 20, 1, 1 } }, 3, 40);
}

/* U-Net: pooling, a deconvolution without overlap, skips by concatenation. */
static void test_unet(void **state)
{
	struct writer w = begin("N 3 H W", 3);
	char skip[16];

	(void)state;
	conv(&w, 8, 3, 1);
	node(&w, "Relu", "");
	strcpy(skip, w.last);
	node(&w, "MaxPool", "");
	window(&w, 2, 2, 0);
	conv(&w, 16, 3, 1);
	node(&w, "Relu", "");
	deconv(&w, 8, 2, 2, 0);
	join(&w, skip, 8);
	conv(&w, 8, 3, 1);
	node(&w, "Relu", "");
	conv(&w, 1, 1, 0);
	node(&w, "Sigmoid", "");
	check(finish(&w), &(struct graph_shape){ 4, { 1, 3, 10, 12 } }, 7, 40);
}

/* The output is a view of what a layer writes, and keeps its own name. */
static void test_flat_output(void **state)
{
	struct writer w = begin("N 3 H W", 3);

	(void)state;
	conv(&w, 8, 3, 1);
	node(&w, "GlobalAveragePool", "");
	node(&w, "Flatten", "");
	check(finish(&w), &picture, 2, 40);
}

/* VDSR and EDSR: normalized input, valid convolutions, a global skip, 0 … 255. */
static void test_global_skip(void **state)
{
	struct writer w = begin("N 3 H W", 3);
	char skip[16];

	(void)state;
	constant(&w, "half", "1 3 1 1", 3, 0.5f, 0);
	constant(&w, "high", "", 1, 255, 0);
	constant(&w, "low", "", 1, 0, 0);
	node(&w, "Sub", "half");
	strcpy(skip, w.last);
	for (int i = 0; i < 3; i++) {
		conv(&w, 8, 3, 0);
		node(&w, "Relu", "");
	}
	deconv(&w, 3, 7, 1, 0);
	node(&w, "Add", skip);
	node(&w, "Add", "half");
	scale(&w, 255);
	node(&w, "Clip", "low high");
	/* The first table moves the input, the last one the sum. */
	check(finish(&w), &picture, 7, 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_srresnet),
		cmocka_unit_test(test_residual_in_residual),
		cmocka_unit_test(test_fsrcnn),
		cmocka_unit_test(test_dcgan),
		cmocka_unit_test(test_unet),
		cmocka_unit_test(test_flat_output),
		cmocka_unit_test(test_global_skip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
