/* SPDX-License-Identifier: MIT */
/* What a recipe's JSON may say, and what is told of mistakes in it. */
#include "unit.h"

#include <accel/error.h>
#include <train/recipe.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void what_is_not_named_keeps_its_default(void **state)
{
	struct recipe usual, recipe;

	(void)state;
	recipe_init(&usual);
	recipe_init(&recipe);
	assert_int_equal(recipe_parse(&recipe, "{\"batch\": 32}"), 0);
	assert_int_equal(recipe.batch, 32);
	recipe.batch = usual.batch;
	assert_memory_equal(&recipe, &usual, sizeof(usual));
}

static void everything_can_be_said(void **state)
{
	static const char text[] =
		"{\"start\": \"oneshot\", \"teachers\": [\"b.onnx\"],"
		" \"losses\": [{\"kind\": \"kl\", \"weight\": 0.5, \"temperature\": 4,"
		"   \"smoothing\": 0.1, \"teacher\": 1, \"fade\": 0.25}],"
		" \"pruning\": {\"criterion\": \"movement\", \"scope\": \"layer\","
		"   \"begin\": 0.1, \"end\": 0.9, \"interval\": 5},"
		" \"penalty\": {\"kind\": \"group\", \"weight\": 0.01},"
		" \"optimizer\": {\"method\": \"sgd\", \"clip\": 2},"
		" \"rate\": {\"shape\": \"step\", \"peak\": 0.25},"
		" \"quantization\": {\"begin\": 1}}";
	struct recipe recipe;

	(void)state;
	recipe_init(&recipe);
	assert_int_equal(recipe_parse(&recipe, text), 0);
	assert_int_equal(recipe.start, RECIPE_START_ONESHOT);
	assert_string_equal(recipe.teachers[0], "b.onnx");
	assert_int_equal(recipe.loss_count, 1);
	assert_int_equal(recipe.losses[0].kind, RECIPE_LOSS_KL);
	assert_int_equal(recipe.losses[0].teacher, 1);
	assert_true(recipe.losses[0].temperature == 4);
	assert_int_equal(recipe.pruning.criterion, RECIPE_MOVEMENT);
	assert_int_equal(recipe.pruning.scope, PRUNE_PER_LAYER);
	assert_int_equal(recipe.penalty, RECIPE_PENALTY_GROUP);
	assert_int_equal(recipe.optimizer.method, OPTIMIZER_SGD);
	assert_true(recipe.optimizer.clip == 2);
	assert_int_equal(recipe.shape, SCHEDULE_STEP);
	assert_true(recipe.rate == 0.25 && recipe.quantize == 1);
	recipe_release(&recipe);
}

static void its_text_is_read_back(void **state)
{
	struct recipe recipe, copy;
	char *text, *again;

	(void)state;
	recipe_init(&recipe);
	recipe_init(&copy);
	assert_int_equal(recipe_parse(&recipe,
				      "{\"teachers\": [\"x\"], \"patch\": 24}"),
			 0);
	text = recipe_format(&recipe);
	assert_non_null(text);
	assert_int_equal(recipe_parse(&copy, text), 0);
	again = recipe_format(&copy);
	assert_string_equal(text, again);
	free(text);
	free(again);
	recipe_release(&recipe);
	recipe_release(&copy);
}

static void mistakes_are_named(void **state)
{
	static const char *const cases[][2] = {
		{ "{\"bach\": 1}", "bach" },
		{ "{\"batch\": -1}", "batch" },
		{ "{\"batch\": 1.5}", "whole" },
		{ "{\"batch\": 3}", "shards" },
		{ "{\"start\": \"cold\"}", "oneshot" },
		{ "{\"pruning\": 3}", "pruning" },
		{ "{\"pruning\": {\"when\": 1}}", "when" },
		{ "{\"pruning\": {\"begin\": 0.9}}", "ends" },
		{ "{\"losses\": []}", "losses" },
		{ "{\"losses\": [{\"teacher\": 1}]}", "teacher" },
		{ "{\"teachers\": [1]}", "teachers" },
		{ "[]", "object" },
		{ "{", "line 1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct recipe recipe;

		recipe_init(&recipe);
		assert_int_equal(recipe_parse(&recipe, cases[i][0]), -EINVAL);
		if (!strstr(accel_last_error(), cases[i][1]))
			fail_msg("%s: %s", cases[i][0], accel_last_error());
		recipe_release(&recipe);
	}
}

static void a_missing_file_is_said(void **state)
{
	struct recipe recipe;

	(void)state;
	recipe_init(&recipe);
	assert_int_equal(recipe_read(&recipe, "/nowhere/r.json"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_named_keeps_its_default),
		cmocka_unit_test(everything_can_be_said),
		cmocka_unit_test(its_text_is_read_back),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(a_missing_file_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
