/* SPDX-License-Identifier: MIT */
#include "sim/dram/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "core/error.h"

#define COLUMNS 11

/* The columns of a line, in the order of the file. */
enum column {
	CYCLE,
	CHANNEL,
	RANK,
	GROUP,
	BANK,
	ROW,
	COLUMN,
	DIRECTION,
	ACCEPT,
	ISSUE,
	DONE,
};

static int line_split(char *line, long long values[COLUMNS])
{
	char *field = line;

	for (int i = 0; i < COLUMNS; i++) {
		char *end;

		if (i == DIRECTION) {
			if (*field != 'R' && *field != 'W')
				return -EINVAL;
			values[i] = *field == 'W';
			end = field + 1;
		} else {
			values[i] = strtoll(field, &end, 10);
			if (end == field)
				return -EINVAL;
		}
		if (i + 1 < COLUMNS && *end != ',')
			return -EINVAL;
		field = end + 1;
	}
	return 0;
}

static bool in_range(long long value, long long limit)
{
	return value >= 0 && value < limit;
}

static int line_parse(char *line, const struct dram_standard *standard,
		      struct dram_trace_request *out)
{
	long long v[COLUMNS];

	if (line_split(line, v))
		return accel_error(-EINVAL, "not eleven columns");
	if (v[CYCLE] < 0 || !in_range(v[CHANNEL], standard->channels) ||
	    !in_range(v[RANK], standard->ranks) ||
	    !in_range(v[GROUP], standard->groups_per_rank) ||
	    !in_range(v[BANK], standard->banks_per_group) ||
	    !in_range(v[ROW], standard->rows_per_bank) ||
	    !in_range(v[COLUMN], standard->bursts_per_row))
		return accel_error(-EINVAL, "an address outside of %s",
				   standard->name);
	*out = (struct dram_trace_request){
		.cycle = (uint64_t)v[CYCLE],
		.channel = (uint32_t)v[CHANNEL],
		.request = { .address = { .bank = (uint32_t)((v[RANK] *
								      standard->groups_per_rank +
							      v[GROUP]) *
								     standard->banks_per_group +
							     v[BANK]),
					  .row = (uint32_t)v[ROW],
					  .column = (uint32_t)v[COLUMN] },
			     .write = v[DIRECTION] != 0 },
		.issue_cycle = v[ISSUE],
		.done_cycle = v[DONE],
	};
	return 0;
}

static int request_append(struct dram_trace *trace, size_t *capacity,
			  const struct dram_trace_request *request)
{
	if (trace->count == *capacity) {
		size_t grown = *capacity * 2 + 1024;
		void *requests = reallocarray(trace->requests, grown,
					      sizeof(*trace->requests));

		if (!requests)
			return accel_error(-ENOMEM, "no memory for the trace");
		trace->requests = requests;
		*capacity = grown;
	}
	trace->requests[trace->count] = *request;
	trace->requests[trace->count].request.id = trace->count;
	trace->count++;
	return 0;
}

static int trace_read(gzFile file, const struct dram_standard *standard,
		      struct dram_trace *trace)
{
	size_t capacity = 0;
	char line[256];
	int ret = 0;

	if (!gzgets(file, line, sizeof(line)) || strncmp(line, "cycle,", 6))
		return accel_error(-EINVAL, "no header line \"cycle,...\"");
	while (!ret && gzgets(file, line, sizeof(line))) {
		struct dram_trace_request request;

		ret = line_parse(line, standard, &request);
		if (ret)
			return accel_error_prefix(ret, "line %zu",
						  trace->count + 2);
		ret = request_append(trace, &capacity, &request);
	}
	if (!ret && !gzeof(file))
		ret = accel_error(-EIO, "damaged after line %zu",
				  trace->count + 1);
	return ret;
}

int dram_trace_load(const char *path, const struct dram_standard *standard,
		    struct dram_trace *trace)
{
	gzFile file = gzopen(path, "rb");
	int ret;

	*trace = (struct dram_trace){ 0 };
	if (!file)
		return accel_error(-errno, "%s: %s", path, strerror(errno));
	ret = trace_read(file, standard, trace);
	gzclose(file);
	if (ret) {
		dram_trace_free(trace);
		return accel_error_prefix(ret, "%s", path);
	}
	return 0;
}

void dram_trace_free(struct dram_trace *trace)
{
	free(trace->requests);
	*trace = (struct dram_trace){ 0 };
}
