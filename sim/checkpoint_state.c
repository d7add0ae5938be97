/* SPDX-License-Identifier: MIT */
/*
 * What is not here: decoded weight streams, a cache that only saves the simulator
 * work; commands under way, since a paused device has none; how many users and
 * unfinished commands a completion queue has, which follow from the submission queues.
 */
#include <errno.h>
#include <string.h>

#include <core/error.h>
#include <sim/checkpoint_state.h>
#include <sim/engine/engine.h>
#include <sim/mmu.h>
#include <sim/tlb.h>

#define DAMAGED "; the checkpoint is damaged"

/* Those that the host has rung and the device has not come to. */
static void doorbells_visit(struct sim_doorbell_log *log, struct section *s)
{
	section_u32(s, &log->count);
	if (log->count > SIM_DOORBELL_LOG) {
		s->failed = true;
		log->count = 0;
	}
	for (uint32_t i = 0; i < log->count; i++)
		section_u32(s,
			    &log->tails[(log->first + i) % SIM_DOORBELL_LOG]);
}

/* What the host's threads may change as well. */
static void registers_visit(struct sim_device *device, struct section *s)
{
	pthread_mutex_lock(&device->lock);
	section_u32(s, &device->control);
	section_atomic_u32(s, &device->status);
	section_atomic_u32(s, &device->request);
	section_u32(s, &device->admin_size);
	section_u64(s, &device->admin_sq_address);
	section_u64(s, &device->admin_cq_address);
	section_u64(s, &device->interrupt_mask);
	section_u64(s, &device->interrupt_pending);
	for (unsigned int i = 0; i < SIM_QUEUES; i++) {
		section_atomic_u32(s, &device->doorbells[i].sq_tail);
		section_atomic_u32(s, &device->doorbells[i].cq_head);
		section_atomic_u64(s, &device->progress[i]);
	}
	for (unsigned int i = 0; i < SIM_QUEUES; i++)
		doorbells_visit(&device->doorbell_logs[i], s);
	section_bytes(s, device->counters, sizeof(device->counters));
	section_bytes(s, device->latched, sizeof(device->latched));
	section_bytes(s, device->msix, sizeof(device->msix));
	pthread_mutex_unlock(&device->lock);
}

static int registers_check(const struct sim_device *device)
{
	const uint32_t statuses = SPMM_STATUS_READY | SPMM_STATUS_FATAL |
				  SPMM_STATUS_BUSY;
	const uint32_t requests = SIM_REQUEST_RESET | SIM_REQUEST_DISABLE |
				  SIM_REQUEST_ENABLE;

	if ((device->control & ~SPMM_CONTROL_ENABLE) ||
	    (atomic_load(&device->status) & ~statuses) ||
	    (atomic_load(&device->request) & ~requests))
		return accel_error(-EINVAL, "impossible bits in CONTROL or "
					    "STATUS" DAMAGED);
	return 0;
}

/* At rest: time and totals. */
static void engine_visit(struct sim_device *device, struct section *s)
{
	uint64_t clock = tlb_clock(device->timing_tlb);
	struct engine_state state;

	engine_state_get(device->engine, &state);
	section_u64(s, &state.sequence);
	section_bytes(s, &state.totals, sizeof(state.totals));
	section_u64(s, &clock);
	if (!s->reading)
		return;
	engine_state_set(device->engine, &state);
	tlb_set_clock(device->timing_tlb, clock);
	atomic_store(&device->cycles, engine_now(device->engine));
}

/* Times and numbers that have room to grow for longer than anybody will wait. */
static int engine_check(const struct sim_device *device)
{
	const uint64_t most = 1ull << 62;
	struct engine_state state;

	engine_state_get(device->engine, &state);
	if (state.sequence < most && state.totals.cycles < most &&
	    tlb_clock(device->timing_tlb) < most)
		return 0;
	return accel_error(-EINVAL, "an impossible time" DAMAGED);
}

static void contexts_visit(struct sim_device *device, struct section *s)
{
	section_bool(s, &device->enabled);
	for (unsigned int i = 0; i < SPMM_CONTEXTS_MAX; i++) {
		section_bool(s, &device->contexts[i].exists);
		section_bool(s, &device->contexts[i].dead);
		section_u64(s, &device->contexts[i].root);
	}
}

