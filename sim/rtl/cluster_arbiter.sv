// SPDX-License-Identifier: MIT
// Complete rows on their way to the epilogue, one of them in each clock; the lanes
// take turns.
module cluster_arbiter
	import cluster_package::*;
(
	input logic clock,
	input logic start,
	input partial_t [LANES-1:0] complete,
	output logic [LANES-1:0] take,
	output vector_t vector
);
	typedef logic [$clog2(LANES)-1:0] lane_t;

	lane_t next, lane;
	logic found;

	always_comb begin
		found = 1'b0;
		lane = next;
		for (int i = LANES - 1; i >= 0; i--) begin
			automatic lane_t l = next + lane_t'(i);

			if (complete[l].valid) begin
				found = 1'b1;
				lane = l;
			end
		end
		take = '0;
		take[lane] = found;
		// Rows without weights come before it.
		vector.valid = found;
		vector.row = complete[lane].first;
		vector.sums = complete[lane].first == complete[lane].row ?
			complete[lane].sums : '0;
	end

	always_ff @(posedge clock) begin
		if (found)
			next <= lane + 1'b1;
		if (start)
			next <= '0;
	end
endmodule
