# SPDX-License-Identifier: MIT
# What the tool says of the device on a real kernel, and how it moves it between drivers.
# targets: tools/accel
# limit: 240
. /suites/guest
device=$(device_folder)
address=$(basename "$device")
# Suites before this one may have loaded them.
rmmod spmm vfio-pci vfio_iommu_type1 2>/dev/null

# says PATTERN COMMAND...
says()
{
	pattern=$1
	shift
	"$@" >/tmp/said 2>&1 || said_status=$?
	cat /tmp/said
	grep -qE -- "$pattern" /tmp/said
}

# fails_saying PATTERN COMMAND...
fails_saying()
{
	said_status=0
	says "$@" && [ "$said_status" -eq 1 ]
}

lists()
{
	group=$(basename "$(readlink "$device/iommu_group")")
	says "^$address +$1 +$group +16GT/s x8 of 16GT/s x8 .* $2$" accel list
}

binds()
{
	accel bind "$address" "$1" --timeout 100 && [ "$(driver_of "$address")" = "$2" ]
}

wants_vfio()
{
	[ ! -d /sys/bus/pci/drivers/vfio-pci ] || { echo "it is built in"; return 77; }
	fails_saying 'modprobe vfio-pci' accel bind "$address" vfio-pci
}

# The group's file is open: the kernel would wait for whoever has it.
names_who_holds_it()
{
	sleep 60 7<>"$(vfio_group "$address")" &
	holder=$!
	wait_for 5 test -e "/proc/$holder/fd/7"
	fails_saying "in use by process $holder " accel bind "$address" spmm
	doctor_finds warn holder && grep "process $holder (sleep)" /tmp/doctor
	kill "$holder"
	[ "$(driver_of "$address")" = vfio-pci ]
}

# ---- doctor ----

# doctor_finds STATUS CHECK [DEVICE]
doctor_finds()
{
	accel doctor "${3:-$address}" >/tmp/doctor || true
	cat /tmp/doctor
	grep -qE "^  $1 +$2 " /tmp/doctor
}

# The command that is printed below a check, of what doctor has just said.
repair_of()
{
	sed -n "/^  [a-zA-Z]* *$1 /{n;s/^ *repair[^:]*: //p;}" /tmp/doctor
}

# The first thing that fails is repaired, again and again.
repairs_all()
{
	for round in 1 2 3 4 5 6; do
		if accel doctor "$1" >/tmp/doctor; then
			return 0
		fi
		cat /tmp/doctor
		failed=$(sed -n 's/^  FAIL  *\([a-z-]*\) .*/\1/p' /tmp/doctor | head -n 1)
		echo "round $round, $failed: $(repair_of "$failed")"
		eval "$(repair_of "$failed")"
	done
	return 1
}

# Nothing is loaded or bound before: commands of doctor alone bring the device there.
opens_after_repairs()
{
	drop_modules
	repairs_all "$1" && says "^$address: driver $2," accel info "$1"
}

drop_modules()
{
	[ "$(driver_of "$address")" != vfio-pci ] || vfio_unbind "$address"
	[ ! -d /sys/module/spmm ] || module_unload
	rmmod vfio-pci vfio_iommu_type1 2>/dev/null || true
}

# Bus mastering off behind the driver's back, in byte 4 of the configuration; a device that
# is asleep has none.
masters_again()
{
	echo on >"$device/power/control"
	printf '\002' | dd of="$device/config" bs=1 seek=4 conv=notrunc
	doctor_finds FAIL bus-master
	eval "$(repair_of bus-master)"
	doctor_finds ok bus-master
	echo auto >"$device/power/control"
}

repairs_nothing()
{
	accel doctor >/tmp/doctor || { cat /tmp/doctor; return 1; }
	cat /tmp/doctor
	! grep -E '^  (FAIL|warn) ' /tmp/doctor | grep -v '^  warn *hugepages '
}

# as_operator COMMAND: of a shell of a user who is nobody special.
as_operator()
{
	su operator -s /bin/sh -c "$1"
}

raises_memlock()
{
	# shellcheck disable=SC3045 # this shell has it
	ulimit -l unlimited
	as_operator "
		ulimit -S -l 64
		accel doctor $address >/tmp/operator/doctor
		grep -E '^  FAIL +memlock' /tmp/operator/doctor || exit
		eval \"\$(sed -n '/ memlock /{n;s/^ *repair: //p;}' /tmp/operator/doctor)\"
		accel doctor $address | grep -E '^  ok +memlock'"
}

# Of nodes that only root may open; with iommufd there are two.
lets_a_user_in()
{
	chmod 600 "$@"
	as_operator "accel doctor $address" >/tmp/doctor || true
	cat /tmp/doctor
	grep -qE '^  FAIL +node' /tmp/doctor
	for _ in "$@"; do
		eval "$(repair_of node)"
		as_operator "accel doctor $address" >/tmp/doctor || true
	done
	cat /tmp/doctor
	grep -E '^  ok +node|^  FAIL +membership' /tmp/doctor
}

# What the library opens: the group's file, or those of iommufd.
vfio_nodes()
{
	if [ -e /dev/iommu ] && [ -d "$device/vfio-dev" ]; then
		echo /dev/iommu /dev/vfio/devices/*
	else
		vfio_group "$address"
	fi
}

operator_add()
{
	mkdir -p /etc /tmp/operator
	printf 'root:x:0:0::/root:/bin/sh\noperator:x:1000:1000::/tmp/operator:/bin/sh\n' \
		>/etc/passwd
	printf 'root:x:0:\noperator:x:1000:\nrender:x:105:\n' >/etc/group
	chown operator /tmp/operator
}

# ---- what is done ----

check "without a module: how to load it" \
	fails_saying 'modprobe spmm' accel bind "$address" spmm
check "listed without a driver" lists - -
check "without VFIO: how to load it" wants_vfio
check "the module is loaded" module_load
check "listed with the module" lists spmm dev:/dev/accel/accel0
check "described with its PCI facts" \
	says "^$address: driver spmm, IOMMU group" accel info dev:/dev/accel/accel0
check "described so for programs" \
	says '^  "pci": \{' accel info dev:/dev/accel/accel0 --json
modprobe vfio_iommu_type1 2>/dev/null
modprobe vfio-pci 2>/dev/null
check "given to VFIO" binds vfio-pci vfio-pci
check "listed with VFIO" lists vfio-pci "vfio:$address"
check "who holds its group is named" names_who_holds_it
check "given back to the module" binds spmm spmm
check "taken from the module" binds none ""
check "given to VFIO from nobody" binds vfio-pci vfio-pci
check "given to the module again" binds spmm spmm
operator_add
check "doctor is content with the module" repairs_nothing
check "doctor knows the module's version" doctor_finds ok version
check "bus mastering is repaired" masters_again
check "a user's limit of locked memory is raised" raises_memlock
check "the module's node is shared with a group" lets_a_user_in /dev/accel/accel0
check "doctor brings it from nothing to VFIO" opens_after_repairs "vfio:$address" vfio-pci
check "doctor is content with VFIO" repairs_nothing
# shellcheck disable=SC2046 # one or two
check "VFIO's files are given to a user" lets_a_user_in $(vfio_nodes)
check "doctor brings it from nothing to the module" \
	opens_after_repairs dev:/dev/accel/accel0 spmm
check "the module can be unloaded" module_unload
