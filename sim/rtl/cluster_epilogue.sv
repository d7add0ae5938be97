// SPDX-License-Identifier: MIT
// One vector in each clock: it waits one clock for its row's bias and scale, and comes
// out five clocks later. Rows that another part of the stream finishes leave as they
// are, int32 without bias.
module cluster_epilogue
	import cluster_package::*;
(
	input logic clock,
	input logic start,
	input vector_t vector,
	input row_t finish_begin,
	input output_t kind,
	input logic signed [7:0] zero,
	output row_t parameter_row, // asked for
	input logic [31:0] parameter_bias, // of that row, in the same clock
	input logic [30:0] parameter_scale,
	output logic busy,
	output logic valid,
	output logic partial,
	output row_t row,
	output sums_t result
);
	localparam int STAGES = 6;

	vector_t request;
	logic [STAGES-1:0] valids, partials;
	row_t rows [STAGES];
	logic [31:0] bias;
	logic [30:0] scale;
	logic [23:0] significand, significand_2;
	logic signed [9:0] exponent, exponent_2;
	output_t kind_now;

	assign parameter_row = request.row;
	assign bias = partials[0] ? '0 : parameter_bias;
	assign kind_now = partials[STAGES-2] ? OUTPUT_INT32 : kind;
	assign busy = valids != 0;
	assign valid = valids[STAGES-1];
	assign partial = partials[STAGES-1];
	assign row = rows[STAGES-1];

	cluster_scale normalize (.scale, .significand, .exponent);

	for (genvar i = 0; i < WIDTH; i++) begin : gen_element
		epilogue_element element_ (
			.clock, .sum(request.sums[i]), .bias,
			.scale_significand(significand_2),
			.scale_exponent(exponent_2), .zero, .kind(kind_now),
			.result(result[i])
		);
	end

	always_ff @(posedge clock) begin
		request <= vector;
		scale <= parameter_scale;
		significand_2 <= significand;
		exponent_2 <= exponent;
		valids <= {valids[STAGES-2:0], vector.valid};
		partials <= {partials[STAGES-2:0], vector.row < finish_begin};
		rows[0] <= vector.row;
		for (int i = 1; i < STAGES; i++)
			rows[i] <= rows[i-1];
		if (start)
			valids <= '0;
	end
endmodule
