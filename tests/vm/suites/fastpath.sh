# SPDX-License-Identifier: MIT
# Submitting and reaping with a real kernel below: no system call, no allocation, no lock,
# no register read, one doorbell for a batch; by VFIO and on user queues of the module.
# targets: tests/fastpath/fastpath
# limit: 240
# shellcheck source=tests/vm/guest.sh
. /suites/guest
address=$(basename "$(device_folder)")

vfio_bind "$address"
check "vfio: the fast path" fastpath "vfio:$address"
check "vfio: what is broken is noticed" fastpath --self-test "vfio:$address"
vfio_unbind "$address"
module_load
check "dev: the fast path of user queues" fastpath "dev:/dev/accel/accel0?queues=user"
check "the module can be unloaded" module_unload
