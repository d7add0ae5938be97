/* SPDX-License-Identifier: MIT */
/* Any bytes are a fault script or are refused with a text. */
#include <sim/inject.h>
#include <sim/inject_script.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the device relies on. */
static void rule_check(const struct inject_script *script, unsigned int index)
{
	const struct inject_rule *rule = &script->rules[index];

	if (rule->action >= INJECT_ACTION_COUNT || !rule->times ||
	    rule->opcode > INJECT_ANY || !rule->fault ||
	    rule->fault > script->fault_count || rule->queue > 64 ||
	    (rule->action == INJECT_INTERRUPT && rule->argument > 65) ||
	    (rule->action == INJECT_CORRUPT &&
	     rule->argument >= INJECT_FIELD_COUNT) ||
	    (rule->now && rule->times > 1000))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct inject_script *script;
	FILE *file;

	if (!size)
		return 0;
	file = fmemopen((void *)data, size, "r");
	if (!file)
		return 0;
	if (!inject_script_read(file, "script", &script)) {
		for (unsigned int i = 0; i < script->rule_count; i++)
			rule_check(script, i);
		for (unsigned int i = 1; i <= script->fault_count; i++)
			if (!memchr(script->names[i], 0,
				    sizeof(script->names[i])))
				abort();
	}
	inject_script_free(script);
	fclose(file);
	return 0;
}
