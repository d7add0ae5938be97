/* SPDX-License-Identifier: MIT */
/* Reading a value change dump: its waves, their last values, and that time goes on. */
#ifndef WAVE_DUMP_H
#define WAVE_DUMP_H

#include "unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAVES_MAX 128
#define NAME_SIZE 96

/** struct dump - a value change dump that was read */
struct dump {
	char timescale[NAME_SIZE];
	struct {
		char name[NAME_SIZE]; /* device.cluster[0].state */
		char identifier[8];
		uint64_t value;
		uint32_t changes;
	} waves[WAVES_MAX];
	uint32_t count;
	uint64_t time;
	uint64_t last; /* time of the last change */
};

static inline uint32_t dump_find(const struct dump *dump, const char *key,
				 bool by_name)
{
	for (uint32_t i = 0; i < dump->count; i++)
		if (!strcmp(key, by_name ? dump->waves[i].name :
					   dump->waves[i].identifier))
			return i;
	fail_msg("no wave %s", key);
	return 0;
}

static inline void dump_read_definitions(struct dump *dump, FILE *file)
{
	char line[256], scope[NAME_SIZE] = "", word[NAME_SIZE];

	while (fgets(line, sizeof(line), file)) {
		char name[NAME_SIZE], identifier[8];
		unsigned int width, high;

		if (sscanf(line, "$timescale %95[^$]", dump->timescale) == 1)
			continue;
		if (sscanf(line, "$scope module %95s $end", word) == 1) {
			assert_true(strlen(scope) + strlen(word) + 2 <
				    sizeof(scope));
			strcat(strcat(scope, word), ".");
		} else if (!strncmp(line, "$upscope", 8)) {
			scope[strlen(scope) - 1] = '\0';
			*(strrchr(scope, '.') ? strrchr(scope, '.') + 1 :
						scope) = '\0';
		} else if (sscanf(line, "$var wire %u %7s %95s [%u:0] $end",
				  &width, identifier, name, &high) == 4) {
			assert_int_equal(width, high + 1);
			assert_in_range(dump->count, 0, WAVES_MAX - 1);
			assert_true(
				(size_t)snprintf(dump->waves[dump->count].name,
						 NAME_SIZE, "%s%s", scope,
						 name) < NAME_SIZE);
			strcpy(dump->waves[dump->count++].identifier,
			       identifier);
		} else if (!strncmp(line, "$enddefinitions", 15)) {
			assert_string_equal(scope, "");
			return;
		}
	}
	fail_msg("no end of the definitions");
}

static inline void dump_read_changes(struct dump *dump, FILE *file)
{
	char line[256], bits[80], identifier[8];
	unsigned long long time;

	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "#%llu", &time) == 1) {
			assert_true(!time || time > dump->time);
			dump->time = time;
		} else if (sscanf(line, "b%79[01] %7s", bits, identifier) ==
			   2) {
			uint32_t wave = dump_find(dump, identifier, false);

			dump->waves[wave].value = strtoull(bits, NULL, 2);
			dump->waves[wave].changes++;
			dump->last = dump->time;
		} else {
			assert_int_equal(line[0], '$');
		}
	}
}

static inline void dump_read(struct dump *dump, const char *path)
{
	FILE *file = fopen(path, "r");

	memset(dump, 0, sizeof(*dump));
	assert_non_null(file);
	dump_read_definitions(dump, file);
	dump_read_changes(dump, file);
	fclose(file);
}

#endif
