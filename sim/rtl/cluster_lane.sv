// SPDX-License-Identifier: MIT
// One lane's 32 multipliers and its accumulators. A slot holds the sums of one row;
// complete ones wait until the epilogue takes them. Sums of the first row, which the
// lane before may share, and of the last one stay for the merge.
module cluster_lane
	import cluster_package::*;
(
	input logic clock,
	input logic start,
	input logic advance,
	input logic signed [7:0] input_zero,
	input issue_t issue,
	input codes_t operand, // of the issue
	output logic stall, // a row needs a slot that still waits
	output partial_t complete,
	input logic take, // the row before the next empty one, or the complete one
	output partial_t border,
	output partial_t last
);
	issue_t product_of;
	sums_t product;

	sums_t sums [SLOTS];
	row_t rows [SLOTS];
	row_t firsts [SLOTS];
	logic [SLOTS-1:0] used, complete_slots, ends;
	sums_t border_sums;
	row_t border_row;
	logic border_used;
	slot_t oldest, next; // next: to be taken

	symbol_t symbol;
	logic adds;
	logic [WIDTH-1:0][8:0] centred; // x - zero

	assign symbol = product_of.symbol;
	assign adds = product_of.issued && !symbol.filler;
	assign stall = adds && !symbol.border && complete_slots[symbol.slot];

	assign complete.valid = complete_slots[next];
	assign complete.row = rows[next];
	assign complete.first = firsts[next];
	assign complete.sums = sums[next];
	assign border.valid = border_used;
	assign border.row = border_row;
	assign border.first = '0;
	assign border.sums = border_sums;
	assign last.valid = used[oldest];
	assign last.row = rows[oldest];
	assign last.first = firsts[oldest];
	assign last.sums = sums[oldest];

	always_comb begin
		for (int i = 0; i < WIDTH; i++)
			centred[i] = 9'($signed(operand[i])) - 9'(input_zero);
	end

	// Slots from oldest up to the one that is now the oldest.
	always_comb begin
		for (int s = 0; s < SLOTS; s++)
			ends[s] = product_of.turn && slot_t'(s) - oldest <
				product_of.oldest - oldest;
	end

	always_ff @(posedge clock) begin
		if (advance) begin
			product_of <= issue;
			for (int i = 0; i < WIDTH; i++)
				product[i] <= 32'($signed(17'($signed(issue.symbol.weight)) *
					17'($signed(centred[i]))));
		end
		if (start)
			product_of <= '0;
	end

	always_ff @(posedge clock) begin
		if (take && complete.first == complete.row) begin
			used[next] <= 1'b0;
			complete_slots[next] <= 1'b0;
			next <= next + 1'b1;
		end else if (take) begin
			firsts[next] <= firsts[next] + 1'b1;
		end
		if (advance && adds && symbol.border) begin
			border_used <= 1'b1;
			border_row <= symbol.row;
			for (int i = 0; i < WIDTH; i++)
				border_sums[i] <= product[i] +
					(border_used ? border_sums[i] : '0);
		end
		if (advance && adds && !symbol.border) begin
			used[symbol.slot] <= 1'b1;
			rows[symbol.slot] <= symbol.row;
			firsts[symbol.slot] <= symbol.first;
			for (int i = 0; i < WIDTH; i++)
				sums[symbol.slot][i] <= product[i] +
					(used[symbol.slot] ? sums[symbol.slot][i] : '0);
		end
		if (advance && product_of.turn) begin
			for (int s = 0; s < SLOTS; s++)
				if (ends[s] && (used[s] || (adds && !symbol.border &&
				    symbol.slot == slot_t'(s))))
					complete_slots[s] <= 1'b1;
			oldest <= product_of.oldest;
		end
		if (start) begin
			used <= '0;
			complete_slots <= '0;
			border_used <= 1'b0;
			oldest <= '0;
			next <= slot_t'(1);
		end
	end
endmodule
