// SPDX-License-Identifier: MIT
// One cluster: a part of a weight stream times one vector of each row of X. The lanes'
// streams come in at up to 8 bytes a clock each; results leave row by row, in the order
// in which rows complete. Inputs that describe the task hold still while busy.
module cluster
	import cluster_package::*;
(
	input logic clock,
	input logic start, // while not busy; before the first task, too

	input column_t columns, // K
	input bank_t skew,
	input logic half, // of the activation buffer, to be read
	input logic signed [7:0] input_zero,
	input logic signed [7:0] output_zero,
	input output_t output_kind,
	input row_t finish_begin, // the rows that this part finishes
	input row_t finish_end,
	input logic [LANES-1:0][31:0] lane_length,
	input row_t [LANES-1:0] lane_row,
	input column_t [LANES-1:0] lane_column,

	input logic [LANES-1:0][63:0] stream_data,
	output logic [LANES-1:0] stream_fetch,

	input logic write, // a row of X, also while busy: into the other half
	input logic write_half,
	input column_t write_column,
	input bank_t write_skew,
	input codes_t write_data,

	input logic incoming_valid, // the parts behind share the last row
	input row_t incoming_row,
	input sums_t incoming_sums,

	output row_t parameter_row,
	input logic [31:0] parameter_bias,
	input logic [30:0] parameter_scale,

	output logic busy,
	output logic turn, // a cycle of the schedule is at the banks
	output logic stalled, // and waits, since the epilogue is behind
	output logic [LANES-1:0] issued,
	output logic result_valid,
	output logic result_partial,
	output row_t result_row,
	output sums_t result
);
	// From the last lane's last choice until its product has been added.
	localparam int FLUSH = LANES + 3;

	logic [LANES-1:0] primed, idle, stalls, take;
	turn_t [LANES:0] turns;
	issue_t [LANES-1:0] request, answered;
	codes_t [LANES-1:0] operand;
	partial_t [LANES-1:0] complete, border, last;
	partial_t incoming;
	vector_t drained, merged;
	logic running, issuing, advance, flushed, merging, merge_done, epilogue_busy;
	logic [$clog2(FLUSH+1)-1:0] flush;

	assign advance = stalls == 0;
	assign stalled = !advance;
	assign turn = request[0].turn;
	assign turns[0].valid = issuing;
	assign turns[0].taken = '0;

	for (genvar l = 0; l < LANES; l++) begin : gen_lane
		logic room, valid, exhausted;
		symbol_t symbol;
		issue_t chosen;

		cluster_decoder decoder (
			.clock, .start, .lane_length(lane_length[l]),
			.lane_row(lane_row[l]), .lane_column(lane_column[l]),
			.columns, .skew, .data(stream_data[l]),
			.fetch(stream_fetch[l]), .room, .valid, .symbol,
			.done(exhausted)
		);
		cluster_scheduler scheduler (
			.clock, .start, .advance, .valid, .symbol, .exhausted,
			.room, .turn(turns[l]), .turn_next(turns[l+1]),
			.issue(chosen), .primed(primed[l]), .idle(idle[l])
		);
		cluster_align #(.DEPTH(LANES - l)) align_ (
			.clock, .start, .advance, .in(chosen), .out(request[l])
		);
		cluster_lane lane (
			.clock, .start, .advance, .input_zero,
			.issue(answered[l]), .operand(operand[l]),
			.stall(stalls[l]), .complete(complete[l]),
			.take(take[l]), .border(border[l]), .last(last[l])
		);
		assign issued[l] = request[l].issued;
	end

	cluster_banks banks (
		.clock, .advance, .half, .request, .answered, .operand, .write,
		.write_half, .write_column, .write_skew, .write_data
	);
	cluster_arbiter arbiter (
		.clock, .start, .complete, .take, .vector(drained)
	);

	assign incoming = '{
		valid: incoming_valid,
		row: incoming_row,
		first: '0,
		sums: incoming_sums
	};
	assign flushed = flush == ($clog2(FLUSH + 1))'(FLUSH);
	assign merging = running && flushed && !drained.valid;

	cluster_merge merge (
		.clock, .start, .active(merging), .finish_begin, .finish_end,
		.border, .last, .incoming, .vector(merged), .done(merge_done)
	);
	cluster_epilogue epilogue (
		.clock, .start, .vector(drained.valid ? drained : merged),
		.finish_begin, .kind(output_kind), .zero(output_zero),
		.parameter_row, .parameter_bias, .parameter_scale,
		.busy(epilogue_busy), .valid(result_valid),
		.partial(result_partial), .row(result_row), .result
	);

	assign busy = running || epilogue_busy;

	always_ff @(posedge clock) begin
		if (advance) begin
			answered <= request;
			if (issuing && &idle && !flushed)
				flush <= flush + 1'b1;
		end
		if (running && &primed)
			issuing <= 1'b1;
		if (merging && merge_done) begin
			running <= 1'b0;
			issuing <= 1'b0;
		end
		if (start) begin
			answered <= '0;
			flush <= '0;
			issuing <= 1'b0;
			running <= 1'b1;
		end
	end
endmodule
