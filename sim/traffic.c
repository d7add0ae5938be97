/* SPDX-License-Identifier: MIT */
#include <core/integer.h>
#include <sim/lower.h>
#include <sim/mmu.h>
#include <sim/sram.h>
#include <sim/tlb.h>
#include <sim/traffic.h>

/* Within one page; @address is the offset in it until it is translated. */
struct page_access {
	uint64_t address;
	uint32_t length;
	enum sim_access kind;
	enum spmm_hint hint;
};

/* Adds the runs of sectors of a line. */
static void sectors_add(struct sim_execution *execution,
			struct range_list *list, uint64_t address,
			uint64_t sectors, uint32_t walks)
{
	address &= ~(uint64_t)(SRAM_LINE_BYTES - 1);
	while (sectors) {
		uint32_t first = (uint32_t)__builtin_ctzll(sectors);
		uint64_t run = sectors >> first;
		uint32_t count = ~run ? (uint32_t)__builtin_ctzll(~run) :
					64 - first;

		range_list_add(execution, list,
			       address + first * SRAM_SECTOR_BYTES,
			       count * SRAM_SECTOR_BYTES, walks);
		if (first + count == 64)
			return;
		sectors &= ~0ull << (first + count);
		walks = 0;
	}
}

static uint64_t sectors_bytes(uint64_t sectors)
{
	return (uint64_t)__builtin_popcountll(sectors) * SRAM_SECTOR_BYTES;
}

static void host_access(struct sim_execution *execution,
			const struct page_access *access, uint32_t walks)
{
	struct lowering *lowering = lower_current(execution);
	struct sim_work *work = &execution->work;

	if (access->kind == SIM_READ) {
		work->pcie_read_bytes += access->length;
		range_list_add(execution, &lowering->host_reads,
			       access->address, access->length, walks);
	} else {
		work->pcie_write_bytes += access->length;
		range_list_add(execution, &lowering->host_writes,
			       access->address, access->length, walks);
	}
}

static void dram_access(struct sim_execution *execution,
			const struct page_access *access, uint32_t walks)
{
	struct lowering *lowering = lower_current(execution);
	struct sim_sram *sram = execution->device->sram;
	struct sim_work *work = &execution->work;
	struct sram_traffic traffic;

	if (access->kind == SIM_READ)
		sram_read(sram, access->address, access->length, access->hint,
			  &traffic);
	else
		sram_write(sram, access->address, access->length, access->hint,
			   &traffic);
	sectors_add(execution, &lowering->reads, access->address, traffic.read,
		    walks);
	sectors_add(execution, &lowering->writes, access->address,
		    traffic.written, walks);
	sectors_add(execution, &lowering->writes, traffic.evicted_address,
		    traffic.evicted, 0);
	work->dram_read_bytes += sectors_bytes(traffic.read);
	work->dram_write_bytes +=
		sectors_bytes(traffic.written) + sectors_bytes(traffic.evicted);
	work->evicted_bytes += sectors_bytes(traffic.evicted);
	work->hit_bytes += traffic.hit;
	if (access->kind == SIM_WRITE && !traffic.written)
		work->kept_bytes += access->length;
}

static void page_count(struct sim_execution *execution,
		       const struct sim_translation *page,
		       struct page_access *access)
{
	uint32_t walks = tlb_access(execution->device, page);

	access->address |= page->address;
	if (page->device)
		dram_access(execution, access, walks);
	else
		host_access(execution, access, walks);
}

static void range_count(struct sim_execution *execution, uint64_t address,
			uint64_t length, enum sim_access access, uint8_t hint)
{
	while (length && !execution->status) {
		uint32_t offset = address & (SPMM_PAGE_SIZE - 1);
		uint32_t part = (uint32_t)SPMM_PAGE_SIZE - offset;
		struct sim_translation page;
		int status;

		if (part > length)
			part = (uint32_t)length;
		/* Operands are mapped as a whole, or the command fails here. */
		status = mmu_translate(execution->device, execution->context,
				       address, access, &page);
		if (status) {
			execution_fail(execution, status, address);
			return;
		}
		page_count(execution, &page,
			   &(struct page_access){ offset, part, access, hint });
		address += part;
		length -= part;
	}
}

void traffic_read(struct sim_execution *execution, uint64_t address,
		  uint64_t length, uint8_t hint)
{
	range_count(execution, address, length, SIM_READ, hint);
}

void traffic_write(struct sim_execution *execution, uint64_t address,
		   uint64_t length, uint8_t hint)
{
	range_count(execution, address, length, SIM_WRITE, hint);
}

/* Below this, pieces share sectors with their neighbours. */
#define STREAM_BYTES_MIN 256

typedef void (*range_function)(struct sim_execution *execution,
			       uint64_t address, uint64_t length, uint8_t hint);

static void range_discard(struct sim_execution *execution, uint64_t address,
			  uint64_t length, uint8_t hint)
{
	(void)hint;
	while (length) {
		uint32_t offset = address & (SPMM_PAGE_SIZE - 1);
		uint32_t part = (uint32_t)SPMM_PAGE_SIZE - offset;
		struct sim_translation page;

		if (part > length)
			part = (uint32_t)length;
		if (!mmu_translate(execution->device, execution->context,
				   address, SIM_READ, &page) &&
		    page.device)
			sram_discard(execution->device->sram,
				     page.address + offset, part);
		address += part;
		length -= part;
	}
}

/* Calls the function for each contiguous range of the rows. */
static void rows_visit(struct sim_execution *execution,
		       const struct traffic_rows *rows, range_function function)
{
	const struct spmm_tensor *tensor = rows->tensor;
	bool packed = tensor->row_stride == rows->row_bytes;
	uint64_t plane_bytes = (rows->end - rows->first) * rows->row_bytes;
	uint8_t hint = tensor->hint;

	if (hint == SPMM_HINT_STREAM &&
	    (packed ? plane_bytes : rows->row_bytes) < STREAM_BYTES_MIN)
		hint = SPMM_HINT_KEEP;
	if (packed && tensor->channel_stride == plane_bytes) {
		function(execution, tensor->address,
			 tensor->channels * plane_bytes, tensor->hint);
		return;
	}
	for (uint32_t c = 0; c < tensor->channels && !execution->status; c++) {
		uint64_t at = tensor->address + c * tensor->channel_stride +
			      (uint64_t)rows->first * tensor->row_stride;

		if (packed) {
			function(execution, at, plane_bytes, hint);
			continue;
		}
		for (uint32_t y = rows->first;
		     y < rows->end && !execution->status; y++) {
			function(execution, at, rows->row_bytes, hint);
			at += tensor->row_stride;
		}
	}
}

void traffic_read_rows(struct sim_execution *execution,
		       const struct traffic_rows *rows)
{
	rows_visit(execution, rows, traffic_read);
}

void traffic_write_rows(struct sim_execution *execution,
			const struct traffic_rows *rows)
{
	rows_visit(execution, rows, traffic_write);
}

void traffic_finish_rows(struct sim_execution *execution,
			 const struct traffic_rows *rows)
{
	const struct spmm_tensor *tensor = rows->tensor;
	struct traffic_rows dead = *rows;

	if (tensor->hint != SPMM_HINT_DISCARD)
		return;
	if (tensor->keep_rows)
		dead.end = (uint32_t)min_u64(
			dead.end, tensor->height > tensor->keep_rows ?
					  tensor->height - tensor->keep_rows :
					  0);
	if (dead.first < dead.end)
		rows_visit(execution, &dead, range_discard);
}
