// SPDX-License-Identifier: MIT
// What the parts of a cluster agree on: the default device's numbers and the words
// that pass between the parts. Specification: Documentation/weight-stream.rst.
package cluster_package;
	localparam int LANES = 8;
	localparam int WIDTH = 32; // values of a vector
	localparam int BANKS = 16;
	localparam int BANK_ROWS = 256; // vectors in half a bank: 128 KiB in all halves
	localparam int WINDOW = 16; // symbols that a lane chooses from
	localparam int ACCUMULATORS = 4; // rows that a lane works on

	// Up to a whole window leaves at once, and one symbol a clock comes in: as much
	// again behind the window keeps it full.
	localparam int QUEUE = 2 * WINDOW;
	// Up to four rows end in one clock, and the next ones begin in the next clock.
	localparam int SLOTS = 2 * ACCUMULATORS;

	localparam int COLUMN_BITS = $clog2(BANKS * BANK_ROWS) + 1;
	localparam int ROW_BITS = 21; // SPMM_ROWS_MAX is 2^20

	typedef logic [COLUMN_BITS-1:0] column_t; // 0 ... K: a cursor may be behind row's end
	typedef logic [ROW_BITS-1:0] row_t;
	typedef logic [$clog2(BANKS)-1:0] bank_t;
	typedef logic [$clog2(BANK_ROWS)-1:0] address_t;
	typedef logic [$clog2(SLOTS)-1:0] slot_t;
	typedef logic [WIDTH-1:0][7:0] codes_t;
	typedef logic [WIDTH-1:0][31:0] sums_t;

	// Of enum spmm_output_type.
	typedef enum logic [1:0] {
		OUTPUT_INT8 = 2'd0,
		OUTPUT_INT32 = 2'd1,
		OUTPUT_FLOAT32 = 2'd2
	} output_t;

	// A weight, or a filler that takes an issue slot. Rows of a lane count slots in
	// turn. The first one, which the lane before may share, has one of its own.
	typedef struct packed {
		logic filler;
		logic new_row;
		logic border; // of the lane's first row
		slot_t slot;
		bank_t bank;
		address_t address;
		logic [7:0] weight;
		row_t row;
		row_t first; // behind the lane's row before: from here on rows are empty
	} symbol_t;

	// A lane's turn in one cycle of the schedule, with what the lanes before took.
	typedef struct packed {
		logic valid;
		logic [BANKS-1:0] taken;
	} turn_t;

	// What a lane did with its turn; rows before that of slot "oldest" are complete.
	typedef struct packed {
		logic turn;
		logic issued;
		symbol_t symbol;
		slot_t oldest;
	} issue_t;

	// Sums of one row that go to the epilogue.
	typedef struct packed {
		logic valid;
		row_t row;
		sums_t sums;
	} vector_t;

	// A partial sum at the border of lanes; rows from "first" on have no weights.
	typedef struct packed {
		logic valid;
		row_t row;
		row_t first;
		sums_t sums;
	} partial_t;

	// (k + skew * floor(k / banks)) mod banks, where banks is a power of two.
	function automatic bank_t bank_of(column_t column, bank_t skew);
		bank_t round = column[2*$clog2(BANKS)-1:$clog2(BANKS)];

		return column[$clog2(BANKS)-1:0] + round * skew;
	endfunction

	function automatic address_t address_of(column_t column);
		return column[COLUMN_BITS-2:$clog2(BANKS)];
	endfunction
endpackage
