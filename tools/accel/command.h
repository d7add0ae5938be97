/* SPDX-License-Identifier: MIT */
/*
 * The subcommands. Each parses its arguments, reports its errors on standard error
 * and returns the program's exit status.
 */
#ifndef TOOL_COMMAND_H
#define TOOL_COMMAND_H

enum {
	STATUS_OK = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
};

/* arguments[0] is the subcommand's name. */
int command_compress(int count, char **arguments);
int command_train(int count, char **arguments);
int command_distill(int count, char **arguments);
int command_pack(int count, char **arguments);
int command_inspect(int count, char **arguments);
int command_run(int count, char **arguments);
int command_verify(int count, char **arguments);
int command_evaluate(int count, char **arguments);
int command_compare(int count, char **arguments);
int command_sweep(int count, char **arguments);
int command_explain(int count, char **arguments);
int command_export(int count, char **arguments);
int command_bench(int count, char **arguments);
int command_info(int count, char **arguments);
int command_stats(int count, char **arguments);
int command_top(int count, char **arguments);
int command_list(int count, char **arguments);
int command_bind(int count, char **arguments);
int command_doctor(int count, char **arguments);

/* Print the last error's text behind the command's name; STATUS_FAILED. */
int command_fail(const char *command);

#endif
