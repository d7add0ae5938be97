// SPDX-License-Identifier: MIT
// Lanes decide one after the other; those before wait for the last one, so that all
// read the banks in the same clock.
module cluster_align
	import cluster_package::*;
#(
	parameter int DEPTH = 1
) (
	input logic clock,
	input logic start,
	input logic advance,
	input issue_t in,
	output issue_t out
);
	issue_t stages [DEPTH];

	assign out = stages[DEPTH-1];

	always_ff @(posedge clock) begin
		if (advance) begin
			stages[0] <= in;
			for (int i = 1; i < DEPTH; i++)
				stages[i] <= stages[i-1];
		end
		if (start)
			for (int i = 0; i < DEPTH; i++)
				stages[i] <= '0;
	end
endmodule
