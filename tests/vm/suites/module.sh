# SPDX-License-Identifier: MIT
# The module comes and goes: loaded and unloaded, bound and unbound.
# limit: 120
. /suites/guest
device=$(device_folder)
driver=/sys/bus/pci/drivers/spmm
node=/dev/accel/accel0
rounds=100

loads()
{
	modprobe spmm && wait_for 20 test -c "$node"
}

is_bound()
{
	[ "$(basename "$(readlink "$device/driver")")" = spmm ]
}

unloads()
{
	rmmod spmm && [ ! -e "$node" ] && [ ! -e "$driver" ]
}

# Nothing is left of any round, and each finds the device as the first did.
rebinds()
{
	round=0
	while [ "$round" -lt "$rounds" ]; do
		round=$((round + 1))
		echo "round $round"
		basename "$device" >"$driver/unbind" && [ ! -e "$driver/$(basename "$device")" ]
		basename "$device" >"$driver/bind"
		[ -c "$node" ] || wait_for 5 test -c "$node"
	done
}

# An open file keeps what it needs, and does not keep the device from going.
unbinds_while_open()
{
	exec 3<>"$node"
	basename "$device" >"$driver/unbind"
	[ ! -e "$node" ]
	exec 3>&-
	# What the file kept, the node's number among it, goes a little later.
	sleep 1
	basename "$device" >"$driver/bind"
	wait_for 5 test -c "$node"
}

# Behind the driver's back, as after `echo 1 >remove`.
is_removed_and_found_again()
{
	echo 1 >"$device/remove"
	[ ! -e "$device" ] && [ ! -e "$node" ]
	echo 1 >/sys/bus/pci/rescan
	wait_for 10 test -c "$node"
}

check "loads, and there is a node" loads
check "is bound to the device" is_bound
check "unloads, and the node is gone" unloads
check "loads again" loads
check "$rounds times unbound and bound" rebinds
check "unbound while its node is open" unbinds_while_open
check "the device removed and found again" is_removed_and_found_again
