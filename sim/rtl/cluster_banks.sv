// SPDX-License-Identifier: MIT
// All banks, and the way from the lanes' columns to them and back. There is no
// arbiter: by the schedule no two lanes ask for the same bank.
module cluster_banks
	import cluster_package::*;
(
	input logic clock,
	input logic advance,
	input logic half,
	input issue_t [LANES-1:0] request,
	input issue_t [LANES-1:0] answered, // the request one clock later
	output codes_t [LANES-1:0] operand, // of what was answered
	input logic write,
	input logic write_half,
	input column_t write_column,
	input bank_t write_skew,
	input codes_t write_data
);
	codes_t data [BANKS];
	bank_t write_bank;

	assign write_bank = bank_of(write_column, write_skew);

	for (genvar b = 0; b < BANKS; b++) begin : gen_bank
		address_t address;

		always_comb begin
			address = '0;
			for (int l = 0; l < LANES; l++)
				if (request[l].issued && !request[l].symbol.filler &&
				    request[l].symbol.bank == bank_t'(b))
					address = address | request[l].symbol.address;
		end

		cluster_bank bank (
			.clock, .write(write && write_bank == bank_t'(b)),
			.write_half, .write_address(address_of(write_column)),
			.write_data, .read(advance), .read_half(half),
			.read_address(address), .read_data(data[b])
		);
	end

	for (genvar l = 0; l < LANES; l++) begin : gen_lane
		assign operand[l] = data[answered[l].symbol.bank];
	end
endmodule
