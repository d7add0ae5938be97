# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Buffer objects, device addresses, mappings and sharing with other drivers.
# spmm-sim: --window 32M
# targets: tests/kselftest/bo tests/kselftest/vm tests/kselftest/mmap tests/kselftest/prime tests/kselftest/memory_sleep
# targets: tests/kselftest/memory_unplug tests/kselftest/translation
# limit: 120
# shellcheck source=tests/vm/guest.sh
. /suites/guest
modprobe vgem
modprobe udmabuf
check "the module loads" module_load
for name in bo vm translation mmap prime memory_sleep memory_unplug; do
	program "$name" "$name"
done
check "the module unloads" rmmod spmm
