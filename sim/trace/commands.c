/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include <sim/trace/commands.h>

/* Powers of two: far more commands than are under way at once, and all queues. */
#define REMEMBERED 16384
#define QUEUES 256

struct trace_commands {
	uint64_t flows[QUEUES]; /* the one that goes on */
	struct trace_command known[REMEMBERED];
};

int trace_commands_create(struct trace_commands **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

void trace_commands_destroy(struct trace_commands *commands)
{
	free(commands);
}

void trace_commands_add(struct trace_commands *commands,
			const struct engine_command *command)
{
	uint64_t *flow = &commands->flows[command->queue % QUEUES];

	/* a doorbell announces many commands: one submission, and one arrow */
	if (command->fetch.doorbell || !*flow)
		*flow = command->sequence;
	commands->known[command->sequence % REMEMBERED] =
		(struct trace_command){
			.sequence = command->sequence,
			.flow = *flow,
			.label = command->label,
			.queue = command->queue,
			.opcode = command->opcode,
			.ends_flow = command->completes,
		};
	/* the next completion is of the next entry of the ring, another story */
	if (command->completes)
		*flow = 0;
}

struct trace_command *trace_commands_find(struct trace_commands *commands,
					  uint64_t sequence)
{
	struct trace_command *found = &commands->known[sequence % REMEMBERED];

	return sequence && found->sequence == sequence ? found : NULL;
}

const char *trace_opcode_text(uint8_t opcode)
{
	static const char *const texts[] = {
		[SPMM_IO_NOP] = "NOP",
		[SPMM_IO_FENCE] = "FENCE",
		[SPMM_IO_COPY] = "COPY",
		[SPMM_IO_COPY_STRIDED] = "COPY_STRIDED",
		[SPMM_IO_SPMM] = "SPMM",
		[SPMM_IO_ELTWISE] = "ELTWISE",
		[SPMM_IO_RECURRENT] = "RECURRENT",
		[SPMM_IO_LIST] = "LIST",
		[SPMM_IO_SEMAPHORE_WAIT] = "SEMAPHORE_WAIT",
		[SPMM_IO_SEMAPHORE_SIGNAL] = "SEMAPHORE_SIGNAL",
		[SPMM_IO_TIMESTAMP] = "TIMESTAMP",
	};

	if (opcode >= sizeof(texts) / sizeof(*texts) || !texts[opcode])
		return "command";
	return texts[opcode];
}
