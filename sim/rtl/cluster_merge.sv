// SPDX-License-Identifier: MIT
// Adds up rows that several lanes, or several parts of the stream, share. When the
// lanes are done, their first and last rows come by in order; neighbours of the same
// row become one. Rows without weights between them and up to the part's end go to
// the epilogue, too.
module cluster_merge
	import cluster_package::*;
(
	input logic clock,
	input logic start,
	input logic active,
	input row_t finish_begin,
	input row_t finish_end,
	input partial_t [LANES-1:0] border,
	input partial_t [LANES-1:0] last,
	input partial_t incoming, // of the part's last row, from the parts behind
	output vector_t vector,
	output logic done
);
	localparam int PARTIALS = 2 * LANES + 1;
	typedef logic [$clog2(PARTIALS+1)-1:0] index_t;

	index_t index; // of the next partial sum; PARTIALS: there are no more
	partial_t carry, partial;
	row_t covered; // rows before it are taken care of
	logic at_end, same, emit, gap, rest;

	always_comb begin
		at_end = index == index_t'(PARTIALS);
		if (at_end) begin
			partial = '0;
		end else if (index == index_t'(PARTIALS - 1)) begin
			partial = incoming;
			partial.first = covered;
		end else if (index[0]) begin
			partial = last[index[$clog2(LANES):1]];
		end else begin
			partial = border[index[$clog2(LANES):1]];
			partial.first = covered;
		end
		same = carry.valid && partial.valid && partial.row == carry.row;
		emit = carry.valid && !same && (partial.valid || at_end);
		gap = emit && carry.first < carry.row;
		rest = at_end && !carry.valid && covered < finish_end;
		done = at_end && !carry.valid && !rest;

		vector.valid = active && (emit || rest);
		vector.row = rest ? covered : gap ? carry.first : carry.row;
		vector.sums = rest || gap ? '0 : carry.sums;
	end

	always_ff @(posedge clock) begin
		if (active && gap) begin
			carry.first <= carry.first + 1'b1;
		end else if (active) begin
			if (partial.valid && !same)
				carry <= partial;
			else if (at_end)
				carry.valid <= 1'b0;
			if (same)
				for (int i = 0; i < WIDTH; i++)
					carry.sums[i] <= carry.sums[i] +
						partial.sums[i];
			if (partial.valid && partial.row >= covered)
				covered <= partial.row + 1'b1;
			else if (rest)
				covered <= covered + 1'b1;
			if (!at_end)
				index <= index + 1'b1;
		end
		if (start) begin
			index <= '0;
			carry.valid <= 1'b0;
			covered <= finish_begin;
		end
	end
endmodule
