// SPDX-License-Identifier: MIT
// The next code of a lane's bit stream, without state: how long it is, and where its
// weight lies. Rice codes with a filler in front are taken together, as is documented.
module cluster_code
	import cluster_package::*;
(
	input logic [54:0] bits,
	input logic [1:0] format,
	input logic [5:0] parameter_,
	input logic second, // of a pair in a group of four
	input column_t columns,
	output logic filler, // a filler only: move on by it
	output logic skip, // move on by a filler, then by the gap
	output column_t filler_length,
	output column_t gap,
	output logic [3:0] pair_first, // columns in the group
	output logic [3:0] pair_second,
	output logic [7:0] weight,
	output logic [5:0] length
);
	logic [4:0] unary;
	logic [15:0] unary_mask;
	logic [3:0] rice;
	logic [3:0] zeros;
	logic [31:0] filler_long;
	logic [54:0] code, value;
	logic [2:0] pattern_bits;

	always_comb begin
		rice = parameter_[3:0];
		unary = columns < COLUMN_BITS'(16) ? columns[4:0] : 5'd16;
		unary_mask = 16'hffff >> (5'd16 - unary);
		filler_long = 32'(unary) << rice;
		filler_length = filler_long < 32'(columns) ?
			filler_long[COLUMN_BITS-1:0] : columns;
		skip = format[1] && (bits[15:0] & unary_mask) == 0;
		code = skip ? bits >> unary : bits;
		filler = skip && (code[15:0] & unary_mask) == 0;
		zeros = 4'd15;
		for (int i = 15; i >= 0; i--)
			if (code[i])
				zeros = i[3:0];
		value = code >> (6'(zeros) + 6'd1);
	end

	always_comb begin
		pattern_bits = 3'd0;
		gap = '0;
		pair_first = 4'd0;
		pair_second = 4'd0;
		case (format)
		2'd0: begin // dense
			weight = bits[7:0];
			length = 6'd8;
		end
		2'd1: begin // structured
			case (parameter_[2:0])
			3'd0: begin pattern_bits = 3'd1; pair_first = {3'd0, bits[0]}; end
			3'd1: begin pattern_bits = 3'd2; pair_first = {2'd0, bits[1:0]}; end
			3'd2: begin pattern_bits = 3'd3; pair_first = {1'd0, bits[2:0]}; end
			3'd3: begin pattern_bits = 3'd4; pair_first = bits[3:0]; end
			default: begin
				pattern_bits = 3'd3;
				pair_first = bits[2:0] < 3'd3 ? 4'd0 :
					bits[2:0] < 3'd5 ? 4'd1 : 4'd2;
				pair_second = bits[2:0] == 3'd0 ? 4'd1 :
					bits[2:0] == 3'd1 || bits[2:0] == 3'd3 ?
					4'd2 : 4'd3;
			end
			endcase
			if (second)
				pattern_bits = 3'd0;
			weight = 8'(bits >> pattern_bits);
			length = 6'd8 + 6'(pattern_bits);
		end
		default: begin // bitmap, delta
			gap = COLUMN_BITS'((32'(zeros) << rice) |
				(value[31:0] & ((32'd1 << rice) - 32'd1)));
			weight = 8'(value >> rice);
			length = filler ? 6'(unary) :
				(skip ? 6'(unary) : 6'd0) + 6'(zeros) +
				6'd9 + 6'(rice);
		end
		endcase
	end
endmodule
