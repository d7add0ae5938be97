# SPDX-License-Identifier: MIT
# A device of another major version: nobody touches it, and both say why.
# spmm-sim: --config tests/vm/configs/foreign.conf
# targets: tools/accel
# limit: 60
# allow: interface is version 2.1
# shellcheck source=tests/vm/guest.sh
. /suites/guest
address=$(basename "$(device_folder)")

module_refuses()
{
	modprobe spmm
	dmesg | grep -F "the device's interface is version 2.1; this module knows 1.x" &&
		[ ! -e "/sys/bus/pci/devices/$address/driver" ]
}

library_refuses()
{
	! accel info "vfio:$address" >/tmp/refused 2>&1 || return 1
	cat /tmp/refused
	grep -q "interface is version 2.1; this library knows 1.x: a newer one" /tmp/refused
}

check "the module leaves it alone" module_refuses
check "VFIO takes the device" vfio_bind "$address"
check "the library leaves it alone" library_refuses
check "VFIO gives the device back" vfio_unbind "$address"
