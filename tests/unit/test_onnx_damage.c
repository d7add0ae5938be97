/* SPDX-License-Identifier: MIT */
/* What cannot be imported is refused with a message that helps. */
#include "folder.h"
#include "onnx_run.h"

#include <compress/onnx_import.h>

#include <errno.h>
#include <stdbool.h>

static struct onnx_builder *model(void)
{
	struct onnx_builder *builder = onnx_builder_create(13);

	onnx_builder_input(builder, "x", "N 3 H W");
	onnx_builder_output(builder, "y");
	onnx_builder_floats(builder, "w", "4 3 3 3", NULL);
	return builder;
}

static void operators_that_are_unknown_are_named(void **state)
{
	struct onnx_builder *builder = model();

	(void)state;
	onnx_builder_node(builder, "Einsum", "x w", "y");
	onnx_builder_refused(builder, -ENOTSUP,
			     "y: operator Einsum is not supported; supported "
			     "are Abs, Add,");
	assert_non_null(strstr(accel_last_error(), "Upsample, Where"));

	builder = model();
	onnx_builder_node(builder, "Conv", "x w", "y");
	onnx_builder_domain(builder, "com.example");
	onnx_builder_refused(builder, -ENOTSUP, "Conv of domain com.example");
}

static void opsets_that_are_unknown_are_refused(void **state)
{
	struct onnx_builder *builder = onnx_builder_create(8);

	(void)state;
	onnx_builder_refused(builder, -ENOTSUP, "opset 8");
	onnx_builder_refused(onnx_builder_create(22), -ENOTSUP, "opset 22");
}

static void weights_that_are_computed_are_refused(void **state)
{
	struct onnx_builder *builder = model();

	(void)state;
	onnx_builder_node(builder, "Relu", "x", "v");
	onnx_builder_node(builder, "Conv", "x v", "y");
	onnx_builder_refused(builder, -ENOTSUP, "y (Conv)");
}

static void inputs_that_nothing_computes_are_refused(void **state)
{
	struct onnx_builder *builder = model();

	(void)state;
	onnx_builder_node(builder, "Relu", "nowhere", "y");
	onnx_builder_refused(builder, -EINVAL, "nowhere");

	builder = model();
	onnx_builder_refused(builder, -EINVAL, "output y");

	builder = model();
	onnx_builder_node(builder, "Relu", "x", "y");
	onnx_builder_node(builder, "Tanh", "x", "y");
	onnx_builder_refused(builder, -EINVAL, "two values are called y");
}

static void shapes_that_do_not_fit_are_refused(void **state)
{
	struct onnx_builder *builder = model();

	(void)state;
	onnx_builder_floats(builder, "v", "4 5 3 3", NULL);
	onnx_builder_node(builder, "Conv", "x v", "y");
	onnx_builder_refused(builder, -EINVAL,
			     "y (Conv): its input has 3 channels, its weight "
			     "takes 5");
}

static void weights_that_are_not_finite_are_refused(void **state)
{
	float values[3] = { 1, NAN, 2 };
	struct onnx_builder *builder = model();

	(void)state;
	onnx_builder_floats(builder, "slope", "3 1 1", values);
	onnx_builder_node(builder, "PRelu", "x slope", "y");
	onnx_builder_refused(builder, -EINVAL, "slope: element 1 is nan");
}

static void data_that_is_too_short_is_refused(void **state)
{
	struct onnx_builder *builder = model();
	Onnx__TensorProto *tensor;

	(void)state;
	tensor = onnx_builder_floats(builder, "b", "4", NULL);
	tensor->raw_data.len = 15;
	onnx_builder_refused(builder, -EBADMSG, "b: its shape has 4 elements");

	builder = model();
	tensor = onnx_builder_floats(builder, "b", "4 1 1", NULL);
	tensor->dims[1] = INT64_C(1) << 39;
	tensor->dims[2] = INT64_C(1) << 39;
	onnx_builder_refused(builder, -EBADMSG, "b: too many elements");
}

/* Whatever is cut off or changed: an error or a graph, never a crash. */
static void damaged_files_do_no_harm(void **state)
{
	struct onnx_builder *builder = model();
	uint64_t seed = 7;
	uint8_t *data;
	size_t size;

	(void)state;
	onnx_builder_integers(builder, "shape", "0 -1");
	onnx_builder_node(builder, "Conv", "x w", "a");
	onnx_builder_ints(builder, "pads", "1 1 1 1");
	onnx_builder_node(builder, "Reshape", "a shape", "y");
	data = onnx_builder_pack(builder, &size);
	onnx_builder_destroy(builder);
	for (size_t i = 0; i < 2 * size; i++) {
		size_t at = random_below(&seed, (uint32_t)size);
		uint8_t old = data[at];
		struct graph *graph;

		data[at] = (uint8_t)random_next(&seed);
		if (!onnx_import_memory(data, i < size ? i : size, NULL,
					&graph))
			graph_destroy(graph);
		else
			assert_true(*accel_last_error());
		data[at] = old;
	}
	free(data);
}

