# SPDX-License-Identifier: MIT
# The interface as this kernel's compiler and harness see it; needs no device.
# targets: tests/kselftest/uapi_layout
. /suites/guest
program "the calls have their numbers" uapi_layout
