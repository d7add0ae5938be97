// SPDX-License-Identifier: MIT
// A positive binary32 as 1.23 bits and an exponent, subnormals too.
module cluster_scale (
	input logic [30:0] scale,
	output logic [23:0] significand,
	output logic signed [9:0] exponent
);
	logic [4:0] shift;

	always_comb begin
		shift = '0;
		for (int i = 0; i < 23; i++)
			if (scale[i])
				shift = 5'(23 - i);
		if (scale[30:23] != 0) begin
			significand = {1'b1, scale[22:0]};
			exponent = 10'(scale[30:23]) - 10'd127;
		end else begin
			significand = {1'b0, scale[22:0]} << shift;
			exponent = -10'd126 - 10'(shift);
		end
	end
endmodule
