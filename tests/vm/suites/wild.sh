# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# A device that reads and writes where nothing is mapped: the IOMMU stops and logs it. That
# needs a device that asks QEMU for every access, mapped or not.
# spmm-sim: --dma message --fault tests/vm/faults/all.fault
# targets: tests/kselftest/flow
# limit: 180
# shellcheck source=tests/vm/guest.sh
. /suites/guest
# shellcheck source=tests/vm/suites/lib/fault.sh
. /suites/lib/fault.sh

# stopped NAME KIND: the job fails, and the IOMMU says at which address, and why.
stopped()
{
	fault_arm "$1" || return 1
	flow 1 || true
	[ "$(fault_fired "$1")" = 1 ] || return 1
	dmesg | grep -i "DMAR.*DMA $2.*fault addr 0xdead00000000"
}

check "the module is there" module_load
check "work, asked for by message" flow 1
check "a read of nothing is stopped" stopped wild_dma_read Read
check "work afterwards" flow 1
check "a write to nothing is stopped" stopped wild_dma_write Write
check "work afterwards" flow 1
check "unloads" wait_for 5 rmmod spmm
