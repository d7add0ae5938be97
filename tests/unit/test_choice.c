/* SPDX-License-Identifier: MIT */
/* Layers that are pruned each in its own way, and the files that say so. */
#include "unit.h"

#include "folder.h"
#include "two_layers.h"

#include <accel/error.h>
#include <compress/choice_recipe.h>
#include <compress/compress.h>

#include <errno.h>
#include <math.h>
#include <string.h>

enum { FIRST_COUNT = ROWS * COLUMNS, SECOND_COUNT = ROWS * ROWS };

/* ---- recipes ---- */

static int read_recipe(const char *folder, const char *text,
		       const struct graph *graph,
		       struct compress_choices **choices)
{
	const struct layer_choice otherwise = {
		.method = prune_method_find("magnitude"),
		.sparsity = 0.25,
	};
	const char *path = folder_path(folder, "recipe.json");
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	return choice_recipe_read(choices, path, graph, &otherwise);
}

/* Of the weights that a node multiplies. */
static int weight_of(const struct graph *graph, int node)
{
	return graph->nodes[node].inputs[1];
}

static void assert_choice(const struct compress_choices *choices, int tensor,
			  const char *method, double sparsity)
{
	assert_string_equal(choices->layers[tensor].method->name, method);
	assert_true(choices->layers[tensor].sparsity == sparsity);
}

static void test_last_match_wins(void **state)
{
	struct graph *graph = two_layers();
	struct compress_choices *choices;

	CHECK(read_recipe(
		*state,
		"{\"method\": \"random\", \"layers\": ["
		"{\"match\": \"*\", \"sparsity\": 0.5},"
		"{\"match\": \"sec*\", \"method\": \"gn\", \"sparsity\": 0.75}]}",
		graph, &choices));
	assert_choice(choices, weight_of(graph, 0), "random", 0.5);
	assert_choice(choices, weight_of(graph, 1), "gn", 0.75);
	assert_true(choices_need_data(choices));
	assert_string_equal(choices_method_name(choices), "mixed");
	choices_destroy(choices);
	graph_destroy(graph);
}

static void test_what_is_not_said_is_as_otherwise(void **state)
{
	struct graph *graph = two_layers();
	struct compress_choices *choices;

	CHECK(read_recipe(*state, "{}", graph, &choices));
	assert_choice(choices, weight_of(graph, 0), "magnitude", 0.25);
	assert_choice(choices, weight_of(graph, 1), "magnitude", 0.25);
	assert_false(choices_need_data(choices));
	assert_string_equal(choices_method_name(choices), "magnitude");
	choices_destroy(choices);
	graph_destroy(graph);
}

static void test_mistakes_are_named(void **state)
{
	static const struct {
		const char *text, *message;
	} mistakes[] = {
		{ "{\n\"layers\": [,]}", "line 2" },
		{ "[]", "not an object" },
		{ "{\"sparseness\": 1}", "unknown key \"sparseness\"" },
		{ "{\"sparsity\": 1}", "below 1" },
		{ "{\"sparsity\": \"0.5\"}", "has to be a number" },
		{ "{\"method\": \"guess\"}", "no method \"guess\"" },
		{ "{\"method\": 3}", "not a name" },
		{ "{\"quantize\": \"int9\"}", "weights as int9" },
		{ "{\"layers\": {}}", "not a list" },
		{ "{\"layers\": [{\"sparsity\": 0.5}]}", "layer 1: which one" },
		{ "{\"layers\": [{\"match\": \"third\"}]}",
		  "no layer of test is named \"third\"" },
		{ "{\"layers\": [{\"match\": \"first\", \"sparsity\": -1}]}",
		  "layer 1: \"sparsity\"" },
		{ "{\"layers\": [{\"match\": \"first\", \"sparsity\": 0.5},"
		  "{\"match\": \"first\", \"sparsity\": 0.6}]}",
		  "contradict each other" },
		{ "{\"method\": \"gn\", \"method\": \"random\"}", "line 1" },
	};
	struct graph *graph = two_layers();

	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		struct compress_choices *choices;

		assert_int_equal(read_recipe(*state, mistakes[i].text, graph,
					     &choices),
				 -EINVAL);
		if (!strstr(accel_last_error(), mistakes[i].message))
			fail_msg("\"%s\" does not say \"%s\"",
				 accel_last_error(), mistakes[i].message);
	}
	graph_destroy(graph);
}