static int contexts_check(const struct sim_device *device)
{
	for (unsigned int i = 0; i < SPMM_CONTEXTS_MAX; i++)
		if (device->contexts[i].exists &&
		    (!device->enabled || i >= device->config.contexts))
			return accel_error(-EINVAL,
					   "context %u of %u exists" DAMAGED, i,
					   device->config.contexts);
	if (device->contexts[0].exists != device->enabled)
		return accel_error(-EINVAL,
				   "no context for the admin queue" DAMAGED);
	return 0;
}

static void translations_visit(struct sim_device *device, struct section *s)
{
	uint32_t count = 0;
	struct sim_translation t;

	for (unsigned int i = 0; i < SIM_TLB_ENTRIES; i++)
		count += device->tlb[i].valid;
	section_u32(s, &count);
	for (uint32_t i = 0, slot = 0; i < count && !s->failed; i++) {
		if (!s->reading) {
			while (!device->tlb[slot].valid)
				slot++;
			t = device->tlb[slot++];
		}
		section_u64(s, &t.page);
		section_u64(s, &t.address);
		section_u16(s, &t.context);
		section_bool(s, &t.large);
		section_bool(s, &t.device);
		section_bool(s, &t.readable);
		section_bool(s, &t.writable);
		t.valid = true;
		if (s->reading)
			mmu_insert(device, &t);
	}
}

static int translations_check(const struct sim_device *device)
{
	for (unsigned int i = 0; i < SIM_TLB_ENTRIES; i++) {
		const struct sim_translation *t = &device->tlb[i];

		if (!t->valid)
			continue;
		if (!t->context || t->context >= device->config.contexts ||
		    (t->address & (SPMM_PAGE_SIZE - 1)) ||
		    t->page >> (SPMM_VIRTUAL_ADDRESS_BITS - SPMM_PAGE_SHIFT))
			return accel_error(-EINVAL,
					   "an impossible translation in the "
					   "TLB" DAMAGED);
	}
	return 0;
}

static void faults_visit(struct sim_device *device, struct section *s)
{
	section_u32(s, &device->fault_count);
	if (device->fault_count > SIM_FAULT_LOG_ENTRIES) {
		s->failed = true;
		device->fault_count = 0;
	}
	section_bytes(s, device->faults,
		      device->fault_count * sizeof(device->faults[0]));
}

static void cq_visit(struct sim_cq *cq, struct section *s)
{
	section_bool(s, &cq->valid);
	if (!cq->valid)
		return;
	section_bool(s, &cq->phase);
	section_u16(s, &cq->context);
	section_u16(s, &cq->vector);
	section_u32(s, &cq->entries);
	section_u32(s, &cq->tail);
	section_u64(s, &cq->address);
}

/* All that was pushed has retired: sums are of a list in progress. */
static void retirement_visit(struct sim_retirement *sums, struct section *s)
{
	section_bool(s, &sums->list_begun);
	section_bytes(s, &sums->list, sizeof(sums->list));
	section_u64(s, &sums->last_end);
	section_u64(s, &sums->failed);
}

/* The entry in progress, of a list in particular. */
static void current_visit(struct sim_sq *sq, struct section *s)
{
	section_bool(s, &sq->active);
	section_bool(s, &sq->waiting);
	section_bytes(s, &sq->current, sizeof(sq->current));
	section_u64(s, &sq->started);
	section_u32(s, &sq->list_index);
	section_u64(s, &sq->ticket);
	section_bool(s, &sq->announced);
	section_u32(s, &sq->block_left);
	retirement_visit(&sq->retirement, s);
}

static void sq_visit(struct sim_sq *sq, struct section *s)
{
	uint32_t drain_status = (uint32_t)sq->drain_status;

	section_bool(s, &sq->valid);
	if (!sq->valid)
		return;
	section_bool(s, &sq->broken);
	section_u16(s, &sq->id);
	section_u16(s, &sq->context);
	section_u16(s, &sq->cq);
	section_u16(s, &sq->priority);
	section_u32(s, &sq->credit);
	section_u32(s, &sq->entries);
	section_u32(s, &sq->head);
	section_u64(s, &sq->address);
	section_u32(s, &sq->drain);
	section_u32(s, &drain_status);
	sq->drain_status = (int)drain_status;
	section_u32(s, &sq->aborts);
	section_bytes(s, sq->abort_id, sizeof(sq->abort_id));
	current_visit(sq, s);
}

