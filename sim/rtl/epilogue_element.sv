// SPDX-License-Identifier: MIT
// One value of the epilogue: sat_int8(rne(fl(fl(acc + bias) * scale)) + zero), in five
// clocks. fl rounds to binary32, to nearest, ties to even; subnormals are kept.
module epilogue_element
	import cluster_package::*;
(
	input logic clock,
	input logic [31:0] sum,
	input logic [31:0] bias, // 0 for a partial sum
	input logic [23:0] scale_significand, // of two clocks later
	input logic signed [9:0] scale_exponent,
	input logic signed [7:0] zero,
	input output_t kind, // of the result, four clocks later
	output logic [31:0] result
);
	logic [31:0] total, total_2, total_3, total_4;

	// fl(int32): 24 bits, the highest of them set unless the value is 0.
	logic sign, sign_2, sign_3, sign_4;
	logic [31:0] magnitude, aligned;
	logic [4:0] leading;
	logic [24:0] rounded;
	logic [23:0] significand;
	logic [5:0] exponent;

	always_comb begin
		sign = total[31];
		magnitude = sign ? -total : total;
		leading = '0;
		for (int i = 0; i < 32; i++)
			if (magnitude[i])
				leading = 5'(31 - i);
		aligned = magnitude << leading;
		rounded = {1'b0, aligned[31:8]} +
			25'(aligned[7] && (aligned[6:0] != 0 || aligned[8]));
	end

	// The product of two numbers in [1, 2), as 2.46 bits.
	logic [47:0] product;
	logic signed [9:0] product_exponent;

	// fl(product): shift to 1.47 bits, further if it is subnormal, and round. A carry
	// out of the fraction is right for the exponent, too, up to infinity. A subnormal
	// product is exact, since it is a scale times an integer: no set bit gets lost.
	logic [47:0] normal, shifted;
	logic signed [9:0] biased;
	logic [9:0] shift;
	logic [30:0] packed_, value;
	logic up;

	always_comb begin
		normal = product[47] ? product : product << 1;
		biased = product_exponent + 10'sd127 + (product[47] ? 10'sd1 : 10'sd0);
		shift = biased < 10'sd1 ? 10'(10'sd1 - biased) : '0;
		shifted = normal >> shift;
		up = shifted[23] && (shifted[22:0] != 0 || shifted[24]);
		packed_ = {shift == 0 ? biased[7:0] : 8'd0, shifted[46:24]} + 31'(up);
		if (biased >= 10'sd255)
			packed_ = {8'hff, 23'd0};
	end

	// sat_int8(rne(value) + zero): from 256 on, any zero point saturates.
	logic [7:0] power;
	logic [23:0] mantissa;
	logic [8:0] integer_;
	logic [23:0] fraction;
	logic signed [10:0] code;
	logic [4:0] places;

	always_comb begin
		power = value[30:23];
		mantissa = {power != 0, value[22:0]};
		places = 5'(8'd150 - power); // 16 ... 24
		integer_ = 9'(mantissa >> places);
		fraction = mantissa << (5'd24 - places);
		if (fraction > 24'h800000 || (fraction == 24'h800000 && integer_[0]))
			integer_ = integer_ + 1'b1;
		if (power < 8'd126)
			integer_ = '0;
		code = (sign_4 ? -11'(integer_) : 11'(integer_)) + 11'(zero);
		if (power >= 8'd135)
			code = sign_4 ? -11'sd128 : 11'sd127;
		else if (code < -11'sd128)
			code = -11'sd128;
		else if (code > 11'sd127)
			code = 11'sd127;
	end

	always_ff @(posedge clock) begin
		total <= sum + bias;

		total_2 <= total;
		sign_2 <= sign;
		significand <= rounded[24] ? 24'h800000 : rounded[23:0];
		exponent <= 6'd31 - 6'(leading) + 6'(rounded[24]);

		total_3 <= total_2;
		sign_3 <= sign_2;
		product <= significand * scale_significand;
		product_exponent <= 10'(exponent) + scale_exponent;

		total_4 <= total_3;
		sign_4 <= sign_3;
		value <= product == 0 ? '0 : packed_;

		case (kind)
		OUTPUT_INT8: result <= 32'(code);
		OUTPUT_FLOAT32: result <= {sign_4, value};
		default: result <= total_4;
		endcase
	end
endmodule
