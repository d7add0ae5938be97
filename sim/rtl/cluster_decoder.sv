// SPDX-License-Identifier: MIT
// One lane's bit stream becomes symbols, one in each clock. The stream is trusted:
// the checks of a hostile one are not part of this model.
module cluster_decoder
	import cluster_package::*;
(
	input logic clock,
	input logic start,
	input logic [31:0] lane_length, // of the stream in bytes
	input row_t lane_row, // the cursor's
	input column_t lane_column,
	input column_t columns,
	input bank_t skew,
	input logic [63:0] data, // the next 8 bytes, whatever is behind the last
	output logic fetch, // data is taken at the end of this clock
	input logic room, // the queue takes a symbol
	output logic valid,
	output symbol_t symbol,
	output logic done
);
	// A block's header, a filler, a code and its weight are at most NEED bits.
	localparam int NEED = 71;
	localparam int CAPACITY = 192;

	logic [CAPACITY-1:0] buffer;
	logic [7:0] level; // bits of the buffer that are filled
	logic [31:0] rest; // bytes that were not fetched yet

	logic [1:0] format, format_now;
	logic [5:0] parameter_, parameter_now;
	logic [8:0] left, left_now; // weights of the block
	row_t row, last_row, first;
	column_t column, pair_column;
	logic second; // of a pair
	logic started; // the lane has had a weight
	logic border;
	slot_t slot;

	logic at_header;
	logic filler, skip;
	logic [54:0] bits;
	column_t filler_length, gap;
	logic [3:0] pair_first, pair_second;
	logic [7:0] weight, used;
	logic [5:0] length;

	assign at_header = left == 0;
	assign format_now = at_header ? buffer[1:0] : format;
	assign parameter_now = at_header ? buffer[7:2] : parameter_;
	assign left_now = at_header ? 9'(buffer[15:8]) + 9'd1 : left;
	assign bits = at_header ? buffer[NEED-1:16] : buffer[54:0];

	cluster_code next_code (
		.bits, .format(format_now), .parameter_(parameter_now), .second,
		.columns, .filler, .skip, .filler_length, .gap, .pair_first,
		.pair_second, .weight, .length
	);

	// The position of the weight, or of the cursor behind a filler.
	column_t group_mask, group_start, weight_column, cursor;
	row_t group_row, skip_row, weight_row;
	logic [COLUMN_BITS:0] skipped, moved;

	always_comb begin
		case (parameter_now[2:0])
		3'd0: group_mask = COLUMN_BITS'(1);
		3'd2: group_mask = COLUMN_BITS'(7);
		3'd3: group_mask = COLUMN_BITS'(15);
		default: group_mask = COLUMN_BITS'(3);
		endcase
		group_row = row;
		group_start = (column + group_mask) & ~group_mask;
		if (group_start == columns) begin
			group_start = '0;
			group_row = row + 1'b1;
		end

		// Neither a filler nor a gap crosses more than one row's end.
		skipped = {1'b0, column};
		skip_row = row;
		if (skip) begin
			skipped = skipped + {1'b0, filler_length};
			if (skipped >= {1'b0, columns}) begin
				skipped = skipped - {1'b0, columns};
				skip_row = row + 1'b1;
			end
		end
		moved = skipped + (filler ? '0 : {1'b0, gap});
		weight_row = skip_row;
		if (!filler && moved >= {1'b0, columns}) begin
			moved = moved - {1'b0, columns};
			weight_row = skip_row + 1'b1;
		end
		weight_column = moved[COLUMN_BITS-1:0];
		cursor = filler ? weight_column : weight_column + 1'b1;
		if (format_now == 2'd1) begin
			weight_row = second ? row : group_row;
			weight_column = second ? pair_column :
				group_start + COLUMN_BITS'(pair_first);
			cursor = second ? column : group_start + group_mask + 1'b1;
		end
	end

	logic new_row;

	assign new_row = !filler && (!started || weight_row != last_row);
	assign valid = room && !done && (level >= 8'(NEED) || rest == 0) &&
		!(at_header && level < 8'd8);
	assign used = valid ? 8'(length) + (at_header ? 8'd16 : 8'd0) : 8'd0;
	assign fetch = rest != 0 && level - used <= 8'(CAPACITY - 64);

	always_comb begin
		symbol.filler = filler;
		symbol.new_row = new_row;
		symbol.border = !started || (border && !new_row);
		symbol.slot = new_row && started ? slot + 1'b1 : slot;
		symbol.bank = bank_of(weight_column, skew);
		symbol.address = address_of(weight_column);
		symbol.weight = weight;
		symbol.row = weight_row;
		symbol.first = new_row ? last_row + 1'b1 : first;
	end

	always_ff @(posedge clock) begin
		if (fetch) begin
			rest <= rest > 32'd8 ? rest - 32'd8 : '0;
			level <= level - used +
				(rest > 32'd8 ? 8'd64 : 8'({rest[3:0], 3'd0}));
			buffer <= (buffer >> used) |
				(CAPACITY'(data) << (level - used));
		end else begin
			level <= level - used;
			buffer <= buffer >> used;
		end
		if (valid) begin
			format <= format_now;
			parameter_ <= parameter_now;
			left <= filler ? left_now : left_now - 9'd1;
			row <= weight_row;
			column <= cursor;
			second <= format_now == 2'd1 && parameter_now[2:0] == 3'd4 &&
				!second;
			pair_column <= group_start + COLUMN_BITS'(pair_second);
			if (!filler) begin
				last_row <= weight_row;
				first <= symbol.first;
				slot <= symbol.slot;
				border <= symbol.border;
				started <= 1'b1;
			end
		end
		if (rest == 0 && at_header && level < 8'd8)
			done <= 1'b1;
		if (start) begin
			buffer <= '0;
			level <= '0;
			rest <= lane_length;
			left <= '0;
			row <= lane_row;
			column <= lane_column;
			second <= 1'b0;
			started <= 1'b0;
			border <= 1'b1;
			slot <= '0;
			done <= 1'b0;
		end
	end
endmodule
