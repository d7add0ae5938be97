// SPDX-License-Identifier: MIT
// One bank of the activation buffer: a memory with one read and one write port. While
// a half is read, the other one is filled.
module cluster_bank
	import cluster_package::*;
(
	input logic clock,
	input logic write,
	input logic write_half,
	input address_t write_address,
	input codes_t write_data,
	input logic read,
	input logic read_half,
	input address_t read_address,
	output codes_t read_data
);
	codes_t memory [2*BANK_ROWS];

	always_ff @(posedge clock) begin
		if (write)
			memory[{write_half, write_address}] <= write_data;
		if (read)
			read_data <= memory[{read_half, read_address}];
	end
endmodule
