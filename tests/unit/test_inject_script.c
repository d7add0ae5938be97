/* SPDX-License-Identifier: MIT */
/* Fault scripts: what they say, and what is refused with its line. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <accel/error.h>
#include <sim/inject.h>
#include <sim/inject_script.h>
#include <spmm/queue.h>

static int read_text(const char *text, struct inject_script **out)
{
	FILE *file = fmemopen((void *)text, strlen(text), "r");
	int ret;

	assert_non_null(file);
	ret = inject_script_read(file, "s", out);
	fclose(file);
	return ret;
}

static void a_script_has_rules_of_named_faults(void **state)
{
	struct inject_script *script;
	const struct inject_rule *rule;

	(void)state;
	assert_int_equal(
		read_text("# all of it\n"
			  "hang : hang until queue on spmm queue 3 after 2 "
			  "times 4 engine # so\n"
			  "\n"
			  "g: gone 250 now armed\n"
			  "w: dma_write 0x10K always\n"
			  "hang: ignore on get_log\n"
			  "i: interrupt 0\n"
			  "c: corrupt phase on admin",
			  &script),
		0);
	assert_int_equal(script->rule_count, 6);
	assert_int_equal(script->fault_count, 5);
	assert_string_equal(script->names[1], "hang");
	assert_string_equal(script->names[5], "c");
	rule = &script->rules[0];
	assert_int_equal(rule->action, INJECT_HANG);
	assert_int_equal(rule->end, INJECT_UNTIL_QUEUE);
	assert_int_equal(rule->opcode, SPMM_IO_SPMM);
	assert_int_equal(rule->queue, 3);
	assert_int_equal(rule->after, 2);
	assert_int_equal(rule->times, 4);
	assert_true(rule->engine);
	assert_false(rule->armed);
	rule = &script->rules[1];
	assert_int_equal(rule->argument, 250);
	assert_int_equal(rule->end, INJECT_UNTIL_RESET);
	assert_true(rule->now && rule->armed);
	assert_int_equal(rule->times, 1);
	rule = &script->rules[2];
	assert_int_equal(rule->argument, 0x10 << 10);
	assert_int_equal(rule->times, INJECT_ALWAYS);
	assert_int_equal(rule->opcode, INJECT_ANY);
	rule = &script->rules[3];
	assert_int_equal(rule->fault, 1);
	assert_true(rule->admin);
	assert_int_equal(rule->opcode, SPMM_ADMIN_GET_LOG);
	assert_int_equal(script->rules[4].argument, 1);
	assert_int_equal(script->rules[5].argument, INJECT_FIELD_PHASE);
	inject_script_free(script);
}

static void what_is_wrong_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *text;
		const char *words;
	} wrong[] = {
		{ "", "s: there is no rule" },
		{ "hang", "s:1: a rule is" },
		{ "\n: hang", "s:2: a name" },
		{ "a b: hang", "s:1: a name" },
		{ "Big: hang", "s:1: a name" },
		{ "a123456789012345678901234567890x: hang", "a name" },
		{ "a: hang\nb: hung", "s:2: 'hung' is none of: hang slow " },
		{ "a:", "'' is none of: hang" },
		{ "a: hang on", "'' is none of: any nop" },
		{ "a: hang on gemm", "'gemm' is none of: any nop" },
		{ "a: hang wherever", "none of: on queue after times" },
		{ "a: hang after 1 after 2", "'after' comes twice" },
		{ "a: hang until plug",
		  "'plug' is none of: abort context queue device" },
		{ "a: gone until queue", "none of: reset plug" },
		{ "a: gone 5 until plug", "either" },
		{ "a: slow", "'' is no number" },
		{ "a: slow -1", "'-1' is no number" },
		{ "a: slow 5 until plug", "does not last" },
		{ "a: hang queue 65", "up to 64" },
		{ "a: interrupt 65", "up to 64" },
		{ "a: hang queue 1 on admin", "have no queue" },
		{ "a: corrupt", "'' is none of: id head queue status phase" },
		{ "a: ignore on spmm", "ignore cannot be on spmm" },
		{ "a: memory_error on abort",
		  "memory_error cannot be on abort" },
		{ "a: hang engine on admin", "one of the engine" },
		{ "a: repeat engine", "one of the engine" },
		{ "a: hang times 0", "never fire" },
		{ "a: hang now", "without now" },
		{ "a: interrupt now always", "at most times 1000" },
		{ "a: fatal now after 1", "no after" },
	};
	struct inject_script *script;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(read_text(wrong[i].text, &script), -EINVAL);
		assert_null(script);
		if (!strstr(accel_last_error(), wrong[i].words))
			fail_msg("'%s': \"%s\" does not say \"%s\"",
				 wrong[i].text, accel_last_error(),
				 wrong[i].words);
	}
}

static void a_script_has_limits(void **state)
{
	struct inject_script *script;
	char text[8192] = "";

	(void)state;
	for (int i = 0; i < INJECT_RULES_MAX; i++)
		sprintf(text + strlen(text), "f%d: hang\n", i);
	assert_int_equal(read_text(text, &script), 0);
	assert_int_equal(script->fault_count, INJECT_RULES_MAX);
	inject_script_free(script);
	strcat(text, "more: hang");
	assert_int_equal(read_text(text, &script), -EINVAL);
	assert_non_null(strstr(accel_last_error(), "s:65: more than 64"));
	memset(text, ' ', 600);
	text[600] = '\0';
	assert_int_equal(read_text(text, &script), -EINVAL);
	assert_non_null(strstr(accel_last_error(), "s:1: the line is too"));
	assert_int_equal(inject_script_load("/nowhere/s", &script), -ENOENT);
}

/* What the suites for virtual machines arm. */
static void the_script_of_the_suites_parses(void **state)
{
	static const char *const names[] = {
		"hang",
		"hang_hard",
		"hang_queue",
		"wrong_sequence",
		"repeated_completion",
		"lost_interrupt",
		"spurious_interrupt",
		"corrupt_completion",
		"gone",
		"wild_dma_read",
		"wild_dma_write",
		"slow",
		"fatal",
		"memory_error",
		"admin_silent",
		"removed",
	};
	const char *source = getenv("ACCEL_SOURCE_DIR");
	struct inject_script *script;
	char path[4096];

	(void)state;
	if (!source)
		skip();
	snprintf(path, sizeof(path), "%s/tests/vm/faults/all.fault", source);
	assert_int_equal(inject_script_load(path, &script), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		unsigned int fault = 1;

		while (fault <= script->fault_count &&
		       strcmp(script->names[fault], names[i]))
			fault++;
		if (fault > script->fault_count)
			fail_msg("there is no '%s'", names[i]);
	}
	for (unsigned int i = 0; i < script->rule_count; i++)
		assert_false(script->rules[i].armed);
	inject_script_free(script);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_script_has_rules_of_named_faults),
		cmocka_unit_test(what_is_wrong_is_refused_with_its_line),
		cmocka_unit_test(a_script_has_limits),
		cmocka_unit_test(the_script_of_the_suites_parses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
