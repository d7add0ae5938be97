// SPDX-License-Identifier: MIT
// One lane's choice by the fixed rule: the oldest symbol of the window whose bank no
// lane before has taken, if it lies before the fourth start of a row behind the oldest
// symbol. The lane before decided one clock earlier.
module cluster_scheduler
	import cluster_package::*;
(
	input logic clock,
	input logic start,
	input logic advance, // the pipeline moves
	input logic valid, // the decoder has a symbol
	input symbol_t symbol,
	input logic exhausted, // and will have no more
	output logic room,
	input turn_t turn,
	output turn_t turn_next,
	output issue_t issue,
	output logic primed, // the window may be looked at
	output logic idle
);
	typedef logic [$clog2(QUEUE)-1:0] index_t;
	typedef logic [$clog2(QUEUE):0] count_t;

	symbol_t entries [QUEUE];
	logic [QUEUE-1:0] pending;
	index_t head;
	count_t count;
	slot_t last_slot;

	assign room = count < count_t'(QUEUE);
	assign primed = !room || exhausted;
	assign idle = exhausted && count == 0;

	logic found;
	index_t at;
	count_t step;
	logic [$clog2(ACCUMULATORS):0] rows;

	always_comb begin
		found = 1'b0;
		at = head;
		rows = '0;
		for (int i = 0; i < WINDOW; i++) begin
			automatic index_t e = head + index_t'(i);

			if (i > 0 && entries[e].new_row && count_t'(i) < count &&
			    int'(rows) < ACCUMULATORS)
				rows = rows + 1'b1;
			if (!found && pending[e] && int'(rows) < ACCUMULATORS &&
			    (entries[e].filler || !turn.taken[entries[e].bank])) begin
				found = turn.valid;
				at = e;
			end
		end

		// The window moves up to the oldest symbol that has not issued.
		step = '0;
		if (found && at == head) begin
			step = count < count_t'(WINDOW) ? count : count_t'(WINDOW);
			for (int i = WINDOW - 1; i > 0; i--)
				if (pending[head + index_t'(i)])
					step = count_t'(i);
		end
	end

	symbol_t chosen;
	index_t head_next;

	assign chosen = entries[at];
	assign head_next = head + step[$clog2(QUEUE)-1:0];

	always_ff @(posedge clock) begin
		if (advance) begin
			turn_next.valid <= turn.valid;
			turn_next.taken <= turn.taken;
			if (found && !chosen.filler)
				turn_next.taken[chosen.bank] <= 1'b1;
			issue.turn <= turn.valid;
			issue.issued <= found;
			issue.symbol <= chosen;
			issue.oldest <= step == count ?
				last_slot : entries[head_next].slot;
			if (found)
				pending[at] <= 1'b0;
			head <= head_next;
		end
		count <= count - (advance ? step : '0) + count_t'(valid);
		if (valid) begin
			entries[head + count[$clog2(QUEUE)-1:0]] <= symbol;
			pending[head + count[$clog2(QUEUE)-1:0]] <= 1'b1;
			last_slot <= symbol.slot;
		end
		if (start) begin
			turn_next <= '0;
			issue <= '0;
			pending <= '0;
			head <= '0;
			count <= '0;
			last_slot <= '0;
		end
	end
endmodule
