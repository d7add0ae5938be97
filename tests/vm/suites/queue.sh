# SPDX-License-Identifier: MIT
# Queues of processes: how they come and go, with work and without, by force too.
# targets: tests/kselftest/queue tests/kselftest/cancel tests/kselftest/user_queue
# limit: 240
. /suites/guest
module_load
program "queues" queue
program "work is taken back" cancel
program "user queues" user_queue
check "the module can be unloaded" module_unload
