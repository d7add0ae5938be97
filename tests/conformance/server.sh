# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced: a folder that goes at the end, and spmm-sim in it.
folder=$(mktemp -d)
server_pid=
# shellcheck disable=SC2034 # for who sources this
server_uri=vfio-user:$folder/socket

server_stop()
{
	[ -n "$server_pid" ] || return 0
	kill "$server_pid" 2>/dev/null || true
	wait "$server_pid" 2>/dev/null || true
	server_pid=
}

trap 'server_stop; rm -rf "$folder"' EXIT

# server_start OPTION...: listens when this returns.
server_start()
{
	local tries=200
	rm -f "$folder/socket"
	"${ACCEL_SPMM_SIM:?is set by meson test}" --socket "$folder/socket" "$@" \
		>"$folder/server.log" 2>&1 &
	server_pid=$!
	while [ ! -S "$folder/socket" ]; do
		if [ $((tries -= 1)) -eq 0 ] || ! kill -0 "$server_pid" 2>/dev/null; then
			cat "$folder/server.log"
			return 1
		fi
		sleep 0.05
	done
}