/* A completion queue's counts follow from who uses it. */
static void cqs_count(struct sim_device *device)
{
	for (unsigned int i = 0; i < SIM_QUEUES; i++) {
		const struct sim_sq *sq = &device->sqs[i];

		if (!sq->valid || sq->cq >= SIM_QUEUES)
			continue;
		device->cqs[sq->cq].users++;
		device->cqs[sq->cq].reserved += sq->active;
	}
}

static void queues_visit(struct sim_device *device, struct section *s)
{
	section_u32(s, &device->next_queue);
	for (unsigned int i = 0; i < SIM_QUEUES; i++) {
		cq_visit(&device->cqs[i], s);
		sq_visit(&device->sqs[i], s);
	}
	if (s->reading)
		cqs_count(device);
}

/* What both kinds of ring have in common. */
static bool ring_possible(const struct sim_device *device, unsigned int number,
			  uint16_t context, uint32_t entries, uint64_t address)
{
	return number <= device->config.queues && !number == !context &&
	       context < device->config.contexts &&
	       device->contexts[context].exists && entries >= 2 &&
	       entries <= device->config.queue_entries &&
	       !(address & (SPMM_PAGE_SIZE - 1));
}

static bool cq_possible(const struct sim_device *device, unsigned int number)
{
	const struct sim_cq *cq = &device->cqs[number];

	if (!cq->valid)
		return true;
	return ring_possible(device, number, cq->context, cq->entries,
			     cq->address) &&
	       cq->tail < cq->entries && cq->vector < SPMM_MSIX_VECTORS;
}

/* One that is in progress has an entry to come. */
static bool list_possible(const struct sim_sq *sq)
{
	return !sq->active || sq->current.opcode != SPMM_IO_LIST ||
	       sq->list_index < sq->current.length;
}

static bool sq_possible(const struct sim_device *device, unsigned int number)
{
	const struct sim_sq *sq = &device->sqs[number];

	if (!sq->valid)
		return true;
	return ring_possible(device, number, sq->context, sq->entries,
			     sq->address) &&
	       sq->id == number && sq->head < sq->entries &&
	       sq->cq < SIM_QUEUES && device->cqs[sq->cq].valid &&
	       device->cqs[sq->cq].context == sq->context &&
	       sq->priority <= 3 && sq->credit <= 8 &&
	       sq->drain < sq->entries && sq->aborts <= SIM_ABORTS_MAX &&
	       (number || !sq->active) && list_possible(sq);
}

static int queues_check(const struct sim_device *device)
{
	for (unsigned int i = 0; i < SIM_QUEUES; i++)
		if (!cq_possible(device, i) || !sq_possible(device, i))
			return accel_error(-EINVAL,
					   "queue %u is impossible" DAMAGED, i);
	if (device->cqs[0].valid != device->enabled ||
	    device->sqs[0].valid != device->enabled ||
	    device->next_queue > SPMM_IO_QUEUES_MAX)
		return accel_error(-EINVAL,
				   "the admin queue is impossible" DAMAGED);
	return 0;
}

const struct checkpoint_part checkpoint_parts[] = {
	{ SECTION_TAG('R', 'E', 'G', 'S'), registers_visit, registers_check },
	{ SECTION_TAG('E', 'N', 'G', 'N'), engine_visit, engine_check },
	{ SECTION_TAG('C', 'T', 'X', 'T'), contexts_visit, contexts_check },
	{ SECTION_TAG('T', 'L', 'B', ' '), translations_visit,
	  translations_check },
	{ SECTION_TAG('F', 'L', 'T', 'S'), faults_visit, NULL },
	{ SECTION_TAG('Q', 'U', 'E', 'S'), queues_visit, queues_check },
};

const unsigned int checkpoint_part_count =
	sizeof(checkpoint_parts) / sizeof(checkpoint_parts[0]);