/* What a model says of its weights' bits, on average. */
static double bits_of(const struct graph *graph,
		      const struct compress_options *options)
{
	struct prune_mask *mask = prune_mask_create(graph);
	struct calibration_data data;
	struct model *model;
	const char *found;
	double bits;

	make_data(&data);
	CHECK(compress_quantize(graph, options, &data, mask, &model));
	assert_non_null(strstr(model->provenance, "\"mixed\""));
	found = strstr(model->provenance, "\"bits\":");
	assert_non_null(found);
	bits = strtod(found + strlen("\"bits\":"), NULL);
	model_destroy(model);
	calibration_data_release(&data);
	prune_mask_destroy(mask);
	return bits;
}

static void test_formats(void **state)
{
	struct graph *graph = two_layers();
	struct compress_options options = { .workers = 1 };
	struct compress_choices *choices;
	int first = weight_of(graph, 0), second = weight_of(graph, 1);
	double all;

	CHECK(read_recipe(*state,
			  "{\"quantize\": \"int4\", \"layers\": ["
			  "{\"match\": \"second\", \"quantize\": \"int8\"}]}",
			  graph, &choices));
	assert_int_equal(choices->layers[first].format.bits, 4);
	assert_int_equal(choices->layers[second].format.bits, 8);
	all = (double)graph_shape_count(&graph->tensors[first].shape);
	all /= all + (double)graph_shape_count(&graph->tensors[second].shape);
	options.choices = choices;
	assert_float_equal(bits_of(graph, &options), 4 * all + 8 * (1 - all),
			   1e-6);
	choices_destroy(choices);
	graph_destroy(graph);
}

static void test_no_file(void **state)
{
	struct compress_choices *choices;
	const struct layer_choice otherwise = { .method = NULL };
	struct graph *graph = two_layers();

	assert_int_equal(choice_recipe_read(&choices,
					    folder_path(*state, "none.json"),
					    graph, &otherwise),
			 -ENOENT);
	graph_destroy(graph);
}

/* ---- pruning ---- */

static int64_t kept_of(const struct graph *graph, const struct prune_mask *mask,
		       int tensor)
{
	int64_t kept = 0;

	for (int64_t i = 0;
	     i < graph_shape_count(&graph->tensors[tensor].shape); i++)
		kept += mask->keep[tensor][i];
	return kept;
}

static void test_each_layer_has_its_own_part(void **state)
{
	struct graph *graph = two_layers(), *alone = two_layers();
	struct compress_choices *choices = choices_create(
		graph, &(struct layer_choice){
			       .method = prune_method_find("magnitude"),
			       .sparsity = 0.5 });
	int first = weight_of(graph, 0), second = weight_of(graph, 1);
	const struct compress_options options = { .choices = choices,
						  .seed = 5 };
	const struct compress_options uniform = { .sparsity = 0.5 };
	struct prune_mask *mask = prune_mask_create(graph);
	struct prune_mask *same = prune_mask_create(graph);
	struct calibration_data data;

	(void)state;
	make_data(&data);
	choices->layers[second] =
		(struct layer_choice){ .method = prune_method_find("gn"),
				       .sparsity = 0.75 };
	CHECK(compress_prune(graph, &options, &data, mask));
	CHECK(compress_prune(alone, &uniform, NULL, same));
	assert_int_equal(kept_of(graph, mask, first), FIRST_COUNT / 2);
	assert_int_equal(kept_of(graph, mask, second), SECOND_COUNT / 4);
	assert_memory_equal(mask->keep[first], same->keep[first], FIRST_COUNT);
	calibration_data_release(&data);
	prune_mask_destroy(mask);
	prune_mask_destroy(same);
	choices_destroy(choices);
	graph_destroy(graph);
	graph_destroy(alone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		folder_test(test_last_match_wins),
		folder_test(test_what_is_not_said_is_as_otherwise),
		folder_test(test_mistakes_are_named),
		folder_test(test_formats),
		folder_test(test_no_file),
		cmocka_unit_test(test_each_layer_has_its_own_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