/* A graph in an attribute of a node in a graph in an attribute … */
static void nesting_is_bounded(void **state)
{
	enum { LEVELS = 100000, EACH = 3 * 10 };
	uint8_t *data = malloc(LEVELS * EACH), *at = data + LEVELS * EACH;
	static const uint8_t tags[] = { 0x32, 0x2a, 0x0a };
	struct graph *graph;
	size_t size = 0;

	(void)state;
	for (int i = 0; i <= 3 * LEVELS; i++) {
		size_t length = size;
		uint8_t field[10] = { tags[i % 3] };
		size_t used = 1;

		do {
			field[used++] = (uint8_t)(length & 0x7f) |
					(length > 0x7f ? 0x80 : 0);
			length >>= 7;
		} while (length);
		at -= used;
		size += used;
		memcpy(at, field, used);
	}
	/* the outermost is the model's graph */
	*at = 0x3a;
	assert_int_equal(onnx_import_memory(at, size, NULL, &graph), -EBADMSG);
	free(data);
}

static void set_external(Onnx__TensorProto *tensor, const char *key,
			 const char *value)
{
	Onnx__StringStringEntryProto *entry = calloc(1, sizeof(*entry));

	onnx__string_string_entry_proto__init(entry);
	entry->key = strdup(key);
	entry->value = strdup(value);
	tensor->external_data =
		realloc(tensor->external_data,
			(tensor->n_external_data + 1) * sizeof(void *));
	tensor->external_data[tensor->n_external_data++] = entry;
}

static void write_file(const char *path, const void *data, size_t size)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

/* A model whose bias is external, written to the folder and imported. */
static int import_external(const char *folder, const char *location,
			   const char *offset, struct graph **graph)
{
	struct onnx_builder *builder = model();
	Onnx__TensorProto *tensor =
		onnx_builder_floats(builder, "b", "4", NULL);
	size_t size;
	void *data;

	tensor->has_raw_data = 0;
	tensor->has_data_location = 1;
	tensor->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
	set_external(tensor, "location", location);
	set_external(tensor, "offset", offset);
	set_external(tensor, "length", "16");
	onnx_builder_node(builder, "Conv", "x w b", "y");
	data = onnx_builder_pack(builder, &size);
	write_file(folder_path(folder, "model.onnx"), data, size);
	free(data);
	onnx_builder_destroy(builder);
	return onnx_import(folder_path(folder, "model.onnx"), graph);
}

static void external_data_is_read(void **state)
{
	const float values[6] = { 9, 9, 1, 2, 3, 4 };
	struct graph *graph;
	const float *bias;

	write_file(folder_path(*state, "data.bin"), values, sizeof(values));
	if (import_external(*state, "data.bin", "8", &graph))
		fail_msg("%s", accel_last_error());
	bias = graph->tensors[graph_find_tensor(graph, "b")].data;
	assert_memory_equal(bias, values + 2, 16);
	graph_destroy(graph);
	assert_int_equal(import_external(*state, "data.bin", "12", &graph),
			 -EBADMSG);
	assert_int_equal(import_external(*state, "data.bin", "-1", &graph),
			 -EBADMSG);
	assert_int_equal(import_external(*state, "missing", "0", &graph),
			 -ENOENT);
	assert_non_null(strstr(accel_last_error(), "missing"));
}

static void external_data_stays_in_the_folder(void **state)
{
	static const char *const outside[] = { "/etc/passwd", "../passwd",
					       "a/../../b", "..", "link" };
	struct graph *graph;

	assert_int_equal(symlink("/etc/passwd", folder_path(*state, "link")),
			 0);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(import_external(*state, outside[i], "0",
						 &graph),
				 -EBADMSG);
		assert_non_null(strstr(accel_last_error(), outside[i]));
	}
}

static void files_that_are_none_are_refused(void **state)
{
	struct graph *graph;

	assert_int_equal(onnx_import(folder_path(*state, "none"), &graph),
			 -ENOENT);
	assert_int_equal(onnx_import(*state, &graph), -EINVAL);
	assert_int_equal(onnx_import("/dev/zero", &graph), -EINVAL);
	assert_int_equal(onnx_import_memory("", 0, NULL, &graph), -ENOTSUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operators_that_are_unknown_are_named),
		cmocka_unit_test(opsets_that_are_unknown_are_refused),
		cmocka_unit_test(weights_that_are_computed_are_refused),
		cmocka_unit_test(inputs_that_nothing_computes_are_refused),
		cmocka_unit_test(shapes_that_do_not_fit_are_refused),
		cmocka_unit_test(weights_that_are_not_finite_are_refused),
		cmocka_unit_test(data_that_is_too_short_is_refused),
		cmocka_unit_test(damaged_files_do_no_harm),
		cmocka_unit_test(nesting_is_bounded),
		folder_test(external_data_is_read),
		folder_test(external_data_stays_in_the_folder),
		folder_test(files_that_are_none_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
