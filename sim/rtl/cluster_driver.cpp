/* SPDX-License-Identifier: MIT */
/*
 * The Verilated cluster behind the C model's interface, in a shared library: the test
 * in tests/rtl loads it and stays C.
 */
#include <cstdint>
#include <cstring>

#include "Vcluster.h"

extern "C" {
#include <sim/cluster.h>
}

namespace {

/* Of cluster_package.sv. */
const unsigned int ROW_BITS = 21;
const unsigned int COLUMN_BITS = 13;

/* What no reset reaches is random. */
VerilatedContext *randomize(VerilatedContext &context)
{
	context.randReset(2);
	context.randSeed(1);
	return &context;
}

struct rtl_cluster {
	VerilatedContext context;
	Vcluster top{ randomize(context) };
	cluster_task task{};
	uint32_t fetched[CLUSTER_LANES]{}; /* bytes of each lane's stream */
};

/* Bits [at, at + count) of a wide port. */
template <typename T>
void put(T &port, unsigned int at, unsigned int count, uint64_t value)
{
	for (unsigned int i = 0; i < count; i++, at++) {
		uint32_t bit = 1u << at % 32;

		if (value >> i & 1)
			port[at / 32] |= bit;
		else
			port[at / 32] &= ~bit;
	}
}

/* A lane's next 8 bytes. */
uint64_t next_word(const rtl_cluster &rtl, int lane)
{
	const cluster_stream &stream = rtl.task.streams[lane];
	uint32_t fetched = rtl.fetched[lane];
	/* The last word may reach beyond the end. */
	uint32_t rest = fetched < stream.length ? stream.length - fetched : 0;
	uint64_t word = 0;

	for (uint32_t i = 0; i < 8 && i < rest; i++)
		word |= (uint64_t)stream.bytes[fetched + i] << 8 * i;
	return word;
}

void set_task(rtl_cluster &rtl)
{
	const cluster_task &task = rtl.task;
	Vcluster &top = rtl.top;

	top.columns = task.columns;
	top.skew = task.bank_skew;
	top.half = task.half;
	top.input_zero = (uint8_t)task.input_zero;
	top.output_zero = (uint8_t)task.output_zero;
	top.output_kind = task.output_type;
	top.finish_begin = task.finish_begin;
	top.finish_end = task.finish_end;
	top.incoming_valid = task.incoming_valid;
	top.incoming_row = task.incoming_row;
	for (int i = 0; i < CLUSTER_WIDTH; i++)
		top.incoming_sums[i] = (uint32_t)task.incoming[i];
	for (int l = 0; l < CLUSTER_LANES; l++) {
		top.lane_length[l] = task.streams[l].length;
		put(top.lane_row, l * ROW_BITS, ROW_BITS, task.streams[l].row);
		put(top.lane_column, l * COLUMN_BITS, COLUMN_BITS,
		    task.streams[l].column);
	}
}

/* What depends on the state of this clock. */
void answer(rtl_cluster &rtl)
{
	Vcluster &top = rtl.top;
	uint32_t row = top.parameter_row;

	for (int l = 0; l < CLUSTER_LANES; l++)
		put(top.stream_data, l * 64, 64, next_word(rtl, l));
	top.parameter_bias = 0;
	top.parameter_scale = 0;
	if (row < rtl.task.rows && rtl.task.biases) {
		uint32_t scale;

		memcpy(&scale, &rtl.task.scales[row], sizeof(scale));
		top.parameter_bias = (uint32_t)rtl.task.biases[row];
		top.parameter_scale = scale & 0x7fffffff;
	}
}

void clock(rtl_cluster &rtl)
{
	Vcluster &top = rtl.top;

	answer(rtl);
	top.clock = 0;
	top.eval();
	for (int l = 0; l < CLUSTER_LANES; l++)
		if (top.stream_fetch >> l & 1)
			rtl.fetched[l] += 8;
	top.clock = 1;
	top.eval();
}

void set_write(Vcluster &top, const cluster_write *write)
{
	top.write = write != nullptr;
	if (!write)
		return;
	top.write_half = write->half;
	top.write_column = write->column;
	top.write_skew = write->bank_skew;
	memcpy(&top.write_data[0], write->values, CLUSTER_WIDTH);
}

} // namespace

extern "C" {

void rtl_start(void *handle, const cluster_task *task);

/* A task of no rows resets it; then its last turns pass by the banks. */
void *rtl_create(void)
{
	auto *rtl = new rtl_cluster;
	const cluster_task empty{};

	rtl_start(rtl, &empty);
	while (rtl->top.busy || rtl->top.turn)
		clock(*rtl);
	return rtl;
}

void rtl_destroy(void *handle)
{
	auto *rtl = static_cast<rtl_cluster *>(handle);

	rtl->top.final();
	delete rtl;
}

void rtl_start(void *handle, const cluster_task *task)
{
	auto *rtl = static_cast<rtl_cluster *>(handle);

	rtl->task = *task;
	memset(rtl->fetched, 0, sizeof(rtl->fetched));
	set_task(*rtl);
	rtl->top.start = 1;
	rtl->top.write = 0;
	clock(*rtl);
	rtl->top.start = 0;
	/* Nothing is fetched by what the lanes held before. */
	memset(rtl->fetched, 0, sizeof(rtl->fetched));
}

void rtl_tick(void *handle, const cluster_write *write,
	      cluster_signals *signals)
{
	auto *rtl = static_cast<rtl_cluster *>(handle);
	Vcluster &top = rtl->top;

	set_write(top, write);
	clock(*rtl);
	memset(signals, 0, sizeof(*signals));
	signals->busy = top.busy;
	/* What the task pointed to is the caller's again. */
	if (!top.busy)
		rtl->task = {};
	signals->turn = top.turn;
	signals->stalled = top.stalled;
	signals->issued = top.issued;
	signals->valid = top.result_valid;
	if (!top.result_valid)
		return;
	signals->partial = top.result_partial;
	signals->row = top.result_row;
	for (int i = 0; i < CLUSTER_WIDTH; i++)
		signals->values[i] = (int32_t)top.result[i];
}
}
