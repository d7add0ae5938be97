# SPDX-License-Identifier: MIT
# What a process learns of the device and of its own work.
# targets: tests/kselftest/query
. /suites/guest
check "the module is loaded" module_load
program "queries" query
check "the module can be unloaded" rmmod spmm
